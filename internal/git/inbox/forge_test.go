package inbox

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/webhooks"
)

const appSecret = "the secret of the App"

// newForgePost is a post that also watches the repository of the fixtures at three forges, H, T and L.
func newForgePost(t *testing.T) *post {
	t.Helper()
	p := newPost(t)
	p.Kinds = map[string]string{"hub": "github", "tea": "gitea", "lab": "gitlab"}
	p.Apps = map[string]func() []webhooks.Secret{"hub": func() []webhooks.Secret { return []webhooks.Secret{appSecret, "the one before"} }}
	for _, r := range []waybill.Repository{
		{ID: "H", Name: "h", Forge: "hub", Hook: "at-hub", ForgeID: "4711", Path: "acme/shop-feed"},
		{ID: "T", Name: "t", Forge: "tea", Hook: "at-tea", ForgeID: "21", Path: "acme/shop-feed"},
		{ID: "L", Name: "l", Forge: "lab", Hook: "at-lab", ForgeID: "15", Path: "acme/feeds/shop-feed"},
	} {
		r.Owner, r.URL, r.HookSecret, r.OldHookSecret, r.DefaultBranch = "feeds", "https://"+r.Forge+".test/x.git", secret, "older", "main"
		p.write(func(tx *store.Tx) error { return gitstore.AddRepository(t.Context(), tx, r) })
	}
	return p
}

func (p *post) write(fn func(tx *store.Tx) error) {
	p.t.Helper()
	if err := p.DB.Write(p.t.Context(), "test", fn); err != nil {
		p.t.Fatal(err)
	}
}

// hook is one request as a forge sends it.
type hook struct {
	address, key string
	fixture      string            // below webhooks/testdata
	with         map[string]string // secret when not the repository's; texts to replace in the body
	secret       string
}

// request returns what is sent.
func (h hook) request(t testing.TB) (http.Header, []byte) {
	t.Helper()
	body, err := os.ReadFile(filepath.Join("../../../webhooks/testdata", h.fixture))
	if err != nil {
		t.Fatal(err)
	}
	for from, to := range h.with {
		if !bytes.Contains(body, []byte(from)) {
			t.Fatalf("%s holds no %q", h.fixture, from)
		}
		body = bytes.ReplaceAll(body, []byte(from), []byte(to))
	}
	key := h.secret
	if key == "" {
		key = secret
	}
	kind, file, _ := strings.Cut(h.fixture, "/")
	event, _, _ := strings.Cut(file, ".")
	header := http.Header{}
	switch kind {
	case "github":
		header.Set("X-GitHub-Event", event)
		header.Set("X-GitHub-Delivery", h.key)
		header.Set("X-Hub-Signature-256", "sha256="+sign(key, body))
	case "gitea":
		header.Set("X-Gitea-Event", event)
		header.Set("X-Gitea-Delivery", h.key)
		header.Set("X-Gitea-Signature", sign(key, body))
	case "gitlab":
		header.Set("X-Gitlab-Event", map[string]string{
			"push": "Push Hook", "tag_push": "Tag Push Hook", "merge_request": "Merge Request Hook", "note": "Note Hook",
		}[event])
		header.Set("Idempotency-Key", h.key)
		header.Set("X-Gitlab-Token", key)
	}
	return header, body
}

func sign(key string, body []byte) string {
	m := hmac.New(sha256.New, []byte(key))
	_, _ = m.Write(body)
	return hex.EncodeToString(m.Sum(nil))
}

func (p *post) tell(h hook) *httptest.ResponseRecorder {
	p.t.Helper()
	header, body := h.request(p.t)
	return p.send("/hooks/"+h.address, header, body)
}

// rows is everything that deliveries and work hold: "<kind> <key>" and "delivery <repository> <forge> <hook> <key>".
func (p *post) rows() []string {
	p.t.Helper()
	rows, err := store.List(p.t.Context(), p.DB.Query(), func(s *string) []any { return []any{s} },
		`SELECT kind || ' ' || key FROM work WHERE wanted <> done
		UNION ALL SELECT 'delivery ' || repository || ' ' || forge || ' ' || hook || ' ' || event_key FROM deliveries ORDER BY 1`)
	if err != nil {
		p.t.Fatal(err)
	}
	return rows
}

