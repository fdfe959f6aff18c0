package repo

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/go-git/go-git/v5/plumbing/format/idxfile"

	"github.com/waybill-dev/waybill/internal/git/binary"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// inspectNew looks at the packs that were not there before, as inspect does at one that is still to be stored, and
// removes one that holds what is too large.
func (m *mirror) inspectNew(ctx context.Context, before map[string]bool, o Options) error {
	packs, err := m.packs()
	if err != nil {
		return err
	}
	for name := range packs {
		if before[name] {
			continue
		}
		m.forget()
		path := filepath.Join(m.dir, "objects", "pack", name)
		if err := m.weigh(ctx, path, o); err != nil {
			for _, suffix := range []string{".idx", ".rev", ".keep", ".pack"} {
				_ = os.Remove(path + suffix)
			}
			return err
		}
	}
	return nil
}

// weight is the size of an object, and what it is a difference to; none for the zero id.
type weight struct {
	size int64
	base string
}

// weigh adds the sizes of objects and of what they are differences to up, from what git reads off the pack.
func (m *mirror) weigh(ctx context.Context, pack string, o Options) error {
	info, err := os.Stat(pack + ".pack")
	if err != nil {
		return err
	}
	if info.Size() > o.MaxPack {
		return errTooMuch()
	}
	ids, count, err := listed(pack+".idx", 4*o.MaxFiles)
	if err != nil {
		return err
	}
	about, err := binary.Run(binary.With(binary.Command(ctx, m.dir, "cat-file", "--buffer", "--batch-check=%(objectname) %(objectsize) %(deltabase)"), frugal()...), ids)
	if err != nil {
		return err
	}
	weights := make(map[string]weight, count)
	for lines := bufio.NewScanner(bytes.NewReader(about)); lines.Scan(); {
		var name string
		var w weight
		if _, err := fmt.Sscan(lines.Text(), &name, &w.size, &w.base); err != nil {
			return err
		}
		weights[name] = w
	}
	return heaviest(weights, o.MaxObject)
}

// listed returns the ids of the objects of a pack, one a line; TooLarge when there are more than limit.
func listed(name string, limit int) (ids []byte, count int, err error) {
	f, err := os.Open(name) //nolint:gosec // G304: a pack of the mirror
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = f.Close() }()
	index := idxfile.NewMemoryIndex()
	if err := idxfile.NewDecoder(f).Decode(index); err != nil {
		return nil, 0, err
	}
	n, err := index.Count()
	if err != nil {
		return nil, 0, err
	}
	if n > int64(limit) {
		return nil, 0, waybill.Errorf(waybill.TooLarge, "the commit has more than %d objects", limit)
	}
	all, err := index.Entries()
	if err != nil {
		return nil, 0, err
	}
	defer func() { _ = all.Close() }()
	for {
		e, err := all.Next()
		if errors.Is(err, io.EOF) {
			return ids, int(n), nil
		}
		if err != nil {
			return nil, 0, err
		}
		ids = append(append(ids, e.Hash.String()...), '\n')
	}
}

// heaviest reports TooLarge when an object, or what must be read to read it, is larger than limits allow.
func heaviest(weights map[string]weight, limit int64) error {
	for _, w := range weights {
		size, chain := w.size, w.size
		for range len(weights) {
			base, ok := weights[w.base]
			if !ok || chain > maxChain*limit {
				break
			}
			w, chain = base, chain+base.size
		}
		if size > limit || chain > maxChain*limit {
			return waybill.Errorf(waybill.TooLarge, "the commit holds an object of %d bytes; the limit is %d", size, limit)
		}
	}
	return nil
}
