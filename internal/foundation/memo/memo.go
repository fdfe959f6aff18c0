// Package memo remembers what work has come to, within a budget, and forgets what nobody asks for.
package memo

import "sync"

// Memo keeps values by key. It has two generations: when the young one has cost half of the budget it becomes the old
// one, and the old one is forgotten; what is asked for stays young. Values are shared, so nobody may change them.
// It is safe for concurrent use.
type Memo[K comparable, V any] struct {
	half int64

	mu         sync.Mutex
	spent      int64 // by the young generation
	young, old map[K]entry[V]
}

type entry[V any] struct {
	value V
	cost  int64
}

// New returns a memo for values that together cost at most budget.
func New[K comparable, V any](budget int64) *Memo[K, V] {
	return &Memo[K, V]{half: budget / 2, young: map[K]entry[V]{}}
}

// Find returns what is remembered under a key.
func (m *Memo[K, V]) Find(key K) (value V, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.young[key]
	if !ok {
		if e, ok = m.old[key]; ok {
			m.put(key, e)
		}
	}
	return e.value, ok
}

// Take returns what is remembered under a key, and forgets it: the value is the caller's alone.
func (m *Memo[K, V]) Take(key K) (value V, ok bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	e, ok := m.young[key]
	if !ok {
		e, ok = m.old[key]
	}
	m.spent -= m.young[key].cost
	delete(m.young, key)
	delete(m.old, key)
	return e.value, ok
}

// Put remembers a value. One that costs more than half of the budget is not kept.
func (m *Memo[K, V]) Put(key K, value V, cost int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.put(key, entry[V]{value, cost})
}

func (m *Memo[K, V]) put(key K, e entry[V]) {
	if e.cost > m.half {
		return
	}
	if m.spent += e.cost - m.young[key].cost; m.spent > m.half {
		m.old, m.young, m.spent = m.young, map[K]entry[V]{}, e.cost
	}
	m.young[key] = e
}
