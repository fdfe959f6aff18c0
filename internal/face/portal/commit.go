package portal

import (
	"context"
	"net/http"
	"strconv"
	"strings"

	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// commitPage is what Waybill says about one commit: its statuses and every finding with its place.
type commitPage struct {
	frame
	Repository waybill.Repository
	Commit     commitLink
	Refs       []link
	Plans      []planned
	Cause      string
	Actor      string
	Aggregate  waybill.Status
	Statuses   []statusRow
	Findings   waybill.Findings
	Checks     []waybill.Check
	Releases   []releaseRow
	Final      bool
	Retry      string
}

// planned is what merging one pull request would change.
type planned struct {
	Pull    link
	Base    string
	Changes []waybill.Change
}

// statusRow is one context of a commit.
type statusRow struct {
	Context string // without the prefix all share
	Mark    mark
	Status  waybill.Status
	URL     string // a path of this server, or empty
}

func (p *Portal) commit(w http.ResponseWriter, r *http.Request) error {
	page, err := p.loadCommit(r)
	if err != nil {
		return err
	}
	if page.Commit.SHA != r.PathValue("sha") {
		http.Redirect(w, r, page.Commit.URL, http.StatusSeeOther)
		return nil
	}
	if !page.Final {
		page.Stream = page.Commit.URL + "/events"
	}
	return p.render(w, http.StatusOK, "commit", page)
}

func (p *Portal) commitEvents(w http.ResponseWriter, r *http.Request) error {
	page, err := p.loadCommit(r)
	if err != nil {
		return err
	}
	return p.stream(w, r, live{
		Page: "commit", Topics: []string{"commit:" + page.Repository.ID + "/" + page.Commit.SHA},
		Parts: []string{"aggregate", "statuses", "findings", "plan", "releases"},
		Load: func(ctx context.Context) (any, bool, error) {
			page, err := p.loadCommit(r.WithContext(ctx))
			return page, page.Final, err
		},
	})
}

func (p *Portal) loadCommit(r *http.Request) (commitPage, error) {
	var page commitPage
	ctx := r.Context()
	read, err := p.read(ctx)
	if err != nil {
		return page, err
	}
	name := r.PathValue("owner") + "/" + r.PathValue("name")
	if page.Repository, err = gitstore.RepositoryByName(ctx, read.q, name); err != nil {
		return page, err
	}
	sha, err := fullCommit(ctx, read, page.Repository, r.PathValue("sha"))
	if err != nil {
		return page, err
	}
	page.Commit = read.link(page.Repository.ID, sha)
	page.Retry = page.Commit.URL + "/retry"
	page.frame = p.frame(r, "Commit "+page.Commit.Short, "", link{Text: name})
	if page.Checks, err = gitstore.Checks(ctx, read.q, page.Repository.ID, sha); err != nil {
		return page, err
	}
	statuses, err := gitstore.Statuses(ctx, read.q, page.Repository.ID, sha)
	if err != nil {
		return page, err
	}
	page.fill(statuses)
	if err := page.follow(ctx, read); err != nil {
		return page, err
	}
	releases, err := connectorstore.Releases(ctx, read.q, connectorstore.ReleaseFilter{Repository: page.Repository.ID, Commit: sha})
	if err != nil {
		return page, err
	}
	live := read.live()
	for _, rel := range releases {
		page.Releases = append(page.Releases, newReleaseRow(rel, live, read.link))
	}
	return page, nil
}

// fullCommit returns the whole name of a commit that Waybill looked at, or NotFound.
func fullCommit(ctx context.Context, read *reader, repository waybill.Repository, sha string) (string, error) {
	unknown := waybill.Errorf(waybill.NotFound, "Waybill has not looked at commit %s of %s", clip(sha, 40), repository.FullName())
	if len(sha) < 4 {
		return "", unknown
	}
	found, err := gitstore.FindCommit(ctx, read.q, strings.ToLower(sha))
	if err != nil {
		return "", err
	}
	full := ""
	for _, f := range found {
		switch {
		case f.Repository != repository.ID || f.Commit == full:
		case full != "":
			return "", waybill.Errorf(waybill.NotFound, "several commits begin with %s: give more digits", sha)
		default:
			full = f.Commit
		}
	}
	if full == "" {
		return "", unknown
	}
	return full, nil
}

// fill takes over the statuses and what the checks found.
func (page *commitPage) fill(statuses []waybill.Status) {
	for _, s := range statuses {
		if s.Context == waybill.AggregateContext {
			page.Aggregate, page.Final = s, s.State.Final()
			continue
		}
		row := statusRow{Context: strings.TrimPrefix(s.Context, waybill.AggregateContext+"/"), Mark: markStatus(s), Status: s}
		if strings.HasPrefix(s.URL, "/") {
			row.URL = s.URL
		}
		page.Statuses = append(page.Statuses, row)
	}
	if page.Aggregate.Context == "" {
		page.Aggregate = waybill.Status{Context: waybill.AggregateContext, State: waybill.StatePending, Description: "in progress"}
	}
	for _, c := range page.Checks {
		if page.Findings == nil {
			page.Findings = c.Findings
		}
	}
	if len(page.Checks) > 0 {
		page.Cause, page.Actor = page.Checks[0].Cause, page.Checks[0].Actor
	}
}

// follow says which branches, tags and pull requests the checks are of, and what the newest check of each pull request
// planned.
func (page *commitPage) follow(ctx context.Context, read *reader) error {
	seen := map[string]bool{}
	for _, c := range page.Checks {
		if seen[c.Ref] {
			continue
		}
		seen[c.Ref] = true
		if c.Pull == 0 {
			page.Refs = append(page.Refs, link{Text: waybill.ShortRef(c.Ref)})
			continue
		}
		p, err := gitstore.Pull(ctx, read.q, c.Repository, c.Pull)
		if err != nil && !waybill.IsCode(err, waybill.NotFound) {
			return err
		}
		to := link{Text: "pull request " + strconv.Itoa(c.Pull)}
		if strings.HasPrefix(p.URL, "https://") || strings.HasPrefix(p.URL, "http://") {
			to.URL = p.URL
		}
		page.Refs = append(page.Refs, to)
		if len(c.Changes) > 0 {
			page.Plans = append(page.Plans, planned{Pull: to, Base: p.Base, Changes: c.Changes})
		}
	}
	return nil
}
