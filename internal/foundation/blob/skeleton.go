// Package blob keeps logs as files: size-limited, and followed live.
package blob

import (
	"context"
	"io"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

var errSkeleton = waybill.Errorf(waybill.Internal, "blobs are not here yet")

// Store is a folder of blobs.
type Store struct{}

func Open(dir string, now func() time.Time) (*Store, error)             { return nil, errSkeleton }
func (s *Store) Close() error                                           { return nil }
func (s *Store) Append(id string) (*Writer, error)                      { return nil, errSkeleton }
func (s *Store) Open(id string) (io.ReadSeekCloser, error)              { return nil, errSkeleton }
func (s *Store) Size(id string) (int64, error)                          { return 0, errSkeleton }
func (s *Store) Remove(id string) error                                 { return errSkeleton }
func (s *Store) Sweep(olderThan time.Duration) (removed int, err error) { return 0, errSkeleton }

// Follow returns a reader that yields what is there and what comes, until done reports true and all was read.
func (s *Store) Follow(ctx context.Context, id string, done func() bool) io.ReadCloser { return nil }

// Writer appends to one blob.
type Writer struct{}

func (w *Writer) Write(p []byte) (int, error) { return 0, errSkeleton }
func (w *Writer) Truncate() error             { return errSkeleton }
func (w *Writer) Close() error                { return errSkeleton }
