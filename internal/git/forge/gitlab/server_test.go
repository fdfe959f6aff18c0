package gitlab

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
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

const (
	theCommit = "1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d"
	goodToken = "good-token"
	projectID = 4711
	project   = "acme/feeds/shop"
	formerly  = "acme/shop" // its path before it was renamed
)

// world is a GitLab in this process that takes nothing that GitLab does not describe.
type world struct {
	*testing.T
	server *httptest.Server
	tricks forgetest.Tricks

	mu        sync.Mutex
	ids       int
	pipelines []int // of the commit, oldest first
	statuses  []object
	hooks     []object
	notes     map[int][]object
	merges    []object
	requests  int
	pings     int
}

func newWorld(t *testing.T) *world {
	t.Helper()
	w := &world{T: t, ids: 100, notes: map[int][]object{7: nil, 8: nil, 9: nil}}
	merge := func(n int, state string, from int) object {
		return object{
			"iid": n, "state": state, "sha": theCommit, "target_branch": "main", "source_project_id": from, "target_project_id": projectID,
			"title": "More feeds", "author": object{"username": "ada"}, "web_url": fmt.Sprintf("https://gitlab.test/-/merge_requests/%d", n),
		}
	}
	w.merges = []object{merge(7, "opened", projectID), merge(8, "opened", 5000), merge(9, "merged", projectID)}
	mux := http.NewServeMux()
	w.routes(func(pattern string, h func(http.ResponseWriter, *http.Request)) {
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /api/v4"+path, func(rw http.ResponseWriter, r *http.Request) { w.serve(rw, r, h) })
	})
	w.server = httptest.NewServer(w.tricks.Before(described(t, mux)))
	t.Cleanup(w.server.Close)
	return w
}

// serve lets in who has the token, and sends on who reads a project by the path that it had before, as GitLab does.
func (w *world) serve(rw http.ResponseWriter, r *http.Request, h func(http.ResponseWriter, *http.Request)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests++
	if r.Header.Get("Authorization") != "Bearer "+goodToken {
		fail(rw, 401, "401 Unauthorized")
		return
	}
	switch id := r.PathValue("id"); {
	case id == formerly && r.Method == http.MethodGet:
		to := strings.Replace(r.URL.EscapedPath(), url.PathEscape(formerly), strconv.Itoa(projectID), 1)
		http.Redirect(rw, r, "http://"+r.Host+to+"?"+r.URL.RawQuery, http.StatusMovedPermanently)
		return
	case id == formerly:
		fail(rw, 405, "Non GET methods are not allowed for moved projects")
		return
	case id != "" && id != strconv.Itoa(projectID) && id != project:
		fail(rw, 404, "404 Project Not Found")
		return
	}
	rw.Header().Set("RateLimit-Remaining", strconv.Itoa(2000-w.requests))
	rw.Header().Set("RateLimit-Reset", strconv.FormatInt(time.Now().Add(time.Minute).Unix(), 10))
	h(rw, r)
}

func reply(rw http.ResponseWriter, code int, body any) {
	rw.Header().Set("Content-Type", "application/json")
	rw.WriteHeader(code)
	_ = json.NewEncoder(rw).Encode(body)
}

func fail(rw http.ResponseWriter, code int, message string) {
	reply(rw, code, object{"message": message})
}

func (w *world) id() int { w.ids++; return w.ids }

func read(r *http.Request) object {
	var o object
	_ = json.NewDecoder(r.Body).Decode(&o)
	return o
}

// page cuts a list and says in a header where it goes on.
func page(rw http.ResponseWriter, q url.Values, list []object) []object {
	size, _ := strconv.Atoi(q.Get("per_page"))
	number, _ := strconv.Atoi(q.Get("page"))
	size, number = max(1, min(100, size)), max(1, number)
	from, to := min((number-1)*size, len(list)), min(number*size, len(list))
	if to < len(list) {
		rw.Header().Set("X-Next-Page", strconv.Itoa(number+1))
	}
	return append([]object{}, list[from:to]...)
}

