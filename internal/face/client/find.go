package client

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/private"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// State is what a server leaves for the command line on the same machine.
type State struct {
	URL       string `json:"url"`        // where it answers
	TokenFile string `json:"token_file"` // absolute path of a file that holds an admin token
}

// StateFile returns the path of the state file: $XDG_STATE_HOME/waybill/server.json, by default below ~/.local/state.
// getenv is os.Getenv outside tests. The path is empty when there is no home.
func StateFile(getenv func(string) string) string {
	dir := getenv("XDG_STATE_HOME")
	if dir == "" {
		home := getenv("HOME")
		if home == "" {
			return ""
		}
		dir = filepath.Join(home, ".local", "state")
	}
	return filepath.Join(dir, "waybill", "server.json")
}

// WriteState leaves s in file, readable by its owner only, in one step.
func WriteState(file string, s State) error {
	text, err := json.Marshal(s)
	if err != nil {
		return waybill.Wrap(waybill.Internal, err, "cannot write the state of the server")
	}
	if err := private.Write(file, append(text, '\n')); err != nil {
		return waybill.Wrap(waybill.Unavailable, err, "cannot write "+file)
	}
	return nil
}

// RemoveState removes file if it still speaks of the server at url. Another server may have started meanwhile.
func RemoveState(file, url string) error {
	s, err := ReadState(file)
	if waybill.IsCode(err, waybill.NotFound) || err == nil && s.URL != url {
		return nil
	}
	if err != nil {
		return err
	}
	if err := os.Remove(file); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return waybill.Wrap(waybill.Unavailable, err, "cannot remove "+file)
	}
	return nil
}

// ReadState reads what a server left, or reports NotFound.
func ReadState(file string) (State, error) {
	text, err := os.ReadFile(file) //nolint:gosec // The path is the user's own state folder.
	if errors.Is(err, fs.ErrNotExist) {
		return State{}, waybill.Errorf(waybill.NotFound, "no server left its address in %s", file)
	}
	var s State
	if err == nil {
		err = json.Unmarshal(text, &s)
	}
	if err != nil {
		return State{}, waybill.Errorf(waybill.Invalid, "cannot read %s: %w", file, err)
	}
	return s, nil
}

// Find returns a client of the server that a person means: server when it is not empty (the flag), else WAYBILL_SERVER,
// else the one that left its address on this machine. The token is WAYBILL_TOKEN, else the one beside that address.
// NotFound: there is no server to be found.
func Find(server string, getenv func(string) string) (*Client, error) {
	if server == "" {
		server = getenv("WAYBILL_SERVER")
	}
	token := getenv("WAYBILL_TOKEN")
	left, err := ReadState(StateFile(getenv))
	switch {
	case server == "" && waybill.IsCode(err, waybill.NotFound):
		return nil, waybill.Errorf(waybill.NotFound, "no server found: start one with `waybill serve`, or pass --server")
	case server == "" && err != nil:
		return nil, err
	case server == "":
		server = left.URL
	}
	if !strings.Contains(server, "://") {
		server = "http://" + server
	}
	c := New(server, token)
	if token == "" && err == nil && c.server == strings.TrimRight(left.URL, "/") {
		text, err := os.ReadFile(left.TokenFile)
		if err != nil {
			return nil, waybill.Errorf(waybill.Denied, "cannot read the token of the server on this machine (set WAYBILL_TOKEN instead): %w", err)
		}
		c.token = strings.TrimSpace(string(text))
	}
	return c, nil
}
