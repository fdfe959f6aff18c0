package wire

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