func (w *world) routes(on func(string, func(http.ResponseWriter, *http.Request))) {
	on("GET /user", func(rw http.ResponseWriter, _ *http.Request) {
		reply(rw, 200, object{"id": 1, "username": "waybill-bot"})
	})
	on("GET /personal_access_tokens/self", func(rw http.ResponseWriter, _ *http.Request) {
		reply(rw, 200, object{"id": 3, "scopes": []string{"api", "read_repository"}, "active": true, "expires_at": "2126-01-31"})
	})
	people := map[string]object{"ada": {"id": 11, "username": "ada"}, "lin": {"id": 12, "username": "lin"}, "mo": {"id": 13, "username": "mo"}}
	on("GET /users", func(rw http.ResponseWriter, r *http.Request) {
		list := []object{}
		if u, ok := people[r.URL.Query().Get("username")]; ok {
			list = append(list, u)
		}
		reply(rw, 200, list)
	})
	on("GET /projects/{id}/members/all/{user}", func(rw http.ResponseWriter, r *http.Request) {
		level := map[string]int{"11": 40, "12": 30, "13": 20}[r.PathValue("user")]
		if level == 0 {
			fail(rw, 404, "404 Not found")
			return
		}
		reply(rw, 200, object{"id": 1, "access_level": level, "state": "active"})
	})
	on("GET /projects/{id}", func(rw http.ResponseWriter, _ *http.Request) {
		reply(rw, 200, object{"id": projectID, "path_with_namespace": project, "default_branch": "main", "archived": false})
	})
	w.routeStatuses(on)
	w.routeHooks(on)
	w.routeMerges(on)
}

// pipeline starts one for the commit, as a push with a .gitlab-ci.yml does some time later.
func (w *world) pipeline() int {
	id := w.id()
	w.pipelines = append(w.pipelines, id)
	return id
}

// chosen is the pipeline that a status belongs to: the one it names, or the newest, or a new one; 0 when it names none
// of the commit.
func (w *world) chosen(s object) int {
	if id, ok := s["pipeline_id"].(float64); ok {
		if !slices.Contains(w.pipelines, int(id)) {
			return 0
		}
		return int(id)
	}
	if len(w.pipelines) == 0 {
		return w.pipeline()
	}
	return w.pipelines[len(w.pipelines)-1]
}

// routeStatuses changes statuses as Ci::CreateCommitStatusService does: one that is pending in the same pipeline gets the
// new state, after a result a new one begins, and a state that it has already is refused, with all that comes with it.
func (w *world) routeStatuses(on func(string, func(http.ResponseWriter, *http.Request))) {
	on("POST /projects/{id}/statuses/{sha}", func(rw http.ResponseWriter, r *http.Request) {
		s := read(r)
		if r.PathValue("sha") != theCommit {
			fail(rw, 404, "404 Commit Not Found")
			return
		}
		pipeline := w.chosen(s)
		if pipeline == 0 {
			fail(rw, 404, "404 Pipeline for pipeline_id, sha and ref Not Found")
			return
		}
		if to, _ := s["target_url"].(string); len(to) > 255 {
			reply(rw, 400, object{"message": object{"target_url": []string{"is too long (maximum is 255 characters)"}}})
			return
		}
		i := slices.IndexFunc(w.statuses, func(o object) bool {
			return o["name"] == s["name"] && o["pipeline_id"] == pipeline && o["status"] == "pending"
		})
		if i < 0 {
			for _, o := range w.statuses {
				o["retried"] = o["retried"] == true || o["name"] == s["name"] && o["pipeline_id"] == pipeline
			}
			s["id"], s["status"], s["pipeline_id"], s["retried"] = w.id(), s["state"], pipeline, false
			w.statuses = append(w.statuses, s)
			reply(rw, 200, s)
			return
		}
		old := w.statuses[i]
		if s["state"] == "pending" {
			fail(rw, 400, `Cannot transition status via :enqueue from :pending (Reason(s): Status cannot transition via "enqueue")`)
			return
		}
		old["status"], old["description"], old["target_url"] = s["state"], s["description"], s["target_url"]
		reply(rw, 200, old)
	})
	on("GET /projects/{id}/repository/commits/{sha}/statuses", func(rw http.ResponseWriter, r *http.Request) {
		list := slices.DeleteFunc(slices.Clone(w.statuses), func(s object) bool { return s["retried"] == true })
		reply(rw, 200, page(rw, r.URL.Query(), list))
	})
}

