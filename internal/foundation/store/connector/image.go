package connector

import (
	"context"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
)

// Image is a built image, identified by the content it was built from.
type Image struct {
	Context, Recipe string // digests
	Image           string // its id in the engine
	RepoDigest      string // its name in a registry; empty until pushed
	FirstCommit     string // that first built it
	Created         time.Time
	Size            int64 // bytes; 0: not known
}

const imageColumns = `context, recipe, image, repo_digest, first_commit, created, size`

func imageRow(i *Image) []any {
	return []any{&i.Context, &i.Recipe, &i.Image, &i.RepoDigest, &i.FirstCommit, store.Time(&i.Created), &i.Size}
}

// FindImage returns the image built from a content.
func FindImage(ctx context.Context, q store.Querier, contextDigest, recipe string) (Image, bool, error) {
	return store.Find(ctx, q, imageRow, `SELECT `+imageColumns+` FROM images WHERE context = $1 AND recipe = $2`,
		contextDigest, recipe)
}

// PutImage stores i, replacing the image of the same content. The first commit and the time of creation stay while
// the image id is the same.
func PutImage(ctx context.Context, tx *store.Tx, i Image) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO images (`+imageColumns+`) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (context, recipe) DO UPDATE SET image = excluded.image, repo_digest = excluded.repo_digest, size = excluded.size,
			first_commit = CASE WHEN images.image = excluded.image THEN images.first_commit ELSE excluded.first_commit END,
			created = CASE WHEN images.image = excluded.image THEN images.created ELSE excluded.created END`,
		imageRow(&i)...)
	return err
}

// Images lists all images, newest first.
func Images(ctx context.Context, q store.Querier) ([]Image, error) {
	return store.List(ctx, q, imageRow, `SELECT `+imageColumns+` FROM images ORDER BY created DESC, context, recipe`)
}

// RemoveImage forgets the image built from a content, and what is known of its health when no other content has it.
// An image that is not there is no error.
func RemoveImage(ctx context.Context, tx *store.Tx, contextDigest, recipe string) error {
	image, found, err := FindImage(ctx, tx, contextDigest, recipe)
	if err != nil || !found {
		return err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM images WHERE context = $1 AND recipe = $2`, contextDigest, recipe); err != nil {
		return err
	}
	_, err = tx.ExecContext(ctx, `DELETE FROM health WHERE image = $1 AND image NOT IN (SELECT image FROM images)`,
		image.Image)
	return err
}

type health struct {
	ok          bool
	detail, log string
}

// FindHealth returns the result of the health check of a program in an image; log is a blob id. program identifies
// command, arguments and whatever else the result depends on.
func FindHealth(ctx context.Context, q store.Querier, image, program string) (ok bool, detail, log string, found bool, err error) {
	h, found, err := store.Find(ctx, q, func(h *health) []any { return []any{&h.ok, &h.detail, &h.log} },
		`SELECT ok, detail, log FROM health WHERE image = $1 AND program = $2`, image, program)
	return h.ok, h.detail, h.log, found, err
}

// PutHealth stores the result of a health check, replacing an earlier one.
func PutHealth(ctx context.Context, tx *store.Tx, image, program string, ok bool, detail, log string, now time.Time) error {
	_, err := tx.ExecContext(ctx, `INSERT INTO health (image, program, ok, detail, log, created)
		VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (image, program) DO UPDATE SET ok = excluded.ok, detail = excluded.detail, log = excluded.log,
			created = excluded.created`, image, program, ok, detail, log, store.Micros(now))
	return err
}
