package manifest

import (
	"slices"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// world is what is declared: by the tree, and beyond it as far as that is known.
type world struct {
	byKind     map[string][]*waybill.Declaration
	inTree     map[string]bool // kinds that the tree declares at least once
	names      map[string][]string
	unreadable bool // some document of the tree could not be read: what is not found may be in it
	options    Options
	policies   []namedPolicy
}

func newWorld(files []file, o Options) *world {
	w := &world{byKind: map[string][]*waybill.Declaration{}, inTree: map[string]bool{}, names: map[string][]string{}, options: o}
	seen := map[waybill.Identity]bool{}
	add := func(d *waybill.Declaration) {
		seen[d.Identity] = true
		w.byKind[d.Kind] = append(w.byKind[d.Kind], d)
		w.names[d.Kind] = append(w.names[d.Kind], d.Name)
	}
	for i := range files {
		w.unreadable = w.unreadable || len(files[i].documents) == 0 && files[i].findings.Errors() > 0
		for _, d := range files[i].documents {
			if d.values == nil || d.declaration.Name == "" {
				w.unreadable = true
				continue
			}
			w.inTree[d.kind()] = true
			if !seen[d.declaration.Identity] {
				add(&d.declaration)
			}
		}
	}
	if o.References != nil {
		for i := range o.References.Declarations {
			if d := &o.References.Declarations[i]; !seen[d.Identity] {
				add(d)
			}
		}
		for kind, names := range o.References.Names {
			w.names[kind] = append(w.names[kind], names...)
		}
	}
	w.gather()
	return w
}

// complete reports whether everything of a kind is known: what is not among it does not exist.
func (w *world) complete(kind string) bool {
	if w.unreadable {
		return false
	}
	return w.options.References != nil || w.options.Platform && ofPlatform(kind) && w.inTree[kind]
}

// refer checks a reference to a declaration by name: it exists, or does not, or that is not known.
func (d *document) refer(code waybill.FindingCode, kind, name string, at schema.Path) (found bool) {
	names := d.world.names[kind]
	switch {
	case name == "" || !d.Usable(at):
		return false
	case slices.Contains(names, name):
		return true
	case !d.world.complete(kind):
		d.unchecked++
		return false
	}
	d.report(code, at, "there is no "+noun(kind)+" "+quote(name), suggestOf(name, names))
	d.nearest(at, name, names)
	return false
}

// suggestOf returns the hint for a name that nothing has.
func suggestOf(name string, names []string) string {
	const few = 10
	near, ok := waybill.Nearest(name, names)
	switch {
	case ok:
		return "did you mean " + quote(near) + "?"
	case len(names) == 0 || len(names) > few:
		return "declare it first"
	default:
		names = slices.Compact(slices.Sorted(slices.Values(names)))
		return suggest(name, names)
	}
}

// find returns the declaration of a kind and name; of a connector, with its major.
func (w *world) find(kind, name string, major int) *waybill.Declaration {
	for _, d := range w.byKind[kind] {
		if d.Name == name && (kind != waybill.KindConnector || d.Major == major) {
			return d
		}
	}
	return nil
}

// catalog returns the events and scopes of all event catalogs.
func (w *world) catalog() (events []waybill.EventType, scopes []string) {
	for _, d := range w.byKind[waybill.KindEventCatalog] {
		events = append(events, d.Platform.EventCatalog.Events...)
		for _, s := range d.Platform.EventCatalog.Scopes {
			scopes = append(scopes, s.Name)
		}
	}
	return events, scopes
}
