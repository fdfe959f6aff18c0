package webhooks

import (
	"cmp"
	"net/http"
	"strings"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Gitea checks the signature of body and reads an event from it; Forgejo's hooks are the same under other header names.
// The field lists are those of modules/structs/hook.go of Gitea. It reports what [GitHub] reports.
func Gitea(h http.Header, body []byte, secrets ...Secret) (waybill.Event, error) {
	if err := tooLarge(body, MaxGitea); err != nil {
		return waybill.Event{}, err
	}
	hub, _ := strings.CutPrefix(h.Get("X-Hub-Signature-256"), "sha256=")
	digits := cmp.Or(h.Get("X-Forgejo-Signature"), h.Get("X-Gitea-Signature"), hub)
	if !signedHex(body, digits, secrets) {
		return waybill.Event{}, mismatch()
	}
	return readGitea(h, body)
}

// readGitea reads a verified body.
func readGitea(h http.Header, body []byte) (waybill.Event, error) {
	name := "X-Gitea-Event"
	if h.Get("X-Forgejo-Event") != "" {
		name = "X-Forgejo-Event"
	}
	e, err := begin(h, name, cmp.Or(h.Get("X-Forgejo-Delivery"), h.Get("X-Gitea-Delivery")))
	if err != nil {
		return waybill.Event{}, err
	}
	read := hubReader(e.Name)
	if read == nil {
		return e, nil
	}
	var p hub
	if err := decode(body, hubShape, &p); err != nil {
		return waybill.Event{}, err
	}
	e.Action, e.Actor = line(p.Action, maxActor), line(cmp.Or(p.Sender.Login, p.Pusher.Login), maxActor)
	if err := p.source(&e); err != nil {
		return waybill.Event{}, err
	}
	if err := read(&p, &e); err != nil {
		return waybill.Event{}, err
	}
	return e, nil
}
