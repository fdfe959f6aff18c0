package webhooks_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/webhooks"
)

// forge is one forge as its hooks look from outside.
type forge struct {
	name  string
	read  func(h http.Header, body []byte, secrets ...webhooks.Secret) (waybill.Event, error)
	event string // header that names the event
	key   string // header that names the delivery
	sign  func(h http.Header, body []byte, secret string)
	limit int
}

func forges() []forge {
	return []forge{
		{"github", webhooks.GitHub, "X-GitHub-Event", "X-GitHub-Delivery", func(h http.Header, body []byte, secret string) {
			h.Set("X-Hub-Signature-256", "sha256="+sum(secret, string(body)))
		}, webhooks.MaxGitHub},
		{"gitea", webhooks.Gitea, "X-Gitea-Event", "X-Gitea-Delivery", func(h http.Header, body []byte, secret string) {
			h.Set("X-Gitea-Signature", sum(secret, string(body)))
		}, webhooks.MaxGitea},
		{"gitlab", webhooks.GitLab, "X-Gitlab-Event", "Idempotency-Key", func(h http.Header, _ []byte, secret string) {
			h.Set("X-Gitlab-Token", secret)
		}, webhooks.MaxGitLab},
	}
}

func sum(secret, message string) string {
	m := hmac.New(sha256.New, []byte(secret))
	_, _ = m.Write([]byte(message))
	return hex.EncodeToString(m.Sum(nil))
}

// request returns the headers of a signed hook.
func (f forge) request(event, key string, body []byte) http.Header {
	h := http.Header{}
	h.Set(f.event, event)
	h.Set(f.key, key)
	f.sign(h, body, string(secret))
	return h
}

// eventOf is what the forge calls the event of a fixture.
func (f forge) eventOf(file string) string {
	name, _, _ := strings.Cut(filepath.Base(file), ".")
	if f.name == "gitlab" {
		return map[string]string{
			"push": "Push Hook", "tag_push": "Tag Push Hook", "merge_request": "Merge Request Hook", "note": "Note Hook", "pipeline": "Pipeline Hook",
		}[name]
	}
	return name
}

