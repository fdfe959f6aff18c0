package waybill

import (
	"maps"
	"slices"
	"strings"
	"time"
)

// Team owns repositories, connectors and sites.
type Team struct {
	Name    string
	Created time.Time
}

// Site is a place where connectors are assigned and run.
type Site struct {
	Name        string
	Owner       string // team
	Environment Environment
	Created     time.Time
}

// Assignment is a connector major at a site, with the values its fields have there.
type Assignment struct {
	Site      string
	Connector string
	Major     int
	Config    map[string]string
	Schedule  string // cron; empty: the schedule of the live version
	Enabled   bool
	Updated   time.Time
}

// Values returns what the program receives: defaults, then the layers in order, later ones winning.
// It reports Invalid and names every unknown key, every required field that has no value, and the first value that its
// field cannot take.
func (c *Connector) Values(layers ...map[string]string) (map[string]string, error) {
	values := map[string]string{}
	for _, f := range c.Fields {
		if f.Default != nil {
			values[f.Key] = *f.Default
		}
	}
	var unknown, missing []string
	for _, layer := range layers {
		for _, k := range slices.Sorted(maps.Keys(layer)) {
			if !slices.ContainsFunc(c.Fields, func(f Field) bool { return f.Key == k }) {
				unknown = append(unknown, k)
			}
			values[k] = layer[k]
		}
	}
	for _, f := range c.Fields {
		if f.Required && values[f.Key] == "" {
			missing = append(missing, f.Key)
		}
	}
	switch {
	case len(unknown) > 0:
		return nil, Errorf(Invalid, "no such field: %s (there is: %s)", strings.Join(unknown, ", "), c.fieldKeys())
	case len(missing) > 0:
		return nil, Errorf(Invalid, "required field without a value: %s", strings.Join(missing, ", "))
	}
	for _, f := range c.Fields {
		if v, given := values[f.Key]; given && v != "" && !f.takes(v) {
			return nil, Errorf(Invalid, "%q is no value for field %s (%s)", v, f.Key, f.legal())
		}
	}
	return values, nil
}

func (c *Connector) fieldKeys() string {
	if len(c.Fields) == 0 {
		return "none"
	}
	var keys []string
	for _, f := range c.Fields {
		keys = append(keys, f.Key)
	}
	return strings.Join(keys, ", ")
}

// takes reports whether v is a value that people could have entered in the field's form.
func (f Field) takes(v string) bool {
	isOption := func(v string) bool {
		return slices.ContainsFunc(f.Options, func(o Option) bool { return o.Value == v })
	}
	switch f.Type {
	case "checkbox":
		return v == "true" || v == "false"
	case "select":
		return isOption(v)
	case "multiselect":
		for part := range strings.SplitSeq(v, ",") {
			if !isOption(part) {
				return false
			}
		}
	}
	return true
}

// legal says in words what takes allows.
func (f Field) legal() string {
	if f.Type == "checkbox" {
		return "true or false"
	}
	var values []string
	for _, o := range f.Options {
		values = append(values, o.Value)
	}
	if f.Type == "multiselect" {
		return "any of " + strings.Join(values, ", ") + ", with commas between"
	}
	return "one of " + strings.Join(values, ", ")
}
