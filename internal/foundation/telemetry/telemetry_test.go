package telemetry_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/foundation/telemetry"
	"github.com/waybill-dev/waybill/internal/testkit"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func now() time.Time { return time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC) }

func newStore(t *testing.T) *store.DB {
	t.Helper()
	db, err := store.Open(t.Context(), store.Options{
		URL: filepath.Join(t.TempDir(), "waybill.db"), Log: slog.New(slog.DiscardHandler), Now: now,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	})
	return db
}

// observed returns Metrics that have seen one of everything.
func observed() *telemetry.Metrics {
	m := telemetry.New("v0.1.0")
	m.Hook("plain", "push", 202, 3*time.Millisecond)
	m.Delivery("plain", "accepted")
	m.Missed("plain")
	m.FirstStatus(time.Second)
	m.FinalStatus(2 * time.Second)
	m.Deployed(waybill.Dev, 3*time.Second)
	m.Validated(4 * time.Millisecond)
	m.Found(waybill.Findings{{Code: "WB001"}, {Code: "WB003"}})
	m.Forge("plain", "notes", "ok")
	m.ForgeRemaining("github", 4999)
	m.Waited("ref", time.Millisecond)
	m.Worked("ref", "done", time.Second)
	m.Git("fetch", time.Second, nil)
	m.Git("fetch", time.Second, errors.New("no"))
	m.Built(waybill.OK, false, time.Second)
	m.Built(waybill.OK, true, 0)
	m.Step(waybill.StepDev, waybill.OK)
	m.RunEnded(waybill.Run{
		Trigger: waybill.TriggerManual, State: waybill.RunSucceeded, Class: waybill.ClassOK, Started: now(), Ended: now().Add(time.Second),
	})
	m.RunEnded(waybill.Run{Trigger: waybill.TriggerSchedule, State: waybill.RunCancelled, Ended: now()})
	m.ScheduleLag(time.Second)
	return m
}

func fill(ctx context.Context, db *store.DB) error {
	return db.Write(ctx, "test.fill", func(tx *store.Tx) error {
		for _, key := range []string{"r refs/heads/main", "r refs/heads/next"} {
			if _, err := queue.Enqueue(ctx, tx, queue.Entry{Kind: "ref", Key: key, Tenant: "feeds", Due: now().Add(-time.Minute)}); err != nil {
				return err
			}
		}
		for _, name := range []string{"one", "two", "three"} {
			if _, err := connectorstore.ClaimName(ctx, tx, connectorstore.Connector{Name: name, Owner: "feeds", Repository: "r", Created: now()}); err != nil {
				return err
			}
		}
		for _, l := range []waybill.Live{
			{Connector: "one", Major: 1, Environment: waybill.Dev, Release: "a", Since: now()},
			{Connector: "one", Major: 1, Environment: waybill.Prod, Release: "b", Since: now()},
			{Connector: "two", Major: 1, Environment: waybill.Dev, Release: "c", Since: now()},
		} {
			if err := connectorstore.SetLive(ctx, tx, l); err != nil {
				return err
			}
		}
		return connectorstore.InsertRun(ctx, tx, waybill.Run{
			ID: store.NewID(now()), Connector: "one", Major: 1, Site: "feeds-dev", Environment: waybill.Dev,
			State: waybill.RunRunning, Trigger: waybill.TriggerManual, Created: now(), Started: now(),
		})
	})
}

func scrape(t *testing.T, m *telemetry.Metrics, db *store.DB, log *slog.Logger) string {
	t.Helper()
	rec := httptest.NewRecorder()
	m.Handler(db, log, now).ServeHTTP(rec, httptest.NewRequestWithContext(t.Context(), "GET", "/metrics", nil))
	if rec.Code != 200 {
		t.Fatalf("scrape: %d\n%s", rec.Code, rec.Body)
	}
	return rec.Body.String()
}

