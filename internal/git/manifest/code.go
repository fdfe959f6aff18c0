package manifest

import (
	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Syntax and API version.
const (
	MissingVersion   waybill.FindingCode = "WB001" // no apiVersion
	UnknownVersion   waybill.FindingCode = "WB002" // an apiVersion that does not exist
	UnknownKind      waybill.FindingCode = "WB003" // no kind, or one that does not exist
	UnsupportedKind  waybill.FindingCode = "WB004" // a kind that this version does not know yet
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

// Identity.
const (
	IllegalName     waybill.FindingCode = "WB101" // metadata.name
	Duplicate       waybill.FindingCode = "WB103" // two documents declare the same name and major
	UnsupportedType waybill.FindingCode = "WB107" // a connector type that this version does not know yet
)

// Release rules.
const (
	IllegalPattern    waybill.FindingCode = "WB204" // release.prod.tag
	IllegalBranch     waybill.FindingCode = "WB205" // release.dev.branch
	UnknownConfigKey  waybill.FindingCode = "WB206" // release.dev.config names no field
	IllegalConfig     waybill.FindingCode = "WB207" // release.dev.config does not fit the field
	OutsideTargets    waybill.FindingCode = "WB210" // access beyond targets
	EveryoneAndScopes waybill.FindingCode = "WB211" // access.everyone beside lists
)

// References.
const (
	ForeignOwner      waybill.FindingCode = "WB302" // not the team of the repository
	MissingFile       waybill.FindingCode = "WB303" // a path that does not exist
	OutsideRepository waybill.FindingCode = "WB304" // a path that leaves the repository
	LinkedPath        waybill.FindingCode = "WB305" // a path through a symbolic link
	IllegalLogo       waybill.FindingCode = "WB307" // neither SVG without scripts nor square PNG
	UnsupportedSource waybill.FindingCode = "WB308" // spec.source, which this version does not know yet
)

// Secrets.
const (
	UnsupportedSecrets        waybill.FindingCode = "WB402" // their store does not exist yet
	UnsupportedAuthentication waybill.FindingCode = "WB403" // AuthProviders do not exist yet
	PasswordDefault           waybill.FindingCode = "WB404" // a secret in Git
)

// Runtime and fields.
const (
	CollapsingKeys     waybill.FindingCode = "WB502" // two fields, one environment variable
	IllegalDefault     waybill.FindingCode = "WB504" // a default that its type does not allow
	OptionsMismatch    waybill.FindingCode = "WB505" // options for another type, or none for a select
	DuplicateOption    waybill.FindingCode = "WB507" // one value twice
	IllegalSchedule    waybill.FindingCode = "WB508" // spec.run.schedule
	IllegalDuration    waybill.FindingCode = "WB509" // a timeout
	IllegalQuantity    waybill.FindingCode = "WB510" // spec.run.resources
	ReservedName       waybill.FindingCode = "WB511" // an environment variable that is not the connector's
	IllegalHost        waybill.FindingCode = "WB512" // spec.run.egress
	HealthCheckMissing waybill.FindingCode = "WB902" // the default policy demands one
)

// Codes lists every code of this package.
func Codes() []waybill.FindingCode {
	return []waybill.FindingCode{
		MissingVersion, UnknownVersion, UnknownKind, UnsupportedKind, NotYAML, TooLarge, TooManyDocuments, TooDeep, Alias,
		DuplicateField, NotText, UnknownField, MissingField, WrongType, UnknownChoice, IllegalValue, IllegalKey, NotAMapping,
		LinkedManifest, ByteOrderMark, WindowsLineEnds, ExplicitTag, MisnamedManifest, EmptyManifest,
		IllegalName, Duplicate, UnsupportedType,
		IllegalPattern, IllegalBranch, UnknownConfigKey, IllegalConfig, OutsideTargets, EveryoneAndScopes,
		ForeignOwner, MissingFile, OutsideRepository, LinkedPath, IllegalLogo, UnsupportedSource,
		UnsupportedSecrets, UnsupportedAuthentication, PasswordDefault,
		CollapsingKeys, IllegalDefault, OptionsMismatch, DuplicateOption, IllegalSchedule, IllegalDuration, IllegalQuantity,
		ReservedName, IllegalHost, HealthCheckMissing,
	}
}

// codeOf names a mistake that the schema found.
func codeOf(m schema.Mistake) waybill.FindingCode {
	codes := map[schema.Mistake]waybill.FindingCode{
		schema.Encoding: NotText, schema.Syntax: NotYAML, schema.Large: TooLarge, schema.Documents: TooManyDocuments,
		schema.Deep: TooDeep, schema.Alias: Alias, schema.Tag: ExplicitTag, schema.Duplicate: DuplicateField,
		schema.Key: IllegalKey, schema.Shape: NotAMapping, schema.Mark: ByteOrderMark, schema.LineEnd: WindowsLineEnds,
		schema.Unknown: UnknownField, schema.Missing: MissingField, schema.Type: WrongType, schema.Choice: UnknownChoice,
		schema.Value: IllegalValue,
	}
	return codes[m]
}
