package repo

import (
	"context"
	"errors"
	"net/url"
	"strings"
	"time"

	"github.com/go-git/go-git/v5/plumbing"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp"
	"github.com/go-git/go-git/v5/plumbing/protocol/packp/capability"
	"github.com/go-git/go-git/v5/plumbing/transport"
	githttp "github.com/go-git/go-git/v5/plumbing/transport/http"
	gitssh "github.com/go-git/go-git/v5/plumbing/transport/ssh"
	"golang.org/x/crypto/ssh"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// dialTimeout bounds the making of a connection.
const dialTimeout = 15 * time.Second

// session is one conversation with git-upload-pack: first the list of refs, then at most one pack.
type session interface {
	AdvertisedReferencesContext(ctx context.Context) (*packp.AdvRefs, error)
	UploadPack(ctx context.Context, req *packp.UploadPackRequest) (*packp.UploadPackResponse, error)
	Close() error
}

// advertised is what a repository says it has.
type advertised struct {
	refs  map[string]tip // full ref name
	head  string         // short name of the branch HEAD names; empty when it names none that exists
	caps  *capability.List
	empty bool
}

// tip is where a ref points: object is what must be asked for, commit what it means after peeling.
type tip struct{ object, commit plumbing.Hash }

// Tips asks the repository for its branches and tags, annotated tags peeled, and the short name of its default branch.
// The map is empty for a repository without commits; head is empty when HEAD names no branch that exists.
// NotFound, Denied, Unavailable.
func (s *Mirrors) Tips(ctx context.Context, r waybill.Repository) (tips map[string]string, head string, err error) {
	ctx, cancel := context.WithTimeout(ctx, s.o.ListTimeout)
	defer cancel()
	conn, adv, err := s.connect(ctx, r)
	if err != nil {
		return nil, "", explain(ctx, r, err)
	}
	defer func() { _ = conn.Close() }()
	tips = make(map[string]string, len(adv.refs))
	for name, t := range adv.refs {
		if strings.HasPrefix(name, "refs/heads/") || strings.HasPrefix(name, "refs/tags/") {
			tips[name] = t.commit.String()
		}
	}
	return tips, adv.head, nil
}

// connect starts a conversation and reads what the repository has.
func (s *Mirrors) connect(ctx context.Context, r waybill.Repository) (session, advertised, error) {
	conn, err := s.dial(ctx, r)
	if err != nil {
		return nil, advertised{}, err
	}
	ar, err := conn.AdvertisedReferencesContext(ctx)
	if errors.Is(err, transport.ErrEmptyRemoteRepository) {
		return conn, advertised{empty: true}, nil
	}
	if err != nil {
		_ = conn.Close()
		return nil, advertised{}, err
	}
	return conn, read(ar), nil
}

// read peels tags and finds the branch of HEAD.
func read(ar *packp.AdvRefs) advertised {
	adv := advertised{refs: make(map[string]tip, len(ar.References)), caps: ar.Capabilities}
	for name, h := range ar.References {
		commit := h
		if peeled, ok := ar.Peeled[name]; ok {
			commit = peeled
		}
		adv.refs[name] = tip{object: h, commit: commit}
	}
	for _, sym := range ar.Capabilities.Get(capability.SymRef) {
		if branch, ok := strings.CutPrefix(sym, "HEAD:refs/heads/"); ok {
			adv.head = branch
		}
	}
	return adv
}

func (s *Mirrors) dial(ctx context.Context, r waybill.Repository) (session, error) {
	if r.Local() {
		l, err := startLocal(ctx, r.URL)
		if err != nil {
			return nil, err
		}
		return l, nil
	}
	ep, err := transport.NewEndpoint(r.URL)
	if err != nil {
		return nil, waybill.Wrap(waybill.Invalid, err, "the address of "+r.FullName()+" cannot be read")
	}
	switch ep.Protocol {
	case "http", "https":
		auth, err := s.basic(ctx, r, ep)
		if err != nil {
			return nil, err
		}
		return s.http.NewUploadPackSession(ep, auth)
	case "ssh":
		return s.dialSSH(ctx, ep)
	}
	return nil, waybill.Errorf(waybill.Invalid, "%s is reached by %q; https, http, ssh and absolute paths work", r.FullName(), ep.Protocol)
}

// basic returns the credentials of a repository, and takes those out of ep that should never have been in its URL.
func (s *Mirrors) basic(ctx context.Context, r waybill.Repository, ep *transport.Endpoint) (transport.AuthMethod, error) {
	user, password := ep.User, ep.Password
	ep.User, ep.Password = "", ""
	if s.o.Credentials != nil {
		u, p, err := s.o.Credentials(ctx, r)
		if err != nil {
			return nil, err
		}
		if u != "" || p != "" {
			user, password = u, p
		}
	}
	if user == "" && password == "" {
		return nil, nil // how go-git is told to send no credentials
	}
	return &githttp.BasicAuth{Username: user, Password: password}, nil
}

// dialSSH connects in the background, because go-git's handshake knows no context; a connection that comes too late
// is closed.
func (s *Mirrors) dialSSH(ctx context.Context, ep *transport.Endpoint) (session, error) {
	auth, err := gitssh.DefaultAuthBuilder(ep.User)
	if err != nil {
		return nil, waybill.Wrap(waybill.Denied, err, "no SSH agent to take a key from (SSH_AUTH_SOCK)")
	}
	type answer struct {
		conn session
		err  error
	}
	done := make(chan answer)
	go func() {
		conn, err := s.ssh.NewUploadPackSession(ep, timedAuth{auth})
		select {
		case done <- answer{conn, err}:
		case <-ctx.Done():
			if err == nil {
				_ = conn.Close()
			}
		}
	}()
	select {
	case a := <-done:
		return a.conn, a.err
	case <-ctx.Done():
		return nil, ctx.Err()
	}
}

// timedAuth bounds the connection, which go-git leaves unbounded.
type timedAuth struct{ gitssh.AuthMethod }

// ClientConfig returns the settings of the wrapped method with a time limit.
func (a timedAuth) ClientConfig() (*ssh.ClientConfig, error) {
	c, err := a.AuthMethod.ClientConfig()
	if err == nil {
		c.Timeout = dialTimeout
	}
	return c, err
}

// explain turns what went wrong while talking to a repository into an error with a code. The message names the
// repository by its name in Waybill: an address may hold credentials.
func explain(ctx context.Context, r waybill.Repository, err error) error {
	var known *waybill.Error
	var bad *url.Error
	switch {
	case err == nil:
		return nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return waybill.Wrap(waybill.Unavailable, err, r.FullName()+" did not answer in time")
	case ctx.Err() != nil:
		return waybill.Wrap(waybill.Unavailable, errors.Join(ctx.Err(), err), "reading "+r.FullName()+" was stopped")
	case errors.As(err, &known):
		return err
	case errors.Is(err, transport.ErrRepositoryNotFound):
		return waybill.Wrap(waybill.NotFound, err, r.FullName()+" is not there, or is no Git repository")
	case errors.Is(err, transport.ErrAuthenticationRequired), errors.Is(err, transport.ErrAuthorizationFailed):
		return waybill.Wrap(waybill.Denied, err, r.FullName()+" refuses the credentials Waybill has for it")
	case errors.As(err, &bad):
		return waybill.Wrap(waybill.Unavailable, bad.Err, r.FullName()+" cannot be reached")
	}
	return waybill.Wrap(waybill.Unavailable, err, r.FullName()+" cannot be read")
}
