package portal

import (
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// historyRow is one line of the history: what happened, who did it, through what, at which commit.
type historyRow struct {
	Mark    mark
	Title   string
	Message string
	Action  string // as the audit trail names it
	Actor   string
	Channel waybill.Channel
	Commit  commitLink
	Release string // address; empty when the line is about none
	At      time.Time
}

func newHistory(entries []waybill.Entry, link func(repository, sha string) commitLink) []historyRow {
	rows := make([]historyRow, 0, len(entries))
	for _, e := range entries {
		row := historyRow{
			At: e.At, Actor: e.Actor, Channel: e.Channel, Action: e.Action, Message: e.Message, Commit: link(e.Repository, e.Commit),
		}
		row.tell(e)
		rows = append(rows, row)
	}
	return rows
}

// tell finds words for an entry.
func (row *historyRow) tell(e waybill.Entry) {
	subject, verb, _ := strings.Cut(e.Action, ".")
	switch {
	case subject == "step":
		row.Mark = markOutcome(waybill.Outcome(e.After))
		row.Title = titleOf(waybill.Step(verb)) + " " + row.Mark.Word
		if row.Message == e.After {
			row.Message = ""
		}
	case subject == "live":
		row.Mark, row.Release = mark{Icon: "promote", Tone: toneOK}, "/releases/"+e.After
		row.Title = titleOf(waybill.Step(verb)) + " serves this version now"
	case subject == "run" && strings.HasPrefix(e.Subject, "run:"):
		state := waybill.RunState(e.After)
		if verb == "start" {
			state = waybill.RunQueued
		}
		row.Mark = markRun(state)
		row.Title = "Run " + row.Mark.Word
	default:
		row.Mark, row.Title = mark{Icon: "commit", Tone: toneSkipped}, e.Action
	}
}
