package release

import (
	"context"
	"slices"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// WithdrawKind is the kind of work that Withdraw does: one connector major of which a declaration is gone.
const WithdrawKind = "withdraw"

const (
	// lookedBack is how many checks of a branch are asked since when it declares something no more.
	lookedBack = 200
	// busyPause is how long a withdrawal waits for a release or a run that goes on.
	busyPause = time.Minute
)

// miss wants a look, after the grace time, at a connector that its dev branch declares no more. A look that is wanted
// already stays where it is.
func (e *Engine) miss(ctx context.Context, tx *store.Tx, c waybill.Check, id waybill.Identity) error {
	_, err := queue.Enqueue(ctx, tx, queue.Entry{
		Kind: WithdrawKind, Key: LaneKey(id, waybill.Dev), Tenant: c.Repository, Due: e.Now().Add(e.Withdrawn),
	})
	return err
}

// Withdraw takes a connector major off dev that its branch has not declared for the grace time: its assignment at its dev
// site ends, and what dev serves of it when nothing else is assigned there and no run goes on. Prod stays. It is the
// queue's handler for WithdrawKind.
func (e *Engine) Withdraw(ctx context.Context, item queue.Item) queue.Result {
	id, env, err := parseLane(item.Key)
	if err != nil {
		return queue.Discard(err)
	}
	live, err := e.live(ctx, e.DB.Query(), id, env)
	if err != nil || live == nil {
		return queue.Of(err)
	}
	since, gone, err := e.goneSince(ctx, *live)
	switch {
	case err != nil:
		return queue.Of(err)
	case !gone:
		return queue.Done()
	}
	if left := since.Add(e.Withdrawn).Sub(e.Now()); left > 0 {
		return queue.Snooze(left, "its branch may declare it again")
	}
	pause := false
	err = e.DB.Write(ctx, "connector.withdraw", func(tx *store.Tx) error {
		if err := item.Fence(ctx, tx); err != nil {
			return err
		}
		pause, err = e.withdraw(ctx, tx, *live)
		return err
	})
	if err == nil && pause {
		return queue.Snooze(busyPause, "something still uses it on dev")
	}
	return queue.Of(err)
}

// goneSince says since when the dev branch of a release declares it no more. gone is false while it is declared, legally
// or not, while that cannot be told, and while there is no such branch: a default branch that was deleted or renamed
// takes nothing away until the new one has been read.
func (e *Engine) goneSince(ctx context.Context, r waybill.Release) (since time.Time, gone bool, err error) {
	repository, err := gitstore.Repository(ctx, e.DB.Query(), r.Repository)
	if waybill.IsCode(err, waybill.NotFound) {
		return since, false, nil // nobody watches it: what it deployed stays
	}
	if err != nil {
		return since, false, err
	}
	ref := "refs/heads/" + r.Declaration.DevBranch(repository.DefaultBranch)
	tip, _, err := gitstore.FindRef(ctx, e.DB.Query(), repository.ID, ref)
	if err != nil || tip.Tip == "" {
		return since, false, err
	}
	check, found, err := gitstore.LatestCheck(ctx, e.DB.Query(), repository.ID, ref)
	for range lookedBack {
		if err != nil || !found {
			return since, gone, err
		}
		if !undeclares(check, r.Declaration.Identity) {
			return since, gone, nil
		}
		since, gone = check.Opened, true
		check, found, err = gitstore.CheckBefore(ctx, e.DB.Query(), repository.ID, ref, check.ID)
	}
	return since, gone, err
}

// undeclares reports whether a check has read its commit to the end and id was nowhere in it. A document whose name could
// not be read may have been its declaration.
func undeclares(c waybill.Check, id waybill.Identity) bool {
	return c.Phase == waybill.Planned && c.State != waybill.StateError && !slices.Contains(c.Connectors, id.String()) &&
		!slices.ContainsFunc(c.Findings, func(f waybill.Finding) bool {
			return f.Severity == waybill.SeverityError && (f.Declaration == "" || f.Declaration == id.String())
		})
}

// withdraw takes r off dev. pause says that something keeps part of it for now.
func (e *Engine) withdraw(ctx context.Context, tx *store.Tx, r waybill.Release) (pause bool, err error) {
	d := r.Declaration
	open, err := connectorstore.Lane(ctx, tx, d.Name, d.Major, waybill.Dev)
	if err != nil || len(open) > 0 {
		return true, err
	}
	entry := waybill.Entry{At: e.Now(), Actor: "withdrawal", Channel: waybill.ChannelSystem, Repository: r.Repository, Subject: subject(r)}
	_, assigned, err := connectorstore.FindAssignment(ctx, tx, d.DevSite(), d.Name, d.Major)
	if err != nil {
		return false, err
	}
	if assigned {
		if err := connectorstore.RemoveAssignment(ctx, tx, d.DevSite(), d.Name, d.Major); err != nil {
			return false, err
		}
		ended := entry
		ended.Action, ended.Before, ended.Message = "assignment.remove", d.DevSite(), "its branch declares it no more"
		if err := store.Record(ctx, tx, ended); err != nil {
			return false, err
		}
	}
	used, err := e.usedOnDev(ctx, tx, d.Identity)
	if err != nil || used {
		return used, err
	}
	if err := connectorstore.RemoveLive(ctx, tx, d.Name, d.Major, waybill.Dev); err != nil {
		return false, err
	}
	entry.Action, entry.Before, entry.Message = "live."+string(waybill.Dev), r.ID, "nothing uses it on dev"
	return false, store.Record(ctx, tx, entry)
}

// usedOnDev reports whether a connector major is assigned to any dev site or runs at one.
func (e *Engine) usedOnDev(ctx context.Context, q store.Querier, id waybill.Identity) (bool, error) {
	assignments, err := connectorstore.Assignments(ctx, q, connectorstore.AssignmentFilter{Connector: id.Name})
	if err != nil {
		return false, err
	}
	for _, a := range assignments {
		if a.Major != id.Major {
			continue
		}
		site, err := connectorstore.Site(ctx, q, a.Site)
		if err != nil || site.Environment == waybill.Dev {
			return true, err
		}
	}
	running, err := connectorstore.Runs(ctx, q, connectorstore.RunFilter{
		Connector: id.Name, Major: id.Major, States: []waybill.RunState{waybill.RunQueued, waybill.RunRunning},
	})
	return slices.ContainsFunc(running, func(r waybill.Run) bool { return r.Environment == waybill.Dev }), err
}
