package wire

import (
	"encoding/json"
	"time"
)

// Run is one execution of a connector at a site.
type Run struct {
	ID          string            `json:"id" doc:"ULID."`
	Connector   string            `json:"connector" example:"shop-feed" doc:"Connector."`
	Major       int               `json:"major" example:"1" doc:"Major version."`
	Site        string            `json:"site" example:"feeds-dev" doc:"Where it runs."`
	Environment string            `json:"environment" enum:"dev,prod" doc:"Environment of the site."`
	Release     string            `json:"release,omitempty" doc:"Release that was live when it started."`
	Commit      string            `json:"commit,omitempty" doc:"Commit of that release."`
	Image       string            `json:"image,omitempty" doc:"Id of its image."`
	Trigger     string            `json:"trigger" enum:"manual,schedule,deploy" doc:"Why it was started."`
	Actor       string            `json:"actor,omitempty" doc:"Who started it."`
	Values      map[string]string `json:"values,omitempty" doc:"Values given for this run only; those of password fields read [redacted]."`
	State       string            `json:"state" enum:"queued,running,succeeded,failed,cancelled,timed-out,lost" doc:"How it stands or ended."`
	Class       string            `json:"class,omitempty" enum:"ok,user,remote,connector,timeout,memory,platform" doc:"Whose fault the exit is; absent until ended."`
	ExitCode    *int              `json:"exit_code,omitempty" doc:"Absent until the program exited."`
	PID         int               `json:"pid,omitempty" doc:"Process id on the host; absent until started."`
	Reason      string            `json:"reason,omitempty" doc:"Why it did not succeed."`
	Created     time.Time         `json:"created" doc:"When it was asked for."`
	Started     time.Time         `json:"started,omitzero" doc:"When its program began."`
	Ended       time.Time         `json:"ended,omitzero" doc:"When it ended."`
	Duration    float64           `json:"duration_seconds,omitempty" doc:"From start to end, in seconds; absent until ended."`
}

// Final reports whether the run never changes again.
func (r Run) Final() bool { return r.State != "queued" && r.State != "running" }

// StartRun asks for a run.
type StartRun struct {
	Connector string            `json:"connector" minLength:"1" example:"shop-feed" doc:"What to run."`
	Major     int               `json:"major,omitempty" minimum:"0" doc:"Major version; absent: the highest that is live."`
	Site      string            `json:"site" minLength:"1" example:"feeds-dev" doc:"Where to run it."`
	Values    map[string]string `json:"values,omitempty" doc:"Values of fields for this run only."`
}

// Line is a line of standard output that is a JSON object.
type Line struct {
	Number  int             `json:"number" doc:"Line in the output, from 1."`
	Kind    string          `json:"kind" enum:"record,row" doc:"An application log record, or a row of output."`
	Level   string          `json:"level,omitempty" enum:"emergency,alert,critical,error,warning,notice,info,debug" doc:"Of a record."`
	Message string          `json:"message,omitempty" doc:"Of a record."`
	Object  json.RawMessage `json:"object" doc:"The line as it was printed."`
}

// Token describes a token.
type Token struct {
	ID      string    `json:"id" doc:"ULID."`
	Name    string    `json:"name" doc:"What it is for, or whose it is."`
	Scope   string    `json:"scope" enum:"read,admin" doc:"What it allows."`
	Created time.Time `json:"created" doc:"When it was made."`
	Expires time.Time `json:"expires,omitzero" doc:"When it ends; absent: never."`
	Used    time.Time `json:"used,omitzero" doc:"When it was last used, to the hour."`
}

// NewToken asks for a token.
type NewToken struct {
	Name      string `json:"name" minLength:"1" maxLength:"100" doc:"What it is for, or whose it is."`
	Scope     string `json:"scope" enum:"read,admin" doc:"What it allows."`
	ExpiresIn int64  `json:"expires_in_seconds,omitempty" minimum:"0" doc:"Seconds until it ends; absent: never."`
}

// IssuedToken is a new token with its secret.
type IssuedToken struct {
	Token

	Secret string `json:"secret" doc:"The token itself, shown this once."`
}

// SignInLink leads a browser into a session.
type SignInLink struct {
	URL     string    `json:"url" doc:"Good once."`
	Expires time.Time `json:"expires" doc:"When it ends."`
}
