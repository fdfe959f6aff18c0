package server_test

import (
	"encoding/json"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/testkit"
)

// serve starts a server and watches the world's repository.
func (w *world) serve(env ...string) *process {
	w.t.Helper()
	p := w.start(env...)
	w.add()
	return p
}

var (
	took    = regexp.MustCompile(`  (\d+\.\d|\d+m\d\d)s\n`)
	running = regexp.MustCompile(`(?m)^  \w+ +running\b.*\n`) // a step that took longer than two seconds
)

// seen is what a pusher read, with what differs from run to run made equal: the commits, in the order in which they
// are given, are COMMIT1, COMMIT2 and so on; steps are shown when they have ended.
func (w *world) seen(push string, commits ...string) string {
	text := took.ReplaceAllString(running.ReplaceAllString(testkit.Remote(push), ""), "\n")
	for i, c := range commits {
		text = strings.NewReplacer(c, "COMMIT"+strconv.Itoa(i+1), c[:7], "COMMIT"+strconv.Itoa(i+1)).Replace(text)
	}
	return w.normalise(strings.ReplaceAll(text, "http://"+w.address, "SERVER"))
}

// reads fails the test unless the pusher read want.
func (w *world) reads(want, push string, commits ...string) {
	w.t.Helper()
	if diff := cmp.Diff(strings.TrimPrefix(want, "\n"), w.seen(push, commits...)); diff != "" {
		w.t.Errorf("what the pusher reads (-want +got):\n%s", diff)
	}
}

// ask runs a command with -o json and reads its answer.
func ask[T any](w *world, args ...string) T {
	w.t.Helper()
	var answer T
	out := w.waybill(append(args, "-o", "json")...)
	if err := json.Unmarshal([]byte(out), &answer); err != nil {
		w.t.Fatalf("waybill %s: %v in %s", strings.Join(args, " "), err, out)
	}
	return answer
}

// statuses is what `waybill status` says of a commit, as lines.
func (w *world) statuses(commit string) []string {
	w.t.Helper()
	var lines []string
	for _, s := range ask[wire.CommitStatuses](w, "status", commit).Statuses {
		lines = append(lines, note{s.Context, s.State, s.Description}.String())
	}
	return lines
}

// agree fails the test unless the note of a commit, which is final, and `waybill status` say the same, and that is
// what is wanted: lines of context, state and description, or none to compare only the two.
func (w *world) agree(commit string, want ...string) {
	w.t.Helper()
	got, noted := w.statuses(commit), []string{}
	for _, n := range w.notes("refs/notes/waybill", commit) {
		noted = append(noted, n.String())
	}
	slices.Sort(got)
	slices.Sort(noted)
	if diff := cmp.Diff(got, noted); diff != "" {
		w.t.Errorf("commit %s (-status +note):\n%s", commit, diff)
	}
	if len(want) == 0 {
		return
	}
	slices.Sort(want)
	if diff := cmp.Diff(want, strings.Split(w.normalise(strings.Join(got, "\n")), "\n")); diff != "" {
		w.t.Errorf("commit %s (-want +status):\n%s", commit, diff)
	}
}

// live says which commit and version serve in each environment.
func (w *world) live(connector string) string {
	w.t.Helper()
	var places []string
	for _, m := range ask[wire.ConnectorDetail](w, "connector", "show", connector).Majors {
		for _, p := range []*wire.Place{m.Dev, m.Prod} {
			if p != nil && p.Live != nil {
				places = append(places, strings.TrimSpace(p.Live.Environment+" "+p.Live.Commit[:7]+" "+p.Live.Semver))
			}
		}
	}
	return strings.Join(places, ", ")
}

// serves fails the test unless exactly these places are live: "dev 1a2b3c4", "prod 1a2b3c4 1.0.0".
func (w *world) serves(places ...string) {
	w.t.Helper()
	if got, want := w.live(w.connector), strings.Join(places, ", "); got != want {
		w.t.Errorf("live is %q, want %q", got, want)
	}
}
