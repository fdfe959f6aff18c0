package repo

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/object"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// shallowFile lists the commits whose parents were not fetched (gitrepository-layout(5)).
const shallowFile = "shallow"

// broken reports whether err, met while reading a pinned commit, means that the mirror is damaged: anything that is
// neither a verdict of ours nor the end of the context.
func broken(ctx context.Context, err error) bool {
	var known *waybill.Error
	return err != nil && ctx.Err() == nil && !errors.As(err, &known)
}

// healing runs read over the mirror's objects. When they are damaged it rebuilds the mirror and runs read once more.
func (s *Mirrors) healing(ctx context.Context, m *mirror, r waybill.Repository, read func(*reader) error) error {
	err := read(m.objects())
	if !broken(ctx, err) {
		return explain(ctx, r, err)
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.FetchTimeout)
	defer cancel()
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.unlock()
	m.forget() // somebody may have repacked or rebuilt it meanwhile
	if err = read(m.objects()); broken(ctx, err) {
		if err = s.rebuild(ctx, m, r, err); err == nil {
			err = read(m.objects())
		}
	}
	return explain(ctx, r, err)
}

// rebuild replaces the objects of a damaged mirror by what the repository has now, and unpins what it no longer has.
// The pins stay until the objects are there, so that a rebuild that is interrupted is started again. Under m's lock.
func (s *Mirrors) rebuild(ctx context.Context, m *mirror, r waybill.Repository, cause error) error {
	s.o.Log.WarnContext(ctx, "mirror is damaged and will be rebuilt", "repository", r.FullName(), "error", cause)
	fresh := &mirror{dir: m.dir + ".new", busy: make(chan struct{}, 1)}
	if err := os.RemoveAll(fresh.dir); err != nil {
		return err
	}
	defer func() { _ = os.RemoveAll(fresh.dir) }()
	if err := fresh.prepare(); err != nil {
		return err
	}
	if err := s.refill(ctx, fresh, m, r); err != nil {
		return err
	}
	m.ready = false
	m.forget()
	objects := filepath.Join(m.dir, "objects")
	if err := os.RemoveAll(objects); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(fresh.dir, "objects"), objects); err != nil {
		return err
	}
	if err := os.Rename(filepath.Join(fresh.dir, shallowFile), filepath.Join(m.dir, shallowFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return m.unpinMissing()
}

// refill fetches into an empty mirror what the repository still has of a damaged one. Of a large repository those are
// the newest commits that were looked at, as far as it gives them.
func (s *Mirrors) refill(ctx context.Context, fresh, damaged *mirror, r waybill.Repository) error {
	if !damaged.large.Load() {
		return s.fetchAll(ctx, fresh, r)
	}
	fresh.large.Store(true)
	for i, h := range damaged.recent {
		if err := s.download(ctx, fresh, r, h.String()+":"+incoming+strconv.Itoa(i)); err == nil {
			fresh.recent = append(fresh.recent, h)
		} else if ctx.Err() != nil {
			return err
		}
	}
	return nil
}

// fetchAll fetches every branch and tag.
func (s *Mirrors) fetchAll(ctx context.Context, m *mirror, r waybill.Repository) error {
	conn, adv, err := s.connect(ctx, r)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	var wants []plumbing.Hash
	for name, t := range adv.refs {
		if waybill.ShortRef(name) != name {
			wants = append(wants, t.object)
		}
	}
	if len(wants) == 0 {
		return nil
	}
	return m.receive(ctx, conn, adv, wants, nil, s.o)
}

// unpinMissing drops the pins of commits that are not here.
func (m *mirror) unpinMissing() error {
	if err := m.prepare(); err != nil {
		return err
	}
	pins, err := m.pins()
	if err != nil {
		return err
	}
	objects := m.objects()
	for _, h := range pins {
		if _, err := object.GetCommit(objects, h); err == nil {
			continue
		}
		if err := os.Remove(filepath.Join(m.dir, pinName(h))); err != nil {
			return err
		}
	}
	m.ready = false
	return m.prepare()
}
