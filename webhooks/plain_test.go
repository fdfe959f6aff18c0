package webhooks_test

import (
	"bytes"
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/webhooks"
)

const (
	secret = webhooks.Secret("correct horse battery staple")
	zero   = "0000000000000000000000000000000000000000"
	one    = "1111111111111111111111111111111111111111"
)

func noon() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

// signed signs any body, also one that no hook of ours would send.
func signed(t *testing.T, key, body string) (http.Header, []byte) {
	t.Helper()
	h, sample, err := webhooks.SignPlain(waybill.Event{Key: key}, secret, noon())
	if err != nil {
		t.Fatal(err)
	}
	if body != string(sample) {
		h.Set(webhooks.HeaderSignature, webhooks.SignatureOf(secret, h.Get(webhooks.HeaderTimestamp), []byte(body)))
	}
	return h, []byte(body)
}

func TestPlainReadsWhatSignPlainWrites(t *testing.T) {
	t.Parallel()
	want := waybill.Event{Kind: "push", Key: "01J0ABC", Actor: "ada", Refs: []waybill.RefUpdate{
		{Name: "refs/heads/main", Old: zero, New: one}, {Name: "refs/tags/v1.0.0", Old: one, New: zero},
	}}
	sent := want
	sent.Refs = append([]waybill.RefUpdate{{Name: "refs/notes/waybill", Old: zero, New: one}}, want.Refs...)
	h, body, err := webhooks.SignPlain(sent, secret, noon())
	if err != nil {
		t.Fatal(err)
	}
	for _, secrets := range [][]webhooks.Secret{{secret}, {"old", secret}, {secret, "new"}} {
		got, err := webhooks.Plain(h, body, noon().Add(4*time.Minute), secrets...)
		if diff := cmp.Diff(want, got); err != nil || diff != "" {
			t.Errorf("%v (-want +got):\n%s", err, diff)
		}
	}
}

func TestPlainKinds(t *testing.T) {
	t.Parallel()
	for body, want := range map[string]string{
		`{"refs":[]}`: "ping",
		`{"refs":[{"name":"refs/notes/waybill","old":"` + zero + `","new":"` + one + `"}]}`: "ignored",
		`{"refs":[{"name":"refs/heads/x","old":"` + zero + `","new":"` + one + `"}]}`:       "push",
	} {
		h, b := signed(t, "k", body)
		if e, err := webhooks.Plain(h, b, noon(), secret); err != nil || string(e.Kind) != want {
			t.Errorf("%s: %q %v", body, e.Kind, err)
		}
	}
}

func TestPlainRefuses(t *testing.T) {
	t.Parallel()
	good := `{"refs":[{"name":"refs/heads/main","old":"` + zero + `","new":"` + one + `"}],"actor":"ada"}`
	ref := func(name, oldID, newID string) string {
		return fmt.Sprintf(`{"refs":[{"name":%q,"old":%q,"new":%q}]}`, name, oldID, newID)
	}
	tests := []struct {
		name   string
		key    string
		body   string
		change func(h http.Header)
		after  time.Duration
		want   waybill.Code
	}{
		{name: "not signed", body: good, change: func(h http.Header) { h.Del(webhooks.HeaderSignature) }, want: waybill.Unauthenticated},
		{name: "no timestamp", body: good, change: func(h http.Header) { h.Del(webhooks.HeaderTimestamp) }, want: waybill.Unauthenticated},
		{name: "another algorithm", body: good, change: func(h http.Header) {
			h.Set(webhooks.HeaderSignature, "sha1="+strings.Repeat("a", 40))
		}, want: waybill.Unauthenticated},
		{name: "truncated signature", body: good, change: func(h http.Header) {
			h.Set(webhooks.HeaderSignature, h.Get(webhooks.HeaderSignature)[:30])
		}, want: waybill.Unauthenticated},
		{name: "another timestamp", body: good, change: func(h http.Header) { h.Set(webhooks.HeaderTimestamp, "1772366401") }, want: waybill.Unauthenticated},
		{name: "replayed later", body: good, after: 6 * time.Minute, want: waybill.Unauthenticated},
		{name: "from the future", body: good, after: -6 * time.Minute, want: waybill.Unauthenticated},
		{name: "no delivery", key: "-", body: good, change: func(h http.Header) { h.Del(webhooks.HeaderDelivery) }, want: waybill.Invalid},
		{name: "delivery with a space", key: "a b", body: good, want: waybill.Invalid},
		{name: "not JSON", body: `refs=main`, want: waybill.Invalid},
		{name: "empty", body: ``, want: waybill.Invalid},
		{name: "unknown field", body: `{"refs":[],"x":1}`, want: waybill.Invalid},
		{name: "two objects", body: good + good, want: waybill.Invalid},
		{name: "short name", body: ref("main", zero, one), want: waybill.Invalid},
		{name: "path in a name", body: ref("refs/heads/../../etc", zero, one), want: waybill.Invalid},
		{name: "short id", body: ref("refs/heads/main", zero[1:], one), want: waybill.Invalid},
		{name: "upper case id", body: ref("refs/heads/main", zero, strings.Repeat("A", 40)), want: waybill.Invalid},
		{name: "too large", body: `{"actor":"` + strings.Repeat("x", webhooks.MaxPlain) + `"}`, want: waybill.TooLarge},
		{name: "too many refs", body: `{"refs":[` + strings.Repeat(`{},`, 20_000) + `{}]}`, want: waybill.TooLarge},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			key := tt.key
			if key == "" {
				key = "k"
			}
			h, body := signed(t, key, tt.body)
			if tt.change != nil {
				tt.change(h)
			}
			if _, err := webhooks.Plain(h, body, noon().Add(tt.after), secret); !waybill.IsCode(err, tt.want) {
				t.Errorf("got %v, want %s", err, tt.want)
			}
		})
	}
	h, body := signed(t, "k", good)
	for _, secrets := range [][]webhooks.Secret{nil, {""}, {"wrong"}, {"wrong", "other"}} {
		if _, err := webhooks.Plain(h, body, noon(), secrets...); !waybill.IsCode(err, waybill.Unauthenticated) {
			t.Errorf("secrets %d: %v", len(secrets), err)
		}
	}
}

