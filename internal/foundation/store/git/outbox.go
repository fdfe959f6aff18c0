package git

import (
	"cmp"
	"context"
	"slices"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Statuses lists what a commit says: the aggregate, then by context. It is empty for an unknown commit.
func Statuses(ctx context.Context, q store.Querier, repository, commit string) ([]waybill.Status, error) {
	o, err := Outbox(ctx, q, repository, commit)
	return o.Statuses, err
}

// Outgoing is what a forge should know of a commit.
type Outgoing struct {
	Statuses []waybill.Status // all contexts, as Statuses orders them
	Unsent   []Unsent         // what the forge does not know, in the order in which it should
	Pending  bool             // something is not sent
	First    bool             // nothing was ever sent
}

// Unsent is a status that a forge does not know yet.
type Unsent struct {
	waybill.Status
	Seq int64 // of this change
	// Known says that the forge shows this very content, because it changed and changed back: nothing is to be sent.
	Known bool
	// Doubt says that it may have arrived, though nobody confirmed it.
	Doubt bool
}

// content is what a forge sees of a status.
func content(s waybill.Status) string {
	return strings.Join([]string{string(s.State), s.Description, s.URL}, "\n")
}

// Outbox returns what a forge should know of a commit. Give to MarkSent what it was told.
func Outbox(ctx context.Context, q store.Querier, repository, commit string) (Outgoing, error) {
	rows, err := outbox(ctx, q, repository, commit)
	o := Outgoing{First: true}
	for _, row := range rows {
		o.Statuses = append(o.Statuses, row.Status)
		o.First = o.First && row.sent == 0
		if row.seq > row.sent {
			o.Unsent = append(o.Unsent, Unsent{
				Status: row.Status, Seq: row.seq, Doubt: row.doubt, Known: !row.doubt && row.told == content(row.Status),
			})
		}
	}
	o.Pending = len(o.Unsent) > 0
	byContext(o.Statuses)
	slices.SortFunc(o.Unsent, func(a, b Unsent) int {
		return cmp.Or(urgency(a.State)-urgency(b.State), strings.Compare(a.Context, b.Context))
	})
	return o, err
}

// urgency puts results before progress: a forge that takes only some statuses should know those.
func urgency(s waybill.State) int {
	if s.Final() {
		return 0
	}
	return 1
}

// byContext sorts the aggregate first: its name is the beginning of all others.
func byContext(list []waybill.Status) {
	slices.SortFunc(list, func(a, b waybill.Status) int { return strings.Compare(a.Context, b.Context) })
}

// MarkSent records what the forge shows of a commit now. What changed since it was read stays unsent.
func MarkSent(ctx context.Context, tx *store.Tx, repository, commit string, list ...Unsent) error {
	tx.Notify(RepositoryTopic(repository))
	for _, u := range list {
		if _, err := tx.ExecContext(ctx, `UPDATE statuses SET sent = $4, told = $5, doubt = 0
			WHERE repository = $1 AND sha = $2 AND context = $3 AND sent < $4`,
			repository, commit, u.Context, u.Seq, content(u.Status)); err != nil {
			return err
		}
	}
	return nil
}

// MarkRefused records that the forge will never take a status, so that it does not stand in the way of others.
func MarkRefused(ctx context.Context, tx *store.Tx, repository, commit string, u Unsent) error {
	tx.Notify(RepositoryTopic(repository))
	_, err := tx.ExecContext(ctx, `UPDATE statuses SET sent = $4, doubt = 0
		WHERE repository = $1 AND sha = $2 AND context = $3 AND sent < $4`, repository, commit, u.Context, u.Seq)
	return err
}

// MarkDoubt records that statuses may have arrived, though nobody confirmed it: whoever sends them looks first.
func MarkDoubt(ctx context.Context, tx *store.Tx, repository, commit string, list ...Unsent) error {
	for _, u := range list {
		if _, err := tx.ExecContext(ctx, `UPDATE statuses SET doubt = 1
			WHERE repository = $1 AND sha = $2 AND context = $3`, repository, commit, u.Context); err != nil {
			return err
		}
	}
	return nil
}

// OutboxPending counts the statuses that are still to be sent; oldest is since when the oldest waits, zero without any.
// Those of a repository that was removed, and those that a forge will never take, are not.
func OutboxPending(ctx context.Context, q store.Querier) (count int, oldest time.Time, err error) {
	type pending struct {
		count  int
		oldest time.Time
	}
	p, _, err := store.Find(ctx, q, func(p *pending) []any { return []any{&p.count, store.Time(&p.oldest)} },
		`SELECT COUNT(*), COALESCE(MIN(updated), 0) FROM statuses WHERE seq > sent AND EXISTS (
			SELECT 1 FROM work WHERE kind = $1 AND key = repository || '/' || sha AND wanted <> done)`, Kind)
	return p.count, p.oldest, err
}
