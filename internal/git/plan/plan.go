// Package plan says what one revision does: declarations wanted, compared with what is stored, become changes.
//
// It is pure. A push to a branch brings the declarations that follow this branch to dev, which is the draft of an app,
// and only validates the others; the platform follows the default branch. A push of a release tag brings the declaration
// whose major the tag has to prod, and publishes an app. What never may change (type, flow, mode, who owns a name, a
// published number) is refused with findings, and so is a number that promises less than the change breaks.
package plan

import (
	"slices"
	"strconv"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Input is what a plan is made from.
type Input struct {
	Wanted []waybill.Declaration // valid declarations of the revision
	// Observed is what is stored of them; unknown ones are left out. What is stored of others that this ref declared
	// may be there too: they are gone then, unless they are Broken.
	Observed []waybill.Observed
	Broken   []waybill.Identity // declared with mistakes; what is stored of them stays
	// Contents identifies what would go into each image, by Identity as a string; equal strings build equal images.
	// Where one is missing, the build settings are compared instead.
	Contents   map[string]string
	Repository waybill.Repository
	Ref        string // full name: refs/heads/main, refs/tags/v1.0.0
	Commit     string
	Retry      bool // somebody asked for what did not succeed to be done again, also for the same commit
}

// Compute returns one change per wanted declaration that is not refused, in the same order, then those that are gone,
// and the findings that refuse the others or the tag.
func Compute(in Input) (changes []waybill.Change, findings waybill.Findings) {
	p := planner{Input: in, observed: map[waybill.Identity]waybill.Observed{}, claims: map[string]waybill.Observed{}}
	for _, o := range in.Observed {
		p.observed[o.Identity] = o
		p.claims[o.Identity.Claim()] = o
	}
	for i := range in.Wanted {
		d := &in.Wanted[i]
		if refused := p.refuse(d); len(refused) > 0 {
			findings = append(findings, refused...)
			continue
		}
		changes = append(changes, p.change(d))
	}
	if tag, ok := waybill.Tag(in.Ref); ok {
		findings = append(findings, p.release(tag, changes)...)
	} else {
		changes = append(changes, p.removals()...)
		renames(changes, p.observed)
	}
	for i := range changes {
		changes[i].Affected = p.affected(changes[i])
	}
	findings.Sort()
	return changes, findings
}

// planner is one computation.
type planner struct {
	Input
	observed map[waybill.Identity]waybill.Observed
	claims   map[string]waybill.Observed // by what is unique
}

// change says what the revision does to d. For tags that is nothing until release says otherwise.
func (p *planner) change(d *waybill.Declaration) waybill.Change {
	c := waybill.Change{Identity: d.Identity, Class: waybill.Unchanged, Wanted: d, Content: p.Contents[d.Identity.String()]}
	branch, ok := waybill.Branch(p.Ref)
	if !ok {
		return c
	}
	to := waybill.Dev
	switch {
	case d.App != nil:
		c.Class, c.Parts, c.Reasons = p.towardsDraft(d)
	case d.Platform != nil:
		to = waybill.Prod
		c.Class, c.Parts, c.Reasons = p.towardsPlatform(d)
	default:
		c.Class, c.Parts = p.towardsDev(d)
	}
	if c.Class != waybill.Unchanged && branch == d.DevBranch(p.Repository.DefaultBranch) && !waybill.Queued(p.Ref) {
		c.Environment = to
	}
	return c
}

// towardsDev returns what it takes to make dev serve d.
//
// A newest release that succeeded or is on its way stands for dev, even when somebody rolled back since. One that did
// not succeed leaves dev at what is live: the work is what lies between that and d, and at least a deployment.
func (p *planner) towardsDev(d *waybill.Declaration) (waybill.ChangeClass, []string) {
	o := p.observed[d.Identity]
	if o.Newest == nil || o.Withdrawn {
		return waybill.Create, nil
	}
	newest, parts := p.compare(o.Newest, d)
	if o.Newest.Outcome == waybill.OK || newest == waybill.Unchanged && !p.again(o.Newest) {
		return newest, parts
	}
	if o.Live == nil {
		return waybill.Create, nil
	}
	live, parts := p.compare(o.Live, d)
	switch {
	case !o.Newest.Outcome.Final():
		live = heavier(live, newest)
	case newest == waybill.Unchanged || o.Live.Outcome != waybill.OK:
		live = heavier(live, waybill.Redeploy)
	}
	return live, parts
}

// again reports whether a release with the same declaration has to be made once more.
func (p *planner) again(newest *waybill.Release) bool {
	return newest.Outcome.Final() && (p.Retry || newest.Commit != p.Commit)
}

// compare returns the difference between a release and d.
func (p *planner) compare(r *waybill.Release, d *waybill.Declaration) (waybill.ChangeClass, []string) {
	if r.Declaration.Connector == nil {
		return waybill.Create, nil
	}
	return Differ(r.Declaration, *d, r.Context, p.Contents[d.Identity.String()])
}

// classes lists the classes of a change from least to most, those of connectors and of apps.
var (
	classes = []waybill.ChangeClass{
		waybill.Unchanged, waybill.Metadata, waybill.Redeploy, waybill.Recheck, waybill.Rebuild, waybill.Create,
	}
	appClasses = []waybill.ChangeClass{waybill.Unchanged, waybill.Patch, waybill.Minor, waybill.Consent, waybill.Major}
)

func heavier(a, b waybill.ChangeClass) waybill.ChangeClass { return heaviest(classes, a, b) }

func heaviest(order []waybill.ChangeClass, a, b waybill.ChangeClass) waybill.ChangeClass {
	if slices.Index(order, a) < slices.Index(order, b) {
		return b
	}
	return a
}

// foreign reports whether a name is held elsewhere: by another repository, or by another team whose repository is not
// watched any more.
func (p *planner) foreign(held waybill.Observed, d *waybill.Declaration) bool {
	if held.Repository != "" {
		return held.Repository != p.Repository.ID
	}
	owner := held.Owner
	switch {
	case d.Connector != nil:
		owner = d.Connector.Owner
	case d.App != nil:
		owner = d.App.Owner
	}
	return held.Owner != "" && held.Owner != owner
}

// refuse returns what d changes although it never may.
func (p *planner) refuse(d *waybill.Declaration) waybill.Findings {
	if held, ok := p.claims[d.Claim()]; ok && (p.foreign(held, d) || held.Identity.Kind != d.Kind) {
		return waybill.Findings{taken(d, held, p.Repository.ID)}
	}
	o, known := p.observed[d.Identity]
	if !known || d.Connector == nil {
		return nil
	}
	before := established(o)
	if before == nil {
		return nil
	}
	var refused waybill.Findings
	for _, fixed := range []struct {
		code     waybill.FindingCode
		path     string
		old, new string
	}{
		{TypeChanged, "spec.type", before.Type, d.Connector.Type},
		{FlowChanged, "spec.flow", before.Flow, d.Connector.Flow},
		{ModeChanged, "spec.execution.mode", before.Mode, d.Connector.Mode},
	} {
		if fixed.old != fixed.new {
			refused = append(refused, finding(d, fixed.code, fixed.path,
				fixed.path+" of "+d.Identity.String()+" is "+strconv.Quote(fixed.old)+" and cannot become "+strconv.Quote(fixed.new),
				"write "+strconv.Quote(fixed.old)+", or declare a new connector under another metadata.name"))
		}
	}
	return refused
}

// taken says who has the name that d wants.
func taken(d *waybill.Declaration, held waybill.Observed, repository string) waybill.Finding {
	who := article(held.Identity.Kind)
	if held.Owner != "" {
		who += " of team " + held.Owner
	}
	if held.Repository != "" && held.Repository != repository {
		who += " in another repository"
	}
	return finding(d, NameTaken, "metadata.name", "the name "+strconv.Quote(d.Name)+" is taken by "+who, "choose another metadata.name")
}

// article returns a kind in running text, with its article.
func article(kind string) string {
	switch kind {
	case waybill.KindConnector:
		return "a connector"
	case waybill.KindApp:
		return "an app"
	case waybill.KindAuthProvider, waybill.KindEventCatalog:
		return "an " + kind
	default:
		return "a " + kind
	}
}

// established returns the connector that people may rely on; nil when no release ever got that far.
func established(o waybill.Observed) *waybill.Connector {
	switch {
	case o.Live != nil:
		return o.Live.Declaration.Connector
	case o.Newest != nil && (o.Newest.Outcome == waybill.OK || !o.Newest.Outcome.Final()):
		return o.Newest.Declaration.Connector
	default:
		return nil
	}
}

// finding places an error at a part of d, or at the nearest part above it that is written.
func finding(d *waybill.Declaration, code waybill.FindingCode, path, message, hint string) waybill.Finding {
	line, column := d.Place(path)
	return waybill.Finding{
		Code: code, Severity: waybill.SeverityError, File: d.File, Line: line, Column: column, Path: path,
		Message: message, Hint: hint, Declaration: d.Identity.String(),
	}
}
