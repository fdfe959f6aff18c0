package plan

import (
	"path"
	"regexp"
	"strconv"
	"strings"

	"github.com/Masterminds/semver/v3"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// release marks the changes that tag brings to prod. It returns findings when the tag matches a pattern and releases
// nothing, and those about numbers of apps.
func (p *planner) release(tag string, changes []waybill.Change) waybill.Findings {
	var useless, refused waybill.Findings
	acts := false
	for i := range changes {
		c := &changes[i]
		version, reason := match(c.Wanted, tag)
		switch {
		case reason != nil:
			useless = append(useless, *reason)
		case version != nil && c.Wanted.App != nil:
			acts = true
			refused = append(refused, p.publish(c, tag, version)...)
		case version != nil:
			acts = true
			c.Environment, c.Semver = waybill.Prod, version.String()
			c.Class, c.Parts = p.towardsProd(c.Wanted)
		}
	}
	if acts {
		return refused
	}
	return useless
}

// towardsProd says how d differs from what dev runs; a release is at least a deployment.
func (p *planner) towardsProd(d *waybill.Declaration) (waybill.ChangeClass, []string) {
	o := p.observed[d.Identity]
	if o.Newest == nil {
		return waybill.Create, nil
	}
	class, parts := p.compare(o.Newest, d)
	return heavier(class, waybill.Redeploy), parts
}

// match returns the version that tag gives to d, or why a tag that matches its pattern gives none.
// Both are nil when the tag does not match.
func match(d *waybill.Declaration, tag string) (version *semver.Version, reason *waybill.Finding) {
	pattern := d.TagPattern()
	if ok, err := path.Match(pattern, tag); err != nil || !ok || pattern == "" {
		return nil, nil
	}
	field := "spec.release.prod.tag"
	if d.App != nil {
		field = "spec.release.published.tag"
	}
	refuse := func(code waybill.FindingCode, message, hint string) *waybill.Finding {
		f := finding(d, code, field, "tag "+strconv.Quote(tag)+" "+message, hint)
		return &f
	}
	text := strings.TrimPrefix(strings.TrimPrefix(tag, prefix(pattern)), "v")
	v, err := semver.StrictNewVersion(text)
	switch {
	case err != nil:
		return nil, refuse(NoRelease, "releases nothing: "+strconv.Quote(text)+" is no version",
			"write a version such as "+prefix(pattern)+"v1.2.0, or a narrower "+field)
	case v.Prerelease() != "" && !strings.Contains(pattern[strings.IndexAny(pattern, meta)+1:], "-"):
		f := refuse(PreRelease, "releases nothing: the pattern "+strconv.Quote(pattern)+" names no pre-releases",
			"write "+field+": "+strconv.Quote(pattern+"-*")+" to release them")
		f.Severity = waybill.SeverityWarning
		return nil, f
	case d.Connector != nil && v.Major() != uint64(max(d.Major, 0)):
		n := strconv.FormatUint(v.Major(), 10)
		return nil, refuse(NoRelease, "releases nothing: no connector declares major "+n+", "+d.Name+" declares "+strconv.Itoa(d.Major),
			"write spec.version: "+n+" in the tagged commit, or tag a version "+strconv.Itoa(d.Major)+".x.y")
	}
	return v, nil
}

// meta are the characters that are more than themselves in a pattern.
const meta = `*?[\`

// versionStart is a pattern's own beginning of a version, as in v1.*.
var versionStart = regexp.MustCompile(`v?[0-9.]*$`)

// prefix returns what a pattern writes before the version: shop-feed/ of shop-feed/v*.
func prefix(pattern string) string {
	literal := pattern[:max(strings.IndexAny(pattern, meta), 0)]
	return versionStart.ReplaceAllString(literal, "")
}
