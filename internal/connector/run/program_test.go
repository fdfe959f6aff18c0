package run

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/connector/runner"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func TestSpec(t *testing.T) {
	t.Parallel()
	r := waybill.Run{
		ID: "01ABC", Connector: "shop-feed", Major: 2, Site: "feeds-dev", Environment: waybill.Dev, Image: "sha256:1",
	}
	always := func(version string, more ...string) map[string]string {
		env := map[string]string{
			"WAYBILL_RUN_ID": "01ABC", "WAYBILL_CONNECTOR": "shop-feed", "WAYBILL_VERSION": version,
			"WAYBILL_SITE": "feeds-dev", "WAYBILL_ENVIRONMENT": "dev",
		}
		for i := 0; i < len(more); i += 2 {
			env[more[i]] = more[i+1]
		}
		return env
	}
	for name, test := range map[string]struct {
		change  change
		semver  string
		values  map[string]string
		command []string
		env     map[string]string
	}{
		"environment": {
			values:  map[string]string{"base_url": "https://x", "page-size": "10"},
			command: []string{"/bin/feed", "import"},
			env:     always("c0ffee", "BASE_URL", "https://x", "PAGE_SIZE", "10"),
		},
		"arguments": {
			change:  func(c *waybill.Connector) { c.Mode = "arguments" },
			values:  map[string]string{"page-size": "", "base_url": "a b=c --x"},
			command: []string{"/bin/feed", "import", "--base_url=a b=c --x", "--page-size="},
			env:     always("c0ffee"),
		},
		"semver": {semver: "1.2.0", command: []string{"/bin/feed", "import"}, env: always("1.2.0")},
		"no field can claim our names": {
			change:  func(c *waybill.Connector) { c.Fields = []waybill.Field{{Key: "waybill_run_id"}} },
			values:  map[string]string{"waybill_run_id": "forged"},
			command: []string{"/bin/feed", "import"},
			env:     always("c0ffee"),
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := declared()
			if test.change != nil {
				test.change(c)
			}
			release := waybill.Release{Commit: "c0ffee", Semver: test.semver, Declaration: waybill.Declaration{Connector: c}}
			want := runner.Spec{
				Name: "waybill-run-01abc", Image: "sha256:1", Command: test.command, Env: test.env, Network: true,
				Labels: map[string]string{
					"dev.waybill.run": "01ABC", "dev.waybill.connector": "shop-feed@2", "dev.waybill.site": "feeds-dev",
				},
				Limits: runner.Limits{CPU: "0.5", Memory: 64 << 20},
			}
			if diff := cmp.Diff(want, spec(r, release, test.values)); diff != "" {
				t.Errorf("spec (-want +got):\n%s", diff)
			}
		})
	}
}

func TestArgumentsAreNotShared(t *testing.T) {
	t.Parallel()
	c := declared(func(c *waybill.Connector) {
		c.Mode = "arguments"
		c.Application.Arguments = append(make([]string, 0, 10), "import")
	})
	release := waybill.Release{Declaration: waybill.Declaration{Connector: c}}
	a := spec(waybill.Run{}, release, map[string]string{"base_url": "a"})
	b := spec(waybill.Run{}, release, map[string]string{"base_url": "b"})
	if a.Command[2] != "--base_url=a" || b.Command[2] != "--base_url=b" {
		t.Errorf("commands %q and %q share memory", a.Command, b.Command)
	}
}
