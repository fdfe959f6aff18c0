package manifest

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// rule checks what a definition cannot say.
type rule struct {
	name  string
	kinds []string // empty: all
	// beside says that the rule looks at other files, or at what the manifest is loaded for; together, that it needs to
	// know what else is declared. Any other sees nothing but the document: what it comes to is remembered.
	beside, together bool
	check            func(context.Context, *document) error
}

// table lists the rules, in the order they are applied.
func (l *Loader) table() []rule {
	connector, app, both := []string{waybill.KindConnector}, []string{waybill.KindApp}, []string{waybill.KindConnector, waybill.KindApp}
	return slices.Concat(
		[]rule{
			{name: "owner", together: true, check: plain((*document).ownerRule)},
			{name: "spans", check: plain((*document).spanRules)},
			{name: "dates", check: plain((*document).dateRules)},
			{name: "files", beside: true, check: plain((*document).fileRules)},
			{name: "logo", beside: true, check: reading((*document).logoRule)},
			{name: "tag pattern", kinds: both, check: plain((*document).tagRule)},
			{name: "branch", kinds: both, check: plain((*document).branchRule)},
		},
		each(connector, connectorRules()),
		each(app, l.appRules()),
		platformRules(),
		policyRules(),
	)
}

// each gives rules their kinds.
func each(kinds []string, rules []rule) []rule {
	for i := range rules {
		rules[i].kinds = kinds
	}
	return rules
}

// plain makes a rule of a function that reads no file.
func plain(check func(*document)) func(context.Context, *document) error {
	return func(_ context.Context, d *document) error {
		check(d)
		return nil
	}
}

// reading makes a rule of a function that reads files.
func reading(check func(*document, context.Context) error) func(context.Context, *document) error {
	return func(ctx context.Context, d *document) error { return check(d, ctx) }
}

// view is how far a rule looks.
type view int

const (
	alone    view = iota // at the document
	beside               // at the commit
	together             // at all that is declared
)

func (r rule) view() view {
	switch {
	case r.together:
		return together
	case r.beside:
		return beside
	default:
		return alone
	}
}

// apply applies the rules for the kind of d that look as far as v.
func (l *Loader) apply(ctx context.Context, d *document, v view) error {
	for _, r := range l.rules {
		if r.view() != v || len(r.kinds) > 0 && !slices.Contains(r.kinds, d.kind()) {
			continue
		}
		if err := r.check(ctx, d); err != nil {
			return err
		}
	}
	return nil
}

func connectorRules() []rule {
	return []rule{
		{name: "secrets", check: plain((*document).secretsRule)},
		{name: "authentication", check: plain((*document).authenticationRule)},
		{name: "source", check: plain((*document).sourceRule)},
		{name: "health check", together: true, check: plain((*document).healthRule)},
		{name: "cores", check: plain((*document).coresRule)},
		{name: "memory", check: plain((*document).memoryRule)},
		{name: "schedule", check: plain((*document).scheduleRule)},
		{name: "field keys", check: plain((*document).keyRules)},
		{name: "field options", check: plain((*document).optionRules)},
		{name: "option values", check: plain((*document).optionValueRules)},
		{name: "field defaults", check: plain((*document).defaultRules)},
		{name: "field passwords", check: plain((*document).passwordRules)},
		{name: "config", check: plain((*document).configRules)},
		{name: "access for everyone", check: plain((*document).everyoneRule)},
		{name: "access inside targets", check: plain((*document).targetsRule)},
		{name: "sites", together: true, check: plain((*document).siteReferences)},
	}
}

// ownerRule checks metadata.owner against the team of the repository, or else against the teams that exist.
func (d *document) ownerRule() {
	owner, _ := d.text("metadata", "owner")
	at, own := schema.Path{"metadata", "owner"}, d.file.options.Owner
	switch {
	case !d.Usable(at) || owner == own:
	case own == "" || ofPlatform(d.kind()):
		d.refer(UnknownTeam, waybill.KindTeam, owner, at)
	default:
		d.report(ForeignOwner, at, "owner "+quote(owner)+" is not the team of this repository", "write "+quote(own))
		d.replace(at, own)
	}
}

// span is a duration somewhere in a document, and how long it may be.
type span struct {
	path        schema.Path
	least, most time.Duration
	legal       string // what to write, in words
}

const day = 24 * time.Hour

// spans lists the durations of d.
func (d *document) spans() []span {
	all := []span{
		{schema.Path{"spec", "build", "timeout"}, 1, day, "more than 0s and at most 24h"},
		{schema.Path{"spec", "application", "healthCheck", "timeout"}, 1, time.Minute, "more than 0s and at most 60s"},
		{schema.Path{"spec", "run", "timeout"}, 1, 7 * day, "more than 0s and at most 168h"},
		{schema.Path{"spec", "install", "link", "ttl"}, 1, 90 * day, "more than 0s and at most 90d"},
		{schema.Path{"spec", "credentials", "rotateEvery"}, day, 1000 * day, "1d to 1000d"},
		{schema.Path{"spec", "credentials", "overlap"}, 0, 7 * day, "0s to 7d"},
	}
	if d.declaration.App != nil {
		for _, e := range d.declaration.App.Endpoints {
			all = append(all, span{schema.Path{"spec", "endpoints", e.Key, "timeout"}, 1, time.Minute, "more than 0s and at most 60s"})
		}
	}
	return all
}

// spanRules refuses written durations that are too short or too long.
func (d *document) spanRules() {
	for _, s := range d.spans() {
		text, _ := d.text(s.path...)
		if !d.Usable(s.path) {
			continue
		}
		v := duration(text)
		unread := v <= 0 && strings.Trim(text, "0dhms") != "" // beyond every clock
		if unread || v < s.least || v > s.most {
			d.report(IllegalDuration, s.path, quote(text)+" is not legal for "+s.path.String(), "write "+s.legal)
		}
	}
}

// dateRules refuses days that no calendar has.
func (d *document) dateRules() {
	paths := []schema.Path{{"spec", "effective"}}
	if a := d.declaration.App; a != nil {
		for i := range a.Members {
			paths = append(paths, schema.Path{"spec", "members"}.Index(i).Child("expires"))
		}
		for i := range a.Allowlist {
			paths = append(paths, schema.Path{"spec", "allowlist"}.Index(i).Child("until"))
		}
	}
	for _, p := range paths {
		text, _ := d.text(p...)
		if !d.Usable(p) {
			continue
		}
		if _, err := time.Parse(time.DateOnly, text); err != nil {
			d.report(IllegalDate, p, "there is no day "+quote(text), "check month and day")
		}
	}
}

// once reports every entry of a list whose key was there before; empty keys are none. name says what they are.
func (d *document) once(name string, keys []string, at func(i int) schema.Path) {
	seen := map[string]bool{}
	for i, key := range keys {
		if seen[key] && key != "" {
			d.report(DuplicateEntry, at(i), name+" "+quote(key)+" is there twice", "delete one")
		}
		seen[key] = true
	}
}

// entries returns the paths of one part of the entries of a list of spec.
func entries(list, part string) func(i int) schema.Path {
	return func(i int) schema.Path {
		p := schema.Path{"spec", list}.Index(i)
		if part == "" {
			return p
		}
		return p.Child(part)
	}
}

// keys returns one text of each entry of a list.
func keys[T any](list []T, key func(T) string) []string {
	all := make([]string, len(list))
	for i, e := range list {
		all[i] = key(e)
	}
	return all
}