// clear forgets what arrived: opening a database takes longer than most tests.
func (p *post) clear() {
	p.t.Helper()
	p.write(func(tx *store.Tx) error {
		for _, statement := range []string{`DELETE FROM deliveries`, `DELETE FROM work`, `DELETE FROM pulls`, `DELETE FROM comments`, `UPDATE repositories SET last_told = 0`} {
			if _, err := tx.ExecContext(p.t.Context(), statement); err != nil {
				return err
			}
		}
		return nil
	})
}

func TestWhatFollowsFromHooks(t *testing.T) {
	t.Parallel()
	p := newForgePost(t)
	for _, test := range []struct {
		hook
		code int
		want []string
	}{
		{hook{address: "hub/at-hub", fixture: "github/push.json"}, 202, []string{"delivery H hub at-hub d", "ref H refs/heads/main"}},
		{hook{address: "hub/at-hub", fixture: "github/push.json", secret: "older"}, 202, []string{"delivery H hub at-hub d", "ref H refs/heads/main"}},
		{hook{address: "tea/at-tea", fixture: "gitea/push.tag.json"}, 202, []string{"delivery T tea at-tea d", "ref T refs/tags/v1.2.0"}},
		{hook{address: "tea/at-tea", fixture: "gitea/delete.json"}, 202, []string{"delivery T tea at-tea d", "ref T refs/heads/feature/tax"}},
		{hook{address: "lab/at-lab", fixture: "gitlab/tag_push.json"}, 202, []string{"delivery L lab at-lab d", "ref L refs/tags/v1.2.0"}},
		{hook{address: "hub/app", fixture: "github/push.json", secret: appSecret}, 202, []string{"delivery H hub app d", "ref H refs/heads/main"}},
		{hook{address: "hub/app", fixture: "github/push.json", secret: "the one before"}, 202, []string{"delivery H hub app d", "ref H refs/heads/main"}},
		{hook{address: "hub/app", fixture: "github/push.json", secret: appSecret, with: map[string]string{"4711": "4712"}}, 200, nil},
		{hook{address: "hub/app", fixture: "github/installation.json", secret: appSecret}, 202, []string{"delivery  hub app d", "watch H"}},
		{hook{address: "hub/app", fixture: "github/ping.app.json", secret: appSecret}, 200, nil},
		{hook{address: "hub/at-hub", fixture: "github/pull_request.synchronize.json"}, 202, []string{"delivery H hub at-hub d", "pull H 12"}},
		{hook{address: "tea/at-tea", fixture: "gitea/pull_request.synchronized.json"}, 202, []string{"delivery T tea at-tea d", "pull T 2"}},
		{hook{address: "lab/at-lab", fixture: "gitlab/merge_request.update.json"}, 202, []string{"delivery L lab at-lab d", "pull L 3"}},
		{hook{address: "hub/at-hub", fixture: "github/pull_request.title.json"}, 200, nil},
		{hook{address: "hub/at-hub", fixture: "github/issue_comment.json"}, 202, []string{"command ID", "delivery H hub at-hub d"}},
		{hook{address: "lab/at-lab", fixture: "gitlab/note.json"}, 202, []string{"command ID", "delivery L lab at-lab d"}},
		{hook{address: "hub/at-hub", fixture: "github/issue_comment.json", with: map[string]string{"/waybill retry": "hm, /waybill retry"}}, 200, nil},
		{hook{address: "hub/at-hub", fixture: "github/issue_comment.issue.json"}, 200, nil},
		{hook{address: "hub/at-hub", fixture: "github/check_run.json"}, 202, []string{"command ID", "delivery H hub at-hub d"}},
		{hook{address: "hub/at-hub", fixture: "github/check_run.created.json"}, 200, nil},
		{hook{address: "hub/at-hub", fixture: "github/merge_group.json"}, 202, []string{
			"delivery H hub at-hub d", "ref H refs/heads/gh-readonly-queue/main/pr-12-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1",
		}},
		{hook{address: "hub/at-hub", fixture: "github/merge_group.destroyed.json"}, 200, nil},
		{hook{address: "hub/at-hub", fixture: "github/repository.renamed.json"}, 202, []string{"delivery H hub at-hub d", "watch H"}},
		{hook{address: "tea/at-tea", fixture: "gitea/push.json", with: map[string]string{"acme/shop-feed\"": "acme/store\""}}, 202, []string{
			"delivery T tea at-tea d", "ref T refs/heads/main", "watch T",
		}},
		{hook{address: "hub/at-hub", fixture: "github/star.json"}, 200, nil},
		{hook{address: "hub/at-hub", fixture: "github/ping.json"}, 200, nil},
	} {
		p.clear()
		test.key = "d"
		rec := p.tell(test.hook)
		got := p.rows()
		for i := range got {
			if _, ok := strings.CutPrefix(got[i], "command "); ok && strings.Contains(rec.Body.String(), got[i][8:]) {
				got[i] = "command ID"
			}
		}
		if diff := cmp.Diff(test.want, got); rec.Code != test.code || diff != "" {
			t.Errorf("%s, %s: %d %s\n%s", test.address, test.fixture, rec.Code, rec.Body, diff)
		}
		if id := map[string]string{"hub": "H", "tea": "T", "lab": "L"}[test.address[:3]]; !strings.HasSuffix(test.address, "app") {
			if r, err := gitstore.Repository(t.Context(), p.DB.Query(), id); err != nil || r.LastTold.IsZero() {
				t.Errorf("%s, %s: the hook is not known to work: %v", test.address, test.fixture, err)
			}
		}
	}
}

