package plan

import (
	"slices"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// towardsDraft returns what it takes to make the draft of an app be d. The class is that against the newest published
// version, because that is what its next tag will need.
func (p *planner) towardsDraft(d *waybill.Declaration) (waybill.ChangeClass, []string, []string) {
	o := p.observed[d.Identity]
	base := o.Declared
	if newest := newestBelow(o.Published, nil); newest != nil {
		base = &newest.Declaration
	}
	if base == nil || base.App == nil {
		return waybill.Create, nil, nil
	}
	class, parts, reasons := DifferApp(base.App, d.App)
	if o.Declared == nil || o.Declared.App == nil {
		return heaviest(appClasses, class, waybill.Patch), parts, reasons // there is no draft to be equal to
	}
	moved, draft, _ := DifferApp(o.Declared.App, d.App)
	switch {
	case moved == waybill.Unchanged:
		return waybill.Unchanged, nil, nil
	case class == waybill.Unchanged: // back to what is published
		return waybill.Patch, draft, nil
	}
	return class, parts, reasons
}

// publish says what publishing d as version does, and refuses a number that is taken or promises too much.
func (p *planner) publish(c *waybill.Change, tag string, version *semver.Version) waybill.Findings {
	o, d := p.observed[c.Identity], c.Wanted
	c.Semver = version.String()
	if i := slices.IndexFunc(o.Published, func(v waybill.Published) bool { return v.Semver == c.Semver && v.Declaration.App != nil }); i >= 0 {
		c.Class, c.Parts, c.Reasons = DifferApp(o.Published[i].Declaration.App, d.App)
		if c.Class == waybill.Unchanged {
			c.Semver = "" // the tag was seen before
			return nil
		}
		return waybill.Findings{finding(d, NumberTaken, "spec.release",
			"version "+c.Semver+" of "+d.Name+" is published, and the tag "+strconv.Quote(tag)+" holds another "+strings.Join(c.Parts, ", "),
			"a published number never changes; tag the next one, such as "+strconv.Quote(next(tag, version, version.IncPatch())))}
	}
	base := newestBelow(o.Published, version)
	if base == nil {
		c.Class, c.Environment = waybill.Create, waybill.Prod
		return nil
	}
	c.Class, c.Parts, c.Reasons = DifferApp(base.Declaration.App, d.App)
	promises := map[waybill.ChangeClass]string{
		waybill.Consent: "need not agree again", waybill.Major: "keep what they rely on",
	}
	old, err := semver.StrictNewVersion(base.Semver)
	if promise := promises[c.Class]; promise != "" && err == nil && version.Major() <= old.Major() {
		return waybill.Findings{finding(d, NumberSmall, "spec.release",
			c.Semver+" after "+base.Semver+" promises that workspaces "+promise+", but: "+c.Reasons[0],
			"tag "+strconv.Quote(next(tag, version, old.IncMajor()))+", or take that back")}
	}
	c.Class = heaviest(appClasses, c.Class, waybill.Patch) // a new number is news
	c.Environment = waybill.Prod
	return nil
}

// next returns tag with another version in it.
func next(tag string, version *semver.Version, other semver.Version) string {
	return strings.TrimSuffix(tag, version.Original()) + other.String()
}

// newestBelow returns the highest version that is lower than limit, or the highest of all; nil when there is none.
func newestBelow(all []waybill.Published, limit *semver.Version) *waybill.Published {
	var best *waybill.Published
	var highest *semver.Version
	for i := range all {
		v, err := semver.StrictNewVersion(all[i].Semver)
		if err != nil || all[i].Declaration.App == nil || limit != nil && !v.LessThan(limit) || best != nil && !v.GreaterThan(highest) {
			continue
		}
		best, highest = &all[i], v
	}
	return best
}
