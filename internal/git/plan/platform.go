package plan

import (
	"reflect"
	"slices"
	"strconv"
	"strings"
	"unicode"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// towardsPlatform returns what it takes to make the platform be as d says.
func (p *planner) towardsPlatform(d *waybill.Declaration) (waybill.ChangeClass, []string, []string) {
	o := p.observed[d.Identity]
	if o.Declared == nil || o.Declared.Platform == nil {
		return waybill.Create, nil, nil
	}
	return DifferPlatform(o.Declared.Platform, d.Platform)
}

// DifferPlatform says whether two declarations of a platform kind differ, in which parts, and what that does to others.
func DifferPlatform(before, after *waybill.Platform) (class waybill.ChangeClass, parts, reasons []string) {
	a, b := reflect.ValueOf(before).Elem(), reflect.ValueOf(after).Elem()
	for i := range a.NumField() {
		x, y := a.Field(i), b.Field(i)
		switch {
		case equal(x, y):
		case x.Kind() != reflect.Pointer:
			parts = append(parts, "metadata."+lower(a.Type().Field(i).Name))
		case x.IsNil() || y.IsNil():
			parts = append(parts, "spec")
		default:
			parts = append(parts, specParts(x.Elem(), y.Elem())...)
		}
	}
	if len(parts) == 0 {
		return waybill.Unchanged, nil, nil
	}
	if before.Site != nil && after.Site != nil {
		reasons = assignments(before.Site.Assignments, after.Site.Assignments)
	}
	return waybill.Altered, parts, reasons
}

// specParts names the fields of a manifest in which two specs of one kind differ.
func specParts(a, b reflect.Value) []string {
	renamed := map[string]string{
		"Branches": "watch", "Tags": "watch", "PullRequests": "watch", "DevAccount": "defaults", "DevProject": "defaults",
		"Targets": "defaults", "MaxConnectors": "limits", "MaxBuilds": "limits", "MaxRuns": "limits",
		"Assignments": "connectors", "Source": "constraints",
	}
	var parts []string
	for i := range a.NumField() {
		if equal(a.Field(i), b.Field(i)) {
			continue
		}
		name := a.Type().Field(i).Name
		if as, ok := renamed[name]; ok {
			name = as
		}
		if part := "spec." + lower(name); !slices.Contains(parts, part) {
			parts = append(parts, part)
		}
	}
	return parts
}

// lower writes the name of a Go field as manifests do: tokenURL for TokenURL comes out as tokenUrl.
func lower(name string) string {
	name = strings.Replace(name, "URL", "Url", 1)
	r := []rune(name)
	for i := range r {
		if i > 0 && i+1 < len(r) && unicode.IsLower(r[i+1]) || unicode.IsLower(r[i]) {
			break
		}
		r[i] = unicode.ToLower(r[i])
	}
	return string(r)
}

// assignments says in words which connectors come to a site, leave it or are set otherwise there.
func assignments(before, after []waybill.AssignmentSpec) []string {
	find := func(list []waybill.AssignmentSpec, a waybill.AssignmentSpec) int {
		return slices.IndexFunc(list, func(o waybill.AssignmentSpec) bool { return o.Connector == a.Connector && o.Major == a.Major })
	}
	name := func(a waybill.AssignmentSpec) string {
		return strconv.Quote(waybill.Identity{Kind: waybill.KindConnector, Name: a.Connector, Major: a.Major}.String())
	}
	var reasons []string
	for _, a := range after {
		switch i := find(before, a); {
		case i < 0:
			reasons = append(reasons, "connector "+name(a)+" is assigned")
		case !same(before[i], a):
			reasons = append(reasons, "connector "+name(a)+" is assigned otherwise")
		}
	}
	for _, a := range before {
		if find(after, a) < 0 {
			reasons = append(reasons, "connector "+name(a)+" is assigned no more")
		}
	}
	return reasons
}
