package reference

import (
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// rules returns what has to hold between the fields of one document of a kind, and the forms that no pattern of the
// definitions says. The comment of each names the findings that a Go check tells; what needs more than the document, or
// more than JSON Schema can say, is left to the checks: an editor refuses nothing that Waybill takes.
func rules(kind string) []*Schema {
	common := []*Schema{
		rule("WB304", "metadata.readme", relative()),
		rule("WB304", "metadata.logo", relative()),
	}
	switch kind {
	case waybill.KindConnector:
		return slices.Concat(common, connectorRules(), fieldRules(), accessRules())
	case waybill.KindApp:
		return slices.Concat(common, appRules(), settingRules())
	default:
		return append(common, platformRules(kind)...)
	}
}

func connectorRules() []*Schema {
	noFields := within("fields[]", typeIs("password")) // or none at all; passwords are given at the site
	return []*Schema{
		rule("WB402", "spec.secrets", none()),
		rule("WB403", "spec.authentication.providers", none()),
		rule("WB308", "spec", &Schema{Not: needs("source")}),
		rule("WB304", "spec.build.context", relative()),
		rule("WB304", "spec.build.dockerfile", relative()),
		rule("WB509", "spec.build.timeout", upTo(day, true)),
		rule("WB509", "spec.application.healthCheck.timeout", upTo(minute, true)),
		rule("WB509", "spec.run.timeout", upTo(7*day, true)),
		rule("WB508", "spec.run.schedule", schedule()),
		rule("WB510", "spec.run.resources.cpu", &Schema{Not: &Schema{Pattern: `^0+(\.0|\.00[0-9]?)?$`}}),
		rule("WB510", "spec.run.resources.memory", amount(6<<20)),
		rule("WB204", "spec.release.prod.tag", tagPattern()),
		rule("WB205", "spec.release.dev.branch", branch()),
		rule("WB206 WB404", "spec", when(noFields, within("release.dev.config", &Schema{Const: map[string]any{}}))),
	}
}

// fieldRules is what the type of a field says about its other parts.
func fieldRules() []*Schema {
	reserved := []string{"^" + anyCase("WAYBILL_")}
	for _, name := range []string{"PATH", "HOME", "HOSTNAME", "LD_PRELOAD", "LD_LIBRARY_PATH"} {
		reserved = append(reserved, "^"+anyCase(name)+"$")
	}
	const each = "spec.fields[]"
	return []*Schema{
		rule("WB502", "spec.fields", copies()),
		rule("WB507", each+".options", copies()),
		rule("WB511", each+".key", &Schema{Not: &Schema{Pattern: strings.Join(reserved, "|")}}),
		rule("WB505", each, when(typeIs("select", "multiselect"), needs("options"))),
		rule("WB505", each, when(typeIs("input", "textarea", "password", "checkbox", "columns"), &Schema{Not: needs("options")})),
		rule("WB404", each, when(typeIs("password"), &Schema{Not: needs("default")})),
		rule("WB504", each, when(typeIs("checkbox"), within("default", truth()))),
		rule("WB504", each, when(typeIs("input"), within("default", &Schema{Pattern: `^[^\r\n]*$`}))),
	}
}

// accessRules holds access for everyone against lists of places.
func accessRules() []*Schema {
	const access = "spec.release.access"
	open := within("access.everyone", &Schema{Const: true})
	open.Required = []string{"access"}
	open.Properties[0].Required = []string{"everyone"}
	return []*Schema{
		rule("WB211", access, when(&Schema{Required: []string{"everyone"}, Properties: Properties{{"everyone", &Schema{Const: true}}}}, nowhere())),
		rule("WB210", "spec.release", when(open, within("targets", nowhere()))),
	}
}

func appRules() []*Schema {
	public := within("spec.distribution", &Schema{Enum: []string{"unlisted", "listed"}})
	public.Required = []string{"spec"}
	public.Properties[0].Required = []string{"distribution"}
	noEndpoints := &Schema{AnyOf: []*Schema{{Not: needs("endpoints")}, {Properties: Properties{{"endpoints", &Schema{Const: map[string]any{}}}}}}}
	return []*Schema{
		rule("WB212", "metadata.support", &Schema{AnyOf: []*Schema{needs("email"), needs("url")}}),
		rule("WB213", "", when(public, within("metadata.support", needs("privacy", "terms")))),
		rule("WB214", "", when(public, within("spec.allowlist", none()))),
		rule("WB215", "spec.members", &Schema{Contains: &Schema{Required: []string{"role"}, Properties: Properties{{"role", &Schema{Const: "owner"}}}}}),
		rule("WB513", "spec.members[].expires", dayOfMonth()),
		rule("WB513", "spec.allowlist[].until", dayOfMonth()),
		rule("WB516", "spec.members", copies()),
		rule("WB516", "spec.allowlist", copies()),
		rule("WB516", "spec.scopes", copies()),
		rule("WB516", "spec.webhooks", copies()),
		rule("WB516", "spec.install.settings", copies()),
		rule("WB516", "spec.webhooks[].events", copies()),
		rule("WB516", "spec.install.redirectUrls", copies()),
		rule("WB312", "spec", when(noEndpoints, within("webhooks", none()))),
		rule("WB509", "spec.endpoints.*.timeout", upTo(minute, true)),
		rule("WB509", "spec.install.link.ttl", upTo(90*day, true)),
		rule("WB509", "spec.credentials.rotateEvery", upTo(1000*day, true)),
		rule("WB509", "spec.credentials.overlap", upTo(7*day, false)),
		rule("WB204", "spec.release.published.tag", tagPattern()),
		rule("WB205", "spec.release.draft.branch", branch()),
		rule("WB304", "spec.release.notes", relative()),
	}
}

// settingRules is what the type of a setting says about its other parts.
func settingRules() []*Schema {
	const each = "spec.install.settings[]"
	number := &Schema{AnyOf: []*Schema{{Type: "number"}, {Type: "string", Pattern: "[0-9]|[iI][nN][fF]|[nN][aA][nN]"}}}
	return []*Schema{
		rule("WB505", each, when(typeIs("enum"), needs("enum"))),
		rule("WB505", each, when(typeIs("string", "number", "boolean", "url", "secret"), &Schema{Not: needs("enum")})),
		rule("WB505", each, when(typeIs("number", "boolean", "enum", "url", "secret"), &Schema{Not: needs("pattern")})),
		rule("WB507", each+".enum", copies()),
		rule("WB404", each, when(typeIs("secret"), &Schema{Not: needs("default")})),
		rule("WB504", each, when(typeIs("number"), within("default", number))),
		rule("WB504", each, when(typeIs("boolean"), within("default", truth()))),
		rule("WB504", each, when(typeIs("url"), within("default", &Schema{Type: "string", Pattern: `^https?://[A-Za-z0-9.-]+(:[0-9]{1,5})?([/?#]\S*)?$`}))),
	}
}

func platformRules(kind string) []*Schema {
	switch kind {
	case waybill.KindRepository:
		return []*Schema{
			rule("WB521", "spec.watch.branches[]", glob()),
			rule("WB521", "spec.watch.tags[]", glob()),
			rule("WB521", "spec.paths[]", glob()),
		}
	case waybill.KindSite:
		return []*Schema{rule("WB508", "spec.connectors[].schedule", schedule())}
	case waybill.KindTeam:
		return []*Schema{rule("WB516", "spec.members", copies())}
	case waybill.KindAuthProvider:
		return []*Schema{rule("WB516", "spec.fields", copies())}
	case waybill.KindWorkspace:
		return []*Schema{
			rule("WB516", "spec.admins", copies()),
			rule("WB516", "spec.installs", copies()),
			rule("WB216", "spec.installs[]", &Schema{OneOf: []*Schema{needs("channel"), needs("version")}}),
		}
	case waybill.KindEventCatalog:
		ofObject := needs("type")
		ofObject.Properties = Properties{{"type", &Schema{Const: "object"}}}
		return []*Schema{
			rule("WB516", "spec.events", copies()),
			rule("WB516", "spec.scopes", copies()),
			rule("WB520", "spec.events[].schema", ofObject),
		}
	case waybill.KindTerms:
		return []*Schema{
			rule("WB513", "spec.effective", dayOfMonth()),
			rule("WB304", "spec.text", relative()),
		}
	case waybill.KindPolicy:
		return []*Schema{
			rule("WB521", "spec.baseImages[]", glob()),
			rule("WB510", "spec.maxImageSize", amount(1)),
			rule("WB516", "spec.reviewers", copies()),
			rule("WB304", "spec.constraints", relative()),
		}
	}
	return nil
}

// rule says s of every value at a path of the document, under the code of the finding.
func rule(code, path string, s *Schema) *Schema {
	s = within(path, s)
	s.Comment = code
	return s
}

// within says s of every value at a path such as spec.fields[].key or spec.endpoints.*.url; one that is not there is
// legal.
func within(path string, s *Schema) *Schema {
	if path == "" {
		return s
	}
	name, rest, _ := strings.Cut(path, ".")
	s = within(rest, s)
	name, list := strings.CutSuffix(name, "[]")
	if list {
		s = &Schema{Items: s}
	}
	if name == "*" {
		return &Schema{Additional: s}
	}
	return &Schema{Properties: Properties{{name, s}}}
}

func when(condition, then *Schema) *Schema { return &Schema{If: condition, Then: then} }

// typeIs is true of objects whose type is one of types.
func typeIs(types ...string) *Schema {
	return &Schema{Required: []string{"type"}, Properties: Properties{{"type", &Schema{Enum: types}}}}
}

func needs(names ...string) *Schema { return &Schema{Required: names} }

// none is the empty list.
func none() *Schema { return &Schema{Const: []any{}} }

// copies takes no entry twice. Entries that differ but have one name it cannot tell.
func copies() *Schema { return &Schema{UniqueItems: true} }

// nowhere is a scope without places.
func nowhere() *Schema {
	return &Schema{Properties: Properties{{"accounts", none()}, {"projects", none()}, {"sites", none()}}}
}

// truth is yes or no, also as text.
func truth() *Schema { return &Schema{Enum: []any{true, false, "true", "false"}} }
