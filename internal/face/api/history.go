package api

import (
	"context"
	"net/http"
	"strings"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// historyQuery selects entries of the audit trail.
type historyQuery struct {
	Listing

	Subject    string `query:"subject" doc:"Only what happened to this, such as connector:shop-feed."`
	Repository string `query:"repository" doc:"Only what this repository caused: its id."`
	Commit     string `query:"commit" doc:"Only what this commit caused, in full."`
}

func (a *API) addHistory() {
	add(a, operation{
		method: http.MethodGet, path: "/history", id: "list-history", tag: "history",
		summary: "List what happened, newest first: who, through what, before and after.", action: auth.Read,
	}, func(ctx context.Context, in *historyQuery) (*body[wire.Page[wire.Entry]], error) {
		return a.history(ctx, in.Listing, store.HistoryFilter{
			Subject: in.Subject, Repository: in.Repository, Commit: in.Commit,
		}, "")
	})
}

// history lists entries. With a connector's name only those of its majors: connector:name and connector:name@2.
func (a *API) history(ctx context.Context, l Listing, f store.HistoryFilter, connector string) (*body[wire.Page[wire.Entry]], error) {
	before, err := l.before()
	if err != nil {
		return nil, err
	}
	f.Before, f.Limit = before, l.more()
	var rows []waybill.Entry
	for {
		read, err := store.History(ctx, a.DB.Query(), f)
		if err != nil {
			return nil, err
		}
		for _, e := range read {
			if connector == "" || about(e, connector) {
				rows = append(rows, e)
			}
		}
		if len(read) < f.Limit || len(rows) >= l.more() {
			break
		}
		f.Before = read[len(read)-1].ID
	}
	rows = rows[:min(len(rows), l.more())]
	return answer(page(l, rows, func(e waybill.Entry) string { return e.ID }, entry)), nil
}

// about reports whether e is about the connector or one of its majors; a longer name that begins alike is another.
func about(e waybill.Entry, connector string) bool {
	rest := strings.TrimPrefix(e.Subject, "connector:"+connector)
	return rest == "" || strings.HasPrefix(rest, "@")
}

func entry(e waybill.Entry) wire.Entry {
	return wire.Entry{
		ID: e.ID, At: e.At, Actor: e.Actor, Channel: string(e.Channel), Repository: e.Repository, Commit: e.Commit,
		Subject: e.Subject, Action: e.Action, Before: e.Before, After: e.After, Message: e.Message,
	}
}