func TestRenameIsNoted(t *testing.T) {
	t.Parallel()
	p := newForgePost(t)
	p.tell(hook{address: "hub/at-hub", key: "d", fixture: "github/repository.renamed.json", with: map[string]string{"acme/shop-feed\"": "acme/store\""}})
	if r, err := gitstore.Repository(t.Context(), p.DB.Query(), "H"); err != nil || r.Path != "acme/store" {
		t.Errorf("path %q %v", r.Path, err)
	}
}

// TestAnOldWordOfAPullIsNotKept: deliveries overtake one another.
func TestAnOldWordOfAPullIsNotKept(t *testing.T) {
	t.Parallel()
	p := newForgePost(t)
	closed := map[string]string{`"state": "open"`: `"state": "closed"`, "2026-03-01T12:00:00Z": "2026-03-01T12:30:00Z"}
	p.tell(hook{address: "hub/at-hub", key: "d-2", fixture: "github/pull_request.synchronize.json", with: closed})
	p.tell(hook{address: "hub/at-hub", key: "d-1", fixture: "github/pull_request.opened.json"})
	pull, err := gitstore.Pull(t.Context(), p.DB.Query(), "H", 12)
	if err != nil || pull.Open || pull.Seen.Format("15:04") != "12:30" || pull.Author != "ada" {
		t.Errorf("%+v %v", pull, err)
	}
}

