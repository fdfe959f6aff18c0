package manifest

import (
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// secretsRule, authenticationRule and sourceRule refuse what parts of Waybill that are still to come would have to resolve.
func (d *document) secretsRule() {
	if len(d.wire.Spec.Secrets) > 0 {
		d.report(UnsupportedSecrets, schema.Path{"spec", "secrets"}, "secrets are not supported until their store exists", "delete spec.secrets")
	}
}

func (d *document) authenticationRule() {
	if len(d.wire.Spec.Authentication.Providers) > 0 {
		d.report(UnsupportedAuthentication, schema.Path{"spec", "authentication", "providers"},
			"authentication is not supported until runs receive credentials", "delete spec.authentication")
	}
}

func (d *document) sourceRule() {
	if d.wire.Spec.Source != nil {
		d.report(UnsupportedSource, schema.Path{"spec", "source"},
			"code in another place is not supported yet", "put the code beside the manifest and delete spec.source")
	}
}

func (d *document) healthRule() {
	if d.wire.Spec.Application.Command != "" && !d.written("spec", "application", "healthCheck") && d.world.requiresHealthCheck() {
		d.report(HealthCheckMissing, schema.Path{"spec", "application"}, "spec.application.healthCheck is missing",
			`the policy demands one; add "healthCheck: {arguments: [--help]}"`)
	}
}

const minMemory = 6 << 20 // what a container needs to start

func (d *document) coresRule() {
	cpu := schema.Path{"spec", "run", "resources", "cpu"}
	if text, _ := d.text(cpu...); d.Usable(cpu) {
		if v, err := strconv.ParseFloat(text, 64); err != nil || v < 0.01 {
			d.report(IllegalQuantity, cpu, quote(text)+" is not legal for "+cpu.String(), "at least 0.01 cores are needed")
		}
	}
}

func (d *document) memoryRule() {
	mem := schema.Path{"spec", "run", "resources", "memory"}
	if text, _ := d.text(mem...); d.Usable(mem) && memory(text) < minMemory {
		d.report(IllegalQuantity, mem, quote(text)+" is not legal for "+mem.String(), "write 6Mi to 1048576Gi")
	}
}

func (d *document) scheduleRule() {
	d.schedule(schema.Path{"spec", "run", "schedule"}, d.wire.Spec.Run.Schedule)
}

// schedule checks the cron expression at a path; an empty one is none.
func (d *document) schedule(at schema.Path, spec string) {
	if spec == "" {
		return
	}
	if message, hint := badSchedule(spec); message != "" {
		d.report(IllegalSchedule, at, message, hint)
	}
}

// badSchedule says what is wrong with a cron expression; the message is empty when nothing is.
func badSchedule(spec string) (message, hint string) {
	const form = `write five fields such as "0 */6 * * *": minute, hour, day, month, weekday`
	fields := strings.Fields(spec)
	if len(fields) > 0 && (strings.HasPrefix(fields[0], "CRON_TZ=") || strings.HasPrefix(fields[0], "TZ=")) {
		_, zone, _ := strings.Cut(fields[0], "=")
		if _, err := time.LoadLocation(zone); err != nil || zone == "" {
			return "unknown time zone " + quote(zone), "write a name such as Europe/Berlin or UTC"
		}
		fields = fields[1:]
	}
	if len(fields) != 5 {
		return "the schedule has " + waybill.Count(len(fields), "field") + ", not five", form
	}
	parser := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)
	schedule, err := parser.Parse(strings.Join(fields, " "))
	if err != nil {
		return "the schedule " + quote(spec) + " cannot be read", form
	}
	if schedule.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return "the schedule " + quote(spec) + " never comes", "check day and month"
	}
	return "", ""
}

func (d *document) tagRule() {
	at := schema.Path{"spec", "release", "prod", "tag"}
	if d.declaration.App != nil {
		at = schema.Path{"spec", "release", "published", "tag"}
	}
	text, _ := d.text(at...)
	if !d.Usable(at) {
		return
	}
	if message, hint := badPattern(text); message != "" {
		d.report(IllegalPattern, at, message, hint)
	}
}

func (d *document) branchRule() {
	at := schema.Path{"spec", "release", "dev", "branch"}
	if d.declaration.App != nil {
		at = schema.Path{"spec", "release", "draft", "branch"}
	}
	if text, _ := d.text(at...); d.Usable(at) && !legalRef(text) {
		d.report(IllegalBranch, at, quote(text)+" is no name of a branch", "write a short name such as main")
	}
}

// badPattern says what is wrong with a pattern for release tags.
func badPattern(pattern string) (message, hint string) {
	const form = "write a prefix and *, such as v* or name/v*"
	_, err := path.Match(pattern, "")
	literal := pattern[:max(strings.IndexAny(pattern, `*?[\`), 0)]
	switch {
	case err != nil:
		return "the tag pattern " + quote(pattern) + " cannot be read", form
	case !strings.Contains(pattern, "*"):
		return "the tag pattern " + quote(pattern) + " has no place for a version", form
	case !legalRef(literal + "1.0.0"):
		return "no tag can match " + quote(pattern), form
	}
	return "", ""
}

// legalRef reports whether Git accepts name as a short branch or tag name (git check-ref-format).
func legalRef(name string) bool {
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part[0] == '.' || strings.HasSuffix(part, ".lock") {
			return false
		}
	}
	illegal := func(r rune) bool { return r <= ' ' || r == 0x7f || strings.ContainsRune(`~^:?*[\`, r) }
	return !strings.ContainsFunc(name, illegal) && !strings.Contains(name, "..") && !strings.Contains(name, "@{") &&
		name != "@" && name[0] != '-' && !strings.HasSuffix(name, ".") && !strings.HasPrefix(name, "refs/")
}

func (d *document) everyoneRule() {
	access := d.wire.Spec.Release.Access
	if access.Everyone && !nowhere(access.Scope) {
		d.report(EveryoneAndScopes, schema.Path{"spec", "release", "access", "everyone"},
			"access is for everyone and for a list as well", "keep one of them")
	}
}

func nowhere(s waybill.Scope) bool { return len(s.Accounts)+len(s.Projects)+len(s.Sites) == 0 }

// targetsRule checks that access lies inside the targets.
func (d *document) targetsRule() {
	access, targets := d.wire.Spec.Release.Access, d.wire.Spec.Release.Targets
	at := schema.Path{"spec", "release", "access"}
	switch {
	case nowhere(targets):
		return
	case access.Everyone && nowhere(access.Scope):
		d.report(OutsideTargets, at.Child("everyone"), "access for everyone goes beyond targets", "list the places of spec.release.targets, or delete targets")
	case access.Everyone:
		return // told by everyoneRule
	}
	for _, list := range []struct {
		name            string
		access, targets []string
	}{
		{"accounts", access.Accounts, targets.Accounts},
		{"projects", access.Projects, targets.Projects},
		{"sites", access.Sites, targets.Sites},
	} {
		for i, place := range list.access {
			if place != "" && !slices.Contains(list.targets, place) {
				d.report(OutsideTargets, at.Child(list.name).Index(i), quote(place)+" is not among spec.release.targets."+list.name,
					"add it there, or delete it here")
			}
		}
	}
}
