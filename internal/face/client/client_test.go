package client_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/face/client"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func env(pairs ...string) func(string) string {
	return func(name string) string {
		for i := 0; i+1 < len(pairs); i += 2 {
			if pairs[i] == name {
				return pairs[i+1]
			}
		}
		return ""
	}
}

func wantCode(t *testing.T, err error, want waybill.Code) {
	t.Helper()
	if got := waybill.CodeOf(err); got != want {
		t.Errorf("error %v has code %q, want %q", err, got, want)
	}
}

func TestStateFile(t *testing.T) {
	t.Parallel()
	for want, getenv := range map[string]func(string) string{
		"/s/waybill/server.json":              env("XDG_STATE_HOME", "/s", "HOME", "/h"),
		"/h/.local/state/waybill/server.json": env("HOME", "/h"),
		"":                                    env(),
	} {
		if got := client.StateFile(getenv); got != want {
			t.Errorf("state file %q, want %q", got, want)
		}
	}
	file := filepath.Join(t.TempDir(), "waybill", "server.json")
	_, err := client.ReadState(file)
	wantCode(t, err, waybill.NotFound)
	state := client.State{URL: "http://127.0.0.1:1", TokenFile: "/t"}
	if err := client.WriteState(file, state); err != nil {
		t.Fatal(err)
	}
	if info, err := os.Stat(file); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if got, err := client.ReadState(file); err != nil || got != state {
		t.Errorf("read %+v, %v", got, err)
	}
	if err := client.RemoveState(file, "http://127.0.0.1:2"); err != nil {
		t.Error(err)
	}
	if _, err := client.ReadState(file); err != nil {
		t.Errorf("another server removed the file: %v", err)
	}
	for range 2 {
		if err := client.RemoveState(file, state.URL); err != nil {
			t.Error(err)
		}
	}
	_, err = client.ReadState(file)
	wantCode(t, err, waybill.NotFound)
}

// seen is a server that remembers what it was asked.
func seen(t *testing.T, answer http.HandlerFunc) (url string, last *atomic.Pointer[http.Request]) {
	t.Helper()
	last = &atomic.Pointer[http.Request]{}
	srv := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		last.Store(r)
		answer(w, r)
	}))
	t.Cleanup(srv.Close)
	return srv.URL, last
}

func TestFindPrefersFlagThenEnvironmentThenFile(t *testing.T) {
	t.Parallel()
	url, last := seen(t, func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("{}")) })
	home := t.TempDir()
	token := filepath.Join(home, "token")
	if err := os.WriteFile(token, []byte("wb_file\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	file := client.StateFile(env("HOME", home))
	if err := client.WriteState(file, client.State{URL: url, TokenFile: token}); err != nil {
		t.Fatal(err)
	}
	bare := strings.TrimPrefix(url, "http://")
	for name, tt := range map[string]struct {
		flag   string
		getenv func(string) string
		want   string
	}{
		"file":                   {"", env("HOME", home), "Bearer wb_file"},
		"flag, same server":      {url + "/", env("HOME", home), "Bearer wb_file"},
		"flag without scheme":    {bare, env("HOME", home), "Bearer wb_file"},
		"environment":            {"", env("HOME", home, "WAYBILL_SERVER", url, "WAYBILL_TOKEN", "wb_env"), "Bearer wb_env"},
		"token over file":        {"", env("HOME", home, "WAYBILL_TOKEN", "wb_env"), "Bearer wb_env"},
		"flag over environment":  {url, env("HOME", home, "WAYBILL_SERVER", "http://127.0.0.1:1"), "Bearer wb_file"},
		"no token for strangers": {strings.Replace(url, "127.0.0.1", "localhost", 1), env("HOME", home), ""},
		"no home":                {url, env(), ""},
	} {
		c, err := client.Find(tt.flag, tt.getenv)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		if _, err := c.Version(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if got := last.Load().Header.Get("Authorization"); got != tt.want {
			t.Errorf("%s: %q, want %q", name, got, tt.want)
		}
	}
	_, err := client.Find("", env("HOME", t.TempDir()))
	wantCode(t, err, waybill.NotFound)
}

func TestErrorsOfServers(t *testing.T) {
	t.Parallel()
	for name, tt := range map[string]struct {
		answer http.HandlerFunc
		code   waybill.Code
		text   string
	}{
		"problem": {func(w http.ResponseWriter, _ *http.Request) {
			w.WriteHeader(http.StatusConflict)
			_, _ = w.Write([]byte(`{"code":"conflict","detail":"it moved"}`))
		}, waybill.Conflict, "it moved"},
		"another server": {func(w http.ResponseWriter, _ *http.Request) {
			http.Error(w, "<h1>nginx</h1>", http.StatusBadGateway)
		}, waybill.Internal, "502 Bad Gateway"},
		"not JSON":  {func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte("hello")) }, waybill.Internal, "not that of a Waybill server"},
		"cut short": {func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) }, waybill.Unavailable, "no server answers"},
	} {
		url, _ := seen(t, tt.answer)
		_, err := client.New(url, "").Version(t.Context())
		wantCode(t, err, tt.code)
		if err == nil || !strings.Contains(err.Error(), tt.text) {
			t.Errorf("%s: %v, want %q in it", name, err, tt.text)
		}
	}
	_, err := client.New("http://bad host", "").Version(t.Context())
	wantCode(t, err, waybill.Invalid)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	url, _ := seen(t, func(http.ResponseWriter, *http.Request) {})
	if _, err := client.New(url, "").Version(ctx); ctx.Err() == nil || waybill.IsCode(err, waybill.Unavailable) {
		t.Errorf("cancelled: %v", err)
	}
}

func TestBrokenConnectionIsTriedAgainWithTheSameKey(t *testing.T) {
	t.Parallel()
	var calls atomic.Int32
	var keys [2]string
	url, _ := seen(t, func(w http.ResponseWriter, r *http.Request) {
		n := calls.Add(1)
		keys[n-1] = r.Header.Get("Idempotency-Key")
		if n == 1 {
			panic(http.ErrAbortHandler)
		}
		_, _ = w.Write([]byte(`{"id":"R"}`))
	})
	r, err := client.New(url, "wb_x").StartRun(t.Context(), wire.StartRun{Connector: "a", Site: "b"})
	if err != nil || r.ID != "R" || keys[0] == "" || keys[0] != keys[1] {
		t.Errorf("%+v, %v, keys %q", r, err, keys)
	}
}
