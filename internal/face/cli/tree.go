package cli

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"strings"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// folder is a [waybill.Tree] over files on this machine.
type folder struct{ fs.FS }

// Walk lists files and symbolic links, without what Git and Waybill keep for themselves.
func (f folder) Walk(ctx context.Context, fn func(waybill.File) error) error {
	return fs.WalkDir(f.FS, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return waybill.Errorf(waybill.Unavailable, "cannot read %s: %w", name, err)
		case ctx.Err() != nil:
			return ctx.Err()
		case d.IsDir() && (d.Name() == ".git" || d.Name() == ".waybill"):
			return fs.SkipDir
		case d.IsDir():
			return nil
		case !d.Type().IsRegular() && d.Type()&fs.ModeSymlink == 0:
			return nil // Git knows no sockets, pipes and devices
		}
		info, err := d.Info()
		if err != nil {
			return waybill.Errorf(waybill.Unavailable, "cannot read %s: %w", name, err)
		}
		return fn(waybill.File{Path: name, Mode: info.Mode() & (fs.ModePerm | fs.ModeSymlink)})
	})
}

// Open reads a file, or the target of a symbolic link.
func (f folder) Open(_ context.Context, name string) (io.ReadCloser, error) {
	info, err := fs.Lstat(f.FS, name)
	if err == nil && info.Mode()&fs.ModeSymlink != 0 {
		target, err := fs.ReadLink(f.FS, name)
		return io.NopCloser(strings.NewReader(target)), err
	}
	var file fs.File
	if err == nil {
		file, err = f.FS.Open(name)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, waybill.Errorf(waybill.NotFound, "no file %s", name)
	case err != nil:
		return nil, waybill.Errorf(waybill.Unavailable, "cannot read %s: %w", name, err)
	}
	return file, nil
}

// Size returns the length of a file, or of the target of a symbolic link.
func (f folder) Size(_ context.Context, name string) (int64, error) {
	info, err := fs.Lstat(f.FS, name)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return 0, waybill.Errorf(waybill.NotFound, "no file %s", name)
	case err != nil:
		return 0, waybill.Errorf(waybill.Unavailable, "cannot read %s: %w", name, err)
	}
	return info.Size(), nil
}
