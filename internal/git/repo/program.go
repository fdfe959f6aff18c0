package repo

import (
	"context"
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"

	"github.com/waybill-dev/waybill/internal/git/binary"
	"github.com/waybill-dev/waybill/internal/waybill"
)

const (
	// largeMark is the file of a mirror that the git program fetches into.
	largeMark = "large"
	// incoming is where the git program leaves the tip that it fetched.
	incoming = "refs/incoming/tip"
	// lookEvery is how often the size of what comes is looked at.
	lookEvery = 100 * time.Millisecond
)

// errLarge says that a repository is one for the git program.
var errLarge = errors.New("larger than what is fetched without the git program") //nolint:errname // no error of a caller

// enlarge leaves a repository to the git program from now on.
func (m *mirror) enlarge() error {
	m.large.Store(true)
	return m.put(largeMark, "The git program fetches into this mirror, without history.\n")
}

// fetchLarge brings one ref up to date with the git program, without history. Under m's lock.
func (s *Mirrors) fetchLarge(ctx context.Context, m *mirror, r waybill.Repository, ref string) (tip, error) {
	if !strings.HasPrefix(ref, "refs/") || strings.ContainsAny(ref, " :*?[\\^~") {
		return tip{}, waybill.Errorf(waybill.NotFound, "%s has no %s", r.FullName(), waybill.ShortRef(ref))
	}
	if err := s.download(ctx, m, r, "+"+ref+":"+incoming); err != nil {
		return s.diagnose(ctx, r, ref, err)
	}
	text, err := os.ReadFile(filepath.Join(m.dir, incoming))
	if err != nil {
		return tip{}, err
	}
	t := tip{object: plumbing.NewHash(strings.TrimSpace(string(text)))}
	if t.commit, err = m.peel(t.object); broken(ctx, err) {
		if err = s.rebuild(ctx, m, r, err); err == nil {
			err = s.download(ctx, m, r, "+"+ref+":"+incoming)
		}
		if err == nil {
			t.commit, err = m.peel(t.object)
		}
	}
	if err != nil || m.pinned(t.commit) {
		return t, err
	}
	return t, m.pin(t.commit)
}

// diagnose finds out in the usual way what kept the git program from fetching. What is too large comes with its tip.
func (s *Mirrors) diagnose(ctx context.Context, r waybill.Repository, ref string, cause error) (tip, error) {
	if ctx.Err() != nil {
		return tip{}, cause
	}
	conn, adv, err := s.connect(ctx, r)
	if err = explain(ctx, r, err); waybill.IsCode(err, waybill.NotFound) {
		err = waybill.Wrap(waybill.Unavailable, err, err.Error())
	}
	if err != nil {
		return tip{}, err
	}
	_ = conn.Close()
	t, ok := adv.refs[ref]
	if !ok {
		return tip{}, waybill.Errorf(waybill.NotFound, "%s has no %s", r.FullName(), waybill.ShortRef(ref))
	}
	return t, cause
}

// download fetches what a refspec or an id names, without history, and inspects it.
func (s *Mirrors) download(ctx context.Context, m *mirror, r waybill.Repository, what string) error {
	before, err := m.packs()
	if err != nil {
		return err
	}
	running, stop := context.WithCancelCause(ctx)
	defer stop(nil)
	cmd, done, err := s.program(running, m, r, what)
	if err != nil {
		return err
	}
	watched := make(chan struct{})
	go func() {
		defer close(watched)
		m.watch(running, s.o.MaxPack, stop)
	}()
	err = lending(cmd)
	if ended := done(); err != nil {
		err = errors.Join(err, ended)
	}
	cause := context.Cause(running)
	stop(nil)
	<-watched
	if err != nil {
		if waybill.IsCode(cause, waybill.TooLarge) {
			err = cause
		}
		return errors.Join(err, m.sweep())
	}
	return m.inspectNew(ctx, before, s.o)
}

// lending runs cmd, whose extra files nobody else may hold: their other side waits for the last of them to be closed.
func lending(cmd *exec.Cmd) error {
	var text binary.Text
	cmd.Stderr = &text
	err := cmd.Start()
	for _, f := range cmd.ExtraFiles {
		_ = f.Close()
	}
	if err == nil {
		err = cmd.Wait()
	}
	if err != nil {
		return text.Explain(err)
	}
	return nil
}

