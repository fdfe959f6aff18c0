// Package apitest is an API server for tests: the real handlers and middleware on a real store that holds a small
// world, with engines that are small fakes. Its clock stands still on 2 January 2026 at noon.
package apitest

import (
	"context"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"sync"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/face/api"
	"github.com/waybill-dev/waybill/internal/face/httpserver"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
	"github.com/waybill-dev/waybill/internal/foundation/blob"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Server is an API server for one test.
type Server struct {
	URL   string
	Admin auth.Secret // token of scope admin
	Read  auth.Secret // token of scope read
	DB    *store.DB
	Blobs *blob.Store

	keeper *auth.Keeper
	work   sync.WaitGroup // runs that the fake engine has started
}

// Now is the time on the clock of every Server.
func Now() time.Time { return time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC) }

// New starts a server that holds nothing but two tokens. It ends with the test.
func New(t testing.TB) *Server {
	t.Helper()
	log := slog.New(slog.DiscardHandler)
	dir := t.TempDir()
	db, err := store.Open(t.Context(), store.Options{URL: filepath.Join(dir, "waybill.db"), Log: log, Now: Now})
	check(t, err)
	t.Cleanup(func() { check(t, db.Close()) })
	blobs, err := blob.Open(filepath.Join(dir, "blobs"), Now)
	check(t, err)
	t.Cleanup(func() { check(t, blobs.Close()) })
	s := &Server{DB: db, Blobs: blobs, keeper: auth.New(db, Now)}
	t.Cleanup(s.work.Wait)
	by := waybill.Actor{Name: "test", Channel: waybill.ChannelSystem}
	_, s.Admin, err = s.keeper.Issue(t.Context(), "ada", auth.ScopeAdmin, 0, by)
	check(t, err)
	_, s.Read, err = s.keeper.Issue(t.Context(), "board", auth.ScopeRead, 0, by)
	check(t, err)
	s.URL = s.listen(t, log)
	return s
}

func (s *Server) listen(t testing.TB, log *slog.Logger) string {
	t.Helper()
	e := &engines{s}
	h, err := api.New(api.Options{
		DB: s.DB, Releases: e, Commits: e, Previews: e, Repositories: e, Runs: e, Logs: s.Blobs, Tokens: s.keeper,
		Log: log, Now: Now, Version: "v0.0.0-test", PublicURL: func() string { return "http://waybill.example" },
	})
	check(t, err)
	mux := http.NewServeMux()
	mux.Handle("/api/", h)
	httpserver.SignIn(mux, log, s.keeper, false)
	srv := httptest.NewServer(httpserver.Public(mux, httpserver.Options{Log: log, Now: Now, Auth: s.keeper}))
	t.Cleanup(srv.Close)
	return srv.URL
}

// Write runs fn in a transaction.
func (s *Server) Write(t testing.TB, fn func(ctx context.Context, tx *store.Tx) error) {
	t.Helper()
	ctx := t.Context()
	check(t, s.DB.Write(ctx, "test", func(tx *store.Tx) error { return fn(ctx, tx) }))
}

// Log stores the text of a log.
func (s *Server) Log(t testing.TB, id, text string) {
	t.Helper()
	w, err := s.Blobs.Append(id)
	check(t, err)
	_, err = w.Write([]byte(text))
	check(t, err)
	check(t, w.Close())
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
