package plain

import (
	"bytes"
	"context"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/waybill-dev/waybill/internal/git/binary"
	"github.com/waybill-dev/waybill/internal/git/hook"
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/webhooks"
)

// mark is in the second line of every hook file that is ours.
const mark = "# waybill post-receive hook."

// script hands the refs to the hook that was there before, then to Waybill. It is run by any POSIX shell, in the Git
// folder. %binary% stands for the quoted path of the program.
const script = `#!/bin/sh
` + mark + ` Written by "waybill repo add", removed by "waybill repo remove".
# It reports pushed refs and shows what comes of them. It cannot refuse a push.
before=${0%/*}/post-receive.before-waybill
waybill=%binary%
[ -x "$waybill" ] || waybill=$(command -v waybill)
report() {
	if [ -n "$waybill" ]; then
		"$waybill" hook post-receive || :
	elif [ -e "${GIT_DIR:-.}/waybill/hook.json" ]; then
		echo "waybill: the program "%binary%" is gone; the push is stored and found by polling"
	fi
}
[ -x "$before" ] || { report; exit 0; }
refs=$(cat)
status=0
printf '%s\n' "$refs" | "$before" "$@" || status=$?
printf '%s\n' "$refs" | report
exit "$status"
`

// InstallHook makes a local repository report its pushes to the server at base URL server: it puts a post-receive
// hook that runs the program at binary into the repository's hooks folder (core.hooksPath is honoured), and the hook's
// settings into its Git folder, for its owner only. A hook that is there already is moved aside and run first.
// Installing again renews both. NotFound when there is no repository; Conflict when two hooks would have to be chained.
func InstallHook(ctx context.Context, r waybill.Repository, program, server string) error {
	dir, owner, hooks, err := hookPlaces(ctx, r)
	if err != nil {
		return err
	}
	settings := hook.Settings{Server: strings.TrimRight(server, "/"), Hook: r.Hook, Secret: webhooks.Secret(r.HookSecret)}
	if err := hook.WriteSettings(dir, settings, owner.Give); err != nil {
		return err
	}
	// Without this option git push -o waybill.nowait would be refused.
	config := binary.Command(ctx, dir, "config", "receive.advertisePushOptions", "true")
	if _, err := binary.Run(binary.As(config, owner), nil); err != nil {
		return err
	}
	folder, err := openHooks(dir, hooks, owner)
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }()
	return place(folder, owner, []byte(strings.ReplaceAll(script, "%binary%", quote(program))))
}

// The names in a hooks folder.
const (
	hookName   = "post-receive"
	beforeName = hookName + ".before-waybill"
)

// openHooks opens a hooks folder, which it makes when it is not there. core.hooksPath and links in a repository are its
// owner's to set: they may not lead a Waybill that runs as root to where that owner may not write.
func openHooks(dir, hooks string, owner binary.Owner) (*os.Root, error) {
	if _, err := os.Stat(hooks); errors.Is(err, fs.ErrNotExist) {
		if err := makeHooks(dir, hooks, owner); err != nil {
			return nil, waybill.Wrap(waybill.Unavailable, err, "the hooks folder cannot be made")
		}
	}
	folder, err := os.OpenRoot(hooks)
	if err != nil {
		return nil, waybill.Wrap(waybill.Unavailable, err, "the hooks folder cannot be opened")
	}
	if err := owner.Mine(folder, hooks); err != nil {
		_ = folder.Close()
		return nil, err
	}
	return folder, nil
}

// makeHooks makes a hooks folder as its owner.
func makeHooks(dir, hooks string, owner binary.Owner) error {
	if !owner.Foreign() {
		return os.MkdirAll(hooks, 0o755) //nolint:gosec // G301: git makes it as readable as that
	}
	inside, err := filepath.Rel(dir, hooks)
	if err != nil {
		return err
	}
	root, err := os.OpenRoot(dir) // no way out of it
	if err != nil {
		return err
	}
	defer func() { _ = root.Close() }()
	if err := root.Mkdir(inside, 0o755); err != nil {
		return err
	}
	f, err := root.Open(inside)
	if err != nil {
		return err
	}
	return errors.Join(owner.Give(f), f.Close())
}

