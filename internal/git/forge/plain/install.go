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
	return place(hooks, owner, []byte(strings.ReplaceAll(script, "%binary%", quote(program))))
}

// place puts our hook into a hooks folder and moves another's aside.
func place(hooks string, owner binary.Owner, content []byte) error {
	path := filepath.Join(hooks, "post-receive")
	before := path + ".before-waybill"
	if err := os.MkdirAll(hooks, 0o755); err != nil { //nolint:gosec // G301: git makes it as readable as that
		return waybill.Wrap(waybill.Unavailable, err, "the hooks folder cannot be made")
	}
	ours, err := isOurs(path)
	if err != nil {
		return err
	}
	_, there := os.Lstat(path)
	if !ours && there == nil {
		if _, err := os.Lstat(before); err == nil {
			return waybill.Errorf(waybill.Conflict, "%s and %s are both not Waybill's: make one of the two, and add the repository again", path, before)
		}
		if err := os.Rename(path, before); err != nil {
			return waybill.Wrap(waybill.Unavailable, err, "the hook that is there cannot be moved aside")
		}
	}
	if err := hook.Replace(path, content, 0o755, owner.Give); err != nil {
		return waybill.Wrap(waybill.Unavailable, err, "the hook cannot be written")
	}
	return nil
}

// RemoveHook undoes InstallHook: the settings go, and so does the hook unless somebody replaced it; what it had moved
// aside comes back. A hooks folder outside the repository may serve several:
// it keeps the hook, which does nothing without settings.
func RemoveHook(ctx context.Context, r waybill.Repository) error {
	dir, _, hooks, err := hookPlaces(ctx, r)
	if waybill.IsCode(err, waybill.NotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := hook.RemoveSettings(dir); err != nil {
		return err
	}
	path := filepath.Join(hooks, "post-receive")
	if ours, err := isOurs(path); err != nil || !ours || !strings.HasPrefix(hooks, dir+"/") {
		return err
	}
	err = os.Rename(path+".before-waybill", path)
	if errors.Is(err, fs.ErrNotExist) {
		err = os.Remove(path)
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

// isOurs reports whether the file at path is a hook that InstallHook wrote; false when there is none.
func isOurs(path string) (bool, error) {
	b, err := os.ReadFile(path) //nolint:gosec // G304: a hooks folder that git named
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	if err != nil {
		return false, waybill.Wrap(waybill.Unavailable, err, "the hook that is there cannot be read")
	}
	_, rest, _ := bytes.Cut(b, []byte("\n"))
	return bytes.HasPrefix(rest, []byte(mark)), nil
}

// quote makes text one word of a POSIX shell.
func quote(text string) string { return "'" + strings.ReplaceAll(text, "'", `'\''`) + "'" }