// watch ends a fetch whose pack grows beyond limit.
func (m *mirror) watch(ctx context.Context, limit int64, stop context.CancelCauseFunc) {
	tick := time.NewTicker(lookEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		var size int64
		entries, _ := os.ReadDir(filepath.Join(m.dir, "objects", "pack"))
		for _, e := range entries {
			if info, err := e.Info(); err == nil && strings.HasPrefix(e.Name(), "tmp_") {
				size += info.Size()
			}
		}
		if size > limit {
			stop(errTooMuch())
		}
	}
}

// program prepares git fetch. Nothing of the repository, its hooks or its settings is run; done must be called after it.
func (s *Mirrors) program(ctx context.Context, m *mirror, r waybill.Repository, what string) (cmd *exec.Cmd, done func() error, err error) {
	settings := append(frugal(),
		binary.Setting{Key: "protocol.version", Value: "2"}, binary.Setting{Key: "protocol.allow", Value: "never"},
		binary.Setting{Key: "credential.helper"}, binary.Setting{Key: "http.lowSpeedLimit", Value: "1000"}, binary.Setting{Key: "http.lowSpeedTime", Value: "60"},
		binary.Setting{Key: "fetch.unpackLimit", Value: "1"}, // as packs, which can be inspected
	)
	args := []string{
		"fetch", "--quiet", "--depth=1", "--no-tags", "--no-recurse-submodules", "--no-auto-maintenance", "--no-write-fetch-head", "--refmap=",
	}
	for _, h := range m.recent {
		args = append(args, "--negotiation-tip="+h.String())
	}
	done = func() error { return nil }
	url, protocol, more, files := "fd::3,4", "fd", []binary.Setting(nil), []*os.File(nil)
	if r.Local() {
		files, done, err = lendLocal(ctx, r.URL)
	} else {
		url, protocol, more, err = s.address(ctx, r)
	}
	if err != nil {
		return nil, nil, err
	}
	settings = append(append(settings, more...), binary.Setting{Key: "protocol." + protocol + ".allow", Value: "always"})
	cmd = binary.Group(binary.With(binary.Command(ctx, m.dir, append(args, "--", url, what)...), settings...))
	cmd.Env = append(cmd.Env, "GIT_ASKPASS=true", "GIT_SSH_COMMAND=ssh -o BatchMode=yes")
	cmd.ExtraFiles = files
	return cmd, done, nil
}

// frugal are the settings that keep the git program small and to itself.
func frugal() []binary.Setting {
	return []binary.Setting{
		{Key: "core.hooksPath", Value: os.DevNull},
		{Key: "gc.auto", Value: "0"},
		{Key: "maintenance.auto", Value: "false"},
		{Key: "core.packedGitWindowSize", Value: "8m"},
		{Key: "core.packedGitLimit", Value: "64m"},
		{Key: "core.bigFileThreshold", Value: "4m"},
		{Key: "core.deltaBaseCacheLimit", Value: "16m"},
		{Key: "pack.windowMemory", Value: "32m"},
		{Key: "pack.deltaCacheSize", Value: "16m"},
		{Key: "pack.threads", Value: "1"},
	}
}

// address returns how git reaches a repository that is not on this machine. The URL holds no credentials.
func (s *Mirrors) address(ctx context.Context, r waybill.Repository) (url, protocol string, settings []binary.Setting, err error) {
	ep, err := transport.NewEndpoint(r.URL)
	if err != nil {
		return "", "", nil, waybill.Wrap(waybill.Invalid, err, "the address of "+r.FullName()+" cannot be read")
	}
	switch ep.Protocol {
	case "http", "https":
		auth, err := s.basic(ctx, r, ep)
		if err != nil {
			return "", "", nil, err
		}
		if login, ok := auth.(*githttp.BasicAuth); ok {
			settings = append(settings, binary.Login(login.Username, login.Password))
		}
	case "ssh":
	default:
		return "", "", nil, waybill.Errorf(waybill.Invalid, "%s is reached by %q; https, http, ssh and absolute paths work", r.FullName(), ep.Protocol)
	}
	return ep.String(), ep.Protocol, settings, nil
}

// packs lists the packs of a mirror.
func (m *mirror) packs() (map[string]bool, error) {
	entries, err := os.ReadDir(filepath.Join(m.dir, "objects", "pack"))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, err
	}
	packs := map[string]bool{}
	for _, e := range entries {
		if name, ok := strings.CutSuffix(e.Name(), ".pack"); ok {
			packs[name] = true
		}
	}
	return packs, nil
}
