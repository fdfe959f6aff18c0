package plan

import (
	"slices"
	"strconv"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// removals returns a change for every declaration that this branch brought here and that is gone from it.
func (p *planner) removals() []waybill.Change {
	branch, ok := waybill.Branch(p.Ref)
	if !ok || waybill.Queued(p.Ref) {
		return nil
	}
	var gone []waybill.Change
	for _, o := range p.Observed {
		d := stored(o)
		if d == nil || o.Repository != "" && o.Repository != p.Repository.ID || p.wanted(o.Identity) ||
			branch != d.DevBranch(p.Repository.DefaultBranch) {
			continue
		}
		c := waybill.Change{Identity: o.Identity, Class: waybill.Remove, Environment: waybill.Dev}
		switch {
		case d.Platform != nil:
			c.Environment = waybill.Prod
		case d.App != nil:
			c.Reasons = []string{"its draft ends; what is published stays until a person takes it back"}
		default:
			c.Reasons = []string{"dev loses it after a while; prod stays until a person removes it"}
		}
		gone = append(gone, c)
	}
	return gone
}

// wanted reports whether the revision still declares id, legally or not.
func (p *planner) wanted(id waybill.Identity) bool {
	return slices.Contains(p.Broken, id) ||
		slices.ContainsFunc(p.Wanted, func(d waybill.Declaration) bool { return d.Identity == id })
}

// stored returns the newest declaration that is stored of o, or nil.
func stored(o waybill.Observed) *waybill.Declaration {
	switch {
	case o.Declared != nil:
		return o.Declared
	case o.Newest != nil:
		return &o.Newest.Declaration
	case o.Live != nil:
		return &o.Live.Declaration
	default:
		return nil
	}
}

// renames says of a declaration that comes where another one goes that this is no renaming: nothing is carried over.
func renames(changes []waybill.Change, observed map[waybill.Identity]waybill.Observed) {
	for i := range changes {
		gone := &changes[i]
		if gone.Class != waybill.Remove {
			continue
		}
		old := stored(observed[gone.Identity])
		for j := range changes {
			c := &changes[j]
			if c.Class != waybill.Create || c.Identity.Kind != gone.Identity.Kind || c.Identity.Name == gone.Identity.Name ||
				c.Identity.Major != gone.Identity.Major || old.File != c.Wanted.File {
				continue
			}
			c.Reasons = append(c.Reasons, "another name is another declaration: nothing of "+strconv.Quote(gone.Identity.String())+" is carried over")
			gone.Reasons = append(gone.Reasons, "renaming to "+strconv.Quote(c.Identity.String())+" is deleting and creating")
		}
	}
}

// affected returns who notices a change that goes somewhere, sorted.
func (p *planner) affected(c waybill.Change) []string {
	switch {
	case c.Environment == "", c.Class == waybill.Unchanged, c.Class == waybill.Metadata, c.Class == waybill.Patch:
		return nil
	}
	var who []string
	for _, u := range p.observed[c.Identity].Uses {
		if u.Environment == "" || u.Environment == c.Environment {
			who = append(who, u.Subject)
		}
	}
	d := c.Wanted
	if d == nil {
		d = stored(p.observed[c.Identity])
	}
	if d != nil && d.Connector != nil {
		site := d.DevSite()
		if c.Environment == waybill.Prod {
			site = d.ProdSite()
		}
		who = append(who, "site:"+site)
	}
	slices.Sort(who)
	return slices.Compact(who)
}