// TestEmptySecretSignsNothing: a hook without a secret must not accept what anybody can sign.
func TestEmptySecretSignsNothing(t *testing.T) {
	t.Parallel()
	h, body, err := webhooks.SignPlain(waybill.Event{Key: "k"}, "", noon())
	if err != nil {
		t.Fatal(err)
	}
	if _, err := webhooks.Plain(h, body, noon(), ""); !waybill.IsCode(err, waybill.Unauthenticated) {
		t.Errorf("got %v", err)
	}
}

func TestVerifyGet(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodGet, "http://h/hooks/plain/x/deliveries/1?y=2", nil)
	webhooks.SignGet(r, secret, noon())
	if err := webhooks.VerifyGet(r, noon(), "other", secret); err != nil {
		t.Error(err)
	}
	if err := webhooks.VerifyGet(r, noon(), "other"); !waybill.IsCode(err, waybill.Unauthenticated) {
		t.Errorf("another secret: %v", err)
	}
	if err := webhooks.VerifyGet(r, noon().Add(time.Hour), secret); !waybill.IsCode(err, waybill.Unauthenticated) {
		t.Errorf("an hour later: %v", err)
	}
	other := httptest.NewRequest(http.MethodGet, "http://h/hooks/plain/x/deliveries/2?y=2", nil)
	other.Header = r.Header
	if err := webhooks.VerifyGet(other, noon(), secret); !waybill.IsCode(err, waybill.Unauthenticated) {
		t.Errorf("another path: %v", err)
	}
}

func TestSecretIsHidden(t *testing.T) {
	t.Parallel()
	var log bytes.Buffer
	slog.New(slog.NewJSONHandler(&log, nil)).Info("x", "secret", secret)
	for _, s := range []string{fmt.Sprintf("%v %s %+v %#v %q", secret, secret, secret, secret, secret), log.String()} {
		if strings.Contains(s, "horse") {
			t.Errorf("%s", s)
		}
	}
}

// TestValidRefNameAgreesWithGit compares with git itself.
func TestValidRefNameAgreesWithGit(t *testing.T) {
	t.Parallel()
	names := []string{
		"refs/heads/main", "refs/heads/a/b", "refs/heads/a.b", "refs/heads/ünï", "refs/heads/-x", "refs/heads/@",
		"refs/heads/a..b", "refs/heads/.a", "refs/heads/a/.b", "refs/heads/a.lock", "refs/heads/a.lock/b", "refs/heads/a.",
		"refs/heads/a b", "refs/heads/a~", "refs/heads/a^", "refs/heads/a:b", "refs/heads/a?", "refs/heads/a*", "refs/heads/[a",
		"refs/heads/a\\b", "refs/heads/a@{b", "refs/heads/a@b", "refs/heads/", "refs/heads//a", "refs/heads/a/", "refs//heads/a",
		"refs/heads/a\x01", "refs/heads/a\x7f", "refs/tags/v1.0.0", "refs/notes/waybill", "refs/heads/a./b",
	}
	for _, name := range names {
		err := exec.CommandContext(t.Context(), "git", "check-ref-format", name).Run()
		if got := webhooks.ValidRefName(name); got != (err == nil) {
			t.Errorf("%q: %v, git says %v", name, got, err)
		}
	}
}

func FuzzPlain(f *testing.F) {
	f.Add("k", `{"refs":[{"name":"refs/heads/main","old":"`+zero+`","new":"`+one+`"}],"actor":"ada"}`)
	f.Add("k", `{"refs":[{"name":"refs/heads/..","old":"","new":""}]}`)
	f.Fuzz(func(t *testing.T, key, body string) {
		h, b := signed(t, key, body)
		e, err := webhooks.Plain(h, b, noon(), secret)
		if err != nil {
			return
		}
		for _, u := range e.Refs {
			if !webhooks.Watched(u.Name) || !webhooks.ValidRefName(u.Name) || len(u.Old) != 40 || len(u.New) != 40 {
				t.Errorf("accepted %+v", u)
			}
		}
		h, b, err = webhooks.SignPlain(e, secret, noon())
		if err != nil {
			t.Fatal(err)
		}
		again, err := webhooks.Plain(h, b, noon(), secret)
		if e.Kind == "ignored" {
			e.Kind = "ping"
		}
		if diff := cmp.Diff(e, again); err != nil || diff != "" {
			t.Errorf("%v\n%s", err, diff)
		}
	})
}
