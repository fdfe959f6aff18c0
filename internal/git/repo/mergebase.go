package repo

import (
	"container/heap"
	"context"
	"errors"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// MergeBase returns the newest commit that is in the history of both a and b, so that Tree can read it, or "" when the two
// have none in common.
// Both must have been fetched: NotFound. TooLarge when the mirror holds too little of the history to tell.
func (s *Mirrors) MergeBase(ctx context.Context, r waybill.Repository, a, b string) (string, error) {
	m, from, err := s.pinnedCommit(r, a)
	if err != nil {
		return "", err
	}
	_, to, err := s.pinnedCommit(r, b)
	if err != nil || from == to {
		return a, err
	}
	base := ""
	err = s.healing(ctx, m, r, func(objects *reader) error {
		shallow, err := m.storage().Shallow()
		if err != nil {
			return err
		}
		w := walk{ctx: ctx, objects: objects, sides: map[plumbing.Hash]side{}, cut: map[plumbing.Hash]bool{}}
		for _, h := range shallow {
			w.cut[h] = true
		}
		base, err = w.meet(from, to)
		return err
	})
	if err == nil && base != "" {
		err = explain(ctx, r, m.pinAncestor(ctx, plumbing.NewHash(base)))
	}
	return base, err
}

// pinAncestor pins a commit of the history of a pinned one: it is as complete. It is not among the newest ones, which tell
// a repository what need not be sent.
func (m *mirror) pinAncestor(ctx context.Context, h plumbing.Hash) error {
	if m.pinned(h) {
		return nil
	}
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.unlock()
	return m.put(pinName(h), h.String()+"\n")
}

// side says from which of the two commits a walk has come to another one.
type side uint8

const (
	left side = 1 << iota
	right
	both = left | right
)

// walk goes back in the history of two commits at once, newest first, so that the first commit that both reach is the
// newest. Where clocks were wrong it may be an older one, which is a common ancestor all the same.
type walk struct {
	ctx     context.Context //nolint:containedctx // lives for one call
	objects *reader
	cut     map[plumbing.Hash]bool // commits whose parents are not here
	sides   map[plumbing.Hash]side
	next    byAge
}

func (w *walk) meet(a, b plumbing.Hash) (string, error) {
	if err := errors.Join(w.reach(a, left), w.reach(b, right)); err != nil {
		return "", err
	}
	short := false
	for w.next.Len() > 0 {
		if err := w.ctx.Err(); err != nil {
			return "", waybill.Wrap(waybill.Unavailable, err, "reading the history was stopped")
		}
		c, _ := heap.Pop(&w.next).(*object.Commit)
		from := w.sides[c.Hash]
		if from == both {
			return c.Hash.String(), nil
		}
		if w.cut[c.Hash] {
			short = true
			continue
		}
		for _, parent := range c.ParentHashes {
			if err := w.reach(parent, from); err != nil {
				return "", err
			}
		}
	}
	if short {
		return "", waybill.Errorf(waybill.TooLarge, "the history is too large to be kept, so where it parted is not known")
	}
	return "", nil
}

// reach notes that a commit was come to from a side. One that its other side has passed already is looked at again.
func (w *walk) reach(h plumbing.Hash, from side) error {
	known := w.sides[h]
	if known|from == known {
		return nil
	}
	w.sides[h] = known | from
	c, err := object.GetCommit(w.objects, h)
	if err == nil {
		heap.Push(&w.next, c)
	}
	return err
}

// byAge is a heap of commits, newest first.
type byAge []*object.Commit

func (b byAge) Len() int { return len(b) }

func (b byAge) Less(i, j int) bool {
	if x, y := b[i].Committer.When, b[j].Committer.When; !x.Equal(y) {
		return x.After(y)
	}
	return b[i].Hash.String() < b[j].Hash.String()
}

func (b byAge) Swap(i, j int) { b[i], b[j] = b[j], b[i] }

// Push adds a commit, as container/heap wants it.
func (b *byAge) Push(c any) {
	if commit, ok := c.(*object.Commit); ok {
		*b = append(*b, commit)
	}
}

// Pop removes the last commit.
func (b *byAge) Pop() any {
	last := len(*b) - 1
	c := (*b)[last]
	*b = (*b)[:last]
	return c
}
