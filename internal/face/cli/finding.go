package cli

import (
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// wireFindings returns findings in the shape of the API.
func wireFindings(findings waybill.Findings) []wire.Finding {
	all := make([]wire.Finding, 0, len(findings))
	for _, f := range findings {
		all = append(all, wire.NewFinding(f))
	}
	return all
}

// writeFindings writes a line for each finding and one that counts them.
func writeFindings(w io.Writer, findings waybill.Findings) error {
	files := map[string]bool{}
	for _, f := range findings {
		files[f.File] = true
		if _, err := fmt.Fprintln(w, f); err != nil {
			return err
		}
	}
	errs := findings.Errors()
	counts := []string{}
	if errs > 0 {
		counts = append(counts, waybill.Count(errs, "error"))
	}
	if warnings := len(findings) - errs; warnings > 0 {
		counts = append(counts, waybill.Count(warnings, "warning"))
	}
	_, err := fmt.Fprintf(w, "%s in %s\n", strings.Join(counts, ", "), waybill.Count(len(files), "file"))
	return err
}

// annotate writes findings as workflow commands of GitHub Actions.
func annotate(w io.Writer, findings waybill.Findings) error {
	property := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A", ":", "%3A", ",", "%2C")
	data := strings.NewReplacer("%", "%25", "\r", "%0D", "\n", "%0A")
	for _, f := range findings {
		text := f.Message
		if f.Hint != "" {
			text += " (" + f.Hint + ")"
		}
		_, err := fmt.Fprintf(w, "::%s file=%s,line=%s,col=%s,title=%s::%s\n", f.Severity, property.Replace(f.File),
			strconv.Itoa(f.Line), strconv.Itoa(f.Column), f.Code, data.Replace(text))
		if err != nil {
			return err
		}
	}
	return nil
}
