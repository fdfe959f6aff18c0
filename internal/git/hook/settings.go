package hook

import (
	"crypto/rand"
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

// The settings lie in a folder of their own below the Git folder.
const (
	folder   = "waybill"
	fileName = "hook.json"
)

func settingsPath(gitDir string) string { return filepath.Join(gitDir, folder, fileName) }

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
// and the new file before it is in place, to hand them to whom the repository belongs. Denied when the way to the
// settings leads out of the Git folder.
func WriteSettings(gitDir string, s Settings, own func(*os.File) error) error {
	b, err := json.MarshalIndent(settingsFile{Server: s.Server, Hook: s.Hook, Secret: string(s.Secret)}, "", "  ")
	if err == nil {
		err = writeSettings(gitDir, append(b, '\n'), own)
	}
	if known := (*waybill.Error)(nil); err != nil && !errors.As(err, &known) {
		err = waybill.Wrap(waybill.Unavailable, err, settingsPath(gitDir)+" cannot be written")
	}
	return err
}

func writeSettings(gitDir string, content []byte, own func(*os.File) error) error {
	git, err := os.OpenRoot(gitDir)
	if err != nil {
		return err
	}
	defer func() { _ = git.Close() }()
	if err := git.Mkdir(folder, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	if info, err := git.Lstat(folder); err != nil || !info.IsDir() {
		return waybill.Wrap(waybill.Denied, err, filepath.Join(gitDir, folder)+" is no folder: remove it")
	}
	dir, err := git.OpenRoot(folder)
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	self, err := dir.Open(".")
	if err != nil {
		return err
	}
	if err := errors.Join(own(self), self.Close()); err != nil {
		return err
	}
	return Replace(dir, fileName, content, 0o600, own)
}

// RemoveSettings removes what WriteSettings wrote.
func RemoveSettings(gitDir string) error {
	git, err := os.OpenRoot(gitDir)
	if err != nil {
		return waybill.Wrap(waybill.Unavailable, err, "the Git folder cannot be opened")
	}
	defer func() { _ = git.Close() }()
	err = git.Remove(filepath.Join(folder, fileName))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return waybill.Wrap(waybill.Unavailable, err, "the hook's settings cannot be removed")
	}
	_ = git.Remove(folder) // stays when it holds something else
	return nil
}

// Replace writes a file of a folder whole or not at all; own is called with it before it is in place. Files are handed
// over open, not by name: whoever owns the folder may put another file in the place of a name at any time.
func Replace(dir *os.Root, name string, content []byte, mode fs.FileMode, own func(*os.File) error) error {
	temporary := "." + name + "." + rand.Text()
	f, err := dir.OpenFile(temporary, os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err = errors.Join(err, f.Chmod(mode)); err == nil {
		err = own(f)
	}
	if err = errors.Join(err, f.Close()); err == nil {
		err = dir.Rename(temporary, name)
	}
	if err != nil {
		_ = dir.Remove(temporary)
	}
	return err
}
