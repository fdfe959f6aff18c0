package config_test

import (
	"io/fs"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/foundation/config"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func load(text string, env, flags map[string]string) (config.Config, error) {
	return config.Load(config.Options{
		File:     "server.yaml",
		ReadFile: func(string) ([]byte, error) { return []byte(text), nil },
		Getenv:   func(name string) string { return env[name] },
		Flags:    flags,
	})
}

func defaults() config.Config {
	return config.Config{
		Data: ".waybill", Database: ".waybill/waybill.db", Listen: "127.0.0.1:8080", AdminListen: "127.0.0.1:8081",
		Build: config.Build{AllowHosts: []string{}, Concurrency: 2, MinFreeBytes: 2 << 30},
		Runs:  config.Runs{Concurrency: 5}, Poll: config.Poll{Plain: 30 * time.Second},
		Retention: config.Retention{FailedLogs: 30 * 24 * time.Hour, Images: 5},
		Platform:  config.Platform{Owner: "platform"},
		Log:       config.Log{Level: "info", Format: "text"},
	}
}

func TestLoadNothing(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]config.Options{
		"no options":   {},
		"empty file":   {File: "x", ReadFile: func(string) ([]byte, error) { return nil, nil }},
		"comment only": {File: "x", ReadFile: func(string) ([]byte, error) { return []byte("# nothing\n"), nil }},
	} {
		got, err := config.Load(o)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if diff := cmp.Diff(defaults(), got); diff != "" {
			t.Errorf("%s: %s", name, diff)
		}
	}
}

func TestLoadOrder(t *testing.T) {
	t.Parallel()
	got, err := load(`
data: /var/lib/waybill
listen: ":9000"
publicURL: https://waybill.example.org/
docker: {host: "unix:///run/docker.sock"}
registry: {prefix: registry.example.org/waybill}
build:
  allowHosts: [example.org]
  minFree: 500Mi
log: {level: debug}
`, map[string]string{
		"WAYBILL_LISTEN": ":9001", "WAYBILL_BUILD_ALLOW_HOSTS": "a.example.org, *.b.example.org", "WAYBILL_BUILD_CONCURRENCY": "4",
		"WAYBILL_REGISTRY_INSECURE": "true", "WAYBILL_LOG_LEVEL": "warn", "WAYBILL_POLL_PLAIN": "1m",
	}, map[string]string{"listen": ":9002", "database": "postgres://db/waybill", "log-format": "json"})
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.Data, want.Database, want.Listen = "/var/lib/waybill", "postgres://db/waybill", ":9002"
	want.PublicURL = "https://waybill.example.org"
	want.Docker.Host = "unix:///run/docker.sock"
	want.Registry = config.Registry{Prefix: "registry.example.org/waybill"}
	want.Build = config.Build{AllowHosts: []string{"a.example.org", "*.b.example.org"}, Concurrency: 4, MinFreeBytes: 500 << 20}
	want.Poll.Plain = time.Minute
	want.Log = config.Log{Level: "warn", Format: "json"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
	}
}

func TestLoadMistakes(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, file string
		env, flags map[string]string
		want       string
	}{
		{name: "all at once", file: "listn: ':80'\nbuild:\n  concurrency: 0\n  minFree: lots\nlog:\n  level: loud\n", want: `the configuration has 4 mistakes:
server.yaml:1:1: unknown field "listn" (did you mean "listen"?)
server.yaml:3:16: 0 is not legal for build.concurrency (write a whole number from 1 to 100)
server.yaml:4:12: "lots" is not legal for build.minFree (write an amount such as 2Gi or 500Mi)
server.yaml:6:10: unknown level "loud" (one of: info, debug, warn, error)`},
		{name: "environment", env: map[string]string{"WAYBILL_LISTEN": "here", "WAYBILL_RUNS_CONCURRENCY": "many"}, want: `the configuration has 2 mistakes:
WAYBILL_LISTEN: "here" is not legal for listen (write host:port, such as 127.0.0.1:8080)
WAYBILL_RUNS_CONCURRENCY: runs.concurrency is text, not a whole number (write a whole number from 1 to 1000)`},
		{name: "list entry of a flag", flags: map[string]string{"build-allow-hosts": "a.example.org,http://b"}, want: `the configuration has 1 mistake:
--build-allow-hosts: "http://b" is not legal for build.allowHosts[1] (write a host name such as proxy.golang.org)`},
		{name: "empty flag", flags: map[string]string{"data": ""}, want: `the configuration has 1 mistake:
--data: data is empty`},
		{name: "wrong kind", file: "build: 3\n", want: `the configuration has 1 mistake:
server.yaml:1:8: build is a whole number, not a mapping (its fields are: allowHosts, concurrency, minFree)`},
		{name: "not YAML", file: "listen: [\n", want: `the configuration has 1 mistake:
server.yaml:1:1: a value was expected here (check brackets, braces and commas)`},
		{name: "two documents", file: "data: a\n---\ndata: b\n", want: `the configuration has 1 mistake:
server.yaml:3:1: the file has more than one document (delete the others)`},
		{name: "a list", file: "- data\n", want: `the configuration has 1 mistake:
server.yaml:1:1: the document is a list, not a mapping (write "key: value" lines)`},
		{name: "no time at all", file: "poll: {plain: 0s}\n", want: `the configuration has 1 mistake:
poll.plain: "0s" is not legal (write a duration above 0s)`},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			_, err := load(c.file, c.env, c.flags)
			if !waybill.IsCode(err, waybill.Invalid) {
				t.Fatalf("Load = %v, want Invalid", err)
			}
			if diff := cmp.Diff(c.want, err.Error()); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestLoadMissingFile(t *testing.T) {
	t.Parallel()
	_, err := config.Load(config.Options{File: "gone.yaml", ReadFile: func(string) ([]byte, error) { return nil, fs.ErrNotExist }})
	if !waybill.IsCode(err, waybill.NotFound) || !strings.Contains(err.Error(), "gone.yaml") {
		t.Errorf("Load = %v", err)
	}
}

func TestKeys(t *testing.T) {
	t.Parallel()
	keys, err := config.Keys()
	if err != nil {
		t.Fatal(err)
	}
	flags := map[string]string{}
	for _, k := range keys {
		if !strings.HasSuffix(k.Doc, ".") {
			t.Errorf("%s has no doc comment", k.Path)
		}
		flags[k.Flag] = k.Env + " " + k.Default
	}
	for flag, want := range map[string]string{
		"data": "WAYBILL_DATA .waybill", "admin-listen": "WAYBILL_ADMIN_LISTEN 127.0.0.1:8081", "public-url": "WAYBILL_PUBLIC_URL ",
		"build-min-free": "WAYBILL_BUILD_MIN_FREE 2Gi", "platform-owner": "WAYBILL_PLATFORM_OWNER platform",
	} {
		if flags[flag] != want {
			t.Errorf("--%s is %q, want %q; flags are %v", flag, flags[flag], want, slices.Sorted(maps.Keys(flags)))
		}
	}
}
