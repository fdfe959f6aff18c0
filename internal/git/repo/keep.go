package repo

import (
	"context"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Keep makes Tree read a commit that came here with the history of another one. NotFound when it did not.
func (s *Mirrors) Keep(ctx context.Context, r waybill.Repository, commit string) error {
	m, err := s.mirror(r)
	if err != nil {
		return err
	}
	h := plumbing.NewHash(commit)
	if _, err := object.GetCommit(m.objects(), h); !plumbing.IsHash(commit) || err != nil {
		return waybill.Errorf(waybill.NotFound, "commit %s of %s is not here", waybill.ShortCommit(commit), r.FullName())
	}
	return m.pinAncestor(ctx, h)
}
