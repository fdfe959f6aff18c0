package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// webhooks compares event by event, for it does not matter to a workspace which webhook brings one.
func (a *appDiffer) webhooks() {
	for _, event := range events(a.before, a.after) {
		before, after := covering(a.before, event), covering(a.after, event)
		switch {
		case len(after) == 0:
			a.found(waybill.Major, "event "+event+" is gone")
		case len(before) == 0:
			a.found(waybill.Minor, "new event "+event)
		default:
			a.event(event, before, after)
		}
	}
}

// event compares how an event was sent and is sent. A list of data types or categories that is empty stands for all.
func (a *appDiffer) event(name string, before, after []waybill.Webhook) {
	full := func(w waybill.Webhook) bool { return w.Payload == "full" }
	if slices.ContainsFunc(after, full) && !slices.ContainsFunc(before, full) {
		a.found(waybill.Consent, "event "+name+" is sent with its data (payload full)")
	}
	for _, t := range added(before, after, func(w waybill.Webhook) []string { return w.DataTypes }) {
		a.found(waybill.Consent, "event "+name+" brings "+named("data type", t))
	}
	for _, c := range added(before, after, func(w waybill.Webhook) []string { return w.Categories }) {
		a.found(waybill.Minor, "event "+name+" brings "+named("category", c))
	}
	for _, w := range after {
		filtered := func(o waybill.Webhook) bool { return o.Filter == w.Filter || o.Filter == "" }
		if !slices.ContainsFunc(before, filtered) {
			a.found(waybill.Minor, "event "+name+" is filtered differently")
		}
	}
}

func named(what, name string) string {
	if name == "" {
		return "every " + what
	}
	return what + " " + strconv.Quote(name)
}

// added returns what the lists of after let through and those of before did not; "" when that is everything.
func added(before, after []waybill.Webhook, list func(waybill.Webhook) []string) []string {
	everything := func(w waybill.Webhook) bool { return len(list(w)) == 0 }
	if slices.ContainsFunc(before, everything) {
		return nil
	}
	if slices.ContainsFunc(after, everything) {
		return []string{""}
	}
	var fresh []string
	for _, w := range after {
		for _, v := range list(w) {
			if !slices.ContainsFunc(before, func(o waybill.Webhook) bool { return slices.Contains(list(o), v) }) {
				fresh = append(fresh, v)
			}
		}
	}
	return fresh
}

// events lists the events and patterns that the apps name, sorted.
func events(apps ...*waybill.App) []string {
	var all []string
	for _, a := range apps {
		for _, w := range a.Webhooks {
			all = append(all, w.Events...)
		}
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// covering returns the webhooks that bring an event, or everything that a pattern stands for.
func covering(a *waybill.App, event string) []waybill.Webhook {
	var some []waybill.Webhook
	for _, w := range a.Webhooks {
		if slices.ContainsFunc(w.Events, func(pattern string) bool { return covers(pattern, event) }) {
			some = append(some, w)
		}
	}
	return some
}

// covers reports whether pattern, such as invoice.*, stands for event or for all that the pattern event stands for.
func covers(pattern, event string) bool {
	prefix, open := strings.CutSuffix(pattern, "*")
	return pattern == event || open && strings.HasPrefix(event, prefix)
}

// settings looks for what workspaces filled in and what they would have to.
func (a *appDiffer) settings() {
	find := func(list []waybill.Setting, key string) (waybill.Setting, bool) {
		i := slices.IndexFunc(list, func(s waybill.Setting) bool { return s.Key == key })
		if i < 0 {
			return waybill.Setting{}, false
		}
		return list[i], true
	}
	for _, s := range a.after.Install.Settings {
		name := strconv.Quote(s.Key)
		old, there := find(a.before.Install.Settings, s.Key)
		asked := s.Required && s.Default == nil
		switch {
		case !there && asked:
			a.found(waybill.Consent, "new required setting "+name)
		case !there && s.Required:
			a.found(waybill.Minor, "new setting "+name+" with a default")
		case !there:
			a.found(waybill.Minor, "new optional setting "+name)
		default:
			a.setting(name, old, s)
		}
	}
	for _, s := range a.before.Install.Settings {
		if _, there := find(a.after.Install.Settings, s.Key); !there {
			a.found(waybill.Major, "setting "+strconv.Quote(s.Key)+" is gone")
		}
	}
}

// setting compares a setting that stayed. What may refuse a value that was legal retypes it.
func (a *appDiffer) setting(name string, before, after waybill.Setting) {
	if before.Type != after.Type {
		a.found(waybill.Major, "setting "+name+" is of type "+after.Type+", it was "+before.Type)
		return
	}
	for _, choice := range before.Enum {
		if !slices.Contains(after.Enum, choice) {
			a.found(waybill.Major, "setting "+name+" no longer takes "+strconv.Quote(choice))
		}
	}
	for _, choice := range after.Enum {
		if !slices.Contains(before.Enum, choice) {
			a.found(waybill.Minor, "setting "+name+" takes "+strconv.Quote(choice))
		}
	}
	switch {
	case before.Pattern == after.Pattern:
	case after.Pattern == "":
		a.found(waybill.Minor, "setting "+name+" takes any text")
	default:
		a.found(waybill.Major, "setting "+name+" takes only what matches "+strconv.Quote(after.Pattern))
	}
	switch {
	case !before.Required && after.Required && after.Default == nil:
		a.found(waybill.Consent, "setting "+name+" is required now")
	case before.Required && !after.Required:
		a.found(waybill.Minor, "setting "+name+" is optional now")
	case !same(before.Default, after.Default):
		a.found(waybill.Minor, "setting "+name+" has another default")
	}
}
