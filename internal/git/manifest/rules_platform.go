package manifest

import (
	"bytes"
	"encoding/json"
	"io"
	"maps"
	"path"
	"slices"
	"strconv"
	"strings"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func platformRules() []rule {
	on := func(kind, name string, check func(*document)) rule {
		return rule{name: name, kinds: []string{kind}, check: plain(check)}
	}
	among := func(kind, name string, check func(*document)) rule {
		r := on(kind, name, check)
		r.together = true
		return r
	}
	return []rule{
		among(waybill.KindRepository, "repository owner", func(d *document) {
			d.refer(UnknownTeam, waybill.KindTeam, d.declaration.Platform.Repository.Owner, schema.Path{"spec", "owner"})
		}),
		among(waybill.KindRepository, "repository forge", (*document).forgeRule),
		on(waybill.KindRepository, "repository patterns", (*document).watchRules),
		on(waybill.KindTeam, "team members once", func(d *document) {
			d.once("member", keys(d.declaration.Platform.Team.Members, func(m waybill.Member) string { return m.User }), entries("members", "user"))
		}),
		on(waybill.KindSite, "assignments once", (*document).assignmentsOnce),
		on(waybill.KindSite, "assignment schedules", (*document).assignmentSchedules),
		among(waybill.KindSite, "assignment connectors", (*document).assignmentReferences),
		among(waybill.KindSite, "assignment values", (*document).assignmentValues),
		among(waybill.KindSite, "assignment secrets", (*document).assignmentSecrets),
		among(waybill.KindSite, "assignment providers", (*document).assignmentProviders),
		on(waybill.KindWorkspace, "admins once", func(d *document) {
			d.once("admin", d.declaration.Platform.Workspace.Admins, func(i int) schema.Path { return schema.Path{"spec", "admins"}.Index(i) })
		}),
		on(waybill.KindWorkspace, "installs once", func(d *document) {
			d.once("app", keys(d.declaration.Platform.Workspace.Installs, func(i waybill.InstallSpec) string { return i.App }), entries("installs", "app"))
		}),
		on(waybill.KindWorkspace, "channel or version", (*document).channelRules),
		among(waybill.KindWorkspace, "installed apps", (*document).installReferences),
		among(waybill.KindWorkspace, "install settings", (*document).installSettings),
		among(waybill.KindWorkspace, "install scopes", (*document).installScopes),
		on(waybill.KindAuthProvider, "provider fields once", func(d *document) {
			d.once("field", keys(d.declaration.Platform.AuthProvider.Fields, func(f waybill.CredentialField) string { return f.Name }), entries("fields", "name"))
		}),
		on(waybill.KindEventCatalog, "events once", func(d *document) {
			d.once("event", keys(d.declaration.Platform.EventCatalog.Events, func(e waybill.EventType) string { return e.Type }), entries("events", "type"))
		}),
		on(waybill.KindEventCatalog, "catalog scopes once", func(d *document) {
			d.once("scope", keys(d.declaration.Platform.EventCatalog.Scopes, func(s waybill.ScopeSpec) string { return s.Name }), entries("scopes", "name"))
		}),
		on(waybill.KindEventCatalog, "event schemas", (*document).schemaRules),
		among(waybill.KindEventCatalog, "scopes of events", (*document).catalogScopes),
	}
}

func (d *document) forgeRule() {
	name, at := d.declaration.Platform.Repository.Forge, schema.Path{"spec", "forge"}
	r := d.file.options.References
	switch {
	case name == "plain" || !d.Usable(at):
	case r == nil:
		d.unchecked++
	case !slices.Contains(r.Forges, name):
		d.report(UnknownForge, at, "there is no forge "+quote(name), suggest(name, append([]string{"plain"}, r.Forges...)))
	}
}

func (d *document) watchRules() {
	r := d.declaration.Platform.Repository
	d.globs(r.Branches, schema.Path{"spec", "watch", "branches"})
	d.globs(r.Tags, schema.Path{"spec", "watch", "tags"})
	d.globs(r.Paths, schema.Path{"spec", "paths"})
}

// globs refuses patterns that cannot be read.
func (d *document) globs(patterns []string, at schema.Path) {
	for i, p := range patterns {
		if _, err := path.Match(p, ""); err != nil {
			d.report(IllegalGlob, at.Index(i), "the pattern "+quote(p)+" cannot be read", "close its brackets, or write * in place of them")
		}
	}
}

// eachAssignment calls check for every assignment of a site and its path.
func (d *document) eachAssignment(check func(a waybill.AssignmentSpec, at schema.Path)) {
	for i, a := range d.declaration.Platform.Site.Assignments {
		check(a, schema.Path{"spec", "connectors"}.Index(i))
	}
}

func (d *document) assignmentsOnce() {
	names := keys(d.declaration.Platform.Site.Assignments, func(a waybill.AssignmentSpec) string {
		if a.Connector == "" {
			return ""
		}
		return waybill.Identity{Kind: waybill.KindConnector, Name: a.Connector, Major: a.Major}.String()
	})
	d.once("connector", names, entries("connectors", "connector"))
}

func (d *document) assignmentSchedules() {
	d.eachAssignment(func(a waybill.AssignmentSpec, at schema.Path) { d.schedule(at.Child("schedule"), a.Schedule) })
}

// assignmentReferences checks that connectors exist, with their major.
func (d *document) assignmentReferences() {
	d.eachAssignment(func(a waybill.AssignmentSpec, at schema.Path) {
		if !d.refer(UnknownConnector, waybill.KindConnector, a.Connector, at.Child("connector")) || d.world.find(waybill.KindConnector, a.Connector, a.Major) != nil {
			return
		}
		var majors []string
		for _, c := range d.world.byKind[waybill.KindConnector] {
			if c.Name == a.Connector {
				majors = append(majors, strconv.Itoa(c.Major))
			}
		}
		if len(majors) == 0 || a.Major == 0 {
			return // known by name only
		}
		slices.Sort(majors)
		d.report(UnknownConnector, at.Child("version"), "connector "+quote(a.Connector)+" has no major "+strconv.Itoa(a.Major),
			"it has: "+strings.Join(majors, ", "))
	})
}

// assigned returns the connector of an assignment, or nil when it is not known.
func (d *document) assigned(a waybill.AssignmentSpec) *waybill.Connector {
	if c := d.world.find(waybill.KindConnector, a.Connector, a.Major); c != nil {
		return c.Connector
	}
	return nil
}

func (d *document) assignmentValues() {
	d.eachAssignment(func(a waybill.AssignmentSpec, at schema.Path) {
		c := d.assigned(a)
		if c == nil {
			return
		}
		d.config(c.Fields, a.Config, at.Child("config"), "the connector has no fields")
	})
}

func (d *document) assignmentSecrets() {
	d.eachAssignment(func(a waybill.AssignmentSpec, at schema.Path) {
		c := d.assigned(a)
		for _, name := range slices.Sorted(maps.Keys(a.Secrets)) {
			p := at.Child("secrets").Child(name)
			if c == nil {
				d.unchecked++
				continue
			}
			known := keys(c.Secrets, func(s waybill.SecretRef) string { return s.Name })
			if !slices.Contains(known, name) {
				d.report(UnknownConfigKey, p, "there is no secret "+quote(name), suggestField(name, known, "the connector has no secrets"))
				d.atKey(p)
			}
		}
	})
}

func (d *document) assignmentProviders() {
	d.eachAssignment(func(a waybill.AssignmentSpec, at schema.Path) {
		for _, name := range slices.Sorted(maps.Keys(a.Credentials)) {
			before := len(d.findings)
			p := at.Child("credentials").Child(name)
			if d.refer(UnknownProvider, waybill.KindAuthProvider, name, p); len(d.findings) > before {
				d.atKey(p)
			}
		}
	})
}

func (d *document) channelRules() {
	for i, install := range d.declaration.Platform.Workspace.Installs {
		at := schema.Path{"spec", "installs"}.Index(i)
		channel, version := d.written(at.Child("channel")...), d.written(at.Child("version")...)
		if install.App == "" || channel != version || d.slipped(at) {
			continue
		}
		if channel {
			d.report(ChannelOrVersion, at.Child("version"), "the install follows a channel and stays at a version", "keep one of them")
			continue
		}
		d.report(ChannelOrVersion, at, "the install has neither channel nor version", `add "channel: published"`)
	}
}

func (d *document) installReferences() {
	for i, install := range d.declaration.Platform.Workspace.Installs {
		d.refer(UnknownApp, waybill.KindApp, install.App, entries("installs", "app")(i))
	}
}

// eachInstall calls check for every install whose app is known, and its path.
func (d *document) eachInstall(check func(i waybill.InstallSpec, app *waybill.App, at schema.Path)) {
	for i, install := range d.declaration.Platform.Workspace.Installs {
		if app := d.world.find(waybill.KindApp, install.App, 1); app != nil && app.App != nil {
			check(install, app.App, schema.Path{"spec", "installs"}.Index(i))
		}
	}
}

func (d *document) installSettings() {
	d.eachInstall(func(install waybill.InstallSpec, app *waybill.App, at schema.Path) {
		known := keys(app.Install.Settings, func(s waybill.Setting) string { return s.Key })
		for _, key := range slices.Sorted(maps.Keys(install.Settings)) {
			p, i := at.Child("settings").Child(key), slices.Index(known, key)
			if i < 0 {
				d.report(UnknownConfigKey, p, "there is no setting "+quote(key), suggestField(key, known, "the app has no settings"))
				d.atKey(p)
				continue
			}
			s, value := app.Install.Settings[i], install.Settings[key]
			if s.Type == "secret" {
				d.report(PasswordDefault, p, "a secret does not belong in a manifest", "delete it; give the value in the workspace")
			} else if hint := unset(s, value); hint != "" {
				d.report(IllegalConfig, p, quote(value)+" is not legal for a setting of type "+s.Type, hint)
			}
		}
	})
}

func (d *document) installScopes() {
	d.eachInstall(func(install waybill.InstallSpec, app *waybill.App, at schema.Path) {
		known := keys(app.Scopes, func(s waybill.ScopeRequest) string { return s.Scope })
		for i, scope := range install.Scopes {
			if scope == "" || slices.Contains(known, scope) {
				continue
			}
			d.report(UnknownScope, at.Child("scopes").Index(i), "the app does not ask for the scope "+quote(scope), suggestField(scope, known, "it asks for none"))
		}
	})
}

// catalogScopes checks that the scope of every event is declared.
func (d *document) catalogScopes() {
	_, scopes := d.world.catalog()
	if d.holed(schema.Path{"spec", "scopes"}) {
		return
	}
	for i, e := range d.declaration.Platform.EventCatalog.Events {
		if at := entries("events", "scope")(i); e.Scope != "" && !slices.Contains(scopes, e.Scope) {
			d.report(UnknownScope, at, "no event catalog has the scope "+quote(e.Scope), suggestField(e.Scope, scopes, "declare it in spec.scopes"))
			d.nearest(at, e.Scope, scopes)
		}
	}
}

// schemaRules checks that the schemas of events are legal JSON Schema of an object.
func (d *document) schemaRules() {
	for i, e := range d.declaration.Platform.EventCatalog.Events {
		at := entries("events", "schema")(i)
		if len(e.Schema) == 0 || !d.Usable(at) {
			continue
		}
		if message, hint := badSchema(e.Schema); message != "" {
			d.report(IllegalSchema, at, message, hint)
		}
	}
}

// badSchema says what is wrong with the JSON Schema of an event; the message is empty when nothing is.
func badSchema(text []byte) (message, hint string) {
	const form = "compare it with JSON Schema 2020-12"
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(text))
	if err != nil {
		return "the schema is no JSON", form
	}
	var head struct{ Type any }
	if json.Unmarshal(text, &head) != nil || head.Type != "object" {
		return "the schema is not of an object", "write type: object and its properties"
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(nowhereElse{})
	if err := c.AddResource("waybill:event", doc); err != nil {
		return "the schema cannot be read", form
	}
	if _, err := c.Compile("waybill:event"); err != nil {
		return "the schema is not legal" + schemaPlace(err), form
	}
	return "", ""
}

// nowhereElse refuses to load schemas from other places.
type nowhereElse struct{}

func (nowhereElse) Load(string) (any, error) { return nil, io.EOF }
