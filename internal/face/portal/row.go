package portal

import (
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// releaseRow is one release in a table.
type releaseRow struct {
	ID, URL  string
	Subject  link
	Env      waybill.Environment
	Mark     mark
	Cause    string // why it is not ok, with the step
	Version  string // v1.2.0; empty for dev
	Ref      string
	Commit   commitLink
	Digest   string
	Created  time.Time
	Took     string
	Live     bool
	Rollback bool   // it is live and may give way to the one before
	Promote  bool   // it may become live
	Retry    string // address to post to
}

// newReleaseRow builds a row. live tells which releases are live, by id.
func newReleaseRow(r waybill.Release, live map[string]bool, link func(repository, sha string) commitLink) releaseRow {
	row := releaseRow{
		ID: r.ID, URL: "/releases/" + r.ID, Subject: linkTo(r.Declaration.Identity), Env: r.Environment,
		Mark: markOutcome(r.Outcome), Ref: waybill.ShortRef(r.Ref), Commit: link(r.Repository, r.Commit),
		Digest: r.Image, Created: r.Created, Took: releaseTook(r), Live: live[r.ID],
	}
	if r.Semver != "" {
		row.Version = "v" + r.Semver
	}
	switch r.Outcome {
	case waybill.Failed, waybill.Errored:
		s := failedStep(r)
		row.Cause = string(s.Step) + ": " + s.Detail
		if row.Commit.URL != "" {
			row.Retry = row.Commit.URL + "/retry"
		}
	case waybill.OK:
		row.Rollback = row.Live
		row.Promote = !row.Live && r.Environment == waybill.Prod
	default: // nothing to do about it
	}
	return row
}

// releaseTook is how long the steps took, from the first that started to the last that ended; "" while they go on.
func releaseTook(r waybill.Release) string {
	var from, to time.Time
	for _, s := range r.Steps {
		if from.IsZero() {
			from = s.Started
		}
		if s.Ended.After(to) {
			to = s.Ended
		}
	}
	if !r.Outcome.Final() {
		return ""
	}
	return took(from, to)
}

// runRow is one run in a table.
type runRow struct {
	ID, URL string
	Subject link
	Mark    mark
	Fault   string // whose fault a failure is
	Reason  string
	Exit    *int
	PID     int
	Took    string
	Trigger string
	Actor   string
	Site    string
	Version string
	Commit  commitLink
	Created time.Time
	Final   bool
}

// newRunRow builds a row. release is what the run ran, when it is still known.
func newRunRow(r waybill.Run, release *waybill.Release, link func(repository, sha string) commitLink) runRow {
	row := runRow{
		ID: r.ID, URL: "/runs/" + r.ID, Subject: linkTo(identityOf(r)), Mark: markRun(r.State), Fault: faultOf(r.Class),
		Reason: r.Reason, Exit: r.ExitCode, PID: r.PID, Took: took(r.Started, r.Ended), Trigger: string(r.Trigger),
		Actor: r.Actor, Site: r.Site, Created: r.Created, Final: r.State.Final(), Commit: link("", r.Commit),
	}
	if r.Class == "" {
		row.Fault = ""
	}
	if release != nil {
		row.Commit = link(release.Repository, r.Commit)
		if release.Semver != "" {
			row.Version = "v" + release.Semver
		}
	}
	return row
}

func identityOf(r waybill.Run) waybill.Identity {
	return waybill.Identity{Kind: "Connector", Name: r.Connector, Major: r.Major}
}
