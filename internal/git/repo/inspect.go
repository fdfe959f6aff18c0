package repo

import (
	"encoding/binary"
	"errors"
	"io"

	"github.com/go-git/go-git/v5/plumbing/format/packfile"

	"github.com/waybill-dev/waybill/internal/waybill"
)

const (
	// maxChain is how many of the largest objects a chain of differences may add up to.
	maxChain = 4
	// smallChain is what a chain may add up to without being remembered.
	smallChain = 64 << 10
)

// inspect reads a pack and reports TooLarge when reading its objects would take more memory than limit allows. go-git
// reads objects whole, and those that an object is a difference to with it: a pack of some kilobytes can unfold to
// gigabytes.
func inspect(pack io.Reader, limit int64) error {
	s := packfile.NewScanner(pack)
	_, count, err := s.Header()
	if errors.Is(err, packfile.ErrEmptyPackfile) {
		return nil
	}
	if err != nil {
		return err
	}
	chains := map[int64]int64{} // bytes of an object and of all it is a difference to, by offset
	for range count {
		h, err := s.NextObjectHeader()
		if err != nil {
			return err
		}
		size, chain := h.Length, int64(0)
		if size <= limit {
			var start opening
			if _, _, err := s.NextObject(&start); err != nil {
				return err
			}
			if h.Type.IsDelta() {
				size, chain = start.unfolded(), chains[h.OffsetReference]
			}
		}
		if chain += size; size > limit || chain > maxChain*limit {
			return waybill.Errorf(waybill.TooLarge, "the history holds an object of %d bytes; the limit is %d", size, limit)
		}
		if chain > smallChain {
			chains[h.Offset] = chain
		}
	}
	return nil
}

// opening keeps the first bytes that are written to it: enough for two numbers.
type opening []byte

func (o *opening) Write(p []byte) (int, error) {
	room := 2*binary.MaxVarintLen64 - len(*o)
	*o = append(*o, p[:min(len(p), room)]...)
	return len(p), nil
}

// unfolded returns the size that a difference says its result has; it begins with the size of what it is a difference
// to (gitformat-pack(5), section Deltified representation).
func (o opening) unfolded() int64 {
	_, n := binary.Uvarint(o)
	size, _ := binary.Uvarint(o[max(0, n):])
	return int64(min(size, 1<<62))
}
