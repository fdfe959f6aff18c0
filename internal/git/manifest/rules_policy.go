package manifest

import (
	"cmp"
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func policyRules() []rule {
	policy, connector := []string{waybill.KindPolicy}, []string{waybill.KindConnector}
	return []rule{
		{name: "base image patterns", kinds: policy, check: plain(func(d *document) {
			d.globs(d.declaration.Platform.Policy.BaseImages, schema.Path{"spec", "baseImages"})
		})},
		{name: "image size", kinds: policy, check: plain((*document).imageSizeRule)},
		{name: "reviewers once", kinds: policy, check: plain(func(d *document) {
			d.once("reviewer", d.declaration.Platform.Policy.Reviewers, func(i int) schema.Path { return schema.Path{"spec", "reviewers"}.Index(i) })
		})},
		{name: "constraints", kinds: policy, beside: true, check: reading((*document).constraintsRule)},
		{name: "policy: base images", kinds: connector, together: true, check: reading((*document).baseImageRules)},
		{name: "policy: constraints", together: true, check: plain((*document).policyRules)},
	}
}

func (d *document) imageSizeRule() {
	at := schema.Path{"spec", "maxImageSize"}
	if text, _ := d.text(at...); d.Usable(at) && memory(text) <= 0 {
		d.report(IllegalQuantity, at, quote(text)+" is not legal for "+at.String(), "write at most 1048576Gi")
	}
}

const maxConstraints = 64 << 10

// constraintsRule reads the CUE file of a policy and checks that it is CUE.
func (d *document) constraintsRule(ctx context.Context) error {
	at := schema.Path{"spec", "constraints"}
	p := d.declaration.Platform.Policy
	name, ok := inside(d.folder, p.Constraints)
	_, exists := d.file.index.files[name]
	if p.Constraints == "" || !ok || !exists || d.file.index.linkOn(name) != "" {
		return nil // told by fileRules
	}
	if small, err := d.file.index.within(ctx, name, maxConstraints); err != nil || path.Ext(name) != ".cue" || !small {
		d.report(IllegalConstraints, at, "the constraints are no CUE file up to 64 KiB", "write a path such as policy.cue")
		return err
	}
	text, err := waybill.ReadFile(ctx, d.file.index.tree, name, maxConstraints)
	if err != nil {
		return err
	}
	spec, policy := *d.declaration.Platform, *p // others may hold the ones that were read
	policy.Source, spec.Policy = text, &policy
	d.declaration.Platform = &spec
	if _, line, column := schema.NewConstraints(text); line > 0 {
		d.report(IllegalConstraints, at, fmt.Sprintf("the constraints cannot be read at %s:%d:%d", name, line, column), "check the file with the cue command")
	}
	return nil
}

// namedPolicy is a policy with its name.
type namedPolicy struct {
	name string
	waybill.PolicySpec
	constraints *schema.Constraints // nil: none
}

// gather collects the policies that hold: those of the tree, and beyond it.
func (w *world) gather() {
	names := map[string]waybill.PolicySpec{}
	for name, p := range w.options.Policies {
		names[name] = p
	}
	for _, d := range w.byKind[waybill.KindPolicy] {
		p := *d.Platform.Policy
		p.Message = d.Platform.Description
		names[d.Name] = p
	}
	for name, p := range names {
		np := namedPolicy{name: name, PolicySpec: p}
		if len(p.Source) > 0 {
			np.constraints, _, _ = schema.NewConstraints(p.Source) // broken ones are told where they are declared
		}
		w.policies = append(w.policies, np)
	}
	slices.SortFunc(w.policies, func(a, b namedPolicy) int { return strings.Compare(a.name, b.name) })
}

// requiresHealthCheck reports whether connectors need a health check; without any policy they do.
func (w *world) requiresHealthCheck() bool {
	return len(w.policies) == 0 || slices.ContainsFunc(w.policies, func(p namedPolicy) bool { return p.RequireHealthCheck })
}

// policyRules checks d against the constraints of every policy.
func (d *document) policyRules() {
	for _, p := range d.world.policies {
		if p.constraints == nil {
			continue
		}
		for _, o := range p.constraints.Judge(d.values) {
			message := o.Say
			if message == "" {
				message = cmp.Or(o.Path.String(), "the document") + " does not agree with its constraints"
			}
			d.report(PolicyBroken, o.Path, "policy "+p.name+": "+message, p.Message)
		}
	}
}

const maxDockerfile = 256 << 10

// baseImageRules checks what the Dockerfile starts from.
func (d *document) baseImageRules(ctx context.Context) error {
	at := schema.Path{"spec", "build", "dockerfile"}
	name, ok := inside(d.folder, d.wire.Spec.Build.Dockerfile)
	_, exists := d.file.index.files[name]
	limited := slices.ContainsFunc(d.world.policies, func(p namedPolicy) bool { return len(p.BaseImages) > 0 })
	if !limited || !ok || !exists || d.file.index.linkOn(name) != "" {
		return nil
	}
	if small, err := d.file.index.within(ctx, name, maxDockerfile); err != nil || !small {
		return err
	}
	text, err := waybill.ReadFile(ctx, d.file.index.tree, name, maxDockerfile)
	if err != nil {
		return err
	}
	for _, image := range baseImages(string(text), d.wire.Spec.Build.Args) {
		for _, p := range d.world.policies {
			legal := func(glob string) bool { return wild(glob, image) || wild(glob, image+":latest") }
			if len(p.BaseImages) > 0 && !slices.ContainsFunc(p.BaseImages, legal) {
				hint := "allowed are: " + strings.Join(p.BaseImages, ", ")
				if p.Message != "" {
					hint = p.Message + " A" + hint[1:]
				}
				d.report(ForbiddenImage, at, "policy "+p.name+" does not allow the base image "+quote(image), hint)
			}
		}
	}
	return nil
}

// baseImages lists the images that a Dockerfile starts from, each once; its own stages and scratch are none.
func baseImages(dockerfile string, args map[string]string) []string {
	values := map[string]string{}
	stages := []string{"scratch"}
	var images []string
	for line := range strings.Lines(strings.ReplaceAll(dockerfile, "\\\n", " ")) {
		words := strings.Fields(line)
		if len(words) < 2 {
			continue
		}
		switch strings.ToUpper(words[0]) {
		case "ARG":
			name, value, _ := strings.Cut(words[1], "=")
			if given, ok := args[name]; ok {
				value = given
			}
			if len(images) == 0 && len(stages) == 1 {
				values[name] = strings.Trim(value, `"'`)
			}
		case "FROM":
			words = slices.DeleteFunc(words[1:], func(w string) bool { return strings.HasPrefix(w, "--") })
			if len(words) == 0 {
				continue
			}
			image := expand(words[0], values)
			if !slices.Contains(stages, image) && !slices.Contains(images, image) {
				images = append(images, image)
			}
			if len(words) == 3 && strings.EqualFold(words[1], "AS") {
				stages = append(stages, words[2])
			}
		}
	}
	return images
}

// expand replaces $NAME and ${NAME}; what is not known stays as it is.
func expand(text string, values map[string]string) string {
	for name, value := range values {
		text = strings.ReplaceAll(text, "${"+name+"}", value)
		if text == "$"+name {
			text = value
		}
	}
	return text
}

// wild reports whether text matches a pattern in which * stands for anything.
func wild(pattern, text string) bool {
	parts := strings.Split(pattern, "*")
	if len(parts) == 1 {
		return pattern == text
	}
	if !strings.HasPrefix(text, parts[0]) {
		return false
	}
	text = text[len(parts[0]):]
	for _, part := range parts[1 : len(parts)-1] {
		i := strings.Index(text, part)
		if i < 0 {
			return false
		}
		text = text[i+len(part):]
	}
	return strings.HasSuffix(text, parts[len(parts)-1])
}