func TestPrometheusAcceptsEveryMetric(t *testing.T) {
	t.Parallel()
	db := newStore(t)
	if err := fill(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	testkit.CheckMetrics(t, []byte(scrape(t, observed(), db, slog.New(slog.DiscardHandler))))
}

// contract lists the metrics of the contract whose subject exists, with their labels.
func contract() map[string]string {
	return map[string]string{
		"webhook_requests_total": "forge,event,code", "webhook_duration_seconds": "forge",
		"webhook_deliveries_total": "forge,result", "webhook_missed_total": "forge",
		"refs_dirty": "", "refs_dirty_oldest_seconds": "",
		"queue_depth": "kind,state", "queue_wait_seconds": "kind", "job_duration_seconds": "kind", "jobs_total": "kind,result",
		"push_to_first_status_seconds": "", "push_to_final_status_seconds": "", "push_to_deployed_seconds": "environment",
		"validation_findings_total": "code", "manifest_validate_seconds": "",
		"git_operation_duration_seconds": "operation,result",
		"build_duration_seconds":         "result", "builds_total": "result,cache",
		"release_steps_total": "step,result",
		"runs_total":          "trigger,result,class", "run_duration_seconds": "", "run_schedule_lag_seconds": "", "runs_active": "",
		"forge_requests_total": "forge,operation,code", "forge_rate_limit_remaining": "forge",
		"status_outbox_pending": "", "status_outbox_oldest_seconds": "",
		"connectors": "state", "build_info": "version,go_version",
	}
}

func TestNamesAndLabelsAreThoseOfTheContract(t *testing.T) {
	t.Parallel()
	db := newStore(t)
	if err := fill(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	sample := regexp.MustCompile(`(?m)^waybill_([a-z_]+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? `)
	label := regexp.MustCompile(`([a-z_]+)="`)
	got := map[string]string{}
	for _, s := range sample.FindAllStringSubmatch(scrape(t, observed(), db, slog.New(slog.DiscardHandler)), -1) {
		var names []string
		for _, l := range label.FindAllStringSubmatch(s[2], -1) {
			if l[1] != "le" {
				names = append(names, l[1])
			}
		}
		slices.Sort(names)
		got[s[1]] = strings.Join(names, ",")
	}
	want := map[string]string{}
	for name, labels := range contract() {
		names := strings.Split(labels, ",")
		slices.Sort(names)
		want[name] = strings.Join(names, ",")
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("metrics (-contract +scrape):\n%s", diff)
	}
}

func TestLevelsComeFromTheStore(t *testing.T) {
	t.Parallel()
	db := newStore(t)
	if err := fill(t.Context(), db); err != nil {
		t.Fatal(err)
	}
	got := scrape(t, telemetry.New("v0.1.0"), db, slog.New(slog.DiscardHandler))
	for _, want := range []string{
		`waybill_connectors{state="dev"} 1`, `waybill_connectors{state="prod"} 1`, `waybill_connectors{state="none"} 1`,
		`waybill_queue_depth{kind="ref",state="ready"} 2`, `waybill_refs_dirty 2`, `waybill_refs_dirty_oldest_seconds 60`,
		`waybill_runs_active 1`, `waybill_status_outbox_pending 0`, `waybill_status_outbox_oldest_seconds 0`,
		fmt.Sprintf("waybill_build_info{go_version=%q,version=%q} 1", goVersion(got), "v0.1.0"),
	} {
		if !strings.Contains(got, want+"\n") {
			t.Errorf("no line %q in\n%s", want, ours(got))
		}
	}
}

func goVersion(metrics string) string {
	m := regexp.MustCompile(`go_version="([^"]+)"`).FindStringSubmatch(metrics)
	if m == nil {
		return ""
	}
	return m[1]
}

// ours returns the lines of metrics that are Waybill's own.
func ours(metrics string) string {
	var b strings.Builder
	for line := range strings.Lines(metrics) {
		if strings.HasPrefix(line, "waybill_") {
			b.WriteString(line)
		}
	}
	return b.String()
}

func TestScrapeWithoutStore(t *testing.T) {
	t.Parallel()
	db := newStore(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	var log bytes.Buffer
	rec := httptest.NewRecorder()
	observed().Handler(db, slog.New(slog.NewTextHandler(&log, nil)), now).
		ServeHTTP(rec, httptest.NewRequestWithContext(ctx, "GET", "/metrics", nil))
	body, err := io.ReadAll(rec.Body)
	if err != nil {
		t.Fatal(err)
	}
	if rec.Code != 200 || !strings.Contains(string(body), "waybill_jobs_total") || strings.Contains(string(body), "waybill_queue_depth") {
		t.Errorf("without a store: %d\n%s", rec.Code, ours(string(body)))
	}
	if !strings.Contains(log.String(), "cannot read levels for metrics") {
		t.Errorf("nothing was logged: %q", log.String())
	}
}

func TestNewLog(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	log, err := telemetry.NewLog(&out, "warn", "json")
	if err != nil {
		t.Fatal(err)
	}
	log.InfoContext(t.Context(), "quiet")
	log.WarnContext(t.Context(), "loud", "attempt", 2)
	if got := out.String(); strings.Contains(got, "quiet") || !strings.Contains(got, `"msg":"loud","attempt":2`) {
		t.Errorf("log: %s", got)
	}
	for _, bad := range [][2]string{{"loud", "text"}, {"info", "xml"}, {"", "text"}} {
		if _, err := telemetry.NewLog(&out, bad[0], bad[1]); !waybill.IsCode(err, waybill.Invalid) {
			t.Errorf("NewLog(%q, %q): %v, want invalid", bad[0], bad[1], err)
		}
	}
}
