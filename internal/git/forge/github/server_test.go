package github

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/git/forge/forgetest"
)

// object is a part of a JSON body.
type object = map[string]any

// world is a GitHub in this process. With the build tag octokit every request and answer is checked against GitHub's
// published description.
type world struct {
	*testing.T
	server *httptest.Server
	key    *rsa.PrivateKey

	mu         sync.Mutex
	ids        int
	commits    map[string]bool
	statuses   []object
	runs       []object
	notes      map[int][]any // annotations by check run
	hooks      []object
	pulls      []object
	comments   map[int][]object // by pull request
	tokens     map[string]string
	installs   map[string]time.Time // tokens of the installation, and their end
	deliveries []object
	redelivers []string
	tricks     forgetest.Tricks
	requests   []string // method and path of each
	pings      int
	spent      int // requests that cost rate
	rate       int
}

const (
	theCommit  = "1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d"
	goodToken  = "good-token"
	repository = "acme/shop"
	repoID     = 4711
	appID      = 99
)

// statusCap is how many statuses a commit may have in one context.
const statusCap = 1000

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{
		T: t, commits: map[string]bool{theCommit: true}, comments: map[int][]object{7: nil, 8: nil, 9: nil}, notes: map[int][]any{},
		tokens: map[string]string{goodToken: "waybill-bot"}, installs: map[string]time.Time{}, key: sharedKey(t), ids: 100, rate: 5000,
	}
	head := func(id int) object { return object{"sha": theCommit, "repo": object{"id": id}} }
	base := object{"ref": "main", "repo": object{"id": repoID}}
	w.pulls = []object{
		{"number": 7, "state": "open", "title": "More feeds", "head": head(repoID), "base": base, "user": object{"login": "ada"}, "html_url": "https://github.test/acme/shop/pull/7"},
		{"number": 8, "state": "open", "title": "From a fork", "head": head(5000), "base": base, "user": object{"login": "lin"}, "html_url": "https://github.test/acme/shop/pull/8"},
		{"number": 9, "state": "closed", "title": "Old", "head": head(repoID), "base": base, "user": object{"login": "ada"}, "html_url": "https://github.test/acme/shop/pull/9"},
	}
	w.server = httptest.NewServer(w.tricks.Before(described(t, w.authorized(w.routes()))))
	t.Cleanup(w.server.Close)
	return w
}

var theKey = sync.OnceValues(func() (*rsa.PrivateKey, error) { return rsa.GenerateKey(rand.Reader, 2048) })

func sharedKey(t *testing.T) *rsa.PrivateKey {
	t.Helper()
	key, err := theKey()
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (w *world) pem() []byte { return pemOf(w.key) }

func pemOf(key *rsa.PrivateKey) []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)})
}

// reply answers with JSON.
func reply(rw http.ResponseWriter, code int, body any) {
	rw.Header().Set("Content-Type", "application/json; charset=utf-8")
	rw.WriteHeader(code)
	_ = json.NewEncoder(rw).Encode(body)
}

func fail(rw http.ResponseWriter, code int, message string) {
	reply(rw, code, object{"message": message, "documentation_url": "https://docs.github.com/rest", "status": strconv.Itoa(code)})
}

// authorized lets in who has a token, the App, or its installation, and counts the rate.
func (w *world) authorized(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		defer w.mu.Unlock()
		path := strings.TrimPrefix(r.URL.Path, "/api/v3")
		w.requests = append(w.requests, r.Method+" "+path)
		token := strings.TrimPrefix(r.Header.Get("Authorization"), "Bearer ")
		who, known := w.tokens[token]
		if end, ok := w.installs[token]; ok && time.Now().Before(end) {
			who, known = "waybill-app[bot]", true
		}
		if strings.Count(token, ".") == 2 && w.signed(token) {
			who, known = "app", true
		}
		if strings.HasPrefix(path, "/app-manifests/") {
			known = true
		}
		if !known {
			fail(rw, http.StatusUnauthorized, "Bad credentials")
			return
		}
		forApp := strings.HasPrefix(path, "/app/") || path == "/app" || strings.HasSuffix(path, "/installation")
		if who != "" && forApp != (who == "app") {
			fail(rw, http.StatusForbidden, "Resource not accessible by integration")
			return
		}
		r.Header.Set("X-Who", who)
		if who != "app" && !strings.HasSuffix(who, "[bot]") {
			rw.Header().Set("X-OAuth-Scopes", "repo, admin:repo_hook")
		}
		w.spent++
		rw.Header().Set("X-RateLimit-Limit", "5000")
		rw.Header().Set("X-RateLimit-Remaining", strconv.Itoa(max(0, w.rate-w.spent)))
		rw.Header().Set("X-RateLimit-Reset", strconv.FormatInt(time.Now().Add(time.Hour).Unix(), 10))
		recorded := httptest.NewRecorder()
		next.ServeHTTP(recorded, r)
		for name, values := range recorded.Header() {
			rw.Header()[name] = values
		}
		body := recorded.Body.Bytes()
		if r.Method == http.MethodGet && recorded.Code == http.StatusOK {
			tag := fmt.Sprintf(`W/"%x"`, sha256.Sum256(body))
			rw.Header().Set("ETag", tag)
			if r.Header.Get("If-None-Match") == tag {
				w.spent--
				rw.WriteHeader(http.StatusNotModified)
				return
			}
		}
		rw.WriteHeader(recorded.Code)
		_, _ = rw.Write(body)
	})
}

