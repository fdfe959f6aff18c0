package github

import (
	"slices"
	"sync"
	"time"
)

// runCache remembers for a short while which check runs a commit has, so that a burst of changes does not ask before
// each of them. It is short because other servers may write too.
type runCache struct {
	mu    sync.Mutex
	kept  map[string]keptRuns
	order []string // oldest first
}

type keptRuns struct {
	runs map[string]shownRun
	at   time.Time
}

// Bounds of a runCache.
const (
	maxKeptRuns = 1000 // commits
	keptRunLife = time.Minute
)

// take removes and returns what is remembered of a commit; nil for nothing.
func (c *runCache) take(key string, now time.Time) map[string]shownRun {
	c.mu.Lock()
	defer c.mu.Unlock()
	k, known := c.kept[key]
	if !known {
		return nil
	}
	delete(c.kept, key)
	c.order = slices.DeleteFunc(c.order, func(o string) bool { return o == key })
	if now.Sub(k.at) > keptRunLife {
		return nil
	}
	return k.runs
}

func (c *runCache) put(key string, runs map[string]shownRun, now time.Time) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.kept = map[string]keptRuns{}
	}
	if _, known := c.kept[key]; !known {
		c.order = append(c.order, key)
	}
	c.kept[key] = keptRuns{runs, now}
	if len(c.order) > maxKeptRuns {
		delete(c.kept, c.order[0])
		c.order = c.order[1:]
	}
}
