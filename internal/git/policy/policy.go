// Package policy judges declarations by the policies of the platform repository: base images that are allowed, and
// constraints in CUE. It is pure; what a policy forbids becomes findings with the policy's own message.
package policy

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// The codes of what policies forbid.
const (
	BaseImage  waybill.FindingCode = "WB910" // the base image is not on the policy's list
	Constraint waybill.FindingCode = "WB911" // the declaration contradicts the policy's constraints
	Unreadable waybill.FindingCode = "WB912" // the policy itself cannot be read
)

// Policy is a declared policy.
type Policy struct {
	Name    string
	Message string // what people read when they break it; empty: the policy's name alone
	Spec    waybill.PolicySpec
}

// Subject is a declaration as it is judged.
type Subject struct {
	Declaration waybill.Declaration
	// Document is the declaration with its defaults as JSON: apiVersion, kind, metadata, spec.
	Document []byte
	// Bases are the base images of a connector's Dockerfile.
	Bases []string
}

// Check judges one declaration by every policy.
func Check(ctx context.Context, policies []Policy, s Subject) waybill.Findings {
	var findings waybill.Findings
	for _, p := range policies {
		findings = append(findings, p.baseImages(s)...)
		if ctx.Err() == nil && len(p.Spec.Source) > 0 {
			findings = append(findings, p.constraints(s)...)
		}
	}
	findings.Sort()
	return findings
}

// baseImages refuses base images that match none of the policy's patterns. scratch is no image.
func (p Policy) baseImages(s Subject) waybill.Findings {
	if len(p.Spec.BaseImages) == 0 {
		return nil
	}
	var findings waybill.Findings
	for _, image := range s.Bases {
		allowed := slices.ContainsFunc(p.Spec.BaseImages, func(pattern string) bool { return matches(pattern, image) })
		if image == "scratch" || allowed {
			continue
		}
		f := p.finding(s, BaseImage, "spec.build", fmt.Sprintf("base image %q is not allowed", image))
		f.Hint = "allowed: " + strings.Join(p.Spec.BaseImages, ", ")
		findings = append(findings, f)
	}
	return findings
}

// matches reports whether a glob covers an image, also when the image's host and library are left out.
func matches(pattern, image string) bool {
	short := strings.TrimPrefix(strings.TrimPrefix(image, "docker.io/"), "library/")
	for _, name := range []string{image, short} {
		if ok, err := path.Match(pattern, name); err == nil && ok {
			return true
		}
	}
	return false
}

// constraints unifies the declaration with what the policy's CUE file says of its kind.
func (p Policy) constraints(s Subject) waybill.Findings {
	ctx := cuecontext.New()
	rules := ctx.CompileBytes(p.Spec.Source, cue.Filename(p.Spec.Constraints))
	if rules.Err() != nil {
		return waybill.Findings{p.finding(s, Unreadable, "", "the constraints of the policy cannot be read")}
	}
	rule := rules.LookupPath(cue.MakePath(cue.Str(s.Declaration.Kind)))
	if !rule.Exists() {
		return nil
	}
	judged := rule.Unify(ctx.CompileBytes(s.Document))
	var findings waybill.Findings
	seen := map[string]bool{}
	for _, e := range errors.Errors(judged.Validate(cue.Concrete(true))) {
		where := strings.TrimPrefix(strings.Join(e.Path(), "."), s.Declaration.Kind+".")
		if seen[where] {
			continue
		}
		seen[where] = true
		findings = append(findings, p.finding(s, Constraint, where, where+" is not what the policy allows"))
	}
	return findings
}

// finding places what is forbidden at the part of the declaration it is about.
func (p Policy) finding(s Subject, code waybill.FindingCode, where, what string) waybill.Finding {
	d := s.Declaration
	line := d.Line
	for part := where; part != ""; {
		if l, ok := d.Lines[part]; ok {
			line = l
			break
		}
		cut := strings.LastIndexByte(part, '.')
		if cut < 0 {
			break
		}
		part = part[:cut]
	}
	message := what + " (policy " + p.Name
	if p.Message != "" {
		message += ": " + strings.TrimRight(p.Message, ".")
	}
	return waybill.Finding{
		Code: code, Severity: waybill.SeverityError, File: d.File, Line: line, Column: 1, Path: where,
		Message: message + ")", Declaration: d.Identity.String(),
	}
}
