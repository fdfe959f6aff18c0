package plan

import (
	"reflect"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Differ says how much work lies between two declarations of the same identity, and which parts differ.
// oldContent and newContent identify what goes into the images; with both given, only they decide about a rebuild.
func Differ(before, after waybill.Declaration, oldContent, newContent string) (waybill.ChangeClass, []string) {
	a, b := before.Connector, after.Connector
	known := oldContent != "" && newContent != ""
	rebuild := waybill.Rebuild
	if known {
		rebuild = waybill.Redeploy // the image stays; the settings are recorded
	}
	class := waybill.Unchanged
	var parts []string
	part := func(name string, c waybill.ChangeClass, differs bool) {
		if differs {
			class = heavier(class, c)
			parts = append(parts, name)
		}
	}
	part("content", waybill.Rebuild, known && oldContent != newContent)
	part("folder", rebuild, before.Folder != after.Folder)
	part("spec.build", rebuild, !same(a.Build, b.Build))
	part("spec.source", rebuild, !same(a.Source, b.Source))
	part("spec.application", waybill.Recheck, !same(a.Application, b.Application))
	part("spec.secrets", waybill.Recheck, !same(a.Secrets, b.Secrets))
	part("spec.authentication", waybill.Recheck, !same(a.Authentication, b.Authentication))
	part("spec.fields", waybill.Redeploy, !same(a.Fields, b.Fields))
	part("spec.datasource", waybill.Redeploy, !same(a.Categories, b.Categories))
	part("spec.export", waybill.Redeploy, !same(a.Export, b.Export))
	part("spec.dataService", waybill.Redeploy, !same(a.DataService, b.DataService))
	part("spec.run", waybill.Redeploy, !same(a.Run, b.Run))
	part("spec.release", waybill.Redeploy, !same(a.Release, b.Release))
	part("metadata.title", waybill.Metadata, a.Title != b.Title)
	part("metadata.description", waybill.Metadata, a.Description != b.Description)
	part("metadata.labels", waybill.Metadata, !same(a.Labels, b.Labels))
	part("metadata.readme", waybill.Metadata, a.Readme != b.Readme)
	part("metadata.logo", waybill.Metadata, a.Logo != b.Logo)
	part("metadata.owner", waybill.Metadata, a.Owner != b.Owner)
	if before.DevSite() != after.DevSite() {
		class = heavier(class, waybill.Redeploy) // the default site bears the name of the owner
	}
	return class, parts
}

// same is deep equality in which an empty slice or map equals a nil one: stored values lose the difference.
func same(a, b any) bool { return equal(reflect.ValueOf(a), reflect.ValueOf(b)) }

func equal(a, b reflect.Value) bool {
	switch a.Kind() {
	case reflect.Pointer:
		if a.IsNil() || b.IsNil() {
			return a.IsNil() == b.IsNil()
		}
		return equal(a.Elem(), b.Elem())
	case reflect.Struct:
		for i := range a.NumField() {
			if !equal(a.Field(i), b.Field(i)) {
				return false
			}
		}
		return true
	case reflect.Slice:
		if a.Len() != b.Len() {
			return false
		}
		for i := range a.Len() {
			if !equal(a.Index(i), b.Index(i)) {
				return false
			}
		}
		return true
	case reflect.Map:
		if a.Len() != b.Len() {
			return false
		}
		for _, k := range a.MapKeys() {
			if v := b.MapIndex(k); !v.IsValid() || !equal(a.MapIndex(k), v) {
				return false
			}
		}
		return true
	default:
		return a.Interface() == b.Interface()
	}
}
