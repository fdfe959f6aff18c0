package inbox

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/waybill-dev/waybill/internal/git/progress"
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/webhooks"
)

// Mount adds the addresses of hooks and of the progress of a delivery to mux. fail answers a request with an error.
func (in *Inbox) Mount(mux *http.ServeMux, fail func(http.ResponseWriter, *http.Request, error)) {
	mux.HandleFunc("POST /hooks/{forge}/{hook}", func(w http.ResponseWriter, r *http.Request) {
		start, seen := in.Now(), request{forge: "unknown", event: "unknown"}
		answer := &answer{ResponseWriter: w, code: http.StatusOK}
		switch err := in.receive(answer, r, &seen); {
		case errors.Is(err, errCutShort):
			http.Error(answer, err.Error(), http.StatusBadRequest)
		case err != nil:
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

// Unwrap lets a deadline be set.
func (a *answer) Unwrap() http.ResponseWriter { return a.ResponseWriter }

// receive answers 202 for a delivery that is now stored and 200 for one that was there or is of no interest.
func (in *Inbox) receive(w http.ResponseWriter, req *http.Request, seen *request) error {
	s, err := in.sender(req.Context(), req.PathValue("forge"), req.PathValue("hook"))
	if err != nil {
		return err
	}
	seen.forge = s.forge
	s, e, err := in.read(w, req, s)
	if err != nil {
		in.Observer.Delivery(s.forge, "refused")
		return err
	}
	seen.event = string(e.Kind)
	return in.take(req.Context(), w, s, e)
}

// read reads the body and the verified event in it.
func (in *Inbox) read(w http.ResponseWriter, req *http.Request, s sender) (_ sender, e waybill.Event, err error) {
	body, err := readBody(w, req, s.limit())
	if err != nil {
		return s, e, err
	}
	s, err = in.believe(req.Context(), s, func(s sender) error {
		e, err = s.event(req.Header, body, in.Now())
		return err
	})
	return s, e, err
}

// take accepts e and writes the answer.
func (in *Inbox) take(ctx context.Context, w http.ResponseWriter, s sender, e waybill.Event) error {
	r, known, err := in.repositoryOf(ctx, s, e)
	if err != nil {
		return err
	}
	if !known || !wanted(e) {
		in.Observer.Delivery(s.forge, "ignored")
		if known {
			if err := in.told(ctx, r); err != nil {
				return err
			}
		}
		return reply(w, http.StatusOK, progress.Accepted{})
	}
	id, fresh, err := in.accept(ctx, s, r, e)
	if err != nil {
		return err
	}
	code, result := http.StatusAccepted, "stored"
	if !fresh {
		code, result = http.StatusOK, "duplicate"
	}
	in.Observer.Delivery(s.forge, result)
	return reply(w, code, in.accepted(s, r, id, e))
}

// accepted says where a pusher can watch. Only those of plain Git do.
func (in *Inbox) accepted(s sender, r waybill.Repository, id string, e waybill.Event) progress.Accepted {
	a := progress.Accepted{Delivery: id}
	if s.kind == plain {
		a.Progress = "/hooks/" + r.Forge + "/" + r.Hook + "/deliveries/" + id
		a.See = in.PublicURL + "/repositories/" + r.FullName() + "/commits/" + e.Refs[0].New
	}
	return a
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

// secretsOf are those with which the hook of r may sign now.
func secretsOf(r waybill.Repository, now time.Time) []webhooks.Secret {
	secrets := []webhooks.Secret{webhooks.Secret(r.HookSecret)}
	if r.OldSecretEnds.IsZero() || now.Before(r.OldSecretEnds) {
		secrets = append(secrets, webhooks.Secret(r.OldHookSecret))
	}
	return secrets
}
