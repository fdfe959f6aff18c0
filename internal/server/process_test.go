package server_test

import (
	"bytes"
	"os"
	"path/filepath"
)

// executing reports whether a process of the machine that belongs to a container of the engine has text in its command
// line. Steps of a build are no containers that the engine lists, but they are processes.
func (w *world) executing(text string) bool {
	w.t.Helper()
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	if err != nil {
		w.t.Fatal(err)
	}
	for _, file := range files {
		line, err := os.ReadFile(file)
		if err == nil && bytes.Contains(bytes.ReplaceAll(line, []byte{0}, []byte(" ")), []byte(text)) {
			return true
		}
	}
	return false
}
