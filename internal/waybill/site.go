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
// It reports Invalid and names every unknown key, and every required field that has no value.
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
		return nil, Errorf(Invalid, "no such field: %s", strings.Join(unknown, ", "))
	case len(missing) > 0:
		return nil, Errorf(Invalid, "required field without a value: %s", strings.Join(missing, ", "))
	}
	return values, nil
}
