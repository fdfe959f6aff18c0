package inbox

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"time"

	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/webhooks"
)

// The kinds of forges whose hooks are understood.
const (
	plain  = "plain"
	github = "github"
	gitea  = "gitea"
	gitlab = "gitlab"
)

// appHook is the hook of a forge's App, which speaks for all repositories that it is installed in.
const appHook = "app"

// sender is whose hook a request claims to be. Its secrets are known before anything of the request is read.
type sender struct {
	forge, kind, hook string
	secrets           []webhooks.Secret
	repository        waybill.Repository // zero for an App
	remembered        bool               // it may have changed since
}

// sender finds the owner of a hook's address. An unknown address is as wrong as a wrong signature.
func (in *Inbox) sender(ctx context.Context, forge, hook string) (sender, error) {
	s := sender{forge: forge, kind: in.Kinds[forge], hook: hook}
	if forge == plain {
		s.kind = plain
	}
	unknown := waybill.Errorf(waybill.Unauthenticated, "no such hook")
	if s.kind == "" {
		return s, unknown
	}
	if hook == appHook {
		secrets, ok := in.Apps[forge]
		if !ok {
			return s, unknown
		}
		s.secrets = secrets()
		return s, nil
	}
	r, remembered, err := in.owner(ctx, hook)
	if waybill.IsCode(err, waybill.NotFound) || err == nil && r.Forge != forge {
		return s, unknown
	}
	s.repository, s.secrets, s.remembered = r, secretsOf(r, in.Now()), remembered
	return s, err
}

const (
	believed  = time.Second // how long the owner of a hook is remembered; a secret that was taken back is good so much longer
	maxOwners = 20_000      // that are remembered
)

// seenOwner is the owner of a hook as it was at a time.
type seenOwner struct {
	waybill.Repository

	at time.Time
}

// owner returns whose hook it is, from the store or from what it said a moment ago: hooks come in bursts.
func (in *Inbox) owner(ctx context.Context, hook string) (r waybill.Repository, remembered bool, err error) {
	now := in.Now()
	if o, ok := in.owners.Find(hook); ok && now.Sub(o.at) < believed && !now.Before(o.at) {
		return o.Repository, true, nil
	}
	r, err = gitstore.RepositoryByHook(ctx, in.DB.Query(), hook)
	if err == nil {
		in.owners.Put(hook, seenOwner{r, now}, 1)
	}
	return r, false, err
}

// believe checks what s has sent. Before it is refused the store is asked whether s is still what was remembered.
func (in *Inbox) believe(ctx context.Context, s sender, check func(sender) error) (sender, error) {
	refused := check(s)
	if !s.remembered || !waybill.IsCode(refused, waybill.Unauthenticated) {
		return s, refused
	}
	in.forget(s.hook)
	now, err := in.sender(ctx, s.forge, s.hook)
	if err != nil {
		return s, err
	}
	return now, check(now)
}

// forget makes the next request of a hook ask the store.
func (in *Inbox) forget(hook string) { in.owners.Put(hook, seenOwner{}, 1) }

// limit is how many bytes a request of s may have.
func (s sender) limit() int64 {
	switch s.kind {
	case github:
		return webhooks.MaxGitHub
	case gitea:
		return webhooks.MaxGitea
	case gitlab:
		return webhooks.MaxGitLab
	default:
		return webhooks.MaxPlain
	}
}

// event returns the event in body, when s signed it and may speak of it.
func (s sender) event(h http.Header, body []byte, now time.Time) (waybill.Event, error) {
	e, err := s.parse(h, body, now)
	if err == nil && s.foreign(e) {
		err = waybill.Errorf(waybill.Unauthenticated, "the event is of another repository than this hook")
	}
	return e, err
}

// parse verifies body and reads the event in it.
func (s sender) parse(h http.Header, body []byte, now time.Time) (waybill.Event, error) {
	switch s.kind {
	case github:
		return webhooks.GitHub(h, body, s.secrets...)
	case gitea:
		return webhooks.Gitea(h, body, s.secrets...)
	case gitlab:
		return webhooks.GitLab(h, body, s.secrets...)
	default:
		return webhooks.Plain(h, body, now, s.secrets...)
	}
}

// foreign reports whether e happened in a repository that this hook does not belong to: somebody who knows the secret
// of one must not speak of another.
func (s sender) foreign(e waybill.Event) bool {
	return s.repository.ForgeID != "" && e.Source.ID != "" && e.Source.ID != s.repository.ForgeID
}

// repositoryOf finds the repository of a verified event; known is false when nobody watches it.
func (in *Inbox) repositoryOf(ctx context.Context, s sender, e waybill.Event) (r waybill.Repository, known bool, err error) {
	if s.hook != appHook {
		return s.repository, true, nil
	}
	r, err = gitstore.RepositoryByForgeID(ctx, in.DB.Query(), s.forge, e.Source.ID)
	if waybill.IsCode(err, waybill.NotFound) {
		return r, e.Kind == waybill.EventInstallation, nil
	}
	return r, err == nil, err
}

// errCutShort is what a request hears that ended before its length.
var errCutShort = errors.New("the request ended early")

const (
	bodyPatience = 30 * time.Second // forges send at once, and give up after ten seconds
	firstRoom    = 64 << 10         // bytes; a length that is only claimed takes no memory
)

// readBody reads at most limit bytes.
func readBody(w http.ResponseWriter, req *http.Request, limit int64) ([]byte, error) {
	tooLarge := waybill.Errorf(waybill.TooLarge, "hook request is larger than %d bytes", limit)
	if req.ContentLength > limit {
		return nil, tooLarge
	}
	control := http.NewResponseController(w)
	_ = control.SetReadDeadline(time.Now().Add(bodyPatience)) // a test's recorder knows no deadlines
	var body bytes.Buffer
	body.Grow(int(min(max(req.ContentLength, 512), firstRoom)) + bytes.MinRead)
	_, err := body.ReadFrom(http.MaxBytesReader(w, req.Body, limit))
	_ = control.SetReadDeadline(time.Time{})
	switch passed := new(http.MaxBytesError); {
	case errors.As(err, &passed):
		return nil, tooLarge
	case errors.Is(err, io.ErrUnexpectedEOF):
		return nil, errCutShort
	case err != nil:
		return nil, waybill.Wrap(waybill.Invalid, err, "hook request cannot be read")
	}
	return body.Bytes(), nil
}
