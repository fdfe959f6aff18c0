package server_test

import (
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/testkit"
)

// TestMetrics counts what happened: a push, a tag of it, a tag that releases nothing, a run, and a push with five
// mistakes.
func TestMetrics(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "metrics")
	w.serve("WAYBILL_POLL_PLAIN=1h")
	w.clone.Push("main")
	w.clone.Run("tag", "v1.0.0")
	w.clone.Push("v1.0.0")
	w.clone.Run("tag", "v1.1.0-rc.1")
	w.clone.Push("v1.1.0-rc.1")
	w.waybill("runs", "start", w.connector, "--site", "feeds-dev", "--wait")
	w.clone.Commit("Break it", map[string]string{"waybill.yaml": w.broken()})
	w.clone.Push("main")

	want := map[string]string{
		`waybill_webhook_requests_total{code="202",event="push",forge="plain"}`: "4",
		`waybill_webhook_deliveries_total{forge="plain",result="stored"}`:       "4",
		`waybill_validation_findings_total{code="WB208"}`:                       "1",
		`waybill_validation_findings_total{code="WB012"}`:                       "1",
		`waybill_validation_findings_total{code="WB015"}`:                       "1",
		`waybill_validation_findings_total{code="WB206"}`:                       "1",
		`waybill_validation_findings_total{code="WB508"}`:                       "1",
		`waybill_validation_findings_total{code="WB509"}`:                       "1",
		`waybill_builds_total{cache="miss",result="ok"}`:                        "1",
		`waybill_builds_total{cache="hit",result="ok"}`:                         "1",
		`waybill_release_steps_total{result="ok",step="build"}`:                 "2",
		`waybill_release_steps_total{result="ok",step="runtime"}`:               "2",
		`waybill_release_steps_total{result="ok",step="dev"}`:                   "2",
		`waybill_release_steps_total{result="ok",step="prod"}`:                  "1",
		`waybill_runs_total{class="ok",result="succeeded",trigger="manual"}`:    "1",
		`waybill_jobs_total{kind="ref",result="done"}`:                          "4",
		`waybill_jobs_total{kind="lane",result="done"}`:                         "2",
		`waybill_jobs_total{kind="run",result="done"}`:                          "1",
		`waybill_push_to_deployed_seconds_count{environment="dev"}`:             "1",
		`waybill_push_to_deployed_seconds_count{environment="prod"}`:            "1",
		`waybill_push_to_final_status_seconds_count`:                            "4",
		`waybill_status_outbox_pending`:                                         "0",
		`waybill_runs_active`:                                                   "0",
		`waybill_connectors{state="prod"}`:                                      "1",
	}
	var text string
	began := time.Now()
	w.eventually("the last work is counted", func() bool {
		var got map[string]string
		text, got = w.metrics()
		counted := map[string]string{}
		for name := range want {
			counted[name] = got[name]
		}
		diff := cmp.Diff(want, counted)
		if time.Since(began) > patience/2 {
			t.Logf("not yet (-want +got):\n%s", diff)
		}
		return diff == ""
	})
	testkit.CheckMetrics(t, []byte(text))
}

// metrics reads the metrics of the server, and what each counts.
func (w *world) metrics() (text string, values map[string]string) {
	w.t.Helper()
	req, err := http.NewRequestWithContext(w.t.Context(), http.MethodGet, "http://"+w.admin+"/metrics", nil)
	if err != nil {
		w.t.Fatal(err)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	body, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode != http.StatusOK {
		w.t.Fatal(res.Status, err)
	}
	values = map[string]string{}
	for line := range strings.Lines(string(body)) {
		if name, value, ok := strings.Cut(strings.TrimSpace(line), " "); ok && !strings.HasPrefix(line, "#") {
			values[name] = value
		}
	}
	return string(body), values
}
