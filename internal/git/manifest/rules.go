package manifest

import (
	"context"
	"path"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/robfig/cron/v3"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// rules checks what a definition cannot say.
func (d *document) rules(ctx context.Context) error {
	d.ownerRule()
	d.storeRules()
	d.healthRule()
	d.durationRules()
	d.quantityRules()
	d.scheduleRule()
	d.fieldRules()
	d.configRules()
	d.releaseRules()
	return d.fileRules(ctx)
}

// written reports whether something stands at the path, legal or not.
func (d *document) written(p ...string) bool {
	_, n := schema.Find(d.Root, p)
	return n != nil
}

func (d *document) ownerRule() {
	owner, at := d.wire.Metadata.Owner, schema.Path{"metadata", "owner"}
	switch {
	case owner == "" || owner == d.file.owner:
	case d.file.owner == "":
		d.unchecked++
	default:
		d.report(ForeignOwner, at, "owner "+strconv.Quote(owner)+" is not the team of this repository", "write "+strconv.Quote(d.file.owner))
	}
}

// storeRules refuses what the parts of Waybill that are still to come would have to resolve.
func (d *document) storeRules() {
	spec := d.wire.Spec
	if len(spec.Secrets) > 0 {
		d.report(UnsupportedSecrets, schema.Path{"spec", "secrets"}, "secrets are not supported until their store exists", "delete spec.secrets")
	}
	if len(spec.Authentication.Providers) > 0 {
		d.report(UnsupportedAuthentication, schema.Path{"spec", "authentication", "providers"},
			"authentication is not supported until AuthProviders exist", "delete spec.authentication")
	}
	if spec.Source != nil {
		d.report(UnsupportedSource, schema.Path{"spec", "source"},
			"code in another place is not supported yet", "put the code beside the manifest and delete spec.source")
	}
}

func (d *document) healthRule() {
	if d.wire.Spec.Application.Command != "" && !d.written("spec", "application", "healthCheck") {
		d.report(HealthCheckMissing, schema.Path{"spec", "application"}, "spec.application.healthCheck is missing",
			`the policy demands one; add "healthCheck: {arguments: [--help]}"`)
	}
}

// Limits of durations.
const (
	maxHealthCheck = time.Minute
	maxBuild       = 24 * time.Hour
	maxRun         = 7 * 24 * time.Hour
)

func (d *document) durationRules() {
	d.limit(maxBuild, "spec", "build", "timeout")
	d.limit(maxHealthCheck, "spec", "application", "healthCheck", "timeout")
	d.limit(maxRun, "spec", "run", "timeout")
}

// limit refuses a written duration that is nothing or more than most.
func (d *document) limit(most time.Duration, p ...string) {
	text, _ := d.text(p...)
	if !d.Usable(p) {
		return
	}
	if v := duration(text); v <= 0 || v > most {
		d.report(IllegalDuration, p, strconv.Quote(text)+" is not legal for "+schema.Path(p).String(), "write more than 0s and at most "+short(most))
	}
}

// short prints a duration without trailing zero units.
func short(v time.Duration) string {
	if v == time.Minute {
		return "60s"
	}
	return strings.TrimSuffix(strings.TrimSuffix(v.String(), "0s"), "0m")
}

const minMemory = 6 << 20 // what a container needs to start

func (d *document) quantityRules() {
	cpu := schema.Path{"spec", "run", "resources", "cpu"}
	if text, _ := d.text(cpu...); d.Usable(cpu) {
		if v, err := strconv.ParseFloat(text, 64); err != nil || v < 0.01 {
			d.report(IllegalQuantity, cpu, strconv.Quote(text)+" is not legal for "+cpu.String(), "at least 0.01 cores are needed")
		}
	}
	mem := schema.Path{"spec", "run", "resources", "memory"}
	if text, _ := d.text(mem...); d.Usable(mem) && memory(text) < minMemory {
		d.report(IllegalQuantity, mem, strconv.Quote(text)+" is not legal for "+mem.String(), "write 6Mi to 1048576Gi")
	}
}

func (d *document) scheduleRule() {
	at := schema.Path{"spec", "run", "schedule"}
	spec := d.wire.Spec.Run.Schedule
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
			return "unknown time zone " + strconv.Quote(zone), "write a name such as Europe/Berlin or UTC"
		}
		fields = fields[1:]
	}
	if len(fields) != 5 {
		return "the schedule has " + waybill.Count(len(fields), "field") + ", not five", form
	}
	parser := cron.NewParser(cron.Minute | cron.Hour | cron.Dom | cron.Month | cron.Dow)
	schedule, err := parser.Parse(strings.Join(fields, " "))
	if err != nil {
		return "the schedule " + strconv.Quote(spec) + " cannot be read", form
	}
	if schedule.Next(time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)).IsZero() {
		return "the schedule " + strconv.Quote(spec) + " never comes", "check day and month"
	}
	return "", ""
}

func (d *document) releaseRules() {
	r := d.wire.Spec.Release
	if p := (schema.Path{"spec", "release", "prod", "tag"}); r.Prod.Tag != "" {
		if message, hint := badPattern(r.Prod.Tag); message != "" {
			d.report(IllegalPattern, p, message, hint)
		}
	}
	if p := (schema.Path{"spec", "release", "dev", "branch"}); r.Dev.Branch != "" && !legalRef(r.Dev.Branch) {
		d.report(IllegalBranch, p, strconv.Quote(r.Dev.Branch)+" is no name of a branch", "write a short name such as main")
	}
	d.accessRules()
}

// badPattern says what is wrong with a pattern for release tags.
func badPattern(pattern string) (message, hint string) {
	const form = "write a prefix and *, such as v* or name/v*"
	_, err := path.Match(pattern, "")
	literal := pattern[:max(strings.IndexAny(pattern, `*?[\`), 0)]
	switch {
	case err != nil:
		return "the tag pattern " + strconv.Quote(pattern) + " cannot be read", form
	case !strings.Contains(pattern, "*"):
		return "the tag pattern " + strconv.Quote(pattern) + " has no place for a version", form
	case !legalRef(literal + "1.0.0"):
		return "no tag can match " + strconv.Quote(pattern), form
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

func (d *document) accessRules() {
	access, targets := d.wire.Spec.Release.Access, d.wire.Spec.Release.Targets
	at := schema.Path{"spec", "release", "access"}
	empty := func(s waybill.Scope) bool { return len(s.Accounts)+len(s.Projects)+len(s.Sites) == 0 }
	if access.Everyone && !empty(access.Scope) {
		d.report(EveryoneAndScopes, at.Child("everyone"), "access is for everyone and for a list as well", "keep one of them")
		return
	}
	if empty(targets) {
		return
	}
	if access.Everyone {
		d.report(OutsideTargets, at.Child("everyone"), "access for everyone goes beyond targets", "list the places of spec.release.targets, or delete targets")
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
				d.report(OutsideTargets, at.Child(list.name).Index(i), strconv.Quote(place)+" is not among spec.release.targets."+list.name,
					"add it there, or delete it here")
			}
		}
	}
}
