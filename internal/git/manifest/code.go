package manifest

import (
	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Syntax and API version. WB004 is retired.
const (
	MissingVersion   waybill.FindingCode = "WB001" // no apiVersion
	UnknownVersion   waybill.FindingCode = "WB002" // an apiVersion that does not exist
	UnknownKind      waybill.FindingCode = "WB003" // no kind, or one that does not exist
	NotYAML          waybill.FindingCode = "WB005" // syntax
	TooLarge         waybill.FindingCode = "WB006" // bytes, values or findings above a limit
	TooManyDocuments waybill.FindingCode = "WB007" // documents above a limit
	TooDeep          waybill.FindingCode = "WB008" // nesting above a limit
	Alias            waybill.FindingCode = "WB009" // aliases and merge keys
	DuplicateField   waybill.FindingCode = "WB010" // a field written twice
	NotText          waybill.FindingCode = "WB011" // not UTF-8, control characters
	UnknownField     waybill.FindingCode = "WB012" // a field that does not exist
	MissingField     waybill.FindingCode = "WB013" // a required field that is not there
	WrongType        waybill.FindingCode = "WB014" // text where a number must be, and so on
	UnknownChoice    waybill.FindingCode = "WB015" // none of the listed values
	IllegalValue     waybill.FindingCode = "WB016" // wrong form, length or range
	IllegalKey       waybill.FindingCode = "WB017" // a key that is no text
	NotAMapping      waybill.FindingCode = "WB018" // a document that is no mapping
	LinkedManifest   waybill.FindingCode = "WB019" // the manifest is a symbolic link
	ByteOrderMark    waybill.FindingCode = "WB020" // warning
	WindowsLineEnds  waybill.FindingCode = "WB021" // warning
	ExplicitTag      waybill.FindingCode = "WB022" // !!str and its like
	MisnamedManifest waybill.FindingCode = "WB023" // warning: waybill.yml, Waybill.yaml
	EmptyManifest    waybill.FindingCode = "WB024" // warning: no document
)

// Identity. WB107 is retired.
const (
	IllegalName   waybill.FindingCode = "WB101" // metadata.name
	Duplicate     waybill.FindingCode = "WB103" // two documents declare the same name and major
	CaseCollision waybill.FindingCode = "WB108" // two manifests whose paths differ in case only
)

// Release rules.
const (
	IllegalPattern    waybill.FindingCode = "WB204" // release.prod.tag, release.published.tag
	IllegalBranch     waybill.FindingCode = "WB205" // release.dev.branch, release.draft.branch
	UnknownConfigKey  waybill.FindingCode = "WB206" // a value for a field or setting that does not exist
	IllegalConfig     waybill.FindingCode = "WB207" // a value that does not fit its field or setting
	OutsideTargets    waybill.FindingCode = "WB210" // access beyond targets
	EveryoneAndScopes waybill.FindingCode = "WB211" // access.everyone beside lists
	SupportMissing    waybill.FindingCode = "WB212" // neither email nor url
	TermsMissing      waybill.FindingCode = "WB213" // no privacy or terms above private
	NotPrivate        waybill.FindingCode = "WB214" // an allowlist above private
	OwnerMissing      waybill.FindingCode = "WB215" // no member is an owner
	ChannelOrVersion  waybill.FindingCode = "WB216" // an install with both or neither
)

// References.
const (
	MissingScope      waybill.FindingCode = "WB301" // an event whose scope is not asked for
	ForeignOwner      waybill.FindingCode = "WB302" // not the team of the repository
	MissingFile       waybill.FindingCode = "WB303" // a path that does not exist
	OutsideRepository waybill.FindingCode = "WB304" // a path that leaves the repository
	LinkedPath        waybill.FindingCode = "WB305" // a path through a symbolic link
	UnknownTeam       waybill.FindingCode = "WB306" // an owner that does not exist
	IllegalLogo       waybill.FindingCode = "WB307" // neither SVG without scripts nor square PNG
	UnsupportedSource waybill.FindingCode = "WB308" // spec.source, which this version does not know yet
	UnknownProvider   waybill.FindingCode = "WB309" // an AuthProvider that does not exist
	UnknownEvent      waybill.FindingCode = "WB310" // an event that no catalog has
	UnknownScope      waybill.FindingCode = "WB311" // a scope that no catalog has
	UnknownEndpoint   waybill.FindingCode = "WB312" // a key that spec.endpoints does not have
	UnknownSite       waybill.FindingCode = "WB313" // a site that does not exist
	UnknownConnector  waybill.FindingCode = "WB314" // a connector or major that does not exist
	UnknownApp        waybill.FindingCode = "WB315" // an app that does not exist
	UnknownWorkspace  waybill.FindingCode = "WB316" // a workspace that does not exist
	RetiredEvent      waybill.FindingCode = "WB317" // warning: an event that is no longer sent
	UnknownDataType   waybill.FindingCode = "WB318" // a category or data type that none of the events has
	UnknownForge      waybill.FindingCode = "WB319" // a forge that the server does not have
)

// Secrets.
const (
	UnsupportedSecrets        waybill.FindingCode = "WB402" // their store does not exist yet
	UnsupportedAuthentication waybill.FindingCode = "WB403" // nothing gives credentials to runs yet
	PasswordDefault           waybill.FindingCode = "WB404" // a secret in Git
)

// Runtime and fields.
const (
	CollapsingKeys  waybill.FindingCode = "WB502" // two fields, one environment variable
	IllegalDefault  waybill.FindingCode = "WB504" // a default that its type does not allow
	OptionsMismatch waybill.FindingCode = "WB505" // options, enum or pattern for another type, or none where they must be
	DuplicateOption waybill.FindingCode = "WB507" // one value twice
	IllegalSchedule waybill.FindingCode = "WB508" // a cron expression
	IllegalDuration waybill.FindingCode = "WB509" // a timeout
	IllegalQuantity waybill.FindingCode = "WB510" // cores, memory, sizes
	ReservedName    waybill.FindingCode = "WB511" // an environment variable that is not the connector's
	IllegalHost     waybill.FindingCode = "WB512" // spec.run.egress
	IllegalDate     waybill.FindingCode = "WB513" // a day that does not exist
	IllegalURL      waybill.FindingCode = "WB514" // an address of the wrong form
	DraftOnly       waybill.FindingCode = "WB515" // http://localhost: a warning, an error where it is published
	DuplicateEntry  waybill.FindingCode = "WB516" // an entry of a list that is there twice
	IllegalFilter   waybill.FindingCode = "WB518" // a CEL expression
	IllegalRegexp   waybill.FindingCode = "WB519" // a regular expression
	IllegalSchema   waybill.FindingCode = "WB520" // the JSON Schema of an event
	IllegalGlob     waybill.FindingCode = "WB521" // a pattern of names or paths
)

// Policy.
const (
	PlatformOnly       waybill.FindingCode = "WB901" // a kind of the platform repository elsewhere
	HealthCheckMissing waybill.FindingCode = "WB902" // the policy demands one
	ForbiddenImage     waybill.FindingCode = "WB903" // a base image that the policy does not allow
	PolicyBroken       waybill.FindingCode = "WB904" // constraints of a policy are not kept
	IllegalConstraints waybill.FindingCode = "WB905" // constraints that are no CUE
)

// Codes lists every code of this package.
func Codes() []waybill.FindingCode {
	return []waybill.FindingCode{
		MissingVersion, UnknownVersion, UnknownKind, NotYAML, TooLarge, TooManyDocuments, TooDeep, Alias,
		DuplicateField, NotText, UnknownField, MissingField, WrongType, UnknownChoice, IllegalValue, IllegalKey, NotAMapping,
		LinkedManifest, ByteOrderMark, WindowsLineEnds, ExplicitTag, MisnamedManifest, EmptyManifest,
		IllegalName, Duplicate, CaseCollision,
		IllegalPattern, IllegalBranch, UnknownConfigKey, IllegalConfig, OutsideTargets, EveryoneAndScopes,
		SupportMissing, TermsMissing, NotPrivate, OwnerMissing, ChannelOrVersion,
		MissingScope, ForeignOwner, MissingFile, OutsideRepository, LinkedPath, UnknownTeam, IllegalLogo, UnsupportedSource,
		UnknownProvider, UnknownEvent, UnknownScope, UnknownEndpoint, UnknownSite, UnknownConnector, UnknownApp,
		UnknownWorkspace, RetiredEvent, UnknownDataType, UnknownForge,
		UnsupportedSecrets, UnsupportedAuthentication, PasswordDefault,
		CollapsingKeys, IllegalDefault, OptionsMismatch, DuplicateOption, IllegalSchedule, IllegalDuration, IllegalQuantity,
		ReservedName, IllegalHost, IllegalDate, IllegalURL, DraftOnly, DuplicateEntry, IllegalFilter, IllegalRegexp,
		IllegalSchema, IllegalGlob,
		PlatformOnly, HealthCheckMissing, ForbiddenImage, PolicyBroken, IllegalConstraints,
	}
}

// mistakes names the finding for each mistake that the schema finds.
func mistakes() map[schema.Mistake]waybill.FindingCode {
	return map[schema.Mistake]waybill.FindingCode{
		schema.Encoding: NotText, schema.Syntax: NotYAML, schema.Large: TooLarge, schema.Documents: TooManyDocuments,
		schema.Deep: TooDeep, schema.Alias: Alias, schema.Tag: ExplicitTag, schema.Duplicate: DuplicateField,
		schema.Key: IllegalKey, schema.Shape: NotAMapping, schema.Mark: ByteOrderMark, schema.LineEnd: WindowsLineEnds,
		schema.Unknown: UnknownField, schema.Missing: MissingField, schema.Type: WrongType, schema.Choice: UnknownChoice,
		schema.Value: IllegalValue,
	}
}
