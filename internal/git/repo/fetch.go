package repo

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/format/packfile"
	"github.com/go-git/go-git/v5/plumbing/object"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/sideband"
	"github.com/go-git/go-git/v5/plumbing/storer"
	"github.com/go-git/go-git/v5/plumbing/transport"
	"github.com/go-git/go-git/v5/storage/filesystem/dotgit"

	"github.com/waybill-dev/waybill/internal/waybill"
)

const (
	// maxLooseObjects and maxLoosePack bound the packs that are stored as single objects. Git draws the same line
	// (fetch.unpackLimit): thousands of tiny packs would make every look-up slow.
	maxLooseObjects = 100
	maxLoosePack    = 1 << 20
	// maxAncestors is how far back the history of the newest pin is told to the repository, so that a branch that
	// was rewound or rewritten is not sent whole.
	maxAncestors = 32
)

// Fetch resolves the tip of a full ref name itself, fetches exactly that ref with its history, and pins the commit,
// annotated tags peeled. A tip that is pinned already costs one question to the repository.
// NotFound when the ref is gone; Unavailable also when the whole repository is, which says nothing about its refs: many
// servers answer so while the credentials do not fit. Denied; Invalid when a tag names no commit; TooLarge, also with the
// commit, which then is not here.
func (s *Mirrors) Fetch(ctx context.Context, r waybill.Repository, ref string) (commit string, err error) {
	return s.FetchTelling(ctx, r, ref, func(string) error { return nil })
}

// FetchTelling is Fetch that tells of the tip of a branch as soon as the repository has named it, before its objects are
// sent, which may take long. A tip that is here already is not told of, nor one that only the git program asks for. An
// error of told ends the fetch.
func (s *Mirrors) FetchTelling(ctx context.Context, r waybill.Repository, ref string, told func(commit string) error) (commit string, err error) {
	m, err := s.mirror(r)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, s.o.FetchTimeout)
	defer cancel()
	if err := m.lock(ctx); err != nil {
		return "", err
	}
	defer m.unlock()
	if err := m.prepare(); err != nil {
		return "", waybill.Wrap(waybill.Unavailable, err, "the mirror of "+r.FullName()+" cannot be written")
	}
	t, err := s.fetchTip(ctx, m, r, ref, told)
	if err = explain(ctx, r, err); err == nil || waybill.IsCode(err, waybill.TooLarge) && !t.commit.IsZero() {
		commit = t.commit.String()
	}
	return commit, err
}

// fetchTip brings one ref up to date. Under m's lock.
func (s *Mirrors) fetchTip(ctx context.Context, m *mirror, r waybill.Repository, ref string, told func(string) error) (tip, error) {
	if m.large.Load() {
		return s.fetchLarge(ctx, m, r, ref)
	}
	t, err := s.fetchSmall(ctx, m, r, ref, told)
	if !errors.Is(err, errLarge) {
		return t, err
	}
	s.o.Log.InfoContext(ctx, "repository is large and left to the git program", "repository", r.FullName())
	if err := errors.Join(m.sweep(), m.enlarge()); err != nil {
		return tip{}, err
	}
	return s.fetchLarge(ctx, m, r, ref)
}

// fetchSmall is fetchTip with go-git; errLarge says that it should not be.
func (s *Mirrors) fetchSmall(ctx context.Context, m *mirror, r waybill.Repository, ref string, told func(string) error) (tip, error) {
	conn, adv, err := s.connect(ctx, r)
	if err = explain(ctx, r, err); waybill.IsCode(err, waybill.NotFound) {
		err = waybill.Wrap(waybill.Unavailable, err, err.Error())
	}
	if err != nil {
		return tip{}, err
	}
	defer func() { _ = conn.Close() }()
	t, ok := adv.refs[ref]
	if !ok {
		return tip{}, waybill.Errorf(waybill.NotFound, "%s has no %s", r.FullName(), waybill.ShortRef(ref))
	}
	if m.pinned(t.commit) {
		return t, nil
	}
	if len(adv.refs) > s.o.LargeRefs {
		return t, errLarge
	}
	if _, branch := waybill.Branch(ref); branch { // what a tag names may have to be peeled first
		if err := told(t.commit.String()); err != nil {
			return tip{}, err
		}
	}
	if err := m.receive(ctx, conn, adv, []plumbing.Hash{t.object}, m.haves(adv), s.o); err != nil {
		return t, err
	}
	if t.commit, err = m.peel(t.commit); broken(ctx, err) {
		// What the mirror claimed to have was damaged. Fetch again without claiming anything.
		if err = s.rebuild(ctx, m, r, err); err == nil {
			t.commit, err = m.peel(t.commit)
		}
	}
	if err != nil {
		return tip{}, err
	}
	return t, m.pin(t.commit)
}

// haves lists the commits that need not be sent: the newest pins, the history of the newest one, and what is
// advertised and pinned.
func (m *mirror) haves(adv advertised) []plumbing.Hash {
	haves := append([]plumbing.Hash(nil), m.recent...)
	if len(m.recent) > 0 {
		objects := m.objects()
		h := m.recent[0]
		for range maxAncestors {
			c, err := object.GetCommit(objects, h)
			if err != nil || len(c.ParentHashes) == 0 {
				break
			}
			h = c.ParentHashes[0]
			haves = append(haves, h)
		}
	}
	for _, t := range adv.refs {
		if len(haves) >= 2*maxHaves {
			break
		}
		if m.pinned(t.commit) {
			haves = append(haves, t.commit)
		}
	}
	return haves
}

