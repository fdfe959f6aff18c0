package webhooks

import (
	"net/http"
	"net/url"
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// GitHub checks the signature of body and reads an event from it. Its field lists are those of GitHub's "Webhook events
// and payloads". Events of which nothing follows are "ignored".
//
// Unauthenticated for a signature that is missing or wrong, before anything is parsed; TooLarge; Invalid for a body that
// is not what GitHub says it sends.
func GitHub(h http.Header, body []byte, secrets ...Secret) (waybill.Event, error) {
	if err := tooLarge(body, MaxGitHub); err != nil {
		return waybill.Event{}, err
	}
	digits, isSHA256 := strings.CutPrefix(h.Get("X-Hub-Signature-256"), "sha256=")
	if !isSHA256 || !signedHex(body, digits, secrets) {
		return waybill.Event{}, mismatch()
	}
	return readGitHub(h, body)
}

// readGitHub reads a verified body.
func readGitHub(h http.Header, body []byte) (waybill.Event, error) {
	e, err := begin(h, "X-GitHub-Event", h.Get("X-GitHub-Delivery"))
	if err != nil {
		return waybill.Event{}, err
	}
	if e.Name == "ping" {
		e.Kind = waybill.EventPing
	}
	read := gitHubReader(e.Name)
	if read == nil {
		return e, nil
	}
	if body, err = unwrapForm(h, body); err != nil {
		return waybill.Event{}, err
	}
	var p hub
	if err := decode(body, hubShape, &p); err != nil {
		return waybill.Event{}, err
	}
	e.Action, e.Actor, e.Installation = line(p.Action, maxActor), line(p.Sender.Login, maxActor), max(0, p.Installation.ID)
	if e.Actor == "" {
		e.Actor = line(p.Pusher.Name, maxActor)
	}
	if err := read(&p, &e); err != nil {
		return waybill.Event{}, err
	}
	return e, nil
}

// unwrapForm returns the JSON of a hook that was set up with GitHub's other content type, which is its default.
func unwrapForm(h http.Header, body []byte) ([]byte, error) {
	if !strings.HasPrefix(h.Get("Content-Type"), "application/x-www-form-urlencoded") {
		return body, nil
	}
	form, err := url.ParseQuery(string(body))
	if err != nil {
		return nil, waybill.Wrap(waybill.Invalid, err, "the form cannot be read; set the hook's content type to application/json")
	}
	return []byte(form.Get("payload")), nil
}

// gitHubReader says how an event is read; nil for those that are of no interest.
func gitHubReader(name string) func(*hub, *waybill.Event) error {
	switch name {
	case "ping":
		return (*hub).ping
	case "installation", "installation_target", "installation_repositories":
		return (*hub).installation
	}
	read := hubReader(name)
	switch name {
	case "check_run", "check_suite":
		read = (*hub).rerun
	case "merge_group":
		read = (*hub).mergeGroup
	}
	if read == nil {
		return nil
	}
	return func(p *hub, e *waybill.Event) error {
		if err := p.source(e); err != nil {
			return err
		}
		return read(p, e)
	}
}

// ping names a repository when the hook belongs to one.
func (p *hub) ping(e *waybill.Event) error {
	if p.Repository == nil {
		return nil
	}
	return p.source(e)
}

// rerun reads a check of ours that somebody wants again; what else happens to checks is our own doing.
func (p *hub) rerun(e *waybill.Event) error {
	check := p.CheckRun
	if e.Name == "check_suite" {
		check = p.CheckSuite
	}
	if !isObjectID(check.HeadSHA) {
		return waybill.Errorf(waybill.Invalid, "the commit of a %s must be 40 hex digits", e.Name)
	}
	if e.Commit = check.HeadSHA; p.Action == "rerequested" {
		e.Kind = waybill.EventRerun
	}
	return nil
}

// mergeGroup reads the branch of a merge queue, which is one like any other.
func (p *hub) mergeGroup(e *waybill.Event) error {
	if p.MergeGroup.HeadSHA == "" {
		return waybill.Errorf(waybill.Invalid, "a merge group must have a head")
	}
	u, err := refUpdate(p.MergeGroup.HeadRef, "", p.MergeGroup.HeadSHA)
	if err == nil && p.Action != "checks_requested" { // its branch goes with a push of its own
		e.Refs = []waybill.RefUpdate{u}
		return nil
	}
	return move(e, u, err)
}

// installation reads what became of an App's installation.
func (p *hub) installation(e *waybill.Event) error {
	if e.Installation == 0 {
		return waybill.Errorf(waybill.Invalid, "an %s event must name its installation", e.Name)
	}
	for _, r := range slices.Concat(p.Repositories, p.Added, p.Removed) {
		source, err := r.source()
		if err != nil {
			return err
		}
		e.Repositories = append(e.Repositories, source)
	}
	e.Kind = waybill.EventInstallation
	return nil
}
