package portal

import (
	"strings"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// advise returns the next action after a step failed, in a sentence. What the developer can mend comes first; what is
// ours says so.
func advise(step waybill.Step, outcome waybill.Outcome, detail string) string {
	if outcome == waybill.Errored {
		return "This is ours, not yours. Retry it; if it fails again, send the platform team the address of this page."
	}
	switch {
	case strings.Contains(detail, "required field"):
		return "Give the field a default in spec.fields or a value in spec.release.dev.config, and push."
	case strings.Contains(detail, "health check"):
		return "Run the program with its health-check arguments on your machine, mend it, and push."
	case strings.Contains(detail, "time limit") || strings.Contains(detail, "timed out"):
		return "Make the step faster or raise its limit in waybill.yaml, and push."
	}
	switch step {
	case waybill.StepValidate:
		return "Correct these lines and push. On your machine, waybill validate says the same."
	case waybill.StepBuild:
		return "Read the end of the build log, correct the Dockerfile or the code, and push."
	case waybill.StepRuntime:
		return "Push a correction; if nothing in your code explains the cause, retry."
	case waybill.StepDev:
		return "Correct spec.release or the values of the dev site, and push."
	default:
		return "Correct it on the dev branch first, then tag the new commit."
	}
}

// adviseRun returns the next action after a run that did not succeed, by whose fault it is.
func adviseRun(r waybill.Run) string {
	switch r.Class {
	case waybill.ClassUser:
		return "Correct the values of the site or the input, then start the run again."
	case waybill.ClassRemote:
		return "Wait until the remote system answers again, then start the run again."
	case waybill.ClassTimeout:
		return "Make the program faster or raise spec.run.timeout, and push."
	case waybill.ClassMemory:
		return "Use less memory or raise spec.run.resources.memory, and push."
	case waybill.ClassPlatform:
		return "This is ours, not yours. Start it again; if it happens again, tell the platform team."
	case waybill.ClassConnector:
		return "Read the end of stderr, correct the program, and push."
	default:
		return ""
	}
}
