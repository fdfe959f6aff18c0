package build

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// TestEngineThatHangs takes every request and answers none.
func TestEngineThatHangs(t *testing.T) {
	t.Parallel()
	over := make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { <-over }))
	t.Cleanup(func() {
		close(over)
		server.Close()
	})
	e, err := Open(Options{Host: "tcp://" + server.Listener.Addr().String()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = e.Close() })
	e.limit = 50 * time.Millisecond
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for name, call := range map[string]func() error{
		"find":       func() error { _, _, err := e.Find(ctx, "x"); return err },
		"tag":        func() error { return e.Tag(ctx, "x", "waybill/x:1") },
		"images":     func() error { _, err := e.Images(ctx); return err },
		"remove":     func() error { return e.Remove(ctx, "x") },
		"free bytes": func() error { _, err := e.FreeBytes(ctx); return err },
		"base image": func() error { _, _, _, err := e.findBase(ctx, "x"); return err },
	} {
		if err := call(); !waybill.IsCode(err, waybill.Unavailable) || ctx.Err() != nil {
			t.Errorf("%s: %v, want unavailable", name, err)
		}
	}
}
