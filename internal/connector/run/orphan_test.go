package run

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/waybill"
)

func TestSweep(t *testing.T) {
	t.Parallel()
	f := newFixture(t)
	running := f.crashed(t)
	f.goLive(2)
	f.assign(waybill.Assignment{Major: 2, Config: map[string]string{"base_url": "x"}})
	ended := f.start()
	f.runner.program = printing("", "", 0)
	f.handle(ended.ID, "done")
	start := func(name string, run string) {
		t.Helper()
		s := spec(waybill.Run{ID: run}, f.release, nil)
		s.Name = name
		if run == "" {
			s.Labels = nil
		}
		if _, err := f.runner.Start(t.Context(), s); err != nil {
			t.Fatal(err)
		}
	}
	start("left-after-its-end", ended.ID)
	start("of-an-unknown-run", "01UNKNOWN")
	start("old-check", "")
	f.clock.Add(orphanAge)
	start("check", "")
	removed, err := f.Sweep(t.Context())
	if err != nil || removed != 3 {
		t.Errorf("Sweep = %d, %v; want 3", removed, err)
	}
	if diff := cmp.Diff([]string{"check", containerName(running)}, f.runner.names()); diff != "" {
		t.Errorf("containers (-want +got):\n%s", diff)
	}
}
