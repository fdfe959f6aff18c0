package server_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/testkit"
)

// TestPostgres goes the whole way on PostgreSQL: push, tag, restart, run. Then it kills the server at some points of
// the way, as TestCrashPoints does on SQLite, and compares.
func TestPostgres(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "postgres")
	w.database = testkit.Postgres(t)
	want := pushAndTag(t, w, "", false)
	if !strings.Contains(want, "images 1\ncontainers 0\n") || !strings.Contains(want, "work left 0\n") {
		t.Fatalf("the undisturbed world is not in order:\n%s", want)
	}
	w.start()
	if diff := cmp.Diff(rows, w.waybill("runs", "start", w.connector, "--site", "feeds-dev", "--wait")); diff != "" {
		t.Errorf("standard output of the run (-want +got):\n%s", diff)
	}
	for _, point := range []string{
		"inbox.accept:after", "check.planned:before", "release.build.image:before", "release.dev.deploy:after", "release.prod.ok:before",
	} {
		t.Run(point, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, "pg-"+strings.NewReplacer(".", "-", ":", "-").Replace(point))
			w.database = testkit.Postgres(t)
			if diff := cmp.Diff(want, pushAndTag(t, w, point, strings.HasPrefix(point, "release.prod"))); diff != "" {
				t.Errorf("killed %s (-undisturbed +restarted):\n%s", point, diff)
			}
		})
	}
}
