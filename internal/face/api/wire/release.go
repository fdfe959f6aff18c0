package wire

import "time"

// Release is one revision of a connector on its way to an environment.
type Release struct {
	ID          string    `json:"id" doc:"ULID."`
	Connector   string    `json:"connector" example:"shop-feed" doc:"Connector."`
	Major       int       `json:"major" example:"1" doc:"Major version."`
	Environment string    `json:"environment" enum:"dev,prod,try" doc:"Where it goes; try is the build of a pull request, which goes nowhere."`
	Repository  string    `json:"repository" doc:"Id of the repository."`
	Ref         string    `json:"ref" example:"refs/heads/main" doc:"Ref that caused it."`
	Commit      string    `json:"commit" doc:"Commit."`
	Semver      string    `json:"semver,omitempty" example:"1.2.0" doc:"Version of its tag; absent on dev."`
	Image       string    `json:"image,omitempty" doc:"Id of the image on this engine; absent until built."`
	RepoDigest  string    `json:"repo_digest,omitempty" doc:"Name of the image in the registry."`
	Outcome     string    `json:"outcome" enum:"waiting,running,ok,failed,error,superseded,skipped" doc:"How it stands or ended."`
	Steps       []Step    `json:"steps" nullable:"false" doc:"Its steps, in order."`
	Live        bool      `json:"live" doc:"Whether new runs use it."`
	Created     time.Time `json:"created" doc:"When it was handed over."`
}

// Step is one stage of a release.
type Step struct {
	Step    string    `json:"step" enum:"build,runtime,dev,prod" doc:"Which."`
	Outcome string    `json:"outcome" enum:"waiting,running,ok,failed,error,superseded,skipped" doc:"How it stands or ended."`
	Detail  string    `json:"detail,omitempty" doc:"A digest, a site or a cause."`
	HasLog  bool      `json:"has_log" doc:"Whether GET …/log?step= has something."`
	Started time.Time `json:"started,omitzero" doc:"When it began."`
	Ended   time.Time `json:"ended,omitzero" doc:"When it ended."`
}

// CommitStatuses is what Waybill says about a commit.
type CommitStatuses struct {
	Repository string    `json:"repository" doc:"Id of the repository."`
	Name       string    `json:"name" example:"feeds/shop-feed" doc:"Owner and name of the repository."`
	Commit     string    `json:"commit" doc:"Commit."`
	Statuses   []Status  `json:"statuses" nullable:"false" doc:"The aggregate first, then by context."`
	Findings   []Finding `json:"findings" nullable:"false" doc:"Mistakes in its manifests, by place."`
}

// Status is what a commit says about one context.
type Status struct {
	Context     string    `json:"context" example:"waybill/shop-feed/build" doc:"What it is about."`
	State       string    `json:"state" enum:"pending,success,failure,error" doc:"Failure is the developer's fault, error is ours."`
	Description string    `json:"description" doc:"At most 140 characters."`
	URL         string    `json:"url,omitempty" doc:"Where to read more."`
	Updated     time.Time `json:"updated" doc:"When it last changed."`
}

// Finding is one mistake in a manifest.
type Finding struct {
	Code     string `json:"code" example:"WB101" doc:"Stable name of the kind of mistake."`
	Severity string `json:"severity" enum:"error,warning" doc:"Whether it stops a release."`
	File     string `json:"file" example:"waybill.yaml" doc:"Manifest, relative to the root of the tree."`
	Line     int    `json:"line" doc:"From 1."`
	Column   int    `json:"column" doc:"From 1, in characters."`
	Path     string `json:"path,omitempty" example:"spec.fields[2].key" doc:"Where in the document."`
	Message  string `json:"message" doc:"What is wrong."`
	Hint     string `json:"hint,omitempty" doc:"What to do."`
	Fix      string `json:"fix,omitempty" doc:"Replacement for the offending text, where certain."`
	Width    int    `json:"fix_width,omitempty" doc:"How many characters the fix replaces, from line and column on; absent: it is inserted there."`
}

// Commit names a commit of a repository.
type Commit struct {
	Repository string `json:"repository" doc:"Id of the repository."`
	Commit     string `json:"commit" doc:"Full commit."`
}
