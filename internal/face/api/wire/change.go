package wire

import "github.com/waybill-dev/waybill/internal/waybill"

// Change is what a revision does to one declaration.
type Change struct {
	Declaration string   `json:"declaration" example:"shop-feed@2" doc:"Identity: name of a connector, kind/name otherwise."`
	Kind        string   `json:"kind" example:"Connector" doc:"Kind of the declaration."`
	Class       string   `json:"class" enum:"unchanged,metadata,redeploy,recheck,rebuild,patch,minor,consent,major,change,create,remove" doc:"What it takes."`
	Environment string   `json:"environment,omitempty" enum:"dev,prod" doc:"Where it goes; absent when it is only recorded as valid. Of an app, dev is the draft."`
	Semver      string   `json:"semver,omitempty" example:"1.2.0" doc:"Version of a release tag."`
	File        string   `json:"file,omitempty" example:"waybill.yaml" doc:"Manifest; absent when the declaration is gone."`
	Line        int      `json:"line,omitempty" doc:"Line at which the document starts."`
	Parts       []string `json:"parts,omitempty" doc:"What differs, such as spec.fields."`
	Reasons     []string `json:"reasons,omitempty" doc:"What makes the class, in words."`
	Affected    []string `json:"affected,omitempty" doc:"Who notices, as kind:name, such as site:feeds-dev and install:acme."`
}

// NewChange writes c.
func NewChange(c waybill.Change) Change {
	w := Change{
		Declaration: c.Identity.String(), Kind: c.Identity.Kind, Class: string(c.Class), Environment: string(c.Environment),
		Semver: c.Semver, Parts: c.Parts, Reasons: c.Reasons, Affected: c.Affected,
	}
	if c.Wanted != nil {
		w.File, w.Line = c.Wanted.File, c.Wanted.Line
	}
	return w
}

// NewFinding writes f.
func NewFinding(f waybill.Finding) Finding {
	return Finding{
		Code: string(f.Code), Severity: string(f.Severity), File: f.File, Line: f.Line, Column: f.Column,
		Path: f.Path, Message: f.Message, Hint: f.Hint, Fix: f.Fix, Width: f.Width,
	}
}