// signed checks a JSON Web Token of the App.
func (w *world) signed(token string) bool {
	i := strings.LastIndex(token, ".")
	signature, err := base64.RawURLEncoding.DecodeString(token[i+1:])
	sum := sha256.Sum256([]byte(token[:i]))
	return err == nil && rsa.VerifyPKCS1v15(&w.key.PublicKey, crypto.SHA256, sum[:], signature) == nil
}

func (w *world) id() int { w.ids++; return w.ids }

// read reads a body.
func read(r *http.Request) object {
	var o object
	_ = json.NewDecoder(r.Body).Decode(&o)
	return o
}

// page cuts a list and says in a Link header where it goes on.
func page(rw http.ResponseWriter, r *http.Request, list []object) []object {
	q := r.URL.Query()
	size, _ := strconv.Atoi(q.Get("per_page"))
	number, _ := strconv.Atoi(q.Get("page"))
	size, number = max(1, min(100, size)), max(1, number)
	from, to := min((number-1)*size, len(list)), min(number*size, len(list))
	if to < len(list) {
		q.Set("page", strconv.Itoa(number+1))
		rw.Header().Set("Link", fmt.Sprintf(`<http://%s%s?%s>; rel="next"`, r.Host, r.URL.Path, q.Encode()))
	}
	return append([]object{}, list[from:to]...)
}

func (w *world) routes() http.Handler {
	mux := http.NewServeMux()
	in := func(pattern string, h func(rw http.ResponseWriter, r *http.Request)) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /repos/{owner}/{repo}"+path, func(rw http.ResponseWriter, r *http.Request) {
			switch r.PathValue("owner") + "/" + r.PathValue("repo") {
			case repository:
				h(rw, r)
			case "somebody/before": // renamed
				code := http.StatusMovedPermanently
				if r.Method != http.MethodGet {
					code = http.StatusTemporaryRedirect
				}
				http.Redirect(rw, r, "http://"+r.Host+"/api/v3/repos/"+repository+strings.TrimPrefix(r.URL.Path, "/repos/somebody/before"), code)
			default:
				fail(rw, http.StatusNotFound, "Not Found")
			}
		})
	}
	repo := object{"id": repoID, "full_name": repository, "name": "shop", "default_branch": "main", "archived": false, "language": "Go"}
	in("GET ", func(rw http.ResponseWriter, _ *http.Request) { reply(rw, 200, repo) })
	mux.HandleFunc("GET /repositories/{id}", func(rw http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") != strconv.Itoa(repoID) {
			fail(rw, 404, "Not Found")
			return
		}
		reply(rw, 200, repo)
	})
	mux.HandleFunc("GET /user", func(rw http.ResponseWriter, r *http.Request) {
		reply(rw, 200, object{"login": r.Header.Get("X-Who"), "id": 1, "user_view_type": "private"})
	})
	w.routeStatuses(in)
	w.routeRuns(in)
	w.routeHooks(in)
	w.routePulls(in)
	w.routeApp(mux, in)
	return http.StripPrefix("/api/v3", mux)
}

type route func(pattern string, h func(rw http.ResponseWriter, r *http.Request))

func (w *world) routeStatuses(in route) {
	in("POST /statuses/{sha}", func(rw http.ResponseWriter, r *http.Request) {
		s, sha := read(r), r.PathValue("sha")
		if !w.commits[sha] {
			fail(rw, 422, "No commit found for SHA: "+sha)
			return
		}
		n := 0
		for _, old := range w.statuses {
			if old["sha"] == sha && old["context"] == s["context"] {
				n++
			}
		}
		if n >= statusCap {
			reply(rw, 422, object{
				"message": "Validation Failed", "documentation_url": "https://docs.github.com/rest",
				"errors": []string{"This SHA and context has reached the maximum number of statuses."},
			})
			return
		}
		s["id"], s["sha"] = w.id(), sha
		for _, field := range []string{"target_url", "description"} {
			if s[field] == nil {
				s[field] = nil // GitHub says so
			}
		}
		w.statuses = append(w.statuses, s)
		reply(rw, 201, s)
	})
	in("GET /commits/{sha}/status", func(rw http.ResponseWriter, r *http.Request) {
		if !w.commits[r.PathValue("sha")] {
			fail(rw, 422, "No commit found for SHA: "+r.PathValue("sha"))
			return
		}
		list := []object{}
		for _, s := range slices.Backward(w.statuses) {
			if !slices.ContainsFunc(list, func(o object) bool { return o["context"] == s["context"] }) {
				list = append(list, s)
			}
		}
		reply(rw, 200, object{"state": "pending", "statuses": page(rw, r, list), "sha": r.PathValue("sha"), "total_count": len(list)})
	})
}

