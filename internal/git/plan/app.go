package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// DifferApp says what lies between two declarations of an app: the class, which parts differ, and in words what makes the
// class, the heaviest first. Nothing else decides whether workspaces are asked again.
func DifferApp(before, after *waybill.App) (class waybill.ChangeClass, parts, reasons []string) {
	a := &appDiffer{before: before, after: after, class: waybill.Unchanged}
	for _, p := range []struct {
		name    string
		differs bool
		look    func() // finds what is more than a patch
	}{
		{"metadata.title", before.Title != after.Title, nil},
		{"metadata.description", before.Description != after.Description, nil},
		{"metadata.labels", !same(before.Labels, after.Labels), nil},
		{"metadata.readme", before.Readme != after.Readme, nil},
		{"metadata.logo", before.Logo != after.Logo, nil},
		{"metadata.owner", before.Owner != after.Owner, nil},
		{"metadata.support", before.Support != after.Support, nil},
		{"spec.members", !same(before.Members, after.Members), nil},
		{"spec.distribution", before.Distribution != after.Distribution, a.distribution},
		{"spec.allowlist", !same(before.Allowlist, after.Allowlist), a.allowlist},
		{"spec.scopes", !same(before.Scopes, after.Scopes), a.scopes},
		{"spec.endpoints", !same(before.Endpoints, after.Endpoints), a.endpoints},
		{"spec.webhooks", !same(before.Webhooks, after.Webhooks), a.webhooks},
		{"spec.install", !same(before.Install, after.Install), a.settings},
		{"spec.credentials", !same(before.Credentials, after.Credentials), nil},
		{"spec.release", !same(before.Release, after.Release), nil},
	} {
		if !p.differs {
			continue
		}
		a.class, parts = heaviest(appClasses, a.class, waybill.Patch), append(parts, p.name)
		if p.look != nil {
			p.look()
		}
	}
	slices.SortStableFunc(a.reasons, func(x, y reason) int {
		return slices.Index(appClasses, y.class) - slices.Index(appClasses, x.class)
	})
	for _, r := range a.reasons {
		if !slices.Contains(reasons, r.text) {
			reasons = append(reasons, r.text)
		}
	}
	return a.class, parts, reasons
}

// appDiffer is one comparison.
type appDiffer struct {
	before, after *waybill.App
	class         waybill.ChangeClass
	reasons       []reason
}

// reason is a difference of a class, in words.
type reason struct {
	class waybill.ChangeClass
	text  string
}

func (a *appDiffer) found(class waybill.ChangeClass, text string) {
	a.class = heaviest(appClasses, a.class, class)
	a.reasons = append(a.reasons, reason{class, text})
}

// distribution only asks: what is in force changes by review, and going back takes the app from nobody.
func (a *appDiffer) distribution() {
	order := []waybill.Distribution{waybill.Private, waybill.Unlisted, waybill.Listed}
	text := "distribution goes back to " + string(a.after.Distribution) + " at once; nothing is uninstalled"
	if slices.Index(order, a.after.Distribution) > slices.Index(order, a.before.Distribution) {
		text = "distribution " + string(a.after.Distribution) + " is asked for; a reviewer decides"
	}
	a.found(waybill.Patch, text)
}

func (a *appDiffer) allowlist() {
	allowed := func(list []waybill.Allowance, workspace string) bool {
		return slices.ContainsFunc(list, func(w waybill.Allowance) bool { return w.Workspace == workspace })
	}
	for _, w := range a.before.Allowlist {
		if !allowed(a.after.Allowlist, w.Workspace) {
			a.found(waybill.Patch, "workspace "+strconv.Quote(w.Workspace)+" loses the app after 24 h")
		}
	}
}

func (a *appDiffer) scopes() {
	find := func(list []waybill.ScopeRequest, scope string) (waybill.ScopeRequest, bool) {
		i := slices.IndexFunc(list, func(s waybill.ScopeRequest) bool { return s.Scope == scope })
		if i < 0 {
			return waybill.ScopeRequest{}, false
		}
		return list[i], true
	}
	for _, s := range a.after.Scopes {
		name := strconv.Quote(s.Scope)
		old, there := find(a.before.Scopes, s.Scope)
		switch {
		case !there && s.Optional:
			a.found(waybill.Minor, "new optional scope "+name)
		case !there:
			a.found(waybill.Consent, "new required scope "+name)
		case old.Optional && !s.Optional:
			a.found(waybill.Consent, "scope "+name+" is required now")
		case !old.Optional && s.Optional:
			a.found(waybill.Minor, "scope "+name+" is optional now")
		}
	}
	for _, s := range a.before.Scopes {
		if _, there := find(a.after.Scopes, s.Scope); !there {
			a.found(waybill.Major, "scope "+strconv.Quote(s.Scope)+" is gone")
		}
	}
}

// endpoints looks for hosts that data would go to for the first time.
func (a *appDiffer) endpoints() {
	known := map[string]bool{}
	for _, e := range a.before.Endpoints {
		known[host(e.URL)] = true
	}
	for _, e := range a.after.Endpoints {
		if h := host(e.URL); !known[h] {
			a.found(waybill.Consent, "new endpoint host "+h)
		}
	}
}

// host returns the host of a URL with its port, in lower case.
func host(address string) string {
	_, rest, found := strings.Cut(address, "://")
	if !found {
		rest = address
	}
	if i := strings.IndexAny(rest, "/?#"); i >= 0 {
		rest = rest[:i]
	}
	return strings.ToLower(rest[strings.LastIndexByte(rest, '@')+1:])
}
