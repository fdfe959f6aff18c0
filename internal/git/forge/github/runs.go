package github

import "time"

// keptRuns are the check runs of a commit as they were. They are remembered for a short while, so that a burst of
// changes does not ask before each of them. It is short because other servers may write too.
type keptRuns struct {
	runs map[string]shownRun
	at   time.Time
}

// Bounds of what is remembered.
const (
	maxKeptRuns = 1000 // commits
	keptRunLife = time.Minute
)

// takeRuns returns what is remembered of a commit, nil for nothing, and forgets it: it is doubtful until it is written.
func (f *Forge) takeRuns(key string) map[string]shownRun {
	k, known := f.runs.Take(key)
	if !known || f.o.Now().Sub(k.at) > keptRunLife {
		return nil
	}
	return k.runs
}
