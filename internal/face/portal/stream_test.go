package portal_test

import (
	"bufio"
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/auth"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// event is one server-sent event.
type event struct{ name, id, data string }

// listen opens a stream and returns its events as they come; the channel is closed when the server ends it.
func listen(t *testing.T, url string) *listener {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	t.Cleanup(cancel)
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	must(t, err)
	resp, err := http.DefaultClient.Do(r)
	must(t, err)
	t.Cleanup(func() { _ = resp.Body.Close() })
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "text/event-stream" {
		t.Fatalf("%s: %s, %s", url, resp.Status, resp.Header.Get("Content-Type"))
	}
	events := make(chan event, 64)
	go func() {
		defer close(events)
		var e event
		for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
			field, value, _ := strings.Cut(lines.Text(), ": ")
			switch field {
			case "event":
				e.name = value
			case "id":
				e.id = value
			case "data":
				e.data += value + "\n"
			case "":
				events <- e
				e = event{}
			}
		}
	}()
	return &listener{events: events}
}

// listener remembers events that nobody asked for yet: fragments and lines of logs come in any order.
type listener struct {
	events <-chan event
	passed []event
}

// await returns the first event that fits and was not returned before.
func (l *listener) await(t *testing.T, name, holds string) event {
	t.Helper()
	fits := func(e event) bool { return e.name == name && strings.Contains(e.data, holds) }
	if i := slices.IndexFunc(l.passed, fits); i >= 0 {
		e := l.passed[i]
		l.passed = slices.Delete(l.passed, i, i+1)
		return e
	}
	for e := range l.events {
		if fits(e) {
			return e
		}
		l.passed = append(l.passed, e)
	}
	t.Fatalf("the stream ended before an event %s with %q", name, holds)
	return event{}
}

func TestRunUpdatesUntilItEnds(t *testing.T) {
	t.Parallel()
	f := fill(newWorld(t))
	url := f.serve(auth.Principal{}) + "/runs/" + f.running.ID + "/events?last=stdout:9,stderr:0"
	events := listen(t, url)
	events.await(t, "swap", "The run is running")
	events.await(t, "stdout", `{&#34;id&#34;:2}`) // the first line was on the page
	f.logs.add(f.running.Stderr, `{"level":"error","message":"<b>no</b>"}`+"\n")
	if e := events.await(t, "stderr", `<div class="l-error"><span class="lv">error</span>&lt;b&gt;no&lt;/b&gt;</div>`); e.id != "stdout:18,stderr:40" {
		t.Errorf("position %q", e.id)
	}
	f.logs.add(f.running.Stdout, "without an end")
	f.end(f.running)
	events.await(t, "swap", "The run succeeded")
	events.await(t, "stdout", "without an end")
	events.await(t, "end", "")
	if _, open := <-events.events; open {
		t.Error("the stream goes on after its end")
	}
}

// end makes a run succeed, as the engine does.
func (f *full) end(r waybill.Run) {
	f.t.Helper()
	code := 0
	must(f.t, r.Move(waybill.RunSucceeded, now()))
	r.ExitCode, r.Class = &code, waybill.ClassOK
	f.write(func(tx *store.Tx) error {
		tx.Notify("run:" + r.ID)
		return connectorstore.SaveRun(f.t.Context(), tx, r, waybill.RunRunning)
	})
}

func TestConnectorUpdatesItsTracker(t *testing.T) {
	t.Parallel()
	f := fill(newWorld(t))
	events := listen(t, f.serve(auth.Principal{})+"/connectors/shop-feed@2/events?tab=")
	first := events.await(t, "swap", `id="tracker"`)
	if !strings.Contains(first.data, "build running, runtime waiting, dev waiting, prod not yet") {
		t.Errorf("the tracker does not say where it stands: %s", first.data)
	}
	r := f.building
	must(t, r.Move(waybill.StepBuild, waybill.OK, "2.1s", now()))
	must(t, r.Move(waybill.StepRuntime, waybill.Running, "", now()))
	f.write(func(tx *store.Tx) error {
		tx.Notify("connector:shop-feed")
		return connectorstore.SaveRelease(t.Context(), tx, r)
	})
	events.await(t, "swap", "build ok, runtime running, dev waiting, prod not yet")
}

func TestEveryStreamBegins(t *testing.T) {
	t.Parallel()
	f := fill(newWorld(t))
	url := f.serve(auth.Principal{})
	for path, part := range map[string]string{
		"/events":                                                    `id="numbers"`,
		"/connectors/shop-feed/events?tab=runs":                      `id="run-list"`,
		"/connectors/shop-feed/events?tab=history":                   `id="history"`,
		"/releases/" + f.building.ID + "/events":                     `id="steps"`,
		"/repositories/catalog/pim/commits/" + f.refused + "/events": `id="findings"`,
	} {
		listen(t, url+path).await(t, "swap", part)
	}
}
