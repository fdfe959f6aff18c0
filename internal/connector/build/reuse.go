package build

import "context"

// Finder looks for the image of an earlier build with the same content. Its id need not be in the engine any more.
type Finder func(ctx context.Context, c Content) (image string, ok bool, err error)

// keeper is what Reuse needs from the engine.
type keeper interface {
	Find(ctx context.Context, name string) (found Image, ok bool, err error)
	Tag(ctx context.Context, name, tag string) error
}

// Reuse answers with an earlier image of the same content when the engine still has it, and gives it the tag asked for.
// The labels of that image stay: its revision names the commit that first built it.
func Reuse(b Builder, find Finder, engine keeper) Builder {
	return &reuse{next: b, find: find, engine: engine}
}

type reuse struct {
	next   Builder
	find   Finder
	engine keeper
}

// Build implements [Builder].
func (u *reuse) Build(ctx context.Context, r Request) (Result, error) {
	id, ok, err := u.find(ctx, r.Content)
	if err != nil {
		return Result{}, err
	}
	if !ok {
		return u.next.Build(ctx, r)
	}
	found, here, err := u.engine.Find(ctx, id)
	if err != nil {
		return Result{}, err
	}
	if !here {
		say(r.Log, "the image of the same content is gone and is built again")
		return u.next.Build(ctx, r)
	}
	if r.Tag != "" {
		if err := u.engine.Tag(ctx, found.ID, r.Tag); err != nil {
			return Result{}, err
		}
	}
	say(r.Log, "nothing to build: %s has the same content", found.ID)
	return Result{Image: found.ID, Size: found.Size, Reused: true}, nil
}
