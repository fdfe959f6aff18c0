package cli

import (
	"context"
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/git/binary"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// resolve returns the commit that a person's ref names in the repository at root.
func resolve(ctx context.Context, root, ref string) (string, error) {
	out, err := binary.Output(ctx, root, nil, "rev-parse", "--verify", "--quiet", "--end-of-options", ref+"^{commit}")
	switch {
	case binary.ExitCode(err) > 0:
		return "", misuse("%s names no commit here", ref)
	case err != nil:
		return "", err
	}
	return strings.TrimSpace(string(out)), nil
}

// mergeBase returns the newest commit that ref and HEAD of the repository at root have in common.
func mergeBase(ctx context.Context, root, ref string) (string, error) {
	commit, err := resolve(ctx, root, ref)
	if err != nil {
		return "", err
	}
	out, err := binary.Output(ctx, root, nil, "merge-base", commit, "HEAD")
	switch {
	case binary.ExitCode(err) > 0:
		return "", misuse("%s and HEAD have no commit in common", ref)
	case err != nil:
		return "", err
	}
	return strings.TrimSpace(string(out)), nil
}

// changedSince lists the files that differ between the merge base with ref and the working tree at root, with what is
// gone and what Git does not know yet.
func changedSince(ctx context.Context, root, ref string) ([]string, error) {
	base, err := mergeBase(ctx, root, ref)
	if err != nil {
		return nil, err
	}
	var names []string
	for _, args := range [][]string{
		{"diff", "--name-only", "--no-renames", "--ignore-submodules", "-z", base, "--"},
		{"ls-files", "--others", "--exclude-standard", "-z"},
	} {
		out, err := binary.Output(ctx, root, nil, args...)
		if err != nil {
			return nil, waybill.Wrap(waybill.Unavailable, err, "git cannot say what changed since "+ref)
		}
		names = append(names, strings.Split(string(out), "\x00")...)
	}
	return slices.DeleteFunc(names, func(name string) bool { return name == "" }), nil
}
