package portal

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// part is one of the seven parts of the set-up: what is declared, and where in Git.
type part struct {
	Title  string
	Mark   mark
	Place  string // file:line
	Values []pair
	Empty  string // what the part is for, when nothing is declared
}

// pair is a name and a value.
type pair struct {
	Name, Value string
	Code        bool // shown fixed-width
}

// setup lists the seven parts of a declaration. repository is where it was read; assignments are the values it has at
// sites.
func setup(d waybill.Declaration, repository waybill.Repository, assignments []waybill.Assignment) []part {
	c := d.Connector
	if c == nil {
		return nil
	}
	parts := []part{
		details(d), versionControl(d, repository), application(c), secrets(c), fields(c, assignments), execution(d), typed(c),
	}
	for i, keys := range [][]string{
		{"metadata"},
		{"spec.source", "spec.build", "spec.release"},
		{"spec.application"},
		{"spec.authentication", "spec.secrets"},
		{"spec.fields"},
		{"spec.run", "spec.execution"},
		{"spec.datasource", "spec.type"},
	} {
		parts[i].Place = placeOf(d, keys)
		if len(parts[i].Values) == 0 {
			parts[i].Mark, parts[i].Place = none("not used"), ""
		} else if parts[i].Mark.Word == "" {
			parts[i].Mark = toned(toneOK, "complete")
		}
	}
	return parts
}

// placeOf returns where the first of keys is declared, or where the document starts.
func placeOf(d waybill.Declaration, keys []string) string {
	for _, k := range keys {
		if line, ok := d.Lines[k]; ok {
			return fmt.Sprintf("%s:%d", d.File, line)
		}
	}
	return fmt.Sprintf("%s:%d", d.File, max(d.Line, 1))
}

func details(d waybill.Declaration) part {
	c := d.Connector
	p := part{Title: "Details", Values: []pair{
		{"Name", d.Name, true},
		{"Title", c.Title, false},
		{"Owner", c.Owner, false},
		{"Type", c.Type, false},
		{"Flow", c.Flow, false},
		{"Version", fmt.Sprint(d.Major), false},
	}}
	p.add("Description", c.Description)
	for _, k := range slices.Sorted(maps.Keys(c.Labels)) {
		p.Values = append(p.Values, pair{"Label " + k, c.Labels[k], true})
	}
	return p
}

func versionControl(d waybill.Declaration, r waybill.Repository) part {
	p := part{Title: "Version control", Values: []pair{{"Repository", r.URL, true}}}
	if s := d.Connector.Source; s != nil {
		p.Values = []pair{{"Repository", s.Repository, true}, {"Branch", s.Branch, true}, {"Path", s.Path, true}}
		p.add("Authentication", s.AuthType)
	}
	return part{Title: p.Title, Values: append(p.Values,
		pair{"Folder", d.Folder, true}, pair{"Dev branch", d.DevBranch(r.DefaultBranch), true},
		pair{"Prod tag", d.TagPattern(), true})}
}

func application(c *waybill.Connector) part {
	p := part{Title: "Application"}
	if c.Application.Command == "" {
		return p
	}
	p.Values = []pair{
		{"Command", strings.Join(append([]string{c.Application.Command}, c.Application.Arguments...), " "), true},
		{"Image", c.Build.Dockerfile + " in " + c.Build.Context, true},
	}
	if h := c.Application.HealthCheck; h != nil {
		check := strings.TrimSpace(strings.Join(h.Arguments, " ") + " within " + duration(h.Timeout))
		p.Values = append(p.Values, pair{"Health check", check, true})
	} else {
		p.Values = append(p.Values, pair{"Health check", "none", false})
	}
	return p
}

func secrets(c *waybill.Connector) part {
	p := part{Title: "Authentication and secrets", Empty: "Providers end users sign in to, and secrets of the developer."}
	for _, name := range c.Authentication {
		p.Values = append(p.Values, pair{"Provider", name, true})
	}
	for _, s := range c.Secrets {
		p.Values = append(p.Values, pair{s.Name, s.Store + ":" + s.Path + "#" + s.Key, true})
	}
	return p
}

func fields(c *waybill.Connector, assignments []waybill.Assignment) part {
	p := part{Title: "Individual configuration", Empty: "Fields that end users fill in for each site."}
	for _, f := range c.Fields {
		says := []string{f.Label, f.Type}
		if f.Required {
			says = append(says, "required")
		}
		if f.Default != nil {
			says = append(says, "default "+quote(*f.Default))
		}
		for _, a := range assignments {
			v, set := a.Config[f.Key]
			switch {
			case set && f.Type == "password":
				says = append(says, a.Site+" has a value")
			case set:
				says = append(says, a.Site+" has "+quote(v))
			case f.Required && f.Default == nil:
				says = append(says, a.Site+" has no value")
				p.Mark = toned(toneError, "incomplete")
			}
		}
		p.Values = append(p.Values, pair{f.Key, strings.Join(says, " · "), false})
	}
	return p
}

func execution(d waybill.Declaration) part {
	c := d.Connector
	p := part{Title: "Execution configuration", Values: []pair{{"Values reach it by", c.Mode, false}}}
	p.add("Schedule", c.Run.Schedule)
	if c.Run.Timeout > 0 {
		p.add("Time limit", duration(c.Run.Timeout))
	}
	p.add("CPU", c.Run.CPU)
	if c.Run.Memory > 0 {
		p.add("Memory", waybill.FormatBytes(c.Run.Memory))
	}
	p.add("When one is running", c.Run.Concurrency)
	if c.Run.OnDeploy {
		p.add("Also runs", "after each deployment to dev")
	}
	p.add("May reach", strings.Join(c.Run.Egress, ", "))
	return p
}

func typed(c *waybill.Connector) part {
	p := part{Title: "Type-specific configuration", Empty: "What only connectors of this type have."}
	p.add("Categories", strings.Join(c.Categories, ", "))
	return p
}

// add appends a value that is there.
func (p *part) add(name, value string) {
	if value != "" {
		p.Values = append(p.Values, pair{Name: name, Value: value})
	}
}

func quote(s string) string { return "“" + clip(s, 60) + "”" }
