// Package plan says what one revision does: declarations wanted, compared with what is stored, become changes.
//
// It is pure. A push to a branch brings the declarations that follow this branch to dev and only validates the others.
// A push of a release tag brings the declaration whose major the tag has to prod. What never may change (type, flow,
// mode, the repository that owns a name) is refused with findings.
package plan

import (
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Input is what a plan is made from.
type Input struct {
	Wanted   []waybill.Declaration // valid declarations of the revision
	Observed []waybill.Observed    // what is stored of them; unknown ones are left out
	// Contents identifies what would go into each image, by Identity as a string; equal strings build equal images.
	// Where one is missing, the build settings are compared instead.
	Contents   map[string]string
	Repository waybill.Repository
	Ref        string // full name: refs/heads/main, refs/tags/v1.0.0
	Commit     string
	Retry      bool // somebody asked for what did not succeed to be done again, also for the same commit
}

// Compute returns one change per wanted declaration that is not refused, in the same order, and the findings that
// refuse the others or the tag as a whole.
func Compute(in Input) (changes []waybill.Change, findings waybill.Findings) {
	p := planner{Input: in, observed: map[waybill.Identity]waybill.Observed{}}
	for _, o := range in.Observed {
		p.observed[o.Identity] = o
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
	}
	findings.Sort()
	return changes, findings
}

// planner is one computation.
type planner struct {
	Input
	observed map[waybill.Identity]waybill.Observed
}

// change says what the revision does to d. For tags that is nothing until release says otherwise.
func (p *planner) change(d *waybill.Declaration) waybill.Change {
	c := waybill.Change{Identity: d.Identity, Class: waybill.Unchanged, Wanted: d, Content: p.Contents[d.Identity.String()]}
	branch, ok := waybill.Branch(p.Ref)
	if !ok {
		return c
	}
	c.Class, c.Parts = p.towardsDev(d)
	if c.Class != waybill.Unchanged && branch == d.DevBranch(p.Repository.DefaultBranch) {
		c.Environment = waybill.Dev
	}
	return c
}

// towardsDev returns what it takes to make dev serve d.
//
// A newest release that succeeded or is on its way stands for dev, even when somebody rolled back since. One that did
// not succeed leaves dev at what is live: the work is what lies between that and d, and at least a deployment.
func (p *planner) towardsDev(d *waybill.Declaration) (waybill.ChangeClass, []string) {
	o := p.observed[d.Identity]
	if o.Newest == nil {
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

// classes lists the classes of a change from least to most work.
var classes = []waybill.ChangeClass{
	waybill.Unchanged, waybill.Metadata, waybill.Redeploy, waybill.Recheck, waybill.Rebuild, waybill.Create,
}

func heavier(a, b waybill.ChangeClass) waybill.ChangeClass {
	if slices.Index(classes, a) < slices.Index(classes, b) {
		return b
	}
	return a
}

// refuse returns what d changes although it never may.
func (p *planner) refuse(d *waybill.Declaration) waybill.Findings {
	o, known := p.observed[d.Identity]
	if !known {
		return nil
	}
	moved := o.Repository == "" && (o.Owner == "" || o.Owner == d.Connector.Owner)
	if o.Repository != p.Repository.ID && !moved {
		return waybill.Findings{finding(d, NameTaken, "metadata.name",
			"the name \""+d.Name+"\" is taken by a connector of team "+o.Owner+" in another repository", "choose another metadata.name")}
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
				fixed.path+" of "+d.Identity.String()+" is \""+fixed.old+"\" and cannot become \""+fixed.new+"\"",
				"write \""+fixed.old+"\", or declare a new connector under another metadata.name"))
		}
	}
	return refused
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
	line := d.Line
	for at := path; at != ""; {
		if n, ok := d.Lines[at]; ok {
			line = n
			break
		}
		i := strings.LastIndexByte(at, '.')
		at = at[:max(i, 0)]
	}
	return waybill.Finding{
		Code: code, Severity: waybill.SeverityError, File: d.File, Line: line, Column: 1, Path: path,
		Message: message, Hint: hint, Declaration: d.Identity.String(),
	}
}
