package repo

import (
	"context"
	"errors"
	"os"
	"time"

	"github.com/waybill-dev/waybill/internal/git/binary"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// repackTimeout bounds one repack, which fetches wait for.
const repackTimeout = 5 * time.Minute

// Repack gathers the single objects and small packs of a mirror into a larger pack, with the git program. Packs that
// are large beside the others stay as they are, so that its cost is that of what came since the last time. Nothing is
// dropped. Maintenance calls it now and then; a mirror that does not exist is left alone, and one whose repack is ended
// half-way is as it was.
func (s *Mirrors) Repack(ctx context.Context, r waybill.Repository) error {
	m, err := s.mirror(r)
	if err != nil {
		return err
	}
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.unlock()
	if _, err := os.Stat(m.dir); err != nil {
		return nil // nothing was fetched yet
	}
	if err := m.prepare(); err != nil {
		return waybill.Wrap(waybill.Unavailable, err, "the mirror of "+r.FullName()+" cannot be written")
	}
	ctx, cancel := context.WithTimeout(ctx, repackTimeout)
	defer cancel()
	cmd := binary.Command(ctx, m.dir, "repack", "--geometric=2", "-d", "-q")
	_, err = binary.Run(binary.Group(binary.With(cmd, frugal()...)), nil)
	m.forget()
	if err != nil {
		err = errors.Join(err, m.sweep())
	}
	return err
}
