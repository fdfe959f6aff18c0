package plan

import "github.com/waybill-dev/waybill/internal/waybill"

// The findings of a plan.
const (
	NameTaken   waybill.FindingCode = "WB102" // another repository owns the name
	TypeChanged waybill.FindingCode = "WB104" // spec.type
	FlowChanged waybill.FindingCode = "WB105" // spec.flow
	ModeChanged waybill.FindingCode = "WB106" // spec.execution.mode
	NoRelease   waybill.FindingCode = "WB201" // a release tag that releases nothing
	NumberTaken waybill.FindingCode = "WB202" // a published number with another content
	NumberSmall waybill.FindingCode = "WB203" // a number that promises less than the change breaks
	PreRelease  waybill.FindingCode = "WB208" // warning: a pre-release that no pattern names
	Conflicting waybill.FindingCode = "WB209" // a file that a pull request and its base changed, each in its way
)

// Codes lists every code of this package.
func Codes() []waybill.FindingCode {
	return []waybill.FindingCode{
		NameTaken, TypeChanged, FlowChanged, ModeChanged, NoRelease, NumberTaken, NumberSmall, PreRelease, Conflicting,
	}
}
