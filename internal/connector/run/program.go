package run

import (
	"cmp"
	"maps"
	"strings"

	"github.com/waybill-dev/waybill/internal/connector/runner"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// modeArguments is the execution mode that hands values over on the command line.
const modeArguments = "arguments"

// Labels for people who look at the engine.
const (
	labelConnector = "dev.waybill.connector"
	labelSite      = "dev.waybill.site"
)

// spec describes the container of a run: contracts, section Run contract. values are what its fields hold.
func spec(r waybill.Run, release waybill.Release, values map[string]string) runner.Spec {
	c := release.Declaration.Connector
	command := append([]string{c.Application.Command}, c.Application.Arguments...)
	env := map[string]string{}
	for _, f := range c.Fields {
		v, ok := values[f.Key]
		switch {
		case !ok:
		case c.Mode == modeArguments:
			command = append(command, "--"+f.Key+"="+v)
		default:
			env[f.EnvName()] = v
		}
	}
	maps.Copy(env, map[string]string{
		"WAYBILL_RUN_ID":      r.ID,
		"WAYBILL_CONNECTOR":   r.Connector,
		"WAYBILL_VERSION":     cmp.Or(release.Semver, release.Commit),
		"WAYBILL_SITE":        r.Site,
		"WAYBILL_ENVIRONMENT": string(r.Environment),
	})
	return runner.Spec{
		Name:    containerName(r),
		Labels:  map[string]string{runner.LabelRun: r.ID, labelConnector: identity(r).String(), labelSite: r.Site},
		Image:   r.Image,
		Command: command,
		Env:     env,
		Network: true,
		Limits:  runner.Limits{CPU: c.Run.CPU, Memory: c.Run.Memory},
	}
}

// containerName names the one container of a run.
func containerName(r waybill.Run) string { return "waybill-run-" + strings.ToLower(r.ID) }
