package manifest

import (
	"context"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// collect puts the files together and checks what needs more than one document.
func (l *Loader) collect(ctx context.Context, x *index, files []file, o Options) (Result, error) {
	r := Result{Files: len(files)}
	if !l.muted("misnamed") {
		for _, name := range x.misnamed {
			r.Findings = append(r.Findings, waybill.Finding{
				Code: MisnamedManifest, Severity: waybill.SeverityWarning, File: name, Line: 1, Column: 1,
				Message: "the file is not read as a manifest", Hint: "name it " + Name,
			})
		}
	}
	l.collisions(files)
	l.duplicates(files)
	world := newWorld(files, o)
	for i := range files {
		f := &files[i]
		own := f.findings
		for _, d := range f.documents {
			d.world = world
			if d.values != nil {
				if err := l.apply(ctx, d, together); err != nil {
					return Result{}, err
				}
			}
			d.findings.Sort()
			own = append(own, d.findings...)
			if d.findings.Errors() == 0 && d.values != nil {
				r.Declarations = append(r.Declarations, d.declaration)
			}
			r.Unchecked += d.unchecked
		}
		r.Findings = append(r.Findings, l.capped(f.name, own)...)
	}
	r.Findings.Sort()
	return r, nil
}

// maxFindings is how many findings of one file are told.
const maxFindings = 100

// capped cuts the findings of one file off where nobody reads on.
func (l *Loader) capped(name string, findings waybill.Findings) waybill.Findings {
	if len(findings) <= maxFindings || l.muted("findings") {
		return findings
	}
	findings.Sort()
	return append(findings[:maxFindings:maxFindings], waybill.Finding{
		Code: TooLarge, Severity: waybill.SeverityError, File: name,
		Line: findings[maxFindings].Line, Column: findings[maxFindings].Column,
		Message: "the file has more than 100 findings; the rest is not shown", Hint: "correct the ones above first",
	})
}

// collisions reports manifests whose paths differ in upper and lower case only: some file systems hold only one of them.
func (l *Loader) collisions(files []file) {
	first := map[string]string{}
	for i := range files {
		f := &files[i]
		before, taken := first[strings.ToLower(f.name)]
		if !taken {
			first[strings.ToLower(f.name)] = f.name
			continue
		}
		f.add(l, "collision", waybill.Finding{
			Code: CaseCollision, Message: "there is " + before + " as well, which differs in upper and lower case only",
			Hint: "rename one of the folders",
		})
	}
}

// duplicates reports every declaration whose name and major another one has before it. Connectors and apps share names.
func (l *Loader) duplicates(files []file) {
	same, claims := map[waybill.Identity]*document{}, map[string]*document{}
	for i := range files {
		for _, d := range files[i].documents {
			id, at := d.declaration.Identity, schema.Path{"metadata", "name"}
			if id.Name == "" {
				continue
			}
			before, claim := same[id], claims[id.Claim()]
			switch {
			case before != nil && !l.muted("duplicate"):
				hint := "give one another name"
				if id.Kind == waybill.KindConnector {
					hint += " or another spec.version"
				}
				d.report(Duplicate, at, noun(id.Kind)+" "+id.Label()+" is declared twice", "it is in "+before.placed(at)+" already; "+hint)
			case before == nil && claim != nil && claim.kind() != id.Kind && !l.muted("shared name"):
				d.report(Duplicate, at, "the name "+id.Name+" is that of "+article(claim.kind())+" already",
					"it is in "+claim.placed(at)+"; connectors and apps share their names, give one another")
			}
			if before == nil {
				same[id] = d
			}
			if claim == nil {
				claims[id.Claim()] = d
			}
		}
	}
}

// placed returns where p stands, as file:line:column.
func (d *document) placed(p schema.Path) string {
	line, column := d.Place(p)
	return waybill.Finding{File: d.file.name, Line: line, Column: column}.Place()
}

func article(kind string) string {
	if strings.ContainsRune("aeio", rune(noun(kind)[0])) {
		return "an " + noun(kind)
	}
	return "a " + noun(kind)
}
