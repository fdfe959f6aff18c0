package store

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
)

// channel names, as SQL, the PostgreSQL channel of the servers on a schema; a payload is the origin and the topic. Other
// Waybills may have other schemas of the same database.
const channel = `'waybill ' || md5(current_schema())`

// Pauses between attempts to connect again.
const (
	firstPause = 100 * time.Millisecond
	lastPause  = 15 * time.Second
)

// announce tells the other processes on commit.
func (tx *Tx) announce(ctx context.Context) error {
	slices.Sort(tx.topics)
	tx.topics = slices.Compact(tx.topics)
	for _, topic := range tx.topics {
		if _, err := tx.sql.ExecContext(ctx, `SELECT pg_notify(`+channel+`, $1)`, tx.db.origin+" "+topic); err != nil {
			return translate(err)
		}
	}
	return nil
}

// dial opens a connection that listens.
func dial(ctx context.Context, config *pgx.ConnConfig) (*pgx.Conn, error) {
	conn, err := pgx.ConnectConfig(ctx, config.Copy())
	if err != nil {
		return nil, translate(err)
	}
	var name string
	err = conn.QueryRow(ctx, `SELECT `+channel).Scan(&name)
	if err == nil {
		_, err = conn.Exec(ctx, `LISTEN `+pgx.Identifier{name}.Sanitize())
	}
	if err != nil {
		hangUp(ctx, conn)
		return nil, translate(err)
	}
	return conn, nil
}

func hangUp(ctx context.Context, conn *pgx.Conn) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), time.Second)
	defer cancel()
	_ = conn.Close(ctx) // it is broken or of no more use
}

// listen wakes subscribers when another process notifies, until the database is closed. A lost connection is opened
// again; then everyone is woken, because something may have been missed.
func (db *DB) listen(ctx context.Context, config *pgx.ConnConfig, conn *pgx.Conn) {
	for conn != nil {
		err := db.receive(ctx, conn)
		hangUp(ctx, conn)
		if ctx.Err() != nil {
			return
		}
		db.log.WarnContext(ctx, "listening to the database was interrupted", "component", "store", "error", err)
		conn = db.redial(ctx, config)
		db.topics.wakeAll()
	}
}

// receive wakes the subscribers of each topic that comes from elsewhere. Our own were woken by the commit.
func (db *DB) receive(ctx context.Context, conn *pgx.Conn) error {
	for {
		n, err := conn.WaitForNotification(ctx)
		if err != nil {
			return err
		}
		origin, topic, _ := strings.Cut(n.Payload, " ")
		if origin != db.origin {
			db.topics.wake(topic)
		}
	}
}

// redial connects again, with growing pauses; nil when the database was closed meanwhile.
func (db *DB) redial(ctx context.Context, config *pgx.ConnConfig) *pgx.Conn {
	for wait := firstPause; ; wait = min(2*wait, lastPause) {
		timer := time.NewTimer(wait)
		select {
		case <-timer.C:
		case <-ctx.Done():
			timer.Stop()
			return nil
		}
		conn, err := dial(ctx, config)
		if err == nil {
			return conn
		}
		db.log.DebugContext(ctx, "the database does not answer", "component", "store", "error", err)
	}
}
