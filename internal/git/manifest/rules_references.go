package manifest

import (
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// siteReferences checks the sites that a connector names.
func (d *document) siteReferences() {
	r := d.declaration.Connector.Release
	at := schema.Path{"spec", "release"}
	d.refer(UnknownSite, waybill.KindSite, r.DevSite, at.Child("dev").Child("site"))
	for i, s := range r.Targets.Sites {
		d.refer(UnknownSite, waybill.KindSite, s, at.Child("targets").Child("sites").Index(i))
	}
	for i, s := range r.Access.Sites {
		d.refer(UnknownSite, waybill.KindSite, s, at.Child("access").Child("sites").Index(i))
	}
}

func (d *document) allowlistReferences() {
	for i, a := range d.declaration.App.Allowlist {
		d.refer(UnknownWorkspace, waybill.KindWorkspace, a.Workspace, entries("allowlist", "workspace")(i))
	}
}

// scopeReferences checks that the scopes an app asks for are in a catalog.
func (d *document) scopeReferences() {
	_, scopes := d.world.catalog()
	for i, s := range d.declaration.App.Scopes {
		at := entries("scopes", "scope")(i)
		switch {
		case s.Scope == "" || slices.Contains(scopes, s.Scope):
		case !d.world.complete(waybill.KindEventCatalog):
			d.unchecked++
		default:
			d.report(UnknownScope, at, "no event catalog has the scope "+quote(s.Scope), suggestOf(s.Scope, scopes))
			d.nearest(at, s.Scope, scopes)
		}
	}
}

// matching returns the events that a pattern such as invoice.* stands for.
func matching(events []waybill.EventType, pattern string) []waybill.EventType {
	var found []waybill.EventType
	for _, e := range events {
		prefix, all := strings.CutSuffix(pattern, "*")
		if e.Type == pattern || all && strings.HasPrefix(e.Type, prefix) {
			found = append(found, e)
		}
	}
	return found
}

// eachEvent calls check for every event of every webhook and its path.
func (d *document) eachEvent(check func(pattern string, at schema.Path)) {
	for i, w := range d.declaration.App.Webhooks {
		for j, pattern := range w.Events {
			if pattern != "" {
				check(pattern, schema.Path{"spec", "webhooks"}.Index(i).Child("events").Index(j))
			}
		}
	}
}

// eventReferences checks that events are in a catalog and still sent.
func (d *document) eventReferences() {
	events, _ := d.world.catalog()
	types := keys(events, func(e waybill.EventType) string { return e.Type })
	d.eachEvent(func(pattern string, at schema.Path) {
		found := matching(events, pattern)
		retired := slices.ContainsFunc(found, func(e waybill.EventType) bool { return e.Retired && e.Type == pattern })
		switch {
		case retired:
			d.report(RetiredEvent, at, "event "+quote(pattern)+" is no longer sent", "delete it")
			d.last().Severity = waybill.SeverityWarning
		case len(found) > 0:
		case !d.world.complete(waybill.KindEventCatalog):
			d.unchecked++
		default:
			d.report(UnknownEvent, at, "no event catalog has the event "+quote(pattern), suggestOf(pattern, types))
			d.nearest(at, pattern, types)
		}
	})
}

// eventScopes checks that an app asks for the scope of every event it is told of.
func (d *document) eventScopes() {
	events, _ := d.world.catalog()
	if d.holed(schema.Path{"spec", "scopes"}) {
		return
	}
	granted := keys(d.declaration.App.Scopes, func(s waybill.ScopeRequest) string { return s.Scope })
	d.eachEvent(func(pattern string, at schema.Path) {
		var missing []string
		for _, e := range matching(events, pattern) {
			if e.Scope != "" && !slices.Contains(granted, e.Scope) && !slices.Contains(missing, e.Scope) {
				missing = append(missing, e.Scope)
			}
		}
		slices.Sort(missing)
		for _, scope := range missing {
			d.report(MissingScope, at, "event "+quote(pattern)+" needs the scope "+quote(scope),
				`add "- {scope: "`+scope+`", purpose: …}" to spec.scopes`)
		}
	})
}

// dataTypeReferences checks that categories and data types are those of the webhook's events.
func (d *document) dataTypeReferences() {
	events, _ := d.world.catalog()
	for i, w := range d.declaration.App.Webhooks {
		var categories, types []string
		known := true
		for _, pattern := range w.Events {
			found := matching(events, pattern)
			known = known && len(found) > 0
			for _, e := range found {
				categories = append(categories, e.Category)
				types = append(types, e.DataTypes...)
			}
		}
		if !known {
			continue // told by eventReferences, or counted there
		}
		at := schema.Path{"spec", "webhooks"}.Index(i)
		d.among("category", w.Categories, categories, at.Child("categories"))
		d.among("data type", w.DataTypes, types, at.Child("dataTypes"))
	}
}

// among reports the words that are not among the legal ones.
func (d *document) among(name string, words, legal []string, at schema.Path) {
	for i, word := range words {
		if word == "" || slices.Contains(legal, word) {
			continue
		}
		legal = slices.Compact(slices.Sorted(slices.Values(legal)))
		hint := "they have none"
		if len(legal) > 0 {
			hint = suggest(word, legal)
		}
		d.report(UnknownDataType, at.Index(i), "none of the events has the "+name+" "+quote(word), hint)
		d.nearest(at.Index(i), word, legal)
	}
}
