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
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/webhooks"
)

// maxBody is the largest hook request that is read: enough for a push of 25,000 refs. The poller finds larger ones.
const maxBody = 4 << 20

// Mount adds the addresses of hooks and of the progress of a delivery to mux. fail answers a request with an error.
func (in *Inbox) Mount(mux *http.ServeMux, fail func(http.ResponseWriter, *http.Request, error)) {
	handle := func(h func(http.ResponseWriter, *http.Request) error) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if err := h(w, r); err != nil {
				fail(w, r, err)
			}
		}
	}
	mux.HandleFunc("POST /hooks/{forge}/{hook}", handle(in.receive))
	mux.HandleFunc("GET /hooks/{forge}/{hook}/deliveries/{delivery}", handle(in.progress))
}

// receive answers 202 for a delivery that is now stored and 200 for one that was there or is of no interest.
func (in *Inbox) receive(w http.ResponseWriter, req *http.Request) (err error) {
	start, forge, event := in.Now(), "unknown", "unknown"
	code := http.StatusOK
	defer func() {
		if err != nil {
			code = 0 // the error table decides; see Observer.Request
		}
		in.Observer.Request(forge, event, code, in.Now().Sub(start))
	}()
	r, err := in.repository(req)
	if err != nil {
		return err
	}
	forge = r.Forge
	body, err := io.ReadAll(http.MaxBytesReader(w, req.Body, maxBody))
	if tooLarge := new(http.MaxBytesError); errors.As(err, &tooLarge) {
		return waybill.Errorf(waybill.TooLarge, "hook request is larger than %d bytes", tooLarge.Limit)
	} else if err != nil {
		return waybill.Wrap(waybill.Invalid, err, "hook request ended early")
	}
	e, err := webhooks.Plain(req.Header, body, in.Now(), webhooks.Secret(r.HookSecret))
	if err != nil {
		in.Observer.Delivery(forge, "refused")
		return err
	}
	event = e.Kind
	code, err = in.store(req.Context(), w, r, e)
	return err
}

// store accepts e and writes the answer.
func (in *Inbox) store(ctx context.Context, w http.ResponseWriter, r waybill.Repository, e waybill.Event) (code int, err error) {
	if len(e.Refs) == 0 {
		in.Observer.Delivery(r.Forge, "ignored")
		return http.StatusOK, answer(w, http.StatusOK, receipt{})
	}
	id, fresh, err := in.Accept(ctx, r, e)
	if err != nil {
		return 0, err
	}
	code, result := http.StatusAccepted, "stored"
	if !fresh {
		code, result = http.StatusOK, "duplicate"
	}
	in.Observer.Delivery(r.Forge, result)
	return code, answer(w, code, receipt{Delivery: id, Progress: "/hooks/" + r.Forge + "/" + r.Hook + "/deliveries/" + id})
}

// repository finds the repository that a hook address belongs to. An unknown address is as wrong as a wrong signature.
func (in *Inbox) repository(req *http.Request) (waybill.Repository, error) {
	r, err := gitstore.RepositoryByHook(req.Context(), in.DB.Query(), req.PathValue("hook"))
	if waybill.IsCode(err, waybill.NotFound) || err == nil && r.Forge != req.PathValue("forge") {
		return waybill.Repository{}, waybill.Errorf(waybill.Unauthenticated, "no such hook")
	}
	return r, err
}

// receipt is the answer to a hook: the delivery's id and the path of its progress stream.
type receipt struct {
	Delivery string `json:"delivery,omitempty"`
	Progress string `json:"progress,omitempty"`
}

func answer(w http.ResponseWriter, code int, r receipt) error {
	body, err := json.Marshal(r)
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
