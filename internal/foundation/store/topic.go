package store

import "sync"

// topics wakes subscribers in this process.
type topics struct {
	mu   sync.Mutex
	subs map[string]map[chan struct{}]bool
}

// Subscribe returns a channel that receives after each commit that notified topic; wakes that come while one waits to
// be received are one. After a lost connection every subscriber is woken once. stop ends it; the channel stays open.
func (db *DB) Subscribe(topic string) (wake <-chan struct{}, stop func()) {
	ch := make(chan struct{}, 1)
	t := &db.topics
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.subs == nil {
		t.subs = map[string]map[chan struct{}]bool{}
	}
	if t.subs[topic] == nil {
		t.subs[topic] = map[chan struct{}]bool{}
	}
	t.subs[topic][ch] = true
	return ch, func() { t.remove(topic, ch) }
}

func (t *topics) remove(topic string, ch chan struct{}) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.subs[topic], ch)
	if len(t.subs[topic]) == 0 {
		delete(t.subs, topic)
	}
}

// wake wakes the subscribers of the given topics.
func (t *topics) wake(names ...string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, name := range names {
		for ch := range t.subs[name] {
			signal(ch)
		}
	}
}

// wakeAll wakes every subscriber: something may have been missed.
func (t *topics) wakeAll() {
	t.mu.Lock()
	defer t.mu.Unlock()
	for _, subs := range t.subs {
		for ch := range subs {
			signal(ch)
		}
	}
}

func signal(ch chan struct{}) {
	select {
	case ch <- struct{}{}:
	default:
	}
}
