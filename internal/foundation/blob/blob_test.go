package blob_test

import (
	"context"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/blob"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func open(t *testing.T) (*blob.Store, string) {
	t.Helper()
	dir := t.TempDir()
	s, err := blob.Open(filepath.Join(dir, "logs"), time.Now)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s, filepath.Join(dir, "logs")
}

func write(t *testing.T, s *blob.Store, id, text string) {
	t.Helper()
	w, err := s.Append(id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, text); err != nil {
		t.Fatal(err)
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
}

func read(t *testing.T, s *blob.Store, id string) string {
	t.Helper()
	r, err := s.Open(id)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	text, err := io.ReadAll(r)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func TestAppendGoesOnWhereItEnded(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	write(t, s, "release/1/build", "one\n")
	write(t, s, "release/1/build", "two\n")
	if got := read(t, s, "release/1/build"); got != "one\ntwo\n" {
		t.Errorf("got %q", got)
	}
	if n, err := s.Size("release/1/build"); n != 8 || err != nil {
		t.Errorf("size %d, %v", n, err)
	}
	if err := s.Remove("release/1"); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Open("release/1/build"); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("after removing: %v", err)
	}
}

func TestIDsStayInTheFolder(t *testing.T) {
	t.Parallel()
	s, dir := open(t)
	if err := os.WriteFile(filepath.Join(filepath.Dir(dir), "secret"), []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink("../secret", filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"", ".", "..", "../secret", "/etc/passwd", "a//b", "a/../../secret", "a\x00b", "a b", "a\\b"} {
		if _, err := s.Append(id); !waybill.IsCode(err, waybill.Invalid) {
			t.Errorf("append %q: %v", id, err)
		}
		if _, err := s.Open(id); !waybill.IsCode(err, waybill.Invalid) {
			t.Errorf("open %q: %v", id, err)
		}
		if err := s.Remove(id); !waybill.IsCode(err, waybill.Invalid) {
			t.Errorf("remove %q: %v", id, err)
		}
	}
	if _, err := s.Open("link"); err == nil {
		t.Error("a link led out of the folder")
	}
}

func TestLimitEndsWithAMarker(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	w, err := s.Append("run/1/stdout")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	chunk := strings.Repeat("x", 1<<20)
	for range 20 {
		if n, err := io.WriteString(w, chunk); n != len(chunk) || err != nil {
			t.Fatalf("wrote %d, %v", n, err)
		}
	}
	text := read(t, s, "run/1/stdout")
	if want := 16<<20 + len("\n… truncated\n"); len(text) != want || !strings.HasSuffix(text, "x\n… truncated\n") {
		t.Errorf("%d bytes ending in %q, want %d", len(text), text[len(text)-20:], want)
	}
	if err := w.Truncate(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "again"); err != nil {
		t.Fatal(err)
	}
	if got := read(t, s, "run/1/stdout"); got != "again" {
		t.Errorf("after truncating: %q", got)
	}
}

func TestFollowSeesEverythingAndEnds(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	var done atomic.Bool
	var got [4]string
	var followers sync.WaitGroup
	for i := range got {
		r := s.Follow(t.Context(), "a/b", done.Load)
		followers.Go(func() {
			defer r.Close()
			text, err := io.ReadAll(r)
			if err != nil {
				t.Error(err)
			}
			got[i] = string(text)
		})
	}
	w, err := s.Append("a/b")
	if err != nil {
		t.Fatal(err)
	}
	want := ""
	for range 500 {
		want += "line\n"
		if _, err := io.WriteString(w, "line\n"); err != nil {
			t.Fatal(err)
		}
	}
	done.Store(true)
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	followers.Wait()
	for i := range got {
		if got[i] != want {
			t.Errorf("follower %d has %d bytes, want %d", i, len(got[i]), len(want))
		}
	}
}

func TestFollowIsWokenByEachWriteAndByTruncate(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	w, err := s.Append("a")
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	r := s.Follow(t.Context(), "a", func() bool { return false })
	defer r.Close()
	buf := make([]byte, 100)
	for _, text := range []string{"first, and longer", "second"} {
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
		if n, err := r.Read(buf); err != nil || string(buf[:n]) != text {
			t.Fatalf("read %q, %v; want %q", buf[:n], err, text)
		}
	}
	if err := w.Truncate(); err != nil {
		t.Fatal(err)
	}
	if _, err := io.WriteString(w, "a text that is longer than what was there before"); err != nil {
		t.Fatal(err)
	}
	if n, err := r.Read(buf); err != nil || string(buf[:n]) != "a text that is longer than what was there before" {
		t.Errorf("after truncating: %q, %v", buf[:n], err)
	}
}

func TestFollowEndsWithItsContext(t *testing.T) {
	t.Parallel()
	s, _ := open(t)
	ctx, cancel := context.WithCancel(t.Context())
	r := s.Follow(ctx, "never", func() bool { return false })
	defer r.Close()
	go cancel()
	if _, err := io.ReadAll(r); !waybill.IsCode(err, waybill.Unavailable) {
		t.Errorf("got %v", err)
	}
	if _, err := io.ReadAll(s.Follow(t.Context(), "../x", func() bool { return true })); !waybill.IsCode(err, waybill.Invalid) {
		t.Errorf("a strange id: %v", err)
	}
}

func TestSweepRemovesWhatIsOld(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var offset atomic.Int64
	s, err := blob.Open(dir, func() time.Time { return time.Now().Add(time.Duration(offset.Load())) })
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	write(t, s, "release/1/build", "x")
	if n, err := s.Sweep(time.Hour); n != 0 || err != nil {
		t.Fatalf("young: %d, %v", n, err)
	}
	offset.Store(int64(2 * time.Hour))
	if n, err := s.Sweep(time.Hour); n != 1 || err != nil {
		t.Fatalf("old: %d, %v", n, err)
	}
	if entries, err := os.ReadDir(dir); len(entries) != 0 || err != nil {
		t.Errorf("left over: %v, %v", entries, err)
	}
}
