package webhooks_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/webhooks"
)

// TestForgesCheckFirst: what is not signed is refused in the same words, however wrong or right the rest of it is.
func TestForgesCheckFirst(t *testing.T) {
	t.Parallel()
	for _, f := range forges() {
		t.Run(f.name, func(t *testing.T) {
			t.Parallel()
			good := read(t, filepath.Join("testdata", f.name, "push.json"))
			for name, body := range map[string][]byte{"good": good, "empty": nil, "garbage": []byte("\x00{[\xff"), "deep": []byte(strings.Repeat("[", 1<<20))} {
				for attack, change := range map[string]func(h http.Header){
					"unsigned":       func(h http.Header) { clearSignatures(h) },
					"empty":          func(h http.Header) { clearSignatures(h); f.sign(h, body, "") },
					"another secret": func(h http.Header) { f.sign(h, body, "guess") },
					"no headers":     func(h http.Header) { clear(h) },
					"half": func(h http.Header) {
						for _, name := range signatureHeaders() {
							if v := h.Get(name); v != "" {
								h.Set(name, v[:len(v)/2])
							}
						}
					},
				} {
					h := f.request(f.eventOf("push"), "d-1", body)
					change(h)
					for _, secrets := range [][]webhooks.Secret{nil, {""}, {secret}, {"", secret}} {
						_, err := f.read(h, body, secrets...)
						if !waybill.IsCode(err, waybill.Unauthenticated) || err.Error() != "the signature does not match" {
							t.Errorf("%s body, %s, %d secrets: %v", name, attack, len(secrets), err)
						}
					}
				}
			}
			if _, err := f.read(http.Header{}, make([]byte, f.limit+1), secret); !waybill.IsCode(err, waybill.TooLarge) {
				t.Errorf("too large: %v", err)
			}
			tampered := append([]byte(" "), good...)
			if _, err := f.read(f.request(f.eventOf("push"), "d-1", good), tampered, secret); f.name != "gitlab" && !waybill.IsCode(err, waybill.Unauthenticated) {
				t.Errorf("tampered: %v", err)
			}
		})
	}
}

func signatureHeaders() []string {
	return []string{"X-Hub-Signature-256", "X-Gitea-Signature", "X-Forgejo-Signature", "X-Gitlab-Token", "Webhook-Signature"}
}

func clearSignatures(h http.Header) {
	for _, name := range signatureHeaders() {
		h.Del(name)
	}
}

func TestForgesTakeTwoSecrets(t *testing.T) {
	t.Parallel()
	for _, f := range forges() {
		body := read(t, filepath.Join("testdata", f.name, "push.json"))
		h := f.request(f.eventOf("push"), "d-1", body)
		for _, secrets := range [][]webhooks.Secret{{secret}, {"new", secret}, {secret, "old"}} {
			if e, err := f.read(h, body, secrets...); err != nil || len(e.Refs) != 1 {
				t.Errorf("%s, %d secrets: %+v %v", f.name, len(secrets), e.Refs, err)
			}
		}
	}
}

