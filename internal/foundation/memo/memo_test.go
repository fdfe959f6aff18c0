package memo_test

import (
	"sync"
	"testing"

	"github.com/waybill-dev/waybill/internal/foundation/memo"
)

func TestForgetsWhatNobodyAsksFor(t *testing.T) {
	t.Parallel()
	m := memo.New[int, int](100)
	for i := range 1000 {
		m.Put(i, i, 1)
		if v, ok := m.Find(0); !ok || v != 0 {
			t.Fatalf("what is asked for all the time is forgotten after %d others", i)
		}
	}
	kept := 0
	for i := range 1000 {
		if v, ok := m.Find(i); ok {
			kept++
			if v != i {
				t.Errorf("%d became %d", i, v)
			}
		}
	}
	if _, ok := m.Find(999); !ok || kept < 50 || kept > 100 {
		t.Errorf("%d of 100 are kept, the last one: %t", kept, ok)
	}
}

func TestKeepsNothingThatIsTooLarge(t *testing.T) {
	t.Parallel()
	m := memo.New[string, string](100)
	m.Put("small", "s", 10)
	m.Put("large", "l", 51)
	m.Put("small", "again", 20)
	if _, ok := m.Find("large"); ok {
		t.Error("more than half of the budget is spent on one value")
	}
	if v, ok := m.Find("small"); !ok || v != "again" {
		t.Errorf("got %q", v)
	}
}

func TestSharedByMany(t *testing.T) {
	t.Parallel()
	m := memo.New[int, int](64)
	var all sync.WaitGroup
	for range 4 {
		all.Go(func() {
			for i := range 2000 {
				m.Put(i%100, i%100, 1)
				if v, ok := m.Find((i * 7) % 100); ok && v != (i*7)%100 {
					t.Errorf("got %d", v)
				}
			}
		})
	}
	all.Wait()
}
