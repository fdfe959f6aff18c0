package testkit

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/oklog/ulid/v2"
)

// theGitea is shared by all tests of a process: it takes two seconds and 200 MB.
var theGitea = sync.OnceValues(startGitea)

// Gitea is a real Gitea as one of its users sees it. Each test has a user of its own.
type Gitea struct {
	URL   string // without slash at the end
	User  string
	Token string // may do everything as User

	admin string
	t     testing.TB
}

// NewGitea returns a new user of a Gitea that belongs to this test process. The test fails when Gitea is not there.
func NewGitea(t testing.TB) *Gitea {
	t.Helper()
	s, err := theGitea()
	if err != nil {
		t.Fatalf("start Gitea: %v", err)
	}
	g := &Gitea{URL: s.url, admin: s.token, t: t}
	return g.Join("user")
}

// Join returns another user, whose name begins with prefix.
func (g *Gitea) Join(prefix string) *Gitea {
	g.t.Helper()
	u := *g
	u.User = prefix + "-" + strings.ToLower(ulid.Make().String())
	u.Token = g.admin
	const password = "correct horse battery staple"
	u.Call(http.MethodPost, "/admin/users", map[string]any{
		"username": u.User, "email": u.User + "@example.org", "password": password, "must_change_password": false,
	}, nil)
	var token struct {
		Text string `json:"sha1"`
	}
	// Tokens are made with a password only.
	u.do(http.MethodPost, "/users/"+u.User+"/tokens", map[string]any{"name": "test", "scopes": []string{"all"}}, &token,
		func(r *http.Request) { r.SetBasicAuth(u.User, password) })
	u.Token = token.Text
	return &u
}

// Repository makes a private repository without a commit and returns its path, owner/name.
func (g *Gitea) Repository(name string) string {
	g.t.Helper()
	g.Call(http.MethodPost, "/user/repos", map[string]any{"name": name, "private": true, "default_branch": "main"}, nil)
	return g.User + "/" + name
}

// CloneURL is the address of a repository with the user's token in it, for git.
func (g *Gitea) CloneURL(path string) string {
	return strings.Replace(g.URL, "://", "://"+g.User+":"+g.Token+"@", 1) + "/" + path + ".git"
}

// GiteaStatus is one entry of the history of a commit's statuses.
type GiteaStatus struct {
	ID          int64  `json:"id"`
	Context     string `json:"context"`
	State       string `json:"status"`
	Description string `json:"description"`
	TargetURL   string `json:"target_url"`
}

// Statuses returns everything that was ever written on a commit, the first first.
func (g *Gitea) Statuses(path, commit string) []GiteaStatus {
	g.t.Helper()
	var all []GiteaStatus
	for page := 1; ; page++ {
		var some []GiteaStatus
		g.Call(http.MethodGet, fmt.Sprintf("/repos/%s/commits/%s/statuses?limit=50&page=%d", path, commit, page), nil, &some)
		all = append(all, some...)
		if len(some) < 50 {
			slices.SortFunc(all, func(a, b GiteaStatus) int { return cmp.Compare(a.ID, b.ID) })
			return all
		}
	}
}

// Call sends in, unless it is nil, to the API as JSON, and reads the answer into out, unless it is nil. An answer that
// is no success fails the test.
func (g *Gitea) Call(method, path string, in, out any) {
	g.t.Helper()
	g.do(method, path, in, out, func(r *http.Request) { r.Header.Set("Authorization", "token "+g.Token) })
}

func (g *Gitea) do(method, path string, in, out any, sign func(*http.Request)) {
	g.t.Helper()
	var body io.Reader = http.NoBody
	if in != nil {
		text, err := json.Marshal(in)
		if err != nil {
			g.t.Fatal(err)
		}
		body = bytes.NewReader(text)
	}
	req, err := http.NewRequestWithContext(g.t.Context(), method, g.URL+"/api/v1"+path, body)
	if err != nil {
		g.t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/json")
	sign(req)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		g.t.Fatalf("%s %s: %v", method, path, err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode/100 != 2 {
		g.t.Fatalf("%s %s: %s: %s (%v)", method, path, res.Status, text, err)
	}
	if out != nil {
		if err := json.Unmarshal(text, out); err != nil {
			g.t.Fatalf("%s %s: %v in %s", method, path, err, text)
		}
	}
}
