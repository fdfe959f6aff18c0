//go:build gitea

package server_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"sync"
	"testing"
	"time"
)

// badWire stands between Gitea and Waybill. It takes every hook and answers at once; then it loses it, delivers it, or
// delivers it twice, some of them late, so that they arrive in another order. Everything else goes through as it is.
type badWire struct {
	*httptest.Server
	to     string
	client *http.Client

	mu     sync.Mutex
	random *rand.Rand
	fates  map[string]int
	// taken are the commits of which a push was delivered and answered with success; told is every one that Gitea spoke of.
	taken, told map[string]bool

	underway sync.WaitGroup
}

func newBadWire(t *testing.T, to string, seed uint64) *badWire {
	t.Helper()
	b := &badWire{
		to: to, client: &http.Client{Timeout: 10 * time.Second}, random: rand.New(rand.NewPCG(seed, 0)),
		fates: map[string]int{}, taken: map[string]bool{}, told: map[string]bool{},
	}
	target, err := url.Parse("http://" + to)
	if err != nil {
		t.Fatal(err)
	}
	through := httputil.NewSingleHostReverseProxy(target)
	b.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if !strings.HasPrefix(r.URL.Path, "/hooks/") {
			through.ServeHTTP(w, r)
			return
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			w.WriteHeader(http.StatusBadRequest)
			return
		}
		w.WriteHeader(http.StatusAccepted)
		b.decide(context.WithoutCancel(r.Context()), r, body)
	}))
	t.Cleanup(func() { b.underway.Wait(); b.Close() })
	return b
}

// decide chooses what becomes of a hook.
func (b *badWire) decide(ctx context.Context, r *http.Request, body []byte) {
	var push struct{ After string }
	if r.Header.Get("X-Gitea-Event") == "push" {
		_ = json.Unmarshal(body, &push)
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if push.After != "" {
		b.told[push.After] = true
	}
	fate, times := "delivered", 1
	switch p := b.random.Float64(); {
	case p < 0.3:
		fate, times = "dropped", 0
	case p < 0.5:
		fate, times = "duplicated", 2
	}
	b.fates[fate]++
	for range times {
		var late time.Duration
		if b.random.Float64() < 0.5 {
			late = time.Duration(b.random.Int64N(int64(4 * time.Second)))
			b.fates["late"]++
		}
		b.underway.Go(func() { b.deliver(ctx, r, body, push.After, late) })
	}
}

// deliver hands one hook over after a while, once: Gitea does not try again either.
func (b *badWire) deliver(ctx context.Context, r *http.Request, body []byte, commit string, late time.Duration) {
	<-time.After(late)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, "http://"+b.to+r.URL.RequestURI(), bytes.NewReader(body))
	if err != nil {
		return
	}
	req.Header = r.Header.Clone()
	res, err := b.client.Do(req)
	ok := false
	if err == nil {
		ok = res.StatusCode/100 == 2
		_ = res.Body.Close()
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	switch {
	case !ok:
		b.fates["met nobody"]++
	case commit != "":
		b.taken[commit] = true
	}
}
