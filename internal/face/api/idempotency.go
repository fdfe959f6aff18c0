package api

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"sync"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/auth"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// create is a request that makes something. With an Idempotency-Key the same request may be sent again.
type create[T any] struct {
	Key  string `header:"Idempotency-Key" maxLength:"100" doc:"Chosen by the client. For 24 hours the same key gives the same answer and nothing is made twice."`
	Body T
}

// How long and how many answers are kept.
const (
	answerLife = 24 * time.Hour
	maxAnswers = 1000
)

// answers remembers what requests with an Idempotency-Key were answered, in this process.
type answers struct {
	now func() time.Time

	mu   sync.Mutex
	kept map[answerKey]*kept
}

type answerKey struct{ who, what, key string }

// kept is an answer, or one that is being made: ready is closed once value is there, or err when there is none.
type kept struct {
	request [sha256.Size]byte
	since   time.Time
	ready   chan struct{}
	value   any
	err     error
}

func newAnswers(now func() time.Time) *answers {
	return &answers{now: now, kept: map[answerKey]*kept{}}
}

// once does what in asks for, unless the same caller asked with the same key before: then it returns that answer.
// An error is not kept: the request may be tried again. Invalid when the key was used for a different request.
func once[I, O any](ctx context.Context, a *answers, what string, in *create[I], do func(context.Context, I) (O, error)) (*body[O], error) {
	if in.Key == "" {
		out, err := do(ctx, in.Body)
		return answer(out), err
	}
	text, err := json.Marshal(in.Body)
	if err != nil {
		return nil, err
	}
	key := answerKey{who: auth.From(ctx).Token, what: what, key: in.Key}
	entry, mine := a.claim(key, sha256.Sum256(text))
	if entry.request != sha256.Sum256(text) {
		return nil, waybill.Errorf(waybill.Invalid, "this Idempotency-Key was used for a different request")
	}
	if mine {
		var out O
		err := waybill.Errorf(waybill.Internal, "the request ended early") // stays when do panics
		defer func() { a.settle(key, entry, out, err) }()
		out, err = do(ctx, in.Body)
		return answer(out), err
	}
	select {
	case <-entry.ready:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	out, _ := entry.value.(O)
	return answer(out), entry.err
}

// claim returns the entry of key, and true when the caller is the one to fill it.
func (a *answers) claim(key answerKey, request [sha256.Size]byte) (*kept, bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if e, ok := a.kept[key]; ok && a.now().Sub(e.since) < answerLife {
		return e, false
	}
	a.makeRoom()
	e := &kept{request: request, since: a.now(), ready: make(chan struct{})}
	a.kept[key] = e
	return e, true
}

func (a *answers) settle(key answerKey, e *kept, value any, err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	e.value, e.err = value, err
	if err != nil && a.kept[key] == e {
		delete(a.kept, key)
	}
	close(e.ready)
}

// makeRoom forgets what is too old and, when that is not enough, the oldest.
func (a *answers) makeRoom() {
	var oldest answerKey
	since := a.now()
	for k, e := range a.kept {
		if a.now().Sub(e.since) >= answerLife {
			delete(a.kept, k)
		} else if oldest == (answerKey{}) || e.since.Before(since) {
			oldest, since = k, e.since
		}
	}
	if len(a.kept) >= maxAnswers {
		delete(a.kept, oldest)
	}
}
