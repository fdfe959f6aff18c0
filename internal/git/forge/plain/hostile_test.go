package plain_test

import (
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/waybill-dev/waybill/internal/git/forge/plain"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// TestInstallHookStaysInTheRepository: the owner of a repository must not make a Waybill that runs as root write, or
// give away, what belongs to somebody else.
func TestInstallHookStaysInTheRepository(t *testing.T) {
	t.Parallel()
	if os.Geteuid() != 0 {
		return // nothing can be owned by somebody else
	}
	for name, lure := range map[string]func(f *fixture, victim string){
		"settings folder": func(f *fixture, victim string) { symlink(t, victim, filepath.Join(f.bare, "waybill")) },
		"hooks folder": func(f *fixture, victim string) {
			hooks := filepath.Join(f.bare, "hooks")
			if err := os.RemoveAll(hooks); err != nil {
				t.Fatal(err)
			}
			symlink(t, victim, hooks)
		},
		"core.hooksPath": func(f *fixture, victim string) { f.git.Run(f.bare, "config", "core.hooksPath", victim) },
	} {
		f := newFixture(t)
		victim := filepath.Join(f.git.Dir, "etc")
		if err := os.Mkdir(victim, 0o755); err != nil {
			t.Fatal(err)
		}
		lure(f, victim)
		f.git.GiveAway(f.bare)
		err := plain.InstallHook(t.Context(), f.repository, "/opt/waybill", "http://h")
		if !waybill.IsCode(err, waybill.Denied) {
			t.Errorf("%s: got %v, want denied", name, err)
		}
		if entries, err := os.ReadDir(victim); err != nil || len(entries) > 0 {
			t.Errorf("%s: left %v, %v", name, entries, err)
		}
		var info syscall.Stat_t
		if err := syscall.Stat(victim, &info); err != nil || info.Uid != 0 {
			t.Errorf("%s: the folder was given away: %v", name, err)
		}
	}
}

func symlink(t *testing.T, target, path string) {
	t.Helper()
	if err := os.Symlink(target, path); err != nil {
		t.Fatal(err)
	}
}
