package git

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Kind is the kind of the work that tells a forge about a commit; its key is that of CommitKey.
const Kind = "status"

// CommitKey returns repository/commit: the key of the status work, and with "commit:" before it the topic that wakes
// when a status changes.
func CommitKey(repository, commit string) string { return repository + "/" + commit }

// outgoing is a status with its place in the outbox.
type outgoing struct {
	waybill.Status
	seq, sent int64
	told      string // the content that was sent last
	doubt     bool   // what is not sent may have arrived all the same
}

const statusColumns = `context, state, description, url, outcome, started, updated, seq, sent, told, doubt`

func statusRow(o *outgoing) []any {
	return []any{
		&o.Context, &o.State, &o.Description, &o.URL, &o.Outcome, store.Time(&o.Started), store.Time(&o.Updated),
		&o.seq, &o.sent, &o.told, &o.doubt,
	}
}

// SetStatuses stores what a commit says in some contexts; the others stay. From all of them and the newest check of
// the commit (where open pull requests have the commit as their head, the worst of the newest ones of each and of its branches
// and tags) it computes the aggregate with waybill.Aggregate, open while any check of the commit is not planned; a
// given aggregate lends it the URL only. Equal content changes nothing. Started is kept, or set when a context is
// first seen or begins again after a result; Updated is set on change. What a forge would see changed gets the next
// sequence number of the commit and wants the status work, in the same transaction; every change wakes the topic
// "commit:" + CommitKey. With no statuses it only brings the aggregate up to date: call it so after PutCheck.
func SetStatuses(ctx context.Context, tx *store.Tx, repository, commit string, statuses []waybill.Status) error {
	stored, err := outbox(ctx, tx, repository, commit)
	if err != nil {
		return err
	}
	checks, err := Checks(ctx, tx, repository, commit)
	if err != nil {
		return err
	}
	b := board{rows: map[string]*outgoing{}, now: tx.Now()}
	for _, o := range stored {
		b.rows[o.Context] = &o
		b.seq = max(b.seq, o.seq)
	}
	b.next = b.seq + 1
	url := ""
	for _, s := range statuses {
		if s.Context == waybill.AggregateContext {
			url = s.URL
			continue
		}
		b.set(s)
	}
	b.set(b.aggregate(checks, url))
	return b.save(ctx, tx, repository, commit)
}

// board is what a commit says, while it changes.
type board struct {
	rows    map[string]*outgoing
	changed []*outgoing
	seq     int64 // the highest that is stored
	next    int64 // of the changes
	now     time.Time
}

// set compares and changes one context.
func (b *board) set(s waybill.Status) {
	s.Description = waybill.Describe(s.Description)
	old, known := b.rows[s.Context]
	row := &outgoing{Status: s}
	begins := !known || old.State.Final() && !s.State.Final()
	if known {
		row.seq, row.sent, row.told, row.doubt = old.seq, old.sent, old.told, old.doubt
		if !begins && s.Started.IsZero() {
			row.Started = old.Started
		}
	}
	if row.Started.IsZero() {
		row.Started = b.now
	}
	row.Started = row.Started.UTC().Truncate(time.Microsecond)
	visible := !known || old.State != s.State || old.Description != row.Description || old.URL != s.URL
	if !visible && old.Outcome == s.Outcome && old.Started.Equal(row.Started) {
		return
	}
	row.Updated = b.now
	if visible {
		row.seq = b.next
		b.seq = b.next
	}
	b.rows[s.Context] = row
	b.changed = append(b.changed, row)
}

// aggregate sums up the contexts and the result of the newest check.
func (b *board) aggregate(checks []waybill.Check, url string) waybill.Status {
	base := waybill.Status{State: waybill.StateSuccess}
	seen, counted := map[int]bool{}, false
	for i, c := range checks {
		state, counts := cmp.Or(c.State, waybill.StateSuccess), !seen[c.Pull] && !c.Over
		if i == 0 || counts && (!counted || state.Worse(base.State)) {
			base.State, base.Description = state, c.Summary
		}
		seen[c.Pull], counted = true, counted || counts
	}
	open := slices.ContainsFunc(checks, func(c waybill.Check) bool { return c.Phase != waybill.Planned })
	agg := waybill.Aggregate(b.statuses(), open, base)
	agg.Outcome = outcomes()[agg.State]
	if old, known := b.rows[waybill.AggregateContext]; known {
		url = cmp.Or(url, old.URL)
	}
	agg.URL = url
	return agg
}

// outcomes says how the state of an aggregate is displayed.
func outcomes() map[waybill.State]waybill.Outcome {
	return map[waybill.State]waybill.Outcome{
		waybill.StatePending: waybill.Running,
		waybill.StateSuccess: waybill.OK,
		waybill.StateFailure: waybill.Failed,
		waybill.StateError:   waybill.Errored,
	}
}

// statuses lists the contexts in order, so that equal boards have equal aggregates.
func (b *board) statuses() []waybill.Status {
	var list []waybill.Status
	for _, row := range b.rows {
		list = append(list, row.Status)
	}
	byContext(list)
	return list
}

// save writes the changed rows and says that there is something to send.
func (b *board) save(ctx context.Context, tx *store.Tx, repository, commit string) error {
	if len(b.changed) == 0 {
		return nil
	}
	for _, row := range b.changed {
		if _, err := tx.ExecContext(ctx, `INSERT INTO statuses (repository, sha, `+statusColumns+`)
			VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)
			ON CONFLICT (repository, sha, context) DO UPDATE SET state = excluded.state,
				description = excluded.description, url = excluded.url, outcome = excluded.outcome,
				started = excluded.started, updated = excluded.updated, seq = excluded.seq`,
			append([]any{repository, commit}, statusRow(row)...)...); err != nil {
			return err
		}
	}
	tx.Notify("commit:" + CommitKey(repository, commit))
	tx.Notify(RepositoryTopic(repository))
	if b.seq < b.next {
		return nil
	}
	_, err := queue.Enqueue(ctx, tx, queue.Entry{Kind: Kind, Key: CommitKey(repository, commit), Tenant: repository})
	return err
}

// outbox returns the rows of a commit.
func outbox(ctx context.Context, q store.Querier, repository, commit string) ([]outgoing, error) {
	return store.List(ctx, q, statusRow, `SELECT `+statusColumns+` FROM statuses WHERE repository = $1 AND sha = $2`,
		repository, commit)
}
