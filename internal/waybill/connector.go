package waybill

import (
	"cmp"
	"strings"
	"time"
)

// Declaration is one valid document of a manifest. By its kind one of Connector, App and Platform is set.
type Declaration struct {
	Identity
	File   string // path of the manifest in the tree
	Folder string // folder of the manifest; "." for the root
	Line   int    // where the document starts
	// Lines maps a part of the set-up (metadata, spec.build, spec.fields, …) to the line it is declared at, Columns to the
	// column there: of its value, or of its name when the value has parts itself.
	Lines     map[string]int
	Columns   map[string]int
	Digest    string // sha256 over the canonical document with defaults filled in
	Connector *Connector
	App       *App
	Platform  *Platform
}

// Place returns where a finding about a part of d stands, such as spec.release.prod.tag: there, at the nearest part above
// it that is written, or where the document starts.
func (d *Declaration) Place(part string) (line, column int) {
	for part != "" {
		if line, ok := d.Lines[part]; ok {
			return line, max(d.Columns[part], 1)
		}
		part = part[:max(strings.LastIndexByte(part, '.'), 0)]
	}
	return d.Line, max(d.Columns[""], 1)
}

// Connector is a container that moves data, as declared.
type Connector struct {
	Title, Description, Owner string
	Labels                    map[string]string
	Readme, Logo              string // paths in the tree; empty when absent
	Type, Flow, Mode          string
	Source                    *Source // nil: this repository, this folder
	Build                     Build
	Application               Application
	Authentication            []string // names of AuthProviders
	Secrets                   []SecretRef
	Fields                    []Field
	Categories                []string     // datasource
	Export                    *Export      // export and export-delta
	DataService               *DataService // data-service
	Run                       RunSettings
	Release                   ReleaseRules
}

// Source says where the code is when it is not beside the manifest.
type Source struct {
	Repository, Branch, Path string
	AuthType, AuthSecret     string
}

// Build says how the image is made. Paths are relative to the folder of the manifest.
type Build struct {
	Context, Dockerfile, Target string
	Args                        map[string]string
	Platform                    string // empty: the engine's own
	Network                     string // none or bridge
	Timeout                     time.Duration
}

// Application is the program in the image. Command and Arguments replace ENTRYPOINT and CMD.
type Application struct {
	Command     string
	Arguments   []string
	HealthCheck *HealthCheck
}

// HealthCheck runs the program with additional arguments; exit 0 within Timeout is healthy.
type HealthCheck struct {
	Arguments []string
	Timeout   time.Duration
}

// SecretRef names a secret value that the program receives in the environment.
type SecretRef struct{ Name, Store, Path, Key string }

// Field is one value that a site gives to a connector.
type Field struct {
	Key, Type, Label, Placeholder, Description string
	Required                                   bool
	Default                                    *string
	Options                                    []Option
}

// Option is one choice of a select field.
type Option struct{ Value, Label string }

// EnvName returns the environment variable of a field: base_url → BASE_URL, page-size → PAGE_SIZE.
func (f Field) EnvName() string { return strings.ToUpper(strings.ReplaceAll(f.Key, "-", "_")) }

// Export says where a connector of type export or export-delta sends data.
type Export struct {
	Channels           []string
	Feedback           Feedback
	CategoryAttributes bool
}

// Feedback says whether a channel reports back, and from which column to which.
type Feedback struct {
	Enabled                    bool
	SourceColumn, TargetColumn string
}

// DataService says where a connector of type data-service takes part.
type DataService struct {
	Stages       []string // import, intermediate, export
	ColumnPrefix string
	MaxUsage     int // rows a run may ask for; 0: no limit
}

// RunSettings are the limits and defaults of runs.
type RunSettings struct {
	Schedule    string // cron with optional CRON_TZ; empty: none
	Timeout     time.Duration
	OnDeploy    bool
	Concurrency string // skip, queue or replace
	Retries     int
	CPU         string // cores, such as "1" or "0.5"
	Memory      int64  // bytes
	Egress      []string
}

// ReleaseRules bind branches and tags to environments.
type ReleaseRules struct {
	DevBranch string // empty: the default branch
	DevSite   string // empty: <owner>-dev
	DevConfig map[string]string
	ProdTag   string // glob; empty: v* in the root folder, <name>/v* elsewhere
	Everyone  bool
	Access    Scope
	Targets   Scope
}

// Scope is a set of places.
type Scope struct{ Accounts, Projects, Sites []string }

// TagPattern returns the glob that release tags of d match; empty for kinds that have none.
func (d Declaration) TagPattern() string {
	switch {
	case d.App != nil:
		return d.App.Release.PublishedTag
	case d.Connector == nil:
		return ""
	case d.Connector.Release.ProdTag != "":
		return d.Connector.Release.ProdTag
	case d.Folder == ".":
		return "v*"
	default:
		return d.Name + "/v*"
	}
}

// DevBranch returns the branch that deploys d to dev, or makes drafts of it.
func (d Declaration) DevBranch(defaultBranch string) string {
	branch := ""
	switch {
	case d.Connector != nil:
		branch = d.Connector.Release.DevBranch
	case d.App != nil:
		branch = d.App.Release.DraftBranch
	}
	return cmp.Or(branch, defaultBranch)
}

// DevSite returns the site that dev deploys to.
func (d Declaration) DevSite() string {
	if s := d.Connector.Release.DevSite; s != "" {
		return s
	}
	return d.Connector.Owner + "-dev"
}

// ProdSite returns the site that prod deploys to until a platform repository declares others.
func (d Declaration) ProdSite() string { return d.Connector.Owner + "-prod" }
