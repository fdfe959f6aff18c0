package hook

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/webhooks"
)

// Settings is what a repository's hook knows of its server. It lies in the Git folder, readable by its owner only.
type Settings struct {
	Server string          // base URL of the server, without slash at the end
	Hook   string          // opaque id in the hook's address
	Secret webhooks.Secret // signs what is sent
}

// settingsFile is Settings on disk.
type settingsFile struct {
	Server string `json:"server"`
	Hook   string `json:"hook"`
	Secret string `json:"secret"`
}

// settingsPath is where the settings lie below the Git folder.
func settingsPath(gitDir string) string { return filepath.Join(gitDir, "waybill", "hook.json") }

// ReadSettings reads the settings below a Git folder. NotFound when there are none, Denied when they may not be
// read, Invalid when they make no sense.
func ReadSettings(gitDir string) (Settings, error) {
	path := settingsPath(gitDir)
	b, err := os.ReadFile(path) //nolint:gosec // G304: the Git folder is where git runs the hook
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return Settings{}, waybill.Wrap(waybill.NotFound, err, "there is no "+path)
	case errors.Is(err, fs.ErrPermission):
		return Settings{}, waybill.Wrap(waybill.Denied, err, path+" may not be read by this user")
	case err != nil:
		return Settings{}, waybill.Wrap(waybill.Unavailable, err, path+" cannot be read")
	}
	var f settingsFile
	if err := json.Unmarshal(b, &f); err != nil || f.Server == "" || f.Hook == "" || f.Secret == "" {
		return Settings{}, waybill.Wrap(waybill.Invalid, err, path+" is damaged")
	}
	return Settings{Server: f.Server, Hook: f.Hook, Secret: webhooks.Secret(f.Secret)}, nil
}

// WriteSettings writes s below a Git folder, whole or not at all, with mode 0600. own is called with the new folder
// and the new file before it is in place, to hand them to whom the repository belongs.
func WriteSettings(gitDir string, s Settings, own func(path string) error) error {
	path := settingsPath(gitDir)
	b, err := json.MarshalIndent(settingsFile{Server: s.Server, Hook: s.Hook, Secret: string(s.Secret)}, "", "  ")
	if err == nil {
		err = os.MkdirAll(filepath.Dir(path), 0o700)
	}
	if err == nil {
		err = own(filepath.Dir(path))
	}
	if err == nil {
		err = Replace(path, append(b, '\n'), 0o600, own)
	}
	if err != nil {
		return waybill.Wrap(waybill.Unavailable, err, path+" cannot be written")
	}
	return nil
}

// RemoveSettings removes what WriteSettings wrote.
func RemoveSettings(gitDir string) error {
	err := os.Remove(settingsPath(gitDir))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return waybill.Wrap(waybill.Unavailable, err, "the hook's settings cannot be removed")
	}
	_ = os.Remove(filepath.Dir(settingsPath(gitDir))) // stays when it holds something else
	return nil
}

// Replace writes a file whole or not at all; own is called with it before it is in place.
func Replace(path string, content []byte, mode fs.FileMode, own func(path string) error) error {
	f, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+".*")
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	err = errors.Join(err, f.Chmod(mode), f.Close())
	if err == nil {
		err = own(f.Name())
	}
	if err == nil {
		err = os.Rename(f.Name(), path)
	}
	if err != nil {
		_ = os.Remove(f.Name())
	}
	return err
}