// TestRedelivery: of what was given up it is a new beginning, of what is done or waits it is harmless.
func TestRedelivery(t *testing.T) {
	t.Parallel()
	p := newForgePost(t)
	for _, h := range []hook{
		{address: "hub/at-hub", key: "d", fixture: "github/push.json"},
		{address: "hub/at-hub", key: "d", fixture: "github/pull_request.opened.json"},
		{address: "hub/at-hub", key: "d", fixture: "github/issue_comment.json"},
	} {
		p.clear()
		first := p.tell(h)
		wanted := func() (n int) {
			work, err := store.List(t.Context(), p.DB.Query(), func(n *int) []any { return []any{n} }, `SELECT wanted FROM work`)
			if err != nil || len(work) != 1 {
				t.Fatalf("%v %v", work, err)
			}
			return work[0]
		}
		end := func(discarded int) {
			p.write(func(tx *store.Tx) error {
				_, err := tx.Exec(t.Context(), `UPDATE work SET done = wanted, discarded = $1`, discarded)
				return err
			})
		}
		for _, step := range []struct {
			before func()
			wanted int
		}{{func() {}, 1}, {func() { end(0) }, 1}, {func() { end(1) }, 2}, {func() {}, 2}} {
			step.before()
			again := p.tell(h)
			if again.Code != http.StatusOK || again.Body.String() != first.Body.String() || wanted() != step.wanted {
				t.Errorf("%s: %d, wanted %d times, want %d", h.fixture, again.Code, wanted(), step.wanted)
			}
		}
		if dead, err := queue.Discarded(t.Context(), p.DB.Query()); err != nil || len(dead) > 0 {
			t.Errorf("%v %v", dead, err)
		}
	}
}

// TestACommentIsObeyedOnce: forges sign what they say, not the id of the delivery, so that who has seen one can send it
// again under another.
func TestACommentIsObeyedOnce(t *testing.T) {
	t.Parallel()
	p := newForgePost(t)
	for _, h := range []hook{
		{address: "hub/at-hub", fixture: "github/issue_comment.json"},
		{address: "tea/at-tea", fixture: "gitea/issue_comment.json"},
		{address: "lab/at-lab", fixture: "gitlab/note.json"},
	} {
		p.clear()
		send := func(key string, code int) (commands []string) {
			h.key = key
			if got := p.tell(h); got.Code != code {
				t.Fatalf("%s %s: %d %s", h.fixture, key, got.Code, got.Body)
			}
			return slices.DeleteFunc(p.rows(), func(row string) bool { return !strings.HasPrefix(row, "command ") })
		}
		finish := func(discarded int) {
			p.write(func(tx *store.Tx) error {
				_, err := tx.Exec(t.Context(), `UPDATE work SET done = wanted, discarded = $1`, discarded)
				return err
			})
		}
		first := send("d-1", http.StatusAccepted)
		if again := send("d-2", http.StatusAccepted); len(first) != 1 || !slices.Equal(again, first) {
			t.Errorf("%s: a replay makes %v of %v", h.fixture, again, first)
		}
		finish(0)
		if again := send("d-3", http.StatusAccepted); len(again) != 0 {
			t.Errorf("%s: a replay of what is done makes %v", h.fixture, again)
		}
		finish(1)
		if again := send("d-4", http.StatusAccepted); !slices.Equal(again, first) {
			t.Errorf("%s: somebody asked the forge to say again what was given up: %v", h.fixture, again)
		}
	}
	h := hook{address: "hub/at-hub", key: "d-5", fixture: "github/issue_comment.json"}
	p.tell(h)
	before := len(p.rows())
	h.key, h.with = "d-6", map[string]string{`"id": 33`: `"id": 34`}
	p.tell(h)
	if got := p.rows(); len(got) != before+2 { // the delivery and its command
		t.Errorf("another comment of the same words makes %v", got)
	}
}

// TestHooksAreToldOfOnceAMinute: a busy hook costs no second write.
func TestHooksAreToldOfOnceAMinute(t *testing.T) {
	t.Parallel()
	p := newForgePost(t)
	now := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	p.Now = func() time.Time { return now }
	for _, step := range []struct{ pause, told time.Duration }{{0, 0}, {59 * time.Second, 0}, {time.Second, time.Minute}} {
		now = now.Add(step.pause)
		p.tell(hook{address: "hub/at-hub", key: fmt.Sprint("d-", now.Unix()), fixture: "github/ping.json"})
		r, err := gitstore.Repository(t.Context(), p.DB.Query(), "H")
		if err != nil || r.LastTold.Sub(time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)) != step.told {
			t.Errorf("told at %s %v", r.LastTold, err)
		}
	}
}
