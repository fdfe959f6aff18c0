package gitlab

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// object is a part of a JSON body.
type object = map[string]any

const (
	theCommit = "1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d1a2b3c4d"
	goodToken = "good-token"
	projectID = 4711
	project   = "acme/feeds/shop"
)

// endpoint is what GitLab's documentation of its API (version 4) says of one: written by hand from those pages.
type endpoint struct {
	query  string            // parameters
	fields map[string]string // of the body, with their types; required ones begin with a !
}

// documented lists the endpoints that the adapter may ask.
func documented() map[string]endpoint {
	hook := map[string]string{
		"url": "!string", "token": "string", "push_events": "boolean", "tag_push_events": "boolean", "merge_requests_events": "boolean",
		"note_events": "boolean", "issues_events": "boolean", "enable_ssl_verification": "boolean",
	}
	note := map[string]string{"body": "!string"}
	return map[string]endpoint{
		"GET /user":                                            {},
		"GET /users":                                           {query: "username page per_page"},
		"GET /personal_access_tokens/self":                     {},
		"GET /projects/{id}":                                   {query: "license statistics with_custom_attributes"},
		"GET /projects/{id}/members/all/{user}":                {},
		"GET /projects/{id}/hooks":                             {query: "page per_page"},
		"POST /projects/{id}/hooks":                            {fields: hook},
		"PUT /projects/{id}/hooks/{hook}":                      {fields: hook},
		"POST /projects/{id}/hooks/{hook}/test/{trigger}":      {},
		"DELETE /projects/{id}/hooks/{hook}":                   {},
		"GET /projects/{id}/merge_requests":                    {query: "state page per_page order_by sort"},
		"GET /projects/{id}/merge_requests/{mr}":               {},
		"GET /projects/{id}/merge_requests/{mr}/notes":         {query: "sort order_by page per_page"},
		"POST /projects/{id}/merge_requests/{mr}/notes":        {fields: note},
		"PUT /projects/{id}/merge_requests/{mr}/notes/{note}":  {fields: note},
		"GET /projects/{id}/repository/commits/{sha}/statuses": {query: "ref stage name all page per_page pipeline_id order_by sort"},
		"POST /projects/{id}/statuses/{sha}": {fields: map[string]string{
			"state": "!string", "ref": "string", "name": "string", "context": "string", "target_url": "string", "description": "string",
			"coverage": "number", "pipeline_id": "number",
		}},
	}
}

// world is a GitLab in this process that takes nothing that is not documented.
type world struct {
	*testing.T
	server *httptest.Server

	mu       sync.Mutex
	ids      int
	statuses []object
	hooks    []object
	notes    map[int][]object
	merges   []object
	requests int
	pings    int
	tricks   []trick
}

// trick is how the world misbehaves once, when a request fits.
type trick struct {
	fits string // in "method path"
	play func(rw http.ResponseWriter, r *http.Request, next http.Handler)
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
		known, ok := documented()[pattern]
		if !ok {
			t.Fatalf("%s is not documented", pattern)
		}
		method, path, _ := strings.Cut(pattern, " ")
		mux.HandleFunc(method+" /api/v4"+path, func(rw http.ResponseWriter, r *http.Request) { w.serve(rw, r, known, h) })
	})
	mux.HandleFunc("/", func(rw http.ResponseWriter, r *http.Request) {
		t.Errorf("%s %s is not documented", r.Method, r.URL)
		fail(rw, 404, "404 Not Found")
	})
	w.server = httptest.NewServer(w.tricky(mux))
	t.Cleanup(w.server.Close)
	return w
}

// tricky plays tricks before anything else.
func (w *world) tricky(next http.Handler) http.Handler {
	return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		w.mu.Lock()
		for i, t := range w.tricks {
			if strings.Contains(r.Method+" "+r.URL.Path, t.fits) {
				w.tricks = slices.Delete(w.tricks, i, i+1)
				w.mu.Unlock()
				t.play(rw, r, next)
				return
			}
		}
		w.mu.Unlock()
		next.ServeHTTP(rw, r)
	})
}

// serve checks a request against its documentation and the token, and lets in what is good.
func (w *world) serve(rw http.ResponseWriter, r *http.Request, known endpoint, h func(http.ResponseWriter, *http.Request)) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.requests++
	for name := range r.URL.Query() {
		if !slices.Contains(strings.Fields(known.query), name) {
			w.Errorf("%s %s: GitLab knows no parameter %s", r.Method, r.URL.Path, name)
		}
	}
	body, _ := io.ReadAll(r.Body)
	w.checkBody(r, known, body)
	r.Body = io.NopCloser(bytes.NewReader(body))
	if r.Header.Get("Authorization") != "Bearer "+goodToken {
		fail(rw, 401, "401 Unauthorized")
		return
	}
	if id := r.PathValue("id"); id != "" && id != strconv.Itoa(projectID) && id != project {
		fail(rw, 404, "404 Project Not Found")
		return
	}
	rw.Header().Set("RateLimit-Remaining", strconv.Itoa(2000-w.requests))
	rw.Header().Set("RateLimit-Reset", strconv.FormatInt(time.Now().Add(time.Minute).Unix(), 10))
	h(rw, r)
}

func (w *world) checkBody(r *http.Request, known endpoint, body []byte) {
	var said object
	if len(body) > 0 && json.Unmarshal(body, &said) != nil {
		w.Errorf("%s %s: body %.200s", r.Method, r.URL.Path, body)
	}
	for name, value := range said {
		kind := map[string]bool{}
		switch value.(type) {
		case string:
			kind["string"] = true
		case bool:
			kind["boolean"] = true
		case float64:
			kind["number"] = true
		}
		if want, ok := known.fields[name]; !ok || !kind[strings.TrimPrefix(want, "!")] {
			w.Errorf("%s %s: GitLab knows no field %s that is %v", r.Method, r.URL.Path, name, value)
		}
	}
	for name, kind := range known.fields {
		if _, ok := said[name]; strings.HasPrefix(kind, "!") && !ok {
			w.Errorf("%s %s: field %s is missing", r.Method, r.URL.Path, name)
		}
	}
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

func (w *world) routeStatuses(on func(string, func(http.ResponseWriter, *http.Request))) {
	newest := func(name any) object {
		for _, s := range slices.Backward(w.statuses) {
			if s["name"] == name {
				return s
			}
		}
		return nil
	}
	on("POST /projects/{id}/statuses/{sha}", func(rw http.ResponseWriter, r *http.Request) {
		s := read(r)
		if r.PathValue("sha") != theCommit {
			fail(rw, 404, "404 Commit Not Found")
			return
		}
		old := newest(s["name"])
		if old != nil && old["status"] == "pending" {
			if s["state"] == "pending" {
				fail(rw, 400, `Cannot transition status via :enqueue from :pending (Reason(s): Status cannot transition via "enqueue")`)
				return
			}
			old["status"], old["description"], old["target_url"] = s["state"], s["description"], s["target_url"]
			reply(rw, 201, old)
			return
		}
		s["id"], s["status"] = w.id(), s["state"] // after a result GitLab begins a new one
		w.statuses = append(w.statuses, s)
		reply(rw, 201, s)
	})
	on("GET /projects/{id}/repository/commits/{sha}/statuses", func(rw http.ResponseWriter, r *http.Request) {
		list := []object{}
		for _, s := range w.statuses {
			if n := newest(s["name"]); n["id"] == s["id"] {
				list = append(list, s)
			}
		}
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
			w.hooks = slices.Delete(w.hooks, i, i+1)
			rw.WriteHeader(204)
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
