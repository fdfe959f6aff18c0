package webhooks

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// MaxPlain is how many bytes the body of a plain hook may have.
const MaxPlain = 10 << 20

const (
	// maxPlainRefs bounds the refs of one delivery; what is beyond is found by polling.
	maxPlainRefs = 20_000
	maxRefName   = 1024 // bytes
	maxActor     = 200  // bytes
)

// plainPush is the body of a plain hook.
type plainPush struct {
	Refs  []plainRef `json:"refs"`
	Actor string     `json:"actor,omitempty"`
}

type plainRef struct {
	Name string `json:"name"`
	Old  string `json:"old"`
	New  string `json:"new"`
}

// Plain checks the signature of body at now and reads an event from it. Refs that are neither branches nor tags are
// left out; an event without any is "ignored", and one that was sent without any is a "ping".
// Unauthenticated for a signature that is missing, wrong or old; TooLarge; Invalid for anything a hook of ours would
// not send.
func Plain(h http.Header, body []byte, now time.Time, secrets ...Secret) (waybill.Event, error) {
	if len(body) > MaxPlain {
		return waybill.Event{}, waybill.Errorf(waybill.TooLarge, "the body is larger than %d bytes", MaxPlain)
	}
	if err := verify(h, body, now, secrets); err != nil {
		return waybill.Event{}, err
	}
	return readPlain(h.Get(HeaderDelivery), body)
}

// SignPlain returns the body and headers of a plain hook that reports event at now. Event.Key names the delivery.
func SignPlain(e waybill.Event, secret Secret, now time.Time) (http.Header, []byte, error) {
	push := plainPush{Refs: []plainRef{}, Actor: cut(e.Actor, maxActor)}
	for _, u := range e.Refs[:min(len(e.Refs), maxPlainRefs)] {
		push.Refs = append(push.Refs, plainRef{Name: u.Name, Old: u.Old, New: u.New})
	}
	body, err := json.Marshal(push)
	if err != nil {
		return nil, nil, waybill.Wrap(waybill.Internal, err, "the hook's body cannot be written")
	}
	stamp := strconv.FormatInt(now.Unix(), 10)
	h := http.Header{}
	h.Set("Content-Type", "application/json")
	h.Set(HeaderDelivery, e.Key)
	h.Set(HeaderTimestamp, stamp)
	h.Set(HeaderSignature, signatureOf(secret, stamp, body))
	return h, body, nil
}

// plainKey is what a delivery may be called.
var plainKey = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,127}$`)

// readPlain reads a verified body.
func readPlain(key string, body []byte) (waybill.Event, error) {
	if !plainKey.MatchString(key) {
		return waybill.Event{}, waybill.Errorf(waybill.Invalid, "%s must be 1 to 128 letters, digits, dots, dashes or underscores", HeaderDelivery)
	}
	var push plainPush
	d := json.NewDecoder(bytes.NewReader(body))
	d.DisallowUnknownFields()
	if err := d.Decode(&push); err != nil {
		return waybill.Event{}, waybill.Wrap(waybill.Invalid, err, `the body must be JSON such as {"refs": [{"name", "old", "new"}], "actor"}`)
	}
	if _, err := d.Token(); !errors.Is(err, io.EOF) {
		return waybill.Event{}, waybill.Errorf(waybill.Invalid, "the body goes on after its JSON object")
	}
	if len(push.Refs) > maxPlainRefs {
		return waybill.Event{}, waybill.Errorf(waybill.TooLarge, "more than %d refs in one delivery", maxPlainRefs)
	}
	e := waybill.Event{Kind: waybill.EventPush, Key: key, Actor: cut(push.Actor, maxActor)}
	for _, r := range push.Refs {
		if err := r.check(); err != nil {
			return waybill.Event{}, err
		}
		if Watched(r.Name) {
			e.Refs = append(e.Refs, waybill.RefUpdate{Name: r.Name, Old: r.Old, New: r.New})
		}
	}
	switch {
	case len(push.Refs) == 0:
		e.Kind = waybill.EventPing
	case len(e.Refs) == 0:
		e.Kind = waybill.EventIgnored
	}
	return e, nil
}

func (r plainRef) check() error {
	if !ValidRefName(r.Name) {
		return waybill.Errorf(waybill.Invalid, "%q is not a full ref name", cut(r.Name, 100))
	}
	if !isObjectID(r.Old) || !isObjectID(r.New) {
		return waybill.Errorf(waybill.Invalid, "old and new of %s must be 40 hex digits", cut(r.Name, 100))
	}
	return nil
}

func isObjectID(s string) bool {
	return len(s) == 40 && strings.Trim(s, "0123456789abcdef") == ""
}

// Watched reports whether name is a branch or a tag: nothing else is reported or read.
func Watched(name string) bool {
	return strings.HasPrefix(name, "refs/heads/") || strings.HasPrefix(name, "refs/tags/")
}

// ValidRefName reports whether name is a full ref name: below refs/, at most 1024 bytes of UTF-8, and within the
// rules of git-check-ref-format(1).
func ValidRefName(name string) bool {
	if len(name) > maxRefName || !utf8.ValidString(name) || !strings.HasPrefix(name, "refs/") || strings.HasSuffix(name, ".") {
		return false
	}
	if strings.Contains(name, "..") || strings.Contains(name, "@{") || strings.ContainsAny(name, " ~^:?*[\\") {
		return false
	}
	for _, b := range []byte(name) {
		if b < 0x20 || b == 0x7f {
			return false
		}
	}
	parts := strings.Split(name, "/")
	for _, p := range parts {
		if p == "" || strings.HasPrefix(p, ".") || strings.HasSuffix(p, ".lock") {
			return false
		}
	}
	return len(parts) > 2 || parts[1] != "heads" && parts[1] != "tags"
}

// cut returns at most n bytes of valid UTF-8.
func cut(s string, n int) string {
	return strings.ToValidUTF8(s[:min(n, len(s))], "")
}