// place puts our hook into a hooks folder and moves another's aside.
func place(hooks *os.Root, owner binary.Owner, content []byte) error {
	ours, err := isOurs(hooks)
	if err != nil {
		return err
	}
	_, there := hooks.Lstat(hookName)
	if !ours && there == nil {
		if _, err := hooks.Lstat(beforeName); err == nil {
			return waybill.Errorf(waybill.Conflict, "%s and %s in %s are both not Waybill's: make one of the two, and add the repository again",
				hookName, beforeName, hooks.Name())
		}
		if err := hooks.Rename(hookName, beforeName); err != nil {
			return waybill.Wrap(waybill.Unavailable, err, "the hook that is there cannot be moved aside")
		}
	}
	if err := hook.Replace(hooks, hookName, content, 0o755, owner.Give); err != nil {
		return waybill.Wrap(waybill.Unavailable, err, "the hook cannot be written")
	}
	return nil
}

// RemoveHook undoes InstallHook: the settings go, and so does the hook unless somebody replaced it; what it had moved
// aside comes back. A hooks folder outside the repository may serve several:
// it keeps the hook, which does nothing without settings.
func RemoveHook(ctx context.Context, r waybill.Repository) error {
	dir, owner, hooks, err := hookPlaces(ctx, r)
	if waybill.IsCode(err, waybill.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := hook.RemoveSettings(dir); err != nil {
		return err
	}
	if _, err := os.Stat(hooks); err != nil || !strings.HasPrefix(hooks, dir+"/") {
		return nil // there is nothing of ours
	}
	folder, err := openHooks(dir, hooks, owner)
	if err != nil {
		return err
	}
	defer func() { _ = folder.Close() }()
	if ours, err := isOurs(folder); err != nil || !ours {
		return err
	}
	err = folder.Rename(beforeName, hookName)
	if errors.Is(err, fs.ErrNotExist) {
		err = folder.Remove(hookName)
	}
	if err != nil {
		return waybill.Wrap(waybill.Unavailable, err, "the hook cannot be removed")
	}
	return nil
}

// hookPlaces returns the Git folder of a local repository, who owns it, and where git looks for its hooks.
func hookPlaces(ctx context.Context, r waybill.Repository) (dir string, owner binary.Owner, hooks string, err error) {
	if !r.Local() {
		return "", owner, "", waybill.Errorf(waybill.Invalid, "%s is reached by URL: its hooks are out of reach", r.FullName())
	}
	if dir, err = gitDir(r.URL); err != nil {
		return "", owner, "", err
	}
	if owner, err = binary.OwnerOf(dir); err != nil {
		return "", owner, "", err
	}
	out, err := binary.Output(ctx, dir, nil, "rev-parse", "--git-path", "hooks")
	if err != nil {
		return "", owner, "", err
	}
	hooks = strings.TrimRight(string(out), "\n")
	if !filepath.IsAbs(hooks) {
		hooks = filepath.Join(dir, hooks)
	}
	return dir, owner, hooks, nil
}

// isOurs reports whether the hook of a folder is one that InstallHook wrote; false when there is none, or a link.
func isOurs(hooks *os.Root) (bool, error) {
	info, err := hooks.Lstat(hookName)
	if errors.Is(err, fs.ErrNotExist) || err == nil && !info.Mode().IsRegular() {
		return false, nil
	}
	var b []byte
	if err == nil {
		b, err = hooks.ReadFile(hookName)
	}
	if err != nil {
		return false, waybill.Wrap(waybill.Unavailable, err, "the hook that is there cannot be read")
	}
	_, rest, _ := bytes.Cut(b, []byte("\n"))
	return bytes.HasPrefix(rest, []byte(mark)), nil
}

// quote makes text one word of a POSIX shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