// receive asks for wants and stores the pack.
func (m *mirror) receive(ctx context.Context, conn session, adv advertised, wants, haves []plumbing.Hash, o Options) error {
	req := packp.NewUploadPackRequestFromCapabilities(adv.caps)
	req.Wants, req.Haves = wants, haves
	if adv.caps.Supports(capability.NoProgress) {
		_ = req.Capabilities.Set(capability.NoProgress)
	}
	res, err := conn.UploadPack(ctx, req)
	if errors.Is(err, transport.ErrEmptyUploadPackRequest) {
		return nil
	}
	if err != nil {
		return err
	}
	defer func() { _ = res.Close() }()
	pack := &bounded{ctx: ctx, r: demux(req.Capabilities, res), left: o.MaxPack, over: errTooMuch()}
	if o.LargePack < o.MaxPack {
		pack.left, pack.over = o.LargePack, errLarge
	}
	return m.store(pack, o.MaxObject)
}

// demux strips the side band that carries progress texts.
func demux(caps *capability.List, r io.Reader) io.Reader {
	switch {
	case caps.Supports(capability.Sideband64k):
		return sideband.NewDemuxer(sideband.Sideband64k, r)
	case caps.Supports(capability.Sideband):
		return sideband.NewDemuxer(sideband.Sideband, r)
	}
	return r
}

// store writes a small pack as single objects and keeps any other as it is. Every pack is inspected first.
func (m *mirror) store(pack io.Reader, maxObject int64) error {
	head, err := io.ReadAll(io.LimitReader(pack, maxLoosePack))
	if err != nil {
		return err
	}
	const header = 12 // "PACK", version, number of objects
	if len(head) < header {
		return io.ErrUnexpectedEOF
	}
	if len(head) == maxLoosePack {
		return m.storePack(io.MultiReader(bytes.NewReader(head), pack), maxObject)
	}
	if err := inspect(bytes.NewReader(head), maxObject); err != nil {
		return err
	}
	if binary.BigEndian.Uint32(head[8:header]) <= maxLooseObjects {
		parser, err := packfile.NewParserWithStorage(packfile.NewScanner(bytes.NewReader(head)), m.storage())
		if err == nil {
			_, err = parser.Parse()
		}
		if errors.Is(err, packfile.ErrEmptyPackfile) {
			return nil
		}
		return err
	}
	return m.keepPack(bytes.NewReader(head))
}

// storePack keeps a pack, which goes to the disk first to be inspected.
func (m *mirror) storePack(pack io.Reader, maxObject int64) (err error) {
	f, err := os.CreateTemp(filepath.Join(m.dir, "objects", "pack"), "tmp_*")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, f.Close(), os.Remove(f.Name())) }()
	if _, err := io.Copy(f, pack); err != nil {
		return err
	}
	for _, read := range []func() error{
		func() error { return inspect(bufio.NewReader(f), maxObject) },
		func() error { return m.keepPack(f) },
	} {
		if _, err := f.Seek(0, io.SeekStart); err != nil {
			return err
		}
		if err := read(); err != nil {
			return err
		}
	}
	return nil
}

// keepPack stores a pack with its index.
func (m *mirror) keepPack(pack io.Reader) error {
	defer m.forget()
	w, err := dotgit.New(m.storage().Filesystem()).NewObjectPack()
	if err != nil {
		return err
	}
	_, err = io.Copy(w, pack)
	return errors.Join(err, w.Close())
}

// peel follows tags to a commit and makes sure that its tree is here.
func (m *mirror) peel(h plumbing.Hash) (plumbing.Hash, error) {
	objects := m.objects()
	obj, err := object.GetObject(objects, h)
	for range 8 {
		t, ok := obj.(*object.Tag)
		if err != nil || !ok {
			break
		}
		obj, err = t.Object()
	}
	if err != nil {
		return h, err
	}
	c, ok := obj.(*object.Commit)
	if !ok {
		return h, waybill.Errorf(waybill.Invalid, "the tag names a %s, not a commit", obj.Type())
	}
	_, err = object.GetTree(objects, c.TreeHash)
	return c.Hash, err
}

func errTooMuch() error {
	return waybill.Errorf(waybill.TooLarge, "what is fetched is larger than the limit for one fetch")
}

// bounded fails with over when more than left bytes come, or when ctx ends.
type bounded struct {
	ctx  context.Context //nolint:containedctx // a reader has no other way to learn of it; it lives for one fetch
	r    io.Reader
	left int64
	over error
}

// Read reads on, up to the limit.
func (b *bounded) Read(p []byte) (int, error) {
	if err := b.ctx.Err(); err != nil {
		return 0, err
	}
	n, err := b.r.Read(p)
	if b.left -= int64(n); b.left < 0 {
		return n, b.over
	}
	return n, err
}

var _ storer.EncodedObjectStorer = (*reader)(nil)
