package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"
	"time"

	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/progress"
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/webhooks"
)

// maxBody is the largest hook request that is read: enough for a push of 25,000 refs. The poller finds larger ones.
const maxBody = 4 << 20

// Mount adds the addresses of hooks and of the progress of a delivery to mux. fail answers a request with an error.
func (in *Inbox) Mount(mux *http.ServeMux, fail func(http.ResponseWriter, *http.Request, error)) {
	mux.HandleFunc("POST /hooks/{forge}/{hook}", func(w http.ResponseWriter, r *http.Request) {
		start, seen := in.Now(), request{forge: "unknown", event: "unknown"}
		answer := &answer{ResponseWriter: w, code: http.StatusOK}
		if err := in.receive(answer, r, &seen); err != nil {
			fail(answer, r, err)
		}
		in.Observer.Request(seen.forge, seen.event, answer.code, in.Now().Sub(start))
	})
	mux.HandleFunc("GET /hooks/{forge}/{hook}/deliveries/{delivery}", func(w http.ResponseWriter, r *http.Request) {
		if err := in.progress(w, r); err != nil {
			fail(w, r, err)
		}
	})
}

// request is what is known of a hook request for the metrics: bounded words, never what a stranger wrote.
type request struct{ forge, event string }

// answer remembers the status code that was sent.
type answer struct {
	http.ResponseWriter
	code int
}

// WriteHeader sends and remembers code.
func (a *answer) WriteHeader(code int) {
	a.code = code
	a.ResponseWriter.WriteHeader(code)
}

// receive answers 202 for a delivery that is now stored and 200 for one that was there or is of no interest.
func (in *Inbox) receive(w http.ResponseWriter, req *http.Request, seen *request) error {
	r, err := in.repository(req)
	if err != nil {
		return err
	}
	seen.forge = r.Forge
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return waybill.Errorf(waybill.TooLarge, "hook request is larger than %d bytes", tooLarge.Limit)
	} else if err != nil {
		return waybill.Wrap(waybill.Invalid, err, "hook request ended early")
	}
	e, err := webhooks.Plain(req.Header, body, in.Now(), webhooks.Secret(r.HookSecret))
	if err != nil {
		in.Observer.Delivery(r.Forge, "refused")
		return err
	}
	seen.event = string(e.Kind)
	return in.store(req.Context(), w, r, e)
}

// store accepts e and writes the answer.
func (in *Inbox) store(ctx context.Context, w http.ResponseWriter, r waybill.Repository, e waybill.Event) error {
	if len(e.Refs) == 0 {
		in.Observer.Delivery(r.Forge, "ignored")
		return reply(w, http.StatusOK, progress.Accepted{})
	}
	id, fresh, err := in.Accept(ctx, r, e)
	if err != nil {
		return err
	}
	accepted := progress.Accepted{
		Delivery: id, Progress: "/hooks/" + r.Forge + "/" + r.Hook + "/deliveries/" + id,
		See: in.PublicURL + "/repositories/" + r.FullName() + "/commits/" + e.Refs[0].New,
	}
	if !fresh {
		in.Observer.Delivery(r.Forge, "duplicate")
		return reply(w, http.StatusOK, accepted)
	}
	in.Observer.Delivery(r.Forge, "stored")
	return reply(w, http.StatusAccepted, accepted)
}

// repository finds the repository that a hook address belongs to. An unknown address is as wrong as a wrong signature.
func (in *Inbox) repository(req *http.Request) (waybill.Repository, error) {
	r, err := gitstore.RepositoryByHook(req.Context(), in.DB.Query(), req.PathValue("hook"))
	if waybill.IsCode(err, waybill.NotFound) || err == nil && r.Forge != req.PathValue("forge") {
		return waybill.Repository{}, waybill.Errorf(waybill.Unauthenticated, "no such hook")
	}
	return r, err
}

func reply(w http.ResponseWriter, code int, a progress.Accepted) error {
	body, err := json.Marshal(a)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Content-Length", strconv.Itoa(len(body)))
	w.WriteHeader(code)
	_, _ = w.Write(body) // a pusher that went away is no error of ours: the delivery is stored
	return nil
}

// progressLimit ends a progress stream whose reader stays longer than any hook waits.
const progressLimit = 2 * time.Minute
