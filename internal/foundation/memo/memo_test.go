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

// TestTake: what is taken is gone, and its room is free.
func TestTake(t *testing.T) {
	t.Parallel()
	m := memo.New[int, int](20)
	if _, ok := m.Take(1); ok {
		t.Error("something was taken out of nothing")
	}
	m.Put(0, 0, 1)
	for range 100 {
		m.Put(1, 7, 5)
		if v, ok := m.Take(1); !ok || v != 7 {
			t.Fatalf("took %d, %t", v, ok)
		}
		if _, ok := m.Take(1); ok {
			t.Fatal("what was taken is there")
		}
	}
	for i := 2; i <= 10; i++ { // with 0, the half of the budget
		m.Put(i, i, 1)
	}
	m.Put(11, 11, 1) // the others grow old
	if v, ok := m.Take(5); !ok || v != 5 {
		t.Errorf("took %d, %t of the old ones", v, ok)
	}
	if _, ok := m.Find(5); ok {
		t.Error("what was taken of the old ones is there")
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
