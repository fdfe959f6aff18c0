// Package platform applies what the platform repository declares: teams, sites with their assignments, watched
// repositories, and the settings that other rooms read (workspaces, providers, events, terms, policies).
//
// The tree of the default branch is the whole truth: what it declares is created or changed, what it no longer declares
// is taken back, all in the transaction that closes the check. A tree with a mistake changes nothing.
package platform

import (
	"context"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	platformstore "github.com/waybill-dev/waybill/internal/foundation/store/platform"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// repositories watches what is declared. Declare and Withdraw are called in the transaction that applies the settings;
// what has to happen outside the store follows after it.
type repositories interface {
	Acceptable(ctx context.Context, q store.Querier, name string, spec waybill.RepositorySpec) error
	Declare(ctx context.Context, tx *store.Tx, name string, spec waybill.RepositorySpec, by waybill.Actor) error
	Withdraw(ctx context.Context, tx *store.Tx, name string, spec waybill.RepositorySpec, by waybill.Actor) error
}

// Options are what an Engine needs.
type Options struct {
	// URL is that of the platform repository, as it is watched; empty: there is none.
	URL          string
	Repositories repositories
	Forges       []string // names of configured forges
	Now          func() time.Time
}

// Engine applies settings.
type Engine struct{ Options }

// New returns an Engine.
func New(o Options) *Engine { return &Engine{Options: o} }

// Is reports whether r is the platform repository.
func (e *Engine) Is(r waybill.Repository) bool { return e.URL != "" && r.URL == e.URL }

// Observe returns what is applied, for the plan, and what is wrong with declarations in the light of what is there. A
// tree with such findings is not applied.
func (e *Engine) Observe(
	ctx context.Context, q store.Querier, c waybill.Check, wanted []waybill.Declaration,
) ([]waybill.Observed, waybill.Findings, error) {
	settings, err := platformstore.List(ctx, q, "")
	if err != nil {
		return nil, nil, err
	}
	var applied []waybill.Observed
	for _, s := range settings {
		d := s.Declaration()
		applied = append(applied, waybill.Observed{Identity: d.Identity, Repository: c.Repository, Declared: &d})
	}
	refused, err := e.refuse(ctx, q, wanted)
	return applied, refused, err
}

func (e *Engine) refuse(ctx context.Context, q store.Querier, wanted []waybill.Declaration) (waybill.Findings, error) {
	var refused waybill.Findings
	for _, d := range wanted {
		if d.Platform == nil {
			continue
		}
		part, err := e.acceptable(ctx, q, d)
		switch waybill.CodeOf(err) {
		case "":
		case waybill.Invalid, waybill.Conflict:
			line, column := d.Place(part)
			refused = append(refused, waybill.Finding{
				Code: Refused, Severity: waybill.SeverityError, File: d.File, Line: line, Column: column, Path: part,
				Message: err.Error(), Declaration: d.Identity.String(),
			})
		default:
			return nil, err
		}
	}
	return refused, nil
}

// Refused is the code of a setting that contradicts what is there.
const Refused waybill.FindingCode = "WB906"

// acceptable reports why d cannot be applied, and the part of it that is to blame.
func (e *Engine) acceptable(ctx context.Context, q store.Querier, d waybill.Declaration) (part string, err error) {
	switch {
	case d.Platform.Repository != nil:
		return "spec.url", e.Repositories.Acceptable(ctx, q, d.Name, *d.Platform.Repository)
	case d.Platform.Site != nil:
		have, err := connectorstore.Site(ctx, q, d.Name)
		if err == nil && have.Environment != d.Platform.Site.Environment {
			return "spec.environment", waybill.Errorf(waybill.Invalid,
				"site %s is a %s site and cannot become %s; declare a new site under another name",
				d.Name, have.Environment, d.Platform.Site.Environment)
		}
		if !waybill.IsCode(err, waybill.NotFound) {
			return "", err
		}
	}
	return "", nil
}

// Apply makes the settings those of wanted, which are all valid declarations of the tree and not refused. It returns how
// many settings changed. An error takes everything back.
func (e *Engine) Apply(ctx context.Context, tx *store.Tx, c waybill.Check, wanted []waybill.Declaration) (changed int, err error) {
	stored, err := platformstore.List(ctx, tx, "")
	if err != nil {
		return 0, err
	}
	before := map[waybill.Identity]platformstore.Setting{}
	for _, s := range stored {
		before[waybill.Identity{Kind: s.Kind, Name: s.Name, Major: 1}] = s
	}
	a := &application{engine: e, tx: tx, check: c, by: waybill.Actor{Name: c.Actor, Channel: waybill.ChannelGit}}
	for _, d := range wanted {
		if d.Platform == nil {
			continue
		}
		id := waybill.Identity{Kind: d.Kind, Name: d.Name, Major: 1}
		old, known := before[id]
		delete(before, id)
		if known && old.Digest == d.Digest {
			continue
		}
		if err := a.put(ctx, d, old); err != nil {
			return 0, err
		}
	}
	for _, s := range stored {
		if _, gone := before[waybill.Identity{Kind: s.Kind, Name: s.Name, Major: 1}]; !gone {
			continue
		}
		if err := a.remove(ctx, s); err != nil {
			return 0, err
		}
	}
	return a.changed, nil
}

// application is one run of Apply.
type application struct {
	engine  *Engine
	tx      *store.Tx
	check   waybill.Check
	by      waybill.Actor
	changed int
}

// put creates or changes one setting and what follows from it. old is the zero Setting when it is new.
func (a *application) put(ctx context.Context, d waybill.Declaration, old platformstore.Setting) error {
	s := platformstore.Setting{
		Kind: d.Kind, Name: d.Name, Digest: d.Digest, Commit: a.check.Commit, File: d.File, Line: d.Line,
		Applied: a.engine.Now(), Spec: *d.Platform,
	}
	if err := a.follow(ctx, s, old); err != nil {
		return err
	}
	if err := platformstore.Put(ctx, a.tx, s); err != nil {
		return err
	}
	action := "change"
	if old.Name == "" {
		action = "create"
	}
	return a.record(ctx, s, action, old.Digest, s.Digest)
}

// remove takes one setting back.
func (a *application) remove(ctx context.Context, s platformstore.Setting) error {
	if err := a.withdraw(ctx, s); err != nil {
		return err
	}
	if err := platformstore.Remove(ctx, a.tx, s.Kind, s.Name); err != nil {
		return err
	}
	return a.record(ctx, s, "remove", s.Digest, "")
}

func (a *application) record(ctx context.Context, s platformstore.Setting, action, before, after string) error {
	a.changed++
	kind := strings.ToLower(s.Kind)
	return store.Record(ctx, a.tx, waybill.Entry{
		At: a.engine.Now(), Actor: a.by.Name, Channel: a.by.Channel, Repository: a.check.Repository, Commit: a.check.Commit,
		Subject: kind + ":" + s.Name, Action: kind + "." + action, Before: before, After: after,
	})
}