// TestFixtures reads a payload of every kind that the forges publish, and compares everything that is read from it.
func TestFixtures(t *testing.T) {
	t.Parallel()
	const (
		github = " | 4711 acme/shop-feed https://github.example.org/acme/shop-feed.git main"
		bare   = " | 4711 acme/shop-feed  "
		gitea  = " | 21 acme/shop-feed https://gitea.example.org/acme/shop-feed.git main"
		gitlab = " | 15 acme/feeds/shop-feed https://gitlab.example.org/acme/feeds/shop-feed.git main"
		hub12  = ` | 12 refs/pull/12/head bbbbbbb→main open "Read prices with tax" ada https://github.example.org/acme/shop-feed/pull/12 12:00`
		issue  = ` | 12 refs/pull/12/head → open "Read prices with tax" ada https://github.example.org/acme/shop-feed/pull/12 12:00`
		tea2   = ` | 2 refs/pull/2/head bbbbbbb→main open "Read prices with tax" ada https://gitea.example.org/acme/shop-feed/pulls/2 12:00`
		lab3   = ` | 3 refs/merge-requests/3/head bbbbbbb→main open "Read prices with tax"`
		page   = ` https://gitlab.example.org/acme/feeds/shop-feed/-/merge_requests/3 12:00`
		queue  = "refs/heads/gh-readonly-queue/main/pr-12-aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa1"
	)
	want := map[string]string{
		"github/push.json":                      "push by ada, refs/heads/main aaaaaaa bbbbbbb" + github,
		"github/push.tag.json":                  "push by ada, refs/tags/v1.2.0 0000000 bbbbbbb" + github,
		"github/push.deleted.json":              "push by ada, refs/heads/feature/tax aaaaaaa 0000000" + github,
		"github/push.notes.json":                "ignored by ada" + github,
		"github/create.json":                    "push by ada, refs/heads/feature/tax 0000000 " + github,
		"github/create.tag.json":                "push by ada, refs/tags/v1.2.0 0000000 " + github,
		"github/delete.json":                    "push by ada, refs/tags/v1.2.0  0000000" + github,
		"github/pull_request.opened.json":       "pull opened by ada" + github + hub12,
		"github/pull_request.synchronize.json":  "pull synchronize by ada" + github + hub12,
		"github/pull_request.fork.json":         "pull opened by ada" + github + strings.Replace(strings.Replace(hub12, "open", "fork open", 1), "ada", "eve", 1),
		"github/pull_request.gone.json":         "pull closed by ada" + github + strings.Replace(hub12, "open", "fork closed", 1),
		"github/pull_request.base.json":         "pull edited by ada" + github + strings.Replace(hub12, "main", "v2", 1),
		"github/pull_request.title.json":        "ignored edited by ada" + github + hub12,
		"github/issue_comment.json":             "comment created by grace" + github + issue + ` says "/waybill retry" in 33`,
		"github/issue_comment.edited.json":      "ignored edited by grace" + github + issue + ` says "/waybill retry" in 33`,
		"github/issue_comment.issue.json":       "ignored created by grace" + github,
		"github/check_run.json":                 "rerun rerequested by ada of bbbbbbb for 77" + github,
		"github/check_run.created.json":         "ignored created by ada of bbbbbbb for 77" + github,
		"github/check_suite.json":               "rerun rerequested by ada of bbbbbbb for 77" + github,
		"github/merge_group.json":               "push checks_requested by ada for 77, " + queue + "  bbbbbbb" + github,
		"github/merge_group.destroyed.json":     "ignored destroyed by ada for 77, " + queue + "  bbbbbbb" + github,
		"github/repository.renamed.json":        "repository renamed by ada" + github,
		"github/repository.archived.json":       "repository archived by ada" + github + " archived",
		"github/repository.branch.json":         "repository edited by ada" + github,
		"github/repository.edited.json":         "ignored edited by ada" + github,
		"github/installation.json":              "installation created by ada for 77 with" + bare,
		"github/installation_repositories.json": "installation removed by ada for 77 with" + bare,
		"github/installation_target.json":       "installation renamed by  for 77",
		"github/ping.json":                      "ping by ada" + github,
		"github/ping.app.json":                  "ping by ",
		"github/star.json":                      "ignored by ",
		"gitea/push.json":                       "push by ada, refs/heads/main aaaaaaa bbbbbbb" + gitea,
		"gitea/push.tag.json":                   "push by ada, refs/tags/v1.2.0 0000000 bbbbbbb" + gitea,
		"gitea/push.deleted.json":               "push by ada, refs/heads/feature/tax aaaaaaa 0000000" + gitea,
		"gitea/create.json":                     "push by ada, refs/tags/v1.2.0 0000000 bbbbbbb" + gitea,
		"gitea/delete.json":                     "push by ada, refs/heads/feature/tax  0000000" + gitea,
		"gitea/pull_request.opened.json":        "pull opened by ada" + gitea + tea2,
		"gitea/pull_request.synchronized.json":  "pull synchronized by ada" + gitea + tea2,
		"gitea/pull_request.fork.json":          "pull opened by ada" + gitea + strings.Replace(tea2, "open", "fork open", 1),
		"gitea/pull_request.base.json":          "pull edited by ada" + gitea + tea2,
		"gitea/pull_request.labeled.json":       "ignored label_updated by ada" + gitea + tea2,
		"gitea/issue_comment.json":              "comment created by grace" + gitea + strings.Replace(tea2, "bbbbbbb→main", "→", 1) + ` says "/waybill plan" in 8`,
		"gitea/issue_comment.issue.json":        "ignored created by grace" + gitea,
		"gitea/repository.deleted.json":         "repository deleted by ada" + gitea,
		"gitea/release.json":                    "ignored by ",
		"gitlab/push.json":                      "push by ada, refs/heads/main aaaaaaa bbbbbbb" + gitlab,
		"gitlab/push.deleted.json":              "push by ada, refs/heads/feature/tax aaaaaaa 0000000" + gitlab,
		"gitlab/tag_push.json":                  "push by ada, refs/tags/v1.2.0 0000000 ccccccc" + gitlab,
		"gitlab/merge_request.open.json":        "pull open by ada" + gitlab + lab3 + " ada" + page,
		"gitlab/merge_request.update.json":      "pull update by ada" + gitlab + lab3 + " " + page,
		"gitlab/merge_request.target.json":      "pull update by ada" + gitlab + lab3 + " " + page,
		"gitlab/merge_request.title.json":       "ignored update by ada" + gitlab + lab3 + " " + page,
		"gitlab/merge_request.merge.json":       "pull merge by ada" + gitlab + strings.Replace(lab3, "open", "closed", 1) + " " + page,
		"gitlab/merge_request.fork.json":        "pull open by ada" + gitlab + strings.Replace(lab3, "open", "fork open", 1) + " ada" + page,
		"gitlab/note.json":                      "comment create by grace" + gitlab + lab3 + `   12:00 says "/waybill retry" in 1244`,
		"gitlab/note.edited.json":               "ignored update by grace" + gitlab + lab3 + `   12:00 says "/waybill retry" in 1244`,
		"gitlab/note.system.json":               "ignored create by grace" + gitlab + lab3 + `   12:00 says "/waybill retry" in 1244`,
		"gitlab/note.commit.json":               "ignored create by grace" + gitlab,
		"gitlab/pipeline.json":                  "ignored by ",
	}
	got := map[string]string{}
	for _, f := range forges() {
		for _, file := range fixtures(t, f.name) {
			body := read(t, file)
			e, err := f.read(f.request(f.eventOf(file), "d-1", body), body, secret)
			if err != nil || e.Key != "d-1" || e.Name != f.eventOf(file) {
				t.Errorf("%s: key %q, name %q, %v", file, e.Key, e.Name, err)
			}
			got[f.name+"/"+filepath.Base(file)] = say(e)
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func fixtures(t testing.TB, forge string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", forge, "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no fixtures of %s: %v", forge, err)
	}
	return files
}

func read(t testing.TB, file string) []byte {
	t.Helper()
	body, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	return body
}

// say writes all of an event in one line.
func say(e waybill.Event) string {
	var b strings.Builder
	fmt.Fprint(&b, e.Kind)
	if e.Action != "" {
		fmt.Fprint(&b, " ", e.Action)
	}
	fmt.Fprint(&b, " by ", e.Actor)
	if e.Commit != "" {
		fmt.Fprint(&b, " of ", waybill.ShortCommit(e.Commit))
	}
	if e.Installation != 0 {
		fmt.Fprint(&b, " for ", e.Installation)
	}
	for _, u := range e.Refs {
		fmt.Fprint(&b, ", ", u.Name, " ", waybill.ShortCommit(u.Old), " ", waybill.ShortCommit(u.New))
	}
	for _, s := range e.Repositories {
		fmt.Fprint(&b, " with", source(s))
	}
	if e.Source != (waybill.EventSource{}) {
		fmt.Fprint(&b, source(e.Source))
	}
	if p := e.Pull; p != nil {
		state := map[bool]string{true: "open", false: "closed"}[p.Open]
		if p.Fork {
			state = "fork " + state
		}
		fmt.Fprintf(&b, " | %d %s %s→%s %s %q %s %s %s", p.Number, p.Ref, waybill.ShortCommit(p.Head), p.Base, state, p.Title, p.Author, p.URL, p.Seen.Format("15:04"))
	}
	if e.Comment != "" {
		fmt.Fprintf(&b, " says %q in %s", e.Comment, e.CommentID)
	}
	return b.String()
}

func source(s waybill.EventSource) string {
	text := fmt.Sprint(" | ", s.ID, " ", s.Path, " ", s.CloneURL, " ", s.DefaultBranch)
	if s.Archived {
		text += " archived"
	}
	return text
}
