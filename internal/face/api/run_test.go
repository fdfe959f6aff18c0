package api_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/face/api/apitest"
	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/face/client"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func TestRuns(t *testing.T) {
	t.Parallel()
	_, c := filled(t)
	list := must[[]wire.Run](t)(c.Runs(t.Context(), client.RunFilter{Connector: "shop-feed"}))
	if len(list) != 2 || list[0].ID != apitest.BadRun || *list[0].ExitCode != 3 || list[0].Class != "connector" || list[1].Duration != 1.5 {
		t.Errorf("list %+v", list)
	}
	if list[1].Values != nil {
		t.Errorf("a list shows values: %+v", list[1].Values)
	}
	if failed := must[[]wire.Run](t)(c.Runs(t.Context(), client.RunFilter{States: []string{"failed", "lost"}})); len(failed) != 1 {
		t.Errorf("failed %+v", failed)
	}
	r := must[wire.Run](t)(c.Run(t.Context(), apitest.GoodRun, 0))
	if diff := cmp.Diff(map[string]string{"page_size": "100", "pin": "[redacted]"}, r.Values); diff != "" || r.PID != 4711 {
		t.Errorf("run %+v: %s", r, diff)
	}
}

func read(t *testing.T) func(r io.ReadCloser, err error) string {
	t.Helper()
	return func(r io.ReadCloser, err error) string {
		t.Helper()
		if err != nil {
			t.Fatal(err)
		}
		text, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		if err := r.Close(); err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
}

func TestStartFollowAndWait(t *testing.T) {
	t.Parallel()
	_, c := filled(t)
	r := must[wire.Run](t)(c.StartRun(t.Context(), wire.StartRun{Connector: "shop-feed", Site: "feeds-dev", Values: map[string]string{"exit": "65"}}))
	if r.Actor != "ada" || r.Values["exit"] != "[redacted]" {
		t.Errorf("started %+v", r)
	}
	if out := read(t)(c.RunLog(t.Context(), r.ID, "stdout", true)); out != "{\"level\":\"info\",\"message\":\"reading\"}\n{\"id\":1}\n" {
		t.Errorf("stdout %q", out)
	}
	if out := read(t)(c.RunLog(t.Context(), r.ID, "stderr", true)); out != "a warning\n" {
		t.Errorf("stderr %q", out)
	}
	end := must[wire.Run](t)(c.Run(t.Context(), r.ID, time.Minute))
	if end.State != "failed" || *end.ExitCode != 65 || end.Class != "user" {
		t.Errorf("ended %+v", end)
	}
}

func TestCancel(t *testing.T) {
	t.Parallel()
	_, c := filled(t)
	r := must[wire.Run](t)(c.StartRun(t.Context(), wire.StartRun{Connector: "shop-feed", Site: "feeds-dev", Values: map[string]string{"hold": "1"}}))
	ended := make(chan wire.Run)
	go func() {
		r, err := c.Run(context.WithoutCancel(t.Context()), r.ID, time.Minute)
		if err != nil {
			t.Error(err)
		}
		ended <- r
	}()
	for range 2 {
		if r = must[wire.Run](t)(c.CancelRun(t.Context(), r.ID)); r.State != "cancelled" {
			t.Errorf("cancelled %+v", r)
		}
	}
	if r := <-ended; r.State != "cancelled" {
		t.Errorf("who waited saw %+v", r)
	}
	if out := read(t)(c.RunLog(t.Context(), r.ID, "stdout", true)); out != "" {
		t.Errorf("a run that never began printed %q", out)
	}
	_, err := c.CancelRun(t.Context(), "nope")
	wantCode(t, err, waybill.NotFound)
}

func TestLogs(t *testing.T) {
	t.Parallel()
	s, c := filled(t)
	if out := read(t)(c.ReleaseLog(t.Context(), apitest.BadRelease, "", false)); out != "step 1\ncc: no such file\n" {
		t.Errorf("build log %q", out)
	}
	if out := read(t)(c.ReleaseLog(t.Context(), apitest.BadRelease, "build", true)); out != "step 1\ncc: no such file\n" {
		t.Errorf("followed build log %q", out)
	}
	if out := read(t)(c.ReleaseLog(t.Context(), apitest.DevRelease, "dev", true)); out != "" {
		t.Errorf("no log is %q", out)
	}
	if a := ask(t, s, s.Read, "GET", "/api/v1/runs/"+apitest.GoodRun+"/logs?stream=stderr", ""); a.body != "deprecated\n" || a.header.Get("Content-Type") != "text/plain; charset=utf-8" {
		t.Errorf("stderr %q %v", a.body, a.header)
	}
	if err := s.Blobs.Remove("run/" + apitest.GoodRun + "/stderr"); err != nil {
		t.Fatal(err)
	}
	if out := read(t)(c.RunLog(t.Context(), apitest.GoodRun, "stderr", false)); out != "" {
		t.Errorf("a log that was removed is %q", out)
	}
}

func TestRecords(t *testing.T) {
	t.Parallel()
	s, c := filled(t)
	for query, want := range map[string]string{
		"":                  "1 record info, 2 row , 4 record error, 5 row ",
		"?kind=row":         "2 row , 5 row ",
		"?kind=record":      "1 record info, 4 record error",
		"?level=warning":    "4 record error",
		"?level=debug":      "1 record info, 4 record error",
		"?limit=1&cursor=2": "4 record error",
	} {
		a := ask(t, s, s.Read, "GET", "/api/v1/runs/"+apitest.GoodRun+"/records"+query, "")
		var page wire.Page[wire.Line]
		if err := json.Unmarshal([]byte(a.body), &page); err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, l := range page.Items {
			got = append(got, fmt.Sprintf("%d %s %s", l.Number, l.Kind, l.Level))
		}
		if strings.Join(got, ", ") != want {
			t.Errorf("%s: %v, want %s", query, got, want)
		}
	}
	rows := must[[]wire.Line](t)(c.Records(t.Context(), apitest.GoodRun, "row"))
	if len(rows) != 2 || string(rows[1].Object) != `{"id":2,"name":"jug"}` {
		t.Errorf("rows %+v", rows)
	}
	if none := must[[]wire.Line](t)(c.Records(t.Context(), apitest.BadRun, "")); len(none) != 0 {
		t.Errorf("a run without output has %+v", none)
	}
}

func TestPagesHoldEverythingOnce(t *testing.T) {
	t.Parallel()
	s, _ := filled(t)
	for _, list := range []string{"connectors", "repositories", "releases", "runs", "sites", "settings", "history"} {
		all := walk(t, s, list, 200)
		for _, limit := range []int{1, 2, 3} {
			if diff := cmp.Diff(all, walk(t, s, list, limit)); diff != "" || len(all) == 0 {
				t.Errorf("%s by %d (-all +pages): %s", list, limit, diff)
			}
		}
	}
}

// walk reads a list page by page and returns its items as JSON.
func walk(t *testing.T, s *apitest.Server, list string, limit int) []string {
	t.Helper()
	var items []string
	for cursor := ""; ; {
		a := ask(t, s, s.Read, "GET", fmt.Sprintf("/api/v1/%s?limit=%d&cursor=%s", list, limit, cursor), "")
		var page wire.Page[json.RawMessage]
		if err := json.Unmarshal([]byte(a.body), &page); err != nil || a.status != 200 {
			t.Fatalf("%s: %d %s", list, a.status, a.body)
		}
		if len(page.Items) > limit {
			t.Fatalf("%s: %d items on a page of %d", list, len(page.Items), limit)
		}
		for _, i := range page.Items {
			items = append(items, string(i))
		}
		if page.Next == "" {
			return items
		}
		cursor = page.Next
	}
}

func TestSameKeySameAnswer(t *testing.T) {
	t.Parallel()
	s, c := filled(t)
	const request = `{"connector":"shop-feed","site":"feeds-dev","values":{"hold":"1"}}`
	start := func(body, key string) answer {
		return ask(t, s, s.Admin, "POST", "/api/v1/runs", body, "Idempotency-Key", key, "Content-Type", "application/json")
	}
	const tries = 6
	got := make([]answer, tries)
	var wg sync.WaitGroup
	for i := range tries {
		wg.Go(func() { got[i] = start(request, "k1") })
	}
	wg.Wait()
	for _, a := range got {
		if a.status != 201 || a.body != got[0].body {
			t.Errorf("%d %s, want as the first: %s", a.status, a.body, got[0].body)
		}
	}
	if a := start(request, "k2"); a.body == got[0].body {
		t.Errorf("another key gave the same run")
	}
	if a := start(`{"connector":"shop-feed","site":"feeds-prod"}`, "k1"); a.status != 422 || !strings.Contains(a.body, "different request") {
		t.Errorf("another request with the same key: %d %s", a.status, a.body)
	}
	if a := start(`{"connector":"shop-feed","site":"moon"}`, "k3"); a.status != 404 {
		t.Errorf("a request that fails: %d %s", a.status, a.body)
	}
	if a := start(`{"connector":"shop-feed","site":"moon"}`, "k3"); a.status != 404 {
		t.Errorf("a request that fails again: %d %s", a.status, a.body)
	}
	if runs := must[[]wire.Run](t)(c.Runs(t.Context(), client.RunFilter{States: []string{"queued"}})); len(runs) != 2 {
		t.Errorf("%d runs were started, want 2", len(runs))
	}
}
