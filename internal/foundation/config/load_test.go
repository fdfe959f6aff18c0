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
		Runs:  config.Runs{Concurrency: 5}, Pulls: config.Pulls{Comment: "on-change"}, Forges: []config.Forge{},
		Poll: config.Poll{Plain: 30 * time.Second, Unhooked: time.Minute, Hooked: 5 * time.Minute},
		Retention: config.Retention{
			FailedLogs: 30 * 24 * time.Hour, Images: 5, Deliveries: 30 * 24 * time.Hour, Withdrawn: time.Hour,
		},
		Platform: config.Platform{Owner: "platform"},
		Log:      config.Log{Level: "info", Format: "text"},
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
		{name: "forges", file: `forges:
  - {name: plain, kind: gitea, url: "https://a.example.org", tokenFile: a}
  - {name: b, kind: gitea, tokenFile: b}
  - {name: b, kind: github}
  - {name: c, kind: gitlab, app: {id: 1, keyFile: k, hookSecretFile: s}}
  - {name: d, kind: github, tokenFile: t, tokenEnv: T}
  - {name: e, kind: github, tokenEnv: EMPTY}
`, want: `the configuration has 7 mistakes:
server.yaml:2:12: "plain" means plain Git (give the forge another name)
server.yaml:3:5: forge b has no address (add url: https://…)
server.yaml:4:5: forge b has no token (add tokenFile: or tokenEnv: or app:)
server.yaml:4:12: there are two forges called "b" (rename one)
server.yaml:5:29: only GitHub has Apps (use tokenFile or tokenEnv)
server.yaml:6:5: forge d has more than one of tokenFile, tokenEnv and app (keep one)
server.yaml:7:39: the environment variable EMPTY is empty (set it to the token of e)`},
		{name: "a forge as it must not be", file: `forges:
  - {name: a, kind: bitbucket, url: "https://ada:secret@git.example.org", token: x}
`, want: `the configuration has 3 mistakes:
server.yaml:2:21: unknown kind "bitbucket" (one of: github, gitea, gitlab)
server.yaml:2:37: "https://ada:secret@git.example.org" is not legal for forges[0].url (write an address such as https://git.example.org, without user and password)
server.yaml:2:75: unknown field "token" (legal here: name, kind, url, tokenFile, tokenEnv, app)`},
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

func TestLoadForges(t *testing.T) {
	t.Parallel()
	got, err := load(`
forges:
  - {name: gitea, kind: gitea, url: "https://git.example.org/", tokenFile: /run/secrets/gitea}
  - {name: github, kind: github, app: {id: 42, keyFile: key.pem, hookSecretFile: hook.secret}}
  - {name: gitlab, kind: gitlab, tokenEnv: GITLAB_TOKEN}
poll: {unhooked: 2m, hooked: 1h}
`, map[string]string{"GITLAB_TOKEN": "t"}, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.Forges = []config.Forge{
		{Name: "gitea", Kind: config.Gitea, URL: "https://git.example.org", TokenFile: "/run/secrets/gitea"},
		{Name: "github", Kind: config.GitHub, URL: "https://github.com", App: &config.App{ID: 42, KeyFile: "key.pem", HookSecretFile: "hook.secret"}},
		{Name: "gitlab", Kind: config.GitLab, URL: "https://gitlab.com", TokenEnv: "GITLAB_TOKEN"},
	}
	want.Poll.Unhooked, want.Poll.Hooked = 2*time.Minute, time.Hour
	if diff := cmp.Diff(want, got); diff != "" {
		t.Error(diff)
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
	if slices.ContainsFunc(keys, func(k config.Key) bool { return strings.HasPrefix(k.Path, "forges") }) {
		t.Error("there is a flag for the list of forges")
	}
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
