//go:build octokit

package webhooks_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/webhooks"
)

// sample is one event of the published collection.
type sample struct {
	Name     string            `json:"name"`
	Examples []json.RawMessage `json:"examples"`
}

// tally counts what became of the payloads of one event.
type tally struct{ files, typed, acted, ignored int }

// must lists the events of which every payload has to be read.
func must() []string {
	return []string{
		"push", "create", "delete", "pull_request", "issue_comment", "check_run", "check_suite", "installation",
		"installation_repositories", "installation_target", "ping", "merge_group", "repository",
	}
}

// TestOctokitSamples reads every payload of the npm package @octokit/webhooks-examples and compares what an event says
// with what the raw JSON holds at the documented paths.
func TestOctokitSamples(t *testing.T) {
	t.Parallel()
	counts := map[string]*tally{}
	for _, index := range collection(t) {
		var events []sample
		if err := json.Unmarshal(read(t, index), &events); err != nil {
			t.Fatalf("%s: %v", index, err)
		}
		for _, s := range events {
			if counts[s.Name] == nil {
				counts[s.Name] = &tally{}
			}
			for i, body := range s.Examples {
				where := fmt.Sprintf("%s %s[%d]", filepath.Base(filepath.Dir(index)), s.Name, i)
				counts[s.Name].add(t, where, s.Name, body)
			}
		}
	}
	t.Log("\n" + table(counts))
	for _, name := range must() {
		c := counts[name]
		if c == nil && name == "installation_target" {
			continue // the collection has none
		}
		if c == nil || c.files == 0 || c.typed != c.files {
			t.Errorf("%s: %+v, want every payload typed", name, c)
		}
	}
}

// collection lists the index of every folder: GitHub itself, and the Enterprise Servers.
func collection(t *testing.T) []string {
	t.Helper()
	cache, err := os.UserCacheDir()
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob(filepath.Join(cache, "waybill", "npm", "@octokit", "webhooks-examples", "*", "index.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no samples: run .tools/setup/octokit (%v)", err)
	}
	return files
}

// add reads one payload.
func (c *tally) add(t *testing.T, where, name string, body []byte) {
	t.Helper()
	c.files++
	f := forges()[0]
	e, err := webhooks.GitHub(f.request(name, "d-1", body), body, secret)
	if err != nil {
		t.Errorf("%s: %v", where, err)
		return
	}
	if !slices.Contains(must(), name) {
		if e.Kind != waybill.EventIgnored || len(e.Refs) > 0 || e.Pull != nil {
			t.Errorf("%s: %+v", where, e)
		}
		c.ignored++
		return
	}
	if diff := cmp.Diff(raw(t, name, body), facts(name, e)); diff != "" {
		t.Errorf("%s (-raw +event):\n%s", where, diff)
		return
	}
	if c.typed++; e.Kind != waybill.EventIgnored {
		c.acted++
	}
}

// facts is what an event says, as texts.
func facts(name string, e waybill.Event) map[string]string {
	f := map[string]string{"action": e.Action, "repository": e.Source.ID, "path": e.Source.Path}
	switch name {
	case "push", "create", "delete", "merge_group":
		if len(e.Refs) != 1 {
			return map[string]string{"refs": fmt.Sprint(e.Refs)}
		}
		f["ref"], f["old"], f["new"] = e.Refs[0].Name, e.Refs[0].Old, e.Refs[0].New
	case "check_run", "check_suite":
		f["sha"] = e.Commit
	case "pull_request", "issue_comment":
		if e.Pull != nil {
			f["number"], f["sha"], f["base"], f["fork"] = fmt.Sprint(e.Pull.Number), e.Pull.Head, e.Pull.Base, fmt.Sprint(e.Pull.Fork)
			f["comment"] = e.Comment
		}
	case "installation", "installation_repositories", "installation_target":
		f["installation"] = fmt.Sprint(e.Installation)
		for _, r := range e.Repositories {
			f["repositories"] += " " + r.ID
		}
	}
	return f
}

// raw reads the same from the JSON, by path.
func raw(t *testing.T, name string, body []byte) map[string]string {
	t.Helper()
	var whole any
	d := json.NewDecoder(strings.NewReader(string(body)))
	d.UseNumber()
	if err := d.Decode(&whole); err != nil {
		t.Fatal(err)
	}
	at := func(path string) string { return text(whole, path) }
	f := map[string]string{"action": at("action"), "repository": at("repository.id"), "path": at("repository.full_name")}
	short := map[string]string{"branch": "refs/heads/", "tag": "refs/tags/"}[at("ref_type")] + at("ref")
	switch name {
	case "push":
		f["ref"], f["old"], f["new"] = at("ref"), at("before"), at("after")
	case "create":
		f["ref"], f["old"], f["new"] = short, zero, ""
	case "delete":
		f["ref"], f["old"], f["new"] = short, "", zero
	case "merge_group":
		f["ref"], f["old"], f["new"] = at("merge_group.head_ref"), "", at("merge_group.head_sha")
	case "check_run", "check_suite":
		f["sha"] = at(name + ".head_sha")
	case "pull_request":
		f["number"], f["sha"], f["base"] = at("pull_request.number"), at("pull_request.head.sha"), at("pull_request.base.ref")
		f["fork"] = fmt.Sprint(at("pull_request.head.repo.id") != at("pull_request.base.repo.id"))
		f["comment"] = ""
	case "issue_comment":
		if at("issue.pull_request.url") != "" {
			f["number"], f["sha"], f["base"], f["fork"] = at("issue.number"), "", "", "false"
			f["comment"] = at("comment.body")
		}
	case "installation", "installation_repositories", "installation_target":
		f["installation"] = at("installation.id")
		for _, list := range []string{"repositories", "repositories_added", "repositories_removed"} {
			for i := 0; text(whole, fmt.Sprint(list, ".", i, ".id")) != "" && list != "repositories" == (name == "installation_repositories"); i++ {
				f["repositories"] += " " + at(fmt.Sprint(list, ".", i, ".id"))
			}
		}
	}
	return f
}

// text is the value at a dotted path; empty when there is none.
func text(v any, path string) string {
	for _, key := range strings.Split(path, ".") {
		switch at := v.(type) {
		case map[string]any:
			v = at[key]
		case []any:
			v = nil
			for i := range at {
				if fmt.Sprint(i) == key {
					v = at[i]
				}
			}
		default:
			v = nil
		}
	}
	if v == nil {
		return ""
	}
	return fmt.Sprint(v)
}

func table(counts map[string]*tally) string {
	var b strings.Builder
	row := "%-36s %6s %6s %9s %8s\n"
	fmt.Fprintf(&b, row, "event", "files", "typed", "acted on", "ignored")
	var names []string
	for name := range counts {
		names = append(names, name)
	}
	slices.Sort(names)
	sum := tally{}
	for _, name := range names {
		c := counts[name]
		fmt.Fprintf(&b, row, name, fmt.Sprint(c.files), fmt.Sprint(c.typed), fmt.Sprint(c.acted), fmt.Sprint(c.ignored))
		sum = tally{sum.files + c.files, sum.typed + c.typed, sum.acted + c.acted, sum.ignored + c.ignored}
	}
	fmt.Fprintf(&b, row, "all", fmt.Sprint(sum.files), fmt.Sprint(sum.typed), fmt.Sprint(sum.acted), fmt.Sprint(sum.ignored))
	return b.String()
}
