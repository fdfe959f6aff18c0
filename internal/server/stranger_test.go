package server_test

import (
	"bytes"
	"io"
	"log/slog"
	"maps"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/git/hook"
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/webhooks"
)

// TestStrangers sends what somebody without a secret or with an old one would send.
func TestStrangers(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "strangers")
	p := w.serve()
	settings, err := hook.ReadSettings(w.bare)
	if err != nil {
		t.Fatal(err)
	}
	event := waybill.Event{Kind: "push", Key: "key-1", Refs: []waybill.RefUpdate{{
		Name: "refs/heads/main", Old: strings.Repeat("0", 40), New: w.clone.Run("rev-parse", "HEAD"),
	}}}
	sign := func(secret webhooks.Secret, at time.Time) (http.Header, []byte) {
		header, body, err := webhooks.SignPlain(event, secret, at)
		if err != nil {
			t.Fatal(err)
		}
		return header, body
	}
	address := "http://" + w.address + "/hooks/plain/" + settings.Hook
	good, body := sign(settings.Secret, time.Now())
	forged, _ := sign("another secret", time.Now())
	old, _ := sign(settings.Secret, time.Now().Add(-6*time.Minute))
	for _, c := range []struct {
		name, address string
		header        http.Header
		body          []byte
		want          int
	}{
		{"unsigned", address, http.Header{}, body, 401},
		{"forged", address, forged, body, 401},
		{"replayed after six minutes", address, old, body, 401},
		{"changed", address, good, bytes.Replace(body, []byte("main"), []byte("evil"), 1), 401},
		{"to no hook", address + "x", good, body, 401},
		{"to another forge", strings.Replace(address, "plain", "github", 1), good, body, 401},
		{"oversized", address, good, bytes.Repeat([]byte("x"), webhooks.MaxPlain+1), 413},
		{"unsigned progress", address + "/deliveries/01JD0G3V9Q8Z4N6T2B7C5X1K0M", nil, nil, 401},
	} {
		if got := w.send(c.address, c.header, c.body); got != c.want {
			t.Errorf("a hook request that is %s: %d, want %d", c.name, got, c.want)
		}
	}
	for _, want := range []int{202, 200, 200} {
		if got := w.send(address, good, body); got != want {
			t.Errorf("a good hook request, and the same again: %d, want %d", got, want)
		}
	}
	w.apiRefuses()
	p.stop()
	if n := w.deliveries(); n != 1 {
		t.Errorf("%d deliveries are stored, want 1", n)
	}
}

// apiRefuses asks the API for what only people with a token get, and under a name that is not the server's.
func (w *world) apiRefuses() {
	w.t.Helper()
	api := "http://" + w.address + "/api/v1/"
	for _, c := range []struct {
		what   string
		header http.Header
		body   []byte
		want   int
	}{
		{"connectors", nil, nil, 401},
		{"connectors", http.Header{"Authorization": {"Bearer wb_wrong"}}, nil, 401},
		{"connectors", http.Header{"Host": {"rebound.example"}}, nil, 403},
		{"runs", http.Header{"Content-Type": {"application/json"}}, []byte(`{"connector":"x","site":"y"}`), 401},
	} {
		if got := w.send(api+c.what, c.header, c.body); got != c.want {
			w.t.Errorf("%s with %v: %d, want %d", c.what, c.header, got, c.want)
		}
	}
}

// send posts a body, or gets without one, and returns the status code.
func (w *world) send(address string, header http.Header, body []byte) int {
	w.t.Helper()
	method := http.MethodPost
	if body == nil {
		method = http.MethodGet
	}
	req, err := http.NewRequestWithContext(w.t.Context(), method, address, bytes.NewReader(body))
	if err != nil {
		w.t.Fatal(err)
	}
	maps.Copy(req.Header, header)
	req.Host = header.Get("Host")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode
}

// deliveries counts what is stored of hook requests, once the server has stopped.
func (w *world) deliveries() (count int) {
	w.t.Helper()
	db, err := store.Open(w.t.Context(), store.Options{URL: w.storeURL(), Log: slog.New(slog.DiscardHandler), Now: time.Now})
	if err != nil {
		w.t.Fatal(err)
	}
	defer func() { _ = db.Close() }()
	if err := db.Query().QueryRowContext(w.t.Context(), `SELECT COUNT(*) FROM deliveries`).Scan(&count); err != nil {
		w.t.Fatal(err)
	}
	return count
}