func (w *world) routeHooks(on func(string, func(http.ResponseWriter, *http.Request))) {
	at := func(r *http.Request) int {
		return slices.IndexFunc(w.hooks, func(h object) bool { return fmt.Sprint(h["id"]) == r.PathValue("hook") })
	}
	on("GET /projects/{id}/hooks", func(rw http.ResponseWriter, r *http.Request) { reply(rw, 200, page(rw, r.URL.Query(), w.hooks)) })
	on("POST /projects/{id}/hooks", func(rw http.ResponseWriter, r *http.Request) {
		h := read(r)
		h["id"], h["alert_status"] = w.id(), "executable"
		w.hooks = append(w.hooks, h)
		reply(rw, 201, h)
	})
	on("PUT /projects/{id}/hooks/{hook}", func(rw http.ResponseWriter, r *http.Request) {
		i := at(r)
		if i < 0 {
			fail(rw, 404, "404 Not found")
			return
		}
		for k, v := range read(r) {
			w.hooks[i][k] = v
		}
		reply(rw, 200, w.hooks[i])
	})
	on("POST /projects/{id}/hooks/{hook}/test/{trigger}", func(rw http.ResponseWriter, r *http.Request) {
		if at(r) < 0 || r.PathValue("trigger") != "push_events" {
			fail(rw, 404, "404 Not found")
			return
		}
		w.pings++
		reply(rw, 201, object{"message": "201 Created"})
	})
	on("DELETE /projects/{id}/hooks/{hook}", func(rw http.ResponseWriter, r *http.Request) {
		if i := at(r); i >= 0 {
			gone := w.hooks[i]
			w.hooks = slices.Delete(w.hooks, i, i+1)
			reply(rw, 200, gone)
			return
		}
		fail(rw, 404, "404 Not found")
	})
}

func (w *world) routeMerges(on func(string, func(http.ResponseWriter, *http.Request))) {
	on("GET /projects/{id}/merge_requests", func(rw http.ResponseWriter, r *http.Request) {
		list := slices.DeleteFunc(slices.Clone(w.merges), func(m object) bool { return m["state"] != r.URL.Query().Get("state") })
		reply(rw, 200, page(rw, r.URL.Query(), list))
	})
	on("GET /projects/{id}/merge_requests/{mr}", func(rw http.ResponseWriter, r *http.Request) {
		for _, m := range w.merges {
			if fmt.Sprint(m["iid"]) == r.PathValue("mr") {
				reply(rw, 200, m)
				return
			}
		}
		fail(rw, 404, "404 Not found")
	})
	number := func(rw http.ResponseWriter, r *http.Request) (int, bool) {
		n, _ := strconv.Atoi(r.PathValue("mr"))
		_, known := w.notes[n]
		if !known {
			fail(rw, 404, "404 Not found")
		}
		return n, known
	}
	on("GET /projects/{id}/merge_requests/{mr}/notes", func(rw http.ResponseWriter, r *http.Request) {
		if n, known := number(rw, r); known {
			reply(rw, 200, page(rw, r.URL.Query(), w.notes[n]))
		}
	})
	on("POST /projects/{id}/merge_requests/{mr}/notes", func(rw http.ResponseWriter, r *http.Request) {
		if n, known := number(rw, r); known {
			note := object{"id": w.id(), "body": read(r)["body"], "author": object{"id": 1}}
			w.notes[n] = append(w.notes[n], note)
			reply(rw, 201, note)
		}
	})
	on("PUT /projects/{id}/merge_requests/{mr}/notes/{note}", func(rw http.ResponseWriter, r *http.Request) {
		n, known := number(rw, r)
		if !known {
			return
		}
		for _, note := range w.notes[n] {
			if fmt.Sprint(note["id"]) == r.PathValue("note") {
				note["body"] = read(r)["body"]
				reply(rw, 200, note)
				return
			}
		}
		fail(rw, 404, "404 Not found")
	})
}