// TestForgesAreStrict changes one word of a good payload at a time.
func TestForgesAreStrict(t *testing.T) {
	t.Parallel()
	const good = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1"
	for _, test := range []struct{ file, from, to string }{
		{"push.json", `refs/heads/main`, `refs/heads/../../etc`},
		{"push.json", `refs/heads/main`, `main`},
		{"push.json", `refs/heads/main`, `refs/heads/a\u0000b`},
		{"push.json", good, strings.ToUpper(good)},
		{"push.json", good, good[1:]},
		{"push.json", good, ``},
		{"push.json", good, `--upload-pack=touch /tmp/x`},
		{"push.json", `shop-feed"`, `../admin"`},
		{"push.json", `"before": "`, `"before": 7, "x": "`},
		{"push.json", `{`, `[`},
		{"pull", `bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb2`, `HEAD`},
		{"pull", `"main"`, `"ma in"`},
	} {
		for _, f := range forges() {
			file := strings.Replace(test.file, "pull", map[string]string{"gitlab": "merge_request.open.json"}[f.name], 1)
			if test.file == "pull" && f.name != "gitlab" {
				file = "pull_request.opened.json"
			}
			body := read(t, filepath.Join("testdata", f.name, file))
			changed := []byte(strings.ReplaceAll(string(body), test.from, test.to))
			if string(changed) == string(body) {
				t.Errorf("%s %s: nothing to change", f.name, test.from)
			}
			_, err := f.read(f.request(f.eventOf(file), "d-1", changed), changed, secret)
			if !waybill.IsCode(err, waybill.Invalid) {
				t.Errorf("%s %s → %q: %v", f.name, test.from, test.to, err)
			}
		}
	}
	for _, f := range forges() {
		body := read(t, filepath.Join("testdata", f.name, "push.json"))
		for _, key := range []string{"", "a b", "../x", strings.Repeat("k", 129), "k\x00"} {
			if _, err := f.read(f.request(f.eventOf("push"), key, body), body, secret); !waybill.IsCode(err, waybill.Invalid) {
				t.Errorf("%s, key %q: %v", f.name, key, err)
			}
		}
		for _, event := range []string{"", "päsh", "a\nb", strings.Repeat("e", 65)} {
			if _, err := f.read(f.request(event, "d-1", body), body, secret); !waybill.IsCode(err, waybill.Invalid) {
				t.Errorf("%s, event %q: %v", f.name, event, err)
			}
		}
		if e, err := f.read(f.request("something_new", "d-1", []byte("not JSON")), []byte("not JSON"), secret); err != nil || e.Kind != waybill.EventIgnored {
			t.Errorf("%s, unknown event: %+v %v", f.name, e, err)
		}
	}
}

// TestGitHubForm: the content type that GitHub's page proposes works too.
func TestGitHubForm(t *testing.T) {
	t.Parallel()
	body := []byte("payload=" + strings.NewReplacer("%", "%25", "&", "%26", "+", "%2B", "\n", "%0A", " ", "+").Replace(string(read(t, "testdata/github/push.json"))))
	f := forges()[0]
	h := f.request("push", "d-1", body)
	h.Set("Content-Type", "application/x-www-form-urlencoded")
	if e, err := webhooks.GitHub(h, body, secret); err != nil || len(e.Refs) != 1 {
		t.Errorf("%+v %v", e, err)
	}
}

// TestGiteaFamily: Forgejo signs the same way under other names, and all send GitHub's header as well.
func TestGiteaFamily(t *testing.T) {
	t.Parallel()
	body := read(t, "testdata/gitea/push.json")
	for _, h := range []map[string]string{
		{"X-Forgejo-Event": "push", "X-Forgejo-Delivery": "d-1", "X-Forgejo-Signature": sum(string(secret), string(body))},
		{"X-Gitea-Event": "push", "X-Gitea-Delivery": "d-1", "X-Hub-Signature-256": "sha256=" + sum(string(secret), string(body))},
	} {
		header := http.Header{}
		for k, v := range h {
			header.Set(k, v)
		}
		if e, err := webhooks.Gitea(header, body, secret); err != nil || e.Key != "d-1" || len(e.Refs) != 1 {
			t.Errorf("%v: %+v %v", slices.Collect(maps.Keys(h)), e, err)
		}
	}
}

