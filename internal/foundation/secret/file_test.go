package secret_test

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/waybill-dev/waybill/internal/foundation/secret"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// TestFile follows a file that is exchanged, also badly: what is read, and what is logged, after each change.
func TestFile(t *testing.T) {
	t.Parallel()
	name := filepath.Join(t.TempDir(), "secret")
	write := func(text string) func() error { return func() error { return os.WriteFile(name, []byte(text), 0o600) } }
	var log bytes.Buffer
	f := &secret.File{What: "key", Name: name, Log: slog.New(slog.NewTextHandler(&log, nil)), Check: func(found []byte) error {
		if strings.HasPrefix(string(found), "half") {
			return errors.New("no end")
		}
		return nil
	}}
	for _, c := range []struct {
		what   string
		change func() error
		want   string
		logged string
	}{
		{"not there yet", func() error { return nil }, "", ""},
		{"empty", write(" \n"), "", ""},
		{"half", write("half a key"), "", ""},
		{"there", write("word-1\n"), "word-1", ""},
		{"exchanged", write("word-2\n"), "word-2", ""},
		{"emptied", write(""), "word-2", "level=WARN"},
		{"still away", func() error { return os.Remove(name) }, "word-2", ""},
		{"half written", write("half a key"), "word-2", ""},
		{"back", write("three"), "three", "level=INFO"},
		{"too long", write(strings.Repeat("x", 70_000)), "three", "level=WARN"},
		{"a folder", func() error { return errors.Join(os.Remove(name), os.Mkdir(name, 0o700)) }, "three", ""},
	} {
		log.Reset()
		if err := c.change(); err != nil {
			t.Fatal(err)
		}
		got, err := f.Read()
		if string(got) != c.want || (c.want == "") != waybill.IsCode(err, waybill.Denied) {
			t.Errorf("%s: %q, %v, want %q", c.what, got, err, c.want)
		}
		if text := log.String(); !strings.Contains(text, c.logged) || c.logged == "" && text != "" || strings.Contains(text, "word-") {
			t.Errorf("%s: logged %q, want %q", c.what, text, c.logged)
		}
	}
}

// TestOptional: a secret that need not be there ends with its file, and stays while that cannot be read.
func TestOptional(t *testing.T) {
	t.Parallel()
	folder := filepath.Join(t.TempDir(), "secrets")
	name := filepath.Join(folder, "secret")
	var log bytes.Buffer
	f := &secret.File{What: "old secret", Name: name, Optional: true, Log: slog.New(slog.NewTextHandler(&log, nil))}
	for _, c := range []struct {
		what   string
		change func() error
		want   string
		logged bool
	}{
		{"no folder", func() error { return nil }, "", false},
		{"no folder, but a file", func() error { return os.WriteFile(folder, nil, 0o600) }, "", true},
		{"no file", func() error { return errors.Join(os.Remove(folder), os.Mkdir(folder, 0o700)) }, "", true},
		{"there", func() error { return os.WriteFile(name, []byte("word-1"), 0o600) }, "word-1", false},
		{"a folder", func() error { return errors.Join(os.Remove(name), os.Mkdir(name, 0o700)) }, "word-1", true},
		{"gone", func() error { return os.Remove(name) }, "", true},
		{"empty", func() error { return os.WriteFile(name, nil, 0o600) }, "", false},
	} {
		log.Reset()
		if err := c.change(); err != nil {
			t.Fatal(err)
		}
		if got, err := f.Read(); string(got) != c.want || err != nil || (log.Len() > 0) != c.logged {
			t.Errorf("%s: %q, %v, want %q; logged %q", c.what, got, err, c.want, log.String())
		}
	}
}

func BenchmarkFile(b *testing.B) {
	name := filepath.Join(b.TempDir(), "secret")
	if err := os.WriteFile(name, []byte("a secret of thirty-two characters"), 0o600); err != nil {
		b.Fatal(err)
	}
	f := &secret.File{What: "secret", Name: name, Log: slog.New(slog.DiscardHandler)}
	for b.Loop() {
		if _, err := f.Read(); err != nil {
			b.Fatal(err)
		}
	}
}