func (w *world) routeRuns(in route) {
	merge := func(run, said object) {
		output, _ := said["output"].(object)
		for k, v := range said {
			if k != "output" {
				run[k] = v
			}
		}
		id, _ := run["id"].(int)
		kept, _ := run["output"].(object)
		for k, v := range output {
			if k == "annotations" {
				list, _ := v.([]any)
				if len(list) > batch {
					w.Errorf("%d annotations in one request", len(list))
				}
				w.notes[id] = append(w.notes[id], list...)
				continue
			}
			kept[k] = v
		}
		kept["annotations_count"] = len(w.notes[id])
		if c, _ := run["conclusion"].(string); c != "" {
			run["status"] = completed
			if run["completed_at"] == nil {
				run["completed_at"] = "2026-11-01T12:00:00Z"
			}
		}
	}
	in("POST /check-runs", func(rw http.ResponseWriter, r *http.Request) {
		said := read(r)
		if r.Header.Get("X-Who") != "waybill-app[bot]" {
			fail(rw, 403, "You must authenticate via a GitHub App.")
			return
		}
		if sha, _ := said["head_sha"].(string); !w.commits[sha] {
			fail(rw, 422, "No commit found for SHA: "+sha)
			return
		}
		run := object{
			"id": w.id(), "app": object{"id": appID}, "output": object{}, "conclusion": nil, "completed_at": nil, "started_at": nil,
			"details_url": "https://github.test/apps/waybill", "external_id": "",
		}
		merge(run, said)
		w.runs = append(w.runs, run)
		reply(rw, 201, run)
	})
	in("PATCH /check-runs/{id}", func(rw http.ResponseWriter, r *http.Request) {
		for _, run := range w.runs {
			if fmt.Sprint(run["id"]) == r.PathValue("id") {
				merge(run, read(r))
				reply(rw, 200, run)
				return
			}
		}
		fail(rw, 404, "Not Found")
	})
	in("GET /commits/{sha}/check-runs", func(rw http.ResponseWriter, r *http.Request) {
		if !w.commits[r.PathValue("sha")] {
			fail(rw, 422, "No commit found for SHA: "+r.PathValue("sha"))
			return
		}
		list := []object{}
		for _, run := range slices.Backward(w.runs) {
			if !slices.ContainsFunc(list, func(o object) bool { return o["name"] == run["name"] }) {
				list = append(list, run)
			}
		}
		reply(rw, 200, object{"total_count": len(list), "check_runs": page(rw, r, list)})
	})
}

func (w *world) routeHooks(in route) {
	index := func(r *http.Request) int {
		return slices.IndexFunc(w.hooks, func(h object) bool { return fmt.Sprint(h["id"]) == r.PathValue("id") })
	}
	in("GET /hooks", func(rw http.ResponseWriter, r *http.Request) { reply(rw, 200, page(rw, r, w.hooks)) })
	in("POST /hooks", func(rw http.ResponseWriter, r *http.Request) {
		h := read(r)
		h["id"] = w.id()
		h["last_response"] = object{"code": nil, "status": "unused", "message": nil}
		w.hooks = append(w.hooks, h)
		reply(rw, 201, h)
	})
	in("PATCH /hooks/{id}", func(rw http.ResponseWriter, r *http.Request) {
		i := index(r)
		if i < 0 {
			fail(rw, 404, "Not Found")
			return
		}
		for k, v := range read(r) {
			w.hooks[i][k] = v
		}
		reply(rw, 200, w.hooks[i])
	})
	in("POST /hooks/{id}/pings", func(rw http.ResponseWriter, r *http.Request) {
		if index(r) < 0 {
			fail(rw, 404, "Not Found")
			return
		}
		w.pings++
		rw.WriteHeader(204)
	})
	in("DELETE /hooks/{id}", func(rw http.ResponseWriter, r *http.Request) {
		if i := index(r); i >= 0 {
			w.hooks = slices.Delete(w.hooks, i, i+1)
			rw.WriteHeader(204)
			return
		}
		fail(rw, 404, "Not Found")
	})
}

