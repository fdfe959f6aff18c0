package repo

import (
	"context"
	"os"
	"path/filepath"
	"strings"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// From how many packs, or single objects in one of their 256 folders, on a mirror is repacked: as `git gc --auto` does.
const (
	manyPacks   = 20
	manyObjects = 27
)

// Tidy repacks the mirrors of a list that are in pieces, and removes those of repositories that are not in it. The list
// is asked for after the folder was read, so that a mirror that is made meanwhile stays.
func (s *Mirrors) Tidy(ctx context.Context, list func(context.Context) ([]waybill.Repository, error)) error {
	folders, err := filepath.Glob(filepath.Join(s.dir, "*.git"))
	if err != nil {
		return waybill.Wrap(waybill.Internal, err, "the folder of mirrors cannot be read")
	}
	repositories, err := list(ctx)
	if err != nil {
		return err
	}
	watched := make(map[string]waybill.Repository, len(repositories))
	for _, r := range repositories {
		watched[r.ID] = r
	}
	for _, folder := range folders {
		id := strings.TrimSuffix(filepath.Base(folder), ".git")
		r, ok := watched[id]
		switch {
		case ctx.Err() != nil:
			return ctx.Err()
		case !ok:
			err = s.Remove(ctx, waybill.Repository{ID: id})
		case files(folder, "pack", ".pack") >= manyPacks, files(folder, "17", "") >= manyObjects:
			err = s.Repack(ctx, r)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// files counts the files with a suffix in a folder of objects.
func files(mirror, folder, suffix string) int {
	entries, err := os.ReadDir(filepath.Join(mirror, "objects", folder))
	if err != nil {
		return 0 // nothing was fetched yet
	}
	n := 0
	for _, e := range entries {
		if strings.HasSuffix(e.Name(), suffix) {
			n++
		}
	}
	return n
}