// TestGitLabSigningToken: a secret that signs is never taken when it is shown, and the signature covers the delivery.
func TestGitLabSigningToken(t *testing.T) {
	t.Parallel()
	body := read(t, "testdata/gitlab/push.json")
	key := strings.Repeat("k", 32)
	token := webhooks.Secret("whsec_" + base64.StdEncoding.EncodeToString([]byte(key)))
	request := func(id string) http.Header {
		mac := hmac.New(sha256.New, []byte(key))
		_, _ = mac.Write([]byte("d-1.1772366400." + string(body)))
		h := http.Header{}
		h.Set("X-Gitlab-Event", "Push Hook")
		h.Set("Webhook-Id", id)
		h.Set("Webhook-Timestamp", "1772366400")
		h.Set("Webhook-Signature", "v1a,AAAA v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
		h.Set("Idempotency-Key", "another")
		return h
	}
	for _, secrets := range [][]webhooks.Secret{{token}, {"shown before", token}} {
		if e, err := webhooks.GitLab(request("d-1"), body, secrets...); err != nil || e.Key != "d-1" {
			t.Errorf("key %q, %v", e.Key, err)
		}
	}
	shown := request("d-1")
	shown.Del("Webhook-Signature")
	shown.Set("X-Gitlab-Token", string(token))
	for name, h := range map[string]http.Header{"another delivery": request("d-2"), "shown": shown} {
		if _, err := webhooks.GitLab(h, body, token); !waybill.IsCode(err, waybill.Unauthenticated) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// TestGitLabKeys: before 17.4 hooks that set off others share a name.
func TestGitLabKeys(t *testing.T) {
	t.Parallel()
	keys := map[string]bool{}
	for _, file := range []string{"push.json", "push.deleted.json", "push.json"} {
		body := read(t, "testdata/gitlab/"+file)
		h := http.Header{}
		h.Set("X-Gitlab-Event", "Push Hook")
		h.Set("X-Gitlab-Event-UUID", "u-1")
		h.Set("X-Gitlab-Token", string(secret))
		e, err := webhooks.GitLab(h, body, secret)
		if err != nil || !strings.HasPrefix(e.Key, "u-1-") {
			t.Errorf("%s: key %q %v", file, e.Key, err)
		}
		keys[e.Key] = true
	}
	if len(keys) != 2 {
		t.Errorf("keys %v", keys)
	}
}

func FuzzGitHub(f *testing.F) { fuzz(f, forges()[0]) }
func FuzzGitea(f *testing.F)  { fuzz(f, forges()[1]) }
func FuzzGitLab(f *testing.F) { fuzz(f, forges()[2]) }

// fuzz signs whatever it is given: nothing that an event says may be other than its fields promise.
func fuzz(f *testing.F, forge forge) {
	f.Helper()
	for _, file := range fixtures(f, forge.name) {
		f.Add(forge.eventOf(file), "d-1", read(f, file))
	}
	f.Fuzz(func(t *testing.T, event, key string, body []byte) {
		h := forge.request(event, key, body)
		if _, err := forge.read(h, body, "another"); !waybill.IsCode(err, waybill.Unauthenticated) {
			t.Fatalf("not refused: %v", err)
		}
		e, err := forge.read(h, body, secret)
		if err != nil {
			if !waybill.IsCode(err, waybill.Invalid) && !waybill.IsCode(err, waybill.TooLarge) {
				t.Errorf("%v", err)
			}
			return
		}
		for _, u := range e.Refs {
			if !webhooks.Watched(u.Name) || !webhooks.ValidRefName(u.Name) || !commit(u.Old) || !commit(u.New) {
				t.Errorf("accepted %+v", u)
			}
		}
		if e.Key == "" || len(e.Actor) > 200 || !commit(e.Commit) || strings.ContainsAny(e.Source.ID+e.Source.Path, " \n\x00?#%\\") {
			t.Errorf("accepted %+v", e)
		}
		if p := e.Pull; p != nil && (p.Number <= 0 || !commit(p.Head) || strings.ContainsAny(p.Title, "\n\x00") || len(e.Comment) > 4096) {
			t.Errorf("accepted %+v", p)
		}
	})
}

// commit reports whether s is a commit or is not told.
func commit(s string) bool {
	return s == "" || len(s) == 40 && strings.Trim(s, "0123456789abcdef") == ""
}