func (w *world) routePulls(in route) {
	in("GET /pulls", func(rw http.ResponseWriter, r *http.Request) {
		list := slices.DeleteFunc(slices.Clone(w.pulls), func(p object) bool { return p["state"] != r.URL.Query().Get("state") })
		reply(rw, 200, page(rw, r, list))
	})
	in("GET /pulls/{number}", func(rw http.ResponseWriter, r *http.Request) {
		for _, p := range w.pulls {
			if fmt.Sprint(p["number"]) == r.PathValue("number") {
				reply(rw, 200, p)
				return
			}
		}
		fail(rw, 404, "Not Found")
	})
	in("GET /issues/{number}/comments", func(rw http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.PathValue("number"))
		if list, known := w.comments[n]; known {
			reply(rw, 200, page(rw, r, list))
			return
		}
		fail(rw, 404, "Not Found")
	})
	in("POST /issues/{number}/comments", func(rw http.ResponseWriter, r *http.Request) {
		n, _ := strconv.Atoi(r.PathValue("number"))
		if _, known := w.comments[n]; !known {
			fail(rw, 404, "Not Found")
			return
		}
		c := object{"id": w.id(), "body": read(r)["body"], "user": object{"login": r.Header.Get("X-Who")}}
		w.comments[n] = append(w.comments[n], c)
		reply(rw, 201, c)
	})
	in("PATCH /issues/comments/{id}", func(rw http.ResponseWriter, r *http.Request) {
		for _, list := range w.comments {
			for _, c := range list {
				if fmt.Sprint(c["id"]) == r.PathValue("id") {
					c["body"] = read(r)["body"]
					reply(rw, 200, c)
					return
				}
			}
		}
		fail(rw, 404, "Not Found")
	})
	in("GET /collaborators/{user}/permission", func(rw http.ResponseWriter, r *http.Request) {
		level := map[string]string{"ada": "admin", "lin": "write", "mo": "read"}[r.PathValue("user")]
		if level == "" {
			fail(rw, 404, r.PathValue("user")+" is not a user")
			return
		}
		reply(rw, 200, object{"permission": level, "role_name": level, "user": object{"login": r.PathValue("user"), "id": 5, "role_name": level}})
	})
}

func (w *world) routeApp(mux *http.ServeMux, in route) {
	installation := func(rw http.ResponseWriter, _ *http.Request) {
		reply(rw, 200, object{"id": 31, "app_id": appID, "app_slug": "waybill-app"})
	}
	in("GET /installation", installation)
	mux.HandleFunc("GET /repositories/{id}/installation", func(rw http.ResponseWriter, r *http.Request) {
		if r.PathValue("id") != strconv.Itoa(repoID) {
			fail(rw, 404, "Not Found")
			return
		}
		installation(rw, r)
	})
	mux.HandleFunc("GET /app", func(rw http.ResponseWriter, _ *http.Request) {
		permissions := object{}
		for name, level := range rights() {
			permissions[name] = level
		}
		reply(rw, 200, object{"id": appID, "slug": "waybill-app", "permissions": permissions})
	})
	mux.HandleFunc("POST /app/installations/{id}/access_tokens", func(rw http.ResponseWriter, _ *http.Request) {
		token, end := fmt.Sprintf("ghs_%d", w.id()), time.Now().Add(time.Hour)
		w.installs[token] = end
		reply(rw, 201, object{"token": token, "expires_at": end.UTC().Format(time.RFC3339)})
	})
	mux.HandleFunc("GET /app/hook/deliveries", func(rw http.ResponseWriter, r *http.Request) {
		from, _ := strconv.Atoi(r.URL.Query().Get("cursor"))
		to := min(from+3, len(w.deliveries)) // small pages
		if to < len(w.deliveries) {
			rw.Header().Set("Link", fmt.Sprintf(`<http://%s/api/v3/app/hook/deliveries?per_page=100&cursor=%d>; rel="next"`, r.Host, to))
		}
		reply(rw, 200, w.deliveries[from:to])
	})
	mux.HandleFunc("POST /app/hook/deliveries/{id}/attempts", func(rw http.ResponseWriter, r *http.Request) {
		w.redelivers = append(w.redelivers, r.PathValue("id"))
		reply(rw, 202, object{})
	})
	mux.HandleFunc("POST /app-manifests/{code}/conversions", func(rw http.ResponseWriter, r *http.Request) {
		if r.PathValue("code") != "a-code" {
			fail(rw, 404, "Not Found")
			return
		}
		reply(rw, 201, object{
			"id": appID, "slug": "waybill-app", "name": "Waybill", "html_url": "https://github.test/apps/waybill-app",
			"pem": string(w.pem()), "webhook_secret": "shh",
		})
	})
}
