package portal

import (
	"context"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// fillTab reads what the chosen tab shows.
func (p *Portal) fillTab(ctx context.Context, page *connectorPage, read *reader, l lanes, assignments []waybill.Assignment, before string) error {
	switch page.Tab {
	case "":
		page.Tracker = newTracker(l, read.link)
		if page.Declaration != nil {
			page.Parts = setup(*page.Declaration, page.Repository, assignments)
		}
		if err := page.fillTroubles(ctx, read, l); err != nil {
			return err
		}
		if err := page.fillReleases(ctx, read, "", shownReleases); err != nil {
			return err
		}
		if err := page.fillHistory(ctx, read, "", shownHistory); err != nil {
			return err
		}
		return page.fillRuns(ctx, read, "", shownRuns)
	case "setup":
		if page.Declaration != nil {
			page.Parts = setup(*page.Declaration, page.Repository, assignments)
		}
		return nil
	case "runs":
		return page.fillRuns(ctx, read, before, pageRows)
	case "versions":
		return page.fillReleases(ctx, read, before, pageRows)
	case "logs":
		return p.fillLogs(ctx, page, read)
	case "history":
		return page.fillHistory(ctx, read, before, pageRows)
	default:
		return waybill.Errorf(waybill.NotFound, "a connector has no page %s", clip(page.Tab, 40))
	}
}

// fillTroubles explains what is wrong: refused manifests, then releases, newest first.
func (page *connectorPage) fillTroubles(ctx context.Context, read *reader, l lanes) error {
	branch, since := page.Repository.DefaultBranch, ""
	if page.Declaration != nil && page.Declaration.Connector != nil {
		branch = page.Declaration.DevBranch(branch)
	}
	if l.Prod.Newest != nil {
		since = l.Prod.Newest.ID
	}
	checks, err := gitstore.Checks(ctx, read.q, page.Repository.ID, "")
	if err != nil {
		return err
	}
	for _, c := range latest(checks, branch, since) {
		if t, ok := checkTrouble(c, page.Identity.String(), page.Repository); ok {
			page.Troubles = append(page.Troubles, t)
		}
	}
	for _, ln := range []lane{l.Dev, l.Prod} {
		if t, ok := releaseTrouble(ln, read.link); ok {
			page.Troubles = append(page.Troubles, t)
		}
	}
	return nil
}

func (page *connectorPage) fillReleases(ctx context.Context, read *reader, before string, limit int) error {
	releases, err := connectorstore.Releases(ctx, read.q, connectorstore.ReleaseFilter{
		Connector: page.Identity.Name, Major: page.Identity.Major, Before: before, Limit: limit + 1,
	})
	if err != nil {
		return err
	}
	if len(releases) > limit {
		releases = releases[:limit]
		page.More = connectorURL(page.Identity, "versions") + "?before=" + releases[limit-1].ID
	}
	live := read.live()
	for _, r := range releases {
		page.Releases = append(page.Releases, newReleaseRow(r, live, read.link))
	}
	return nil
}

func (page *connectorPage) fillRuns(ctx context.Context, read *reader, before string, limit int) error {
	runs, err := connectorstore.Runs(ctx, read.q, connectorstore.RunFilter{
		Connector: page.Identity.Name, Major: page.Identity.Major, Before: before, Limit: max(limit, chartSlots) + 1,
	})
	if err != nil {
		return err
	}
	page.Chart = newChart(runs)
	if page.Tab == "runs" {
		page.More = ""
	}
	if len(runs) > limit {
		runs = runs[:limit]
		if page.Tab == "runs" {
			page.More = connectorURL(page.Identity, "runs") + "?before=" + runs[limit-1].ID
		}
	}
	page.Runs, err = read.runRows(ctx, runs)
	return err
}

// fillLogs shows the logs of the newest run.
func (p *Portal) fillLogs(ctx context.Context, page *connectorPage, read *reader) error {
	if err := page.fillRuns(ctx, read, "", shownRuns); err != nil || len(page.Runs) == 0 {
		return err
	}
	page.Log = &page.Runs[0]
	run, err := connectorstore.Run(ctx, read.q, page.Log.ID)
	if err != nil {
		return err
	}
	page.Panes, err = p.runPanes(run, "")
	return err
}

func (page *connectorPage) fillHistory(ctx context.Context, read *reader, before string, limit int) error {
	entries, err := store.History(ctx, read.q, store.HistoryFilter{
		Subject: "connector:" + page.Identity.String(), Before: before, Limit: limit + 1,
	})
	if err != nil {
		return err
	}
	if len(entries) > limit {
		entries = entries[:limit]
		if page.Tab == "history" {
			page.More = connectorURL(page.Identity, "history") + "?before=" + entries[limit-1].ID
		}
	}
	page.History = newHistory(entries, read.link)
	return nil
}
