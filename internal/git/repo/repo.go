// Package repo keeps a bare mirror of every watched repository and reads commits from it.
//
// go-git is the engine. A fetch asks for exactly one ref with its history and pins what it got as
// refs/waybill/<commit>; a pinned commit is complete, and nothing but a pin says so. A repository that turns out to be
// large is left to the git program from then on, which fetches without history. A mirror that a crash or a disk
// damaged is noticed when a pinned commit cannot be read, and is then rebuilt from the repository.
package repo

import (
	"context"
	"log/slog"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"sync"
	"time"

	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"

	"github.com/waybill-dev/waybill/internal/foundation/memo"
	"github.com/waybill-dev/waybill/internal/git/binary"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Options tune the mirrors. The zero value of a field means its default.
type Options struct {
	Log *slog.Logger // told when a mirror is rebuilt; nil says nothing
	// Credentials returns user and password for a repository reached over HTTP; both empty, or nil, for none.
	Credentials func(ctx context.Context, r waybill.Repository) (user, password string, err error)

	ListTimeout  time.Duration // for asking what refs there are; default 30 s
	FetchTimeout time.Duration // for one fetch; default 10 min
	MaxPack      int64         // bytes of one fetch; default 2 GiB
	LargePack    int64         // bytes of one fetch from which on the git program fetches, without history; default 64 MiB
	LargeRefs    int           // the same for the number of refs; default 20,000
	MaxObject    int64         // bytes of one file or folder in the history that is fetched; default 256 MiB
	MaxFiles     int           // files of one commit; default 100,000
	MaxFileSize  int64         // bytes of one file; default 256 MiB
}

// Mirrors is the set of mirrors below one folder. It is safe for concurrent use.
type Mirrors struct {
	dir     string
	o       Options
	http    transport.Transport
	ssh     transport.Transport
	folders *memo.Memo[folderKey, []child]
	idle    func() // closes the connections that are kept for later

	mu   sync.Mutex
	byID map[string]*mirror
}

// Open makes the folder when it is missing. Mirrors are made when they are first fetched into.
func Open(dir string, o Options) (*Mirrors, error) {
	if err := os.MkdirAll(dir, 0o750); err != nil {
		return nil, waybill.Wrap(waybill.Unavailable, err, "cannot create the folder of mirrors")
	}
	client := &http.Client{Transport: &http.Transport{
		Proxy:                 http.ProxyFromEnvironment,
		DialContext:           (&net.Dialer{Timeout: dialTimeout}).DialContext,
		TLSHandshakeTimeout:   dialTimeout,
		ResponseHeaderTimeout: time.Minute,
		IdleConnTimeout:       90 * time.Second,
		MaxIdleConnsPerHost:   4,
		ForceAttemptHTTP2:     true,
	}}
	return &Mirrors{
		dir: dir, o: o.withDefaults(), byID: map[string]*mirror{},
		folders: memo.New[folderKey, []child](maxRemembered),
		http:    githttp.NewClient(client), ssh: gitssh.NewClient(nil), idle: client.CloseIdleConnections,
	}, nil
}

// Close gives back the connections that are kept for later. Mirrors can still be read.
func (s *Mirrors) Close() { s.idle() }

func (o Options) withDefaults() Options {
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.ListTimeout == 0 {
		o.ListTimeout = 30 * time.Second
	}
	if o.FetchTimeout == 0 {
		o.FetchTimeout = 10 * time.Minute
	}
	if o.MaxPack == 0 {
		o.MaxPack = 2 << 30
	}
	if o.LargePack == 0 {
		o.LargePack = 64 << 20
	}
	if o.LargeRefs == 0 {
		o.LargeRefs = 20_000
	}
	if !binary.Installed() {
		o.LargePack, o.LargeRefs = o.MaxPack, math.MaxInt
	}
	if o.MaxObject == 0 {
		o.MaxObject = 256 << 20
	}
	if o.MaxFiles == 0 {
		o.MaxFiles = 100_000
	}
	if o.MaxFileSize == 0 {
		o.MaxFileSize = 256 << 20
	}
	return o
}

// Remove deletes the mirror of a repository. Trees read from it fail from then on.
func (s *Mirrors) Remove(ctx context.Context, r waybill.Repository) error {
	m, err := s.mirror(r)
	if err != nil {
		return err
	}
	if err := m.lock(ctx); err != nil {
		return err
	}
	defer m.unlock()
	s.mu.Lock()
	delete(s.byID, r.ID)
	s.mu.Unlock()
	if err := os.RemoveAll(m.dir); err != nil {
		return waybill.Wrap(waybill.Unavailable, err, "cannot remove the mirror of "+r.FullName())
	}
	return nil
}

// plainID keeps ids that are file names and nothing else.
var plainID = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$`)

// mirror returns the one mirror object of a repository, made on first use.
func (s *Mirrors) mirror(r waybill.Repository) (*mirror, error) {
	if !plainID.MatchString(r.ID) {
		return nil, waybill.Errorf(waybill.Invalid, "repository id %q cannot name a mirror", r.ID)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	m, ok := s.byID[r.ID]
	if !ok {
		m = &mirror{dir: filepath.Join(s.dir, r.ID+".git"), busy: make(chan struct{}, 1)}
		s.byID[r.ID] = m
	}
	return m, nil
}
