package gitlab

import (
	"maps"
	"slices"
	"sync"
)

// maxBegun is how many commits are remembered.
const maxBegun = 2000

// pipelines remembers in which pipeline what a commit says is in progress. GitLab adds a status that names none to the
// newest one of its commit, and starts one of its own soon after a push: the result would stand there, and what began
// before would be in progress for ever. It is safe for concurrent use.
type pipelines struct {
	mu    sync.Mutex
	begun map[string]map[string]int64 // by commit, then by context
	order []string                    // of commits, oldest first
}

// of returns what is in progress, by context, and whether anything is known of the commit.
func (p *pipelines) of(commit string) (begun map[string]int64, known bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	begun, known = p.begun[commit]
	if !known {
		return map[string]int64{}, false
	}
	return maps.Clone(begun), true
}

// keep remembers what is in progress.
func (p *pipelines) keep(commit string, begun map[string]int64) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.begun == nil {
		p.begun = map[string]map[string]int64{}
	}
	if _, known := p.begun[commit]; !known {
		p.order = append(p.order, commit)
	}
	p.begun[commit] = begun
	if len(p.order) > maxBegun {
		delete(p.begun, p.order[0])
		p.order = slices.Delete(p.order, 0, 1)
	}
}
