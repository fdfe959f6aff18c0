package private_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/waybill-dev/waybill/internal/foundation/private"
)

func TestWrite(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "new", "folder")
	file := filepath.Join(dir, "token")
	for _, text := range []string{"one", "two"} {
		if err := private.Write(file, []byte(text)); err != nil {
			t.Fatal(err)
		}
		got, err := os.ReadFile(file)
		info, statErr := os.Stat(file)
		if err != nil || statErr != nil || string(got) != text || info.Mode().Perm() != 0o600 {
			t.Errorf("%q, %v, %v, %v", got, info, err, statErr)
		}
	}
	if left, err := os.ReadDir(dir); err != nil || len(left) != 1 {
		t.Errorf("the folder holds %v, %v", left, err)
	}
	if err := private.Write(filepath.Join(file, "x"), nil); err == nil {
		t.Error("a file was made below a file")
	}
}
