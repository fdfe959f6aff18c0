package wire

import "time"

// Connector is a connector in a list.
type Connector struct {
	Name       string    `json:"name" example:"shop-feed" doc:"Unique name."`
	Title      string    `json:"title,omitempty" example:"Shop feed" doc:"As people know it."`
	Type       string    `json:"type,omitempty" example:"datasource" doc:"What kind of connector it is."`
	Owner      string    `json:"owner" example:"feeds" doc:"Team that owns it."`
	Repository string    `json:"repository" doc:"Id of the repository that declares it."`
	Created    time.Time `json:"created" doc:"When it was first declared."`
	Majors     []Major   `json:"majors" nullable:"false" doc:"Its major versions, lowest first."`
}

// Major is where one major version of a connector stands.
type Major struct {
	Major int    `json:"major" example:"1" doc:"Major version."`
	Dev   *Place `json:"dev,omitempty" doc:"Where dev stands; absent when nothing was released there."`
	Prod  *Place `json:"prod,omitempty" doc:"Where prod stands; absent when nothing was released there."`
}

// Place is where one environment of a major version stands.
type Place struct {
	Live   *Live    `json:"live,omitempty" doc:"What serves; absent when nothing does."`
	Latest *Release `json:"latest,omitempty" doc:"The newest release; it may be the live one."`
}

// Live is the version that new runs use.
type Live struct {
	Connector   string    `json:"connector" example:"shop-feed" doc:"Connector."`
	Major       int       `json:"major" example:"1" doc:"Major version."`
	Environment string    `json:"environment" enum:"dev,prod" doc:"Where."`
	Release     string    `json:"release" doc:"Id of the release that is live."`
	Commit      string    `json:"commit,omitempty" doc:"Commit of that release."`
	Semver      string    `json:"semver,omitempty" example:"1.2.0" doc:"Version of its tag; absent on dev."`
	Image       string    `json:"image,omitempty" doc:"Id of its image."`
	Since       time.Time `json:"since" doc:"When it became live."`
}

// ConnectorDetail is a connector with its set-up as declared.
type ConnectorDetail struct {
	Connector

	Setups      []Setup      `json:"setups" nullable:"false" doc:"What the newest release of each major declares."`
	Assignments []Assignment `json:"assignments" nullable:"false" doc:"Where it is assigned."`
}

// Setup is the declaration of one major version.
type Setup struct {
	Major       int               `json:"major" doc:"Major version."`
	Release     string            `json:"release" doc:"Release it is read from."`
	Commit      string            `json:"commit" doc:"Commit it is read from."`
	File        string            `json:"file" example:"waybill.yaml" doc:"Manifest, relative to the root of the tree."`
	Lines       map[string]int    `json:"lines,omitempty" doc:"Line at which each part is declared."`
	Digest      string            `json:"digest" doc:"Hash over the declaration with its defaults."`
	Description string            `json:"description,omitempty" doc:"What it does."`
	Labels      map[string]string `json:"labels,omitempty" doc:"Labels."`
	Flow        string            `json:"flow" doc:"How it takes part in flows."`
	Mode        string            `json:"mode" enum:"environment,arguments" doc:"How values reach the program."`
	Source      *Source           `json:"source,omitempty" doc:"Where the code is; absent: beside the manifest."`
	Build       Build             `json:"build" doc:"How the image is made."`
	Application Application       `json:"application" doc:"The program."`
	Fields      []Field           `json:"fields" nullable:"false" doc:"Values that a site gives, in the order of the form."`
	Categories  []string          `json:"categories,omitempty" doc:"Categories of a datasource."`
	Run         RunSettings       `json:"run" doc:"Limits and defaults of runs."`
	Rules       Rules             `json:"rules" doc:"Which refs lead where."`
}

// Source says where code is that is not beside the manifest.
type Source struct {
	Repository string `json:"repository" doc:"URL."`
	Branch     string `json:"branch,omitempty" doc:"Branch."`
	Path       string `json:"path,omitempty" doc:"Folder."`
}

// Build says how the image is made.
type Build struct {
	Context    string `json:"context" doc:"Folder, relative to the manifest."`
	Dockerfile string `json:"dockerfile" doc:"File, relative to the manifest."`
	Target     string `json:"target,omitempty" doc:"Stage to build."`
	Platform   string `json:"platform,omitempty" doc:"Platform; absent: that of the engine."`
	Network    string `json:"network" enum:"none,bridge" doc:"What build steps reach."`
	Timeout    int64  `json:"timeout_seconds" doc:"Limit in seconds."`
}

// Application is the program in the image.
type Application struct {
	Command     string       `json:"command" doc:"Replaces the entry point of the image."`
	Arguments   []string     `json:"arguments,omitempty" doc:"Replace the command of the image."`
	HealthCheck *HealthCheck `json:"health_check,omitempty" doc:"How a new image is tried."`
}

// HealthCheck runs the program once.
type HealthCheck struct {
	Arguments []string `json:"arguments,omitempty" doc:"Additional arguments."`
	Timeout   float64  `json:"timeout_seconds" doc:"Limit in seconds."`
}

// Field is a value that a site gives.
type Field struct {
	Key         string   `json:"key" doc:"Name."`
	Type        string   `json:"type" doc:"Kind of form control."`
	Label       string   `json:"label" doc:"As people see it."`
	Required    bool     `json:"required" doc:"Whether a run needs it."`
	Default     *string  `json:"default,omitempty" doc:"Value when none is given."`
	Placeholder string   `json:"placeholder,omitempty" doc:"Example shown in the form."`
	Description string   `json:"description,omitempty" doc:"Help shown in the form."`
	Options     []Option `json:"options,omitempty" doc:"Choices of a select field."`
}

// Option is one choice of a select field.
type Option struct {
	Value string `json:"value" doc:"Value."`
	Label string `json:"label" doc:"As people see it."`
}

// RunSettings are limits and defaults of runs.
type RunSettings struct {
	Schedule    string   `json:"schedule,omitempty" doc:"Cron, may begin with CRON_TZ=."`
	Timeout     int64    `json:"timeout_seconds" doc:"Limit in seconds."`
	OnDeploy    bool     `json:"on_deploy" doc:"Whether a deployment to dev starts a run."`
	Concurrency string   `json:"concurrency" enum:"skip,queue,replace" doc:"What happens when one is running."`
	Retries     int      `json:"retries" doc:"How often a failed run is repeated."`
	CPU         string   `json:"cpu" doc:"Cores." example:"1"`
	Memory      int64    `json:"memory_bytes" doc:"Limit in bytes."`
	Egress      []string `json:"egress,omitempty" doc:"Hosts it may reach."`
}

// Rules say which refs lead where.
type Rules struct {
	DevBranch string            `json:"dev_branch,omitempty" doc:"Branch that goes to dev; absent: the default branch."`
	DevSite   string            `json:"dev_site" doc:"Site of dev."`
	DevConfig map[string]string `json:"dev_config,omitempty" doc:"Values of fields on dev; those of password fields read [redacted]."`
	ProdTag   string            `json:"prod_tag" doc:"Pattern of tags that go to prod."`
	ProdSite  string            `json:"prod_site" doc:"Site of prod."`
}

// Rollback asks to make the version live that was live before.
type Rollback struct {
	Major       int    `json:"major,omitempty" minimum:"0" doc:"Major version; absent: the highest that is live."`
	Environment string `json:"environment" enum:"dev,prod" doc:"Where."`
}
