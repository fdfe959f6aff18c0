package manifest

import (
	"runtime"
	"slices"
	"strconv"
	"strings"

	"golang.org/x/sync/errgroup"

	"github.com/waybill-dev/waybill/internal/foundation/filter"
	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func (l *Loader) appRules() []rule {
	return []rule{
		{name: "support", check: plain((*document).supportRule)},
		{name: "privacy", check: plain(func(d *document) { d.agreementRule("privacy", d.declaration.App.Support.Privacy) })},
		{name: "terms of use", check: plain(func(d *document) { d.agreementRule("terms", d.declaration.App.Support.Terms) })},
		{name: "owner among members", check: plain((*document).memberRule)},
		{name: "members once", check: plain(func(d *document) {
			d.once("member", keys(d.declaration.App.Members, func(m waybill.Member) string { return m.User }), entries("members", "user"))
		})},
		{name: "allowlist", check: plain((*document).allowlistRule)},
		{name: "allowlist once", check: plain(func(d *document) {
			d.once("workspace", keys(d.declaration.App.Allowlist, func(a waybill.Allowance) string { return a.Workspace }), entries("allowlist", "workspace"))
		})},
		{name: "scopes once", check: plain(func(d *document) {
			d.once("scope", keys(d.declaration.App.Scopes, func(s waybill.ScopeRequest) string { return s.Scope }), entries("scopes", "scope"))
		})},
		{name: "draft addresses", beside: true, check: plain((*document).draftRules)},
		{name: "redirects once", check: plain(func(d *document) {
			d.once("address", d.declaration.App.Install.RedirectURLs, func(i int) schema.Path {
				return schema.Path{"spec", "install", "redirectUrls"}.Index(i)
			})
		})},
		{name: "webhooks once", check: plain(func(d *document) {
			d.once("webhook", keys(d.declaration.App.Webhooks, func(w waybill.Webhook) string { return w.Name }), entries("webhooks", "name"))
		})},
		{name: "webhook events once", check: plain((*document).eventsOnce)},
		{name: "webhook endpoints", check: plain((*document).endpointRule)},
		{name: "webhook filters", check: plain(l.filterRule)},
		{name: "settings once", check: plain(func(d *document) {
			d.once("setting", keys(d.declaration.App.Install.Settings, func(s waybill.Setting) string { return s.Key }), settingPaths("key"))
		})},
		{name: "setting enums", check: plain((*document).enumRules)},
		{name: "setting patterns", check: plain((*document).patternRules)},
		{name: "setting defaults", check: plain((*document).settingDefaults)},
		{name: "setting secrets", check: plain((*document).settingSecrets)},
		{name: "allowlist workspaces", together: true, check: plain((*document).allowlistReferences)},
		{name: "scopes exist", together: true, check: plain((*document).scopeReferences)},
		{name: "events exist", together: true, check: plain((*document).eventReferences)},
		{name: "event scopes", together: true, check: plain((*document).eventScopes)},
		{name: "data types", together: true, check: plain((*document).dataTypeReferences)},
	}
}

func (d *document) supportRule() {
	at := schema.Path{"metadata", "support"}
	if d.written(at...) && !d.holed(at) && !d.written(at.Child("email")...) && !d.written(at.Child("url")...) && !d.slipped(at) {
		d.report(SupportMissing, at, "metadata.support has neither email nor url", `add "email: apps@example.org"`)
	}
}

// slipped reports whether a field below at is misspelt, and may be the one that seems to be missing.
func (d *document) slipped(at schema.Path) bool {
	return slices.ContainsFunc(d.Problems, func(p schema.Problem) bool {
		return p.Mistake == schema.Unknown && strings.HasPrefix(p.Hint, "did you mean") && p.Path[:len(p.Path)-1].String() == at.String()
	})
}

// agreementRule demands a page of metadata.support above private.
func (d *document) agreementRule(name, url string) {
	at := schema.Path{"metadata", "support"}
	wanted := d.declaration.App.Distribution
	if wanted == waybill.Private || wanted == "" || url != "" || d.written(at.Child(name)...) || d.slipped(at) {
		return
	}
	d.report(TermsMissing, at, "metadata.support."+name+" is missing", "distribution "+string(wanted)+` needs it; add "`+name+`: https://…", or write distribution: private`)
}

func (d *document) memberRule() {
	members, at := d.declaration.App.Members, schema.Path{"spec", "members"}
	unread := slices.ContainsFunc(members, func(m waybill.Member) bool { return m.Role == "" })
	owner := slices.ContainsFunc(members, func(m waybill.Member) bool { return m.Role == "owner" })
	if len(members) > 0 && !owner && !unread {
		d.report(OwnerMissing, at, "no member is an owner", `add "- {user: …, role: owner}"`)
	}
}

func (d *document) allowlistRule() {
	a := d.declaration.App
	if len(a.Allowlist) > 0 && a.Distribution != waybill.Private && a.Distribution != "" {
		d.report(NotPrivate, schema.Path{"spec", "allowlist"}, "an app that is "+string(a.Distribution)+" has no allowlist",
			"delete it, or write distribution: private")
	}
}

// draftRules tells addresses that only drafts may have.
func (d *document) draftRules() {
	app := d.declaration.App
	for _, e := range app.Endpoints {
		d.draftRule(schema.Path{"spec", "endpoints", e.Key, "url"}, e.URL)
	}
	for i, u := range app.Install.RedirectURLs {
		d.draftRule(schema.Path{"spec", "install", "redirectUrls"}.Index(i), u)
	}
}

func (d *document) draftRule(at schema.Path, url string) {
	if !strings.HasPrefix(url, "http://") || !d.Usable(at) {
		return
	}
	d.report(DraftOnly, at, quote(url)+" works in drafts only", "write an https:// address before you publish")
	if !d.file.options.Publishing {
		d.last().Severity = waybill.SeverityWarning
	}
}

func (d *document) eventsOnce() {
	for i, w := range d.declaration.App.Webhooks {
		at := schema.Path{"spec", "webhooks"}.Index(i).Child("events")
		d.once("event", w.Events, func(j int) schema.Path { return at.Index(j) })
	}
}

func (d *document) endpointRule() {
	if d.holed(schema.Path{"spec", "endpoints"}) {
		return
	}
	known := keys(d.declaration.App.Endpoints, func(e waybill.Endpoint) string { return e.Key })
	for i, w := range d.declaration.App.Webhooks {
		at := schema.Path{"spec", "webhooks"}.Index(i).Child("endpoint")
		if w.Endpoint == "" || slices.Contains(known, w.Endpoint) || d.written("spec", "endpoints", w.Endpoint) {
			continue
		}
		d.report(UnknownEndpoint, at, "there is no endpoint "+quote(w.Endpoint), suggestField(w.Endpoint, known, "declare it in spec.endpoints"))
		d.nearest(at, w.Endpoint, known)
	}
}

// filterRule type-checks the filters of webhooks.
// maxFilters bounds the filters of one file, in bytes: to read one costs far more than to read the rest of a manifest.
const maxFilters = 10_000

// filters returns the length of all filters that are written in d, legal or not.
func (d *document) filters() (length int) {
	_, webhooks := schema.Find(d.Root, schema.Path{"spec", "webhooks"})
	for i := 0; webhooks != nil && i < len(webhooks.Content); i++ {
		text, _ := d.text("spec", "webhooks", "["+strconv.Itoa(i)+"]", "filter")
		length += len(text)
	}
	return length
}

func (l *Loader) filterRule(d *document) {
	webhooks := d.declaration.App.Webhooks
	found := make([][]filter.Problem, len(webhooks))
	var g errgroup.Group
	g.SetLimit(runtime.GOMAXPROCS(0))
	length := d.filtersBefore
	for i, w := range webhooks {
		if w.Filter == "" || !d.Usable(entries("webhooks", "filter")(i)) {
			continue
		}
		if length += len(w.Filter); length > maxFilters {
			found[i] = []filter.Problem{{Line: 1, Column: 1, Message: "the filters of the file are too long together", Hint: "filter in the program"}}
			continue
		}
		g.Go(func() error {
			_, found[i] = l.filters.Compile(w.Filter)
			return nil
		})
	}
	_ = g.Wait()
	for i, problems := range found {
		at := entries("webhooks", "filter")(i)
		for _, p := range problems[:min(len(problems), 1)] {
			d.report(IllegalFilter, at, "the filter is not legal at "+strconv.Itoa(p.Line)+":"+strconv.Itoa(p.Column)+": "+p.Message, p.Hint)
		}
	}
}
