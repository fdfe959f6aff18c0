package plan

import (
	"path"
	"strconv"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// maxConflicts is how many conflicts of a pull request are told one by one.
const maxConflicts = 50

// manifestName is how manifests are named.
const manifestName = "waybill.yaml"

// Conflicts returns a finding for each file that a pull request and its base branch changed in different ways, those of
// manifests first: they are errors, as nothing can be planned from two texts.
func Conflicts(paths []string, base string) waybill.Findings {
	var manifests, others waybill.Findings
	for _, name := range paths {
		f := waybill.Finding{
			Code: Conflicting, Severity: waybill.SeverityWarning, File: name, Line: 1, Column: 1,
			Message: "conflicts with " + base, Hint: "merge " + base + " into the branch of the pull request; until then its own version counts here",
		}
		if path.Base(name) == manifestName {
			f.Severity, f.Hint = waybill.SeverityError, "merge "+base+" into the branch of the pull request"
			manifests = append(manifests, f)
		} else {
			others = append(others, f)
		}
	}
	return append(capped(manifests, base), capped(others, base)...)
}

func capped(findings waybill.Findings, base string) waybill.Findings {
	if len(findings) <= maxConflicts {
		return findings
	}
	last := findings[maxConflicts-1]
	last.Message = strconv.Itoa(len(findings)-maxConflicts+1) + " more files conflict with " + base + ", from here on"
	return append(findings[:maxConflicts-1:maxConflicts-1], last)
}
