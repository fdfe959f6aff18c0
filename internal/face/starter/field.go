package starter

import (
	"slices"
	"strings"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Field is a value that a connector's site or an app's workspace is asked for.
type Field struct {
	Key, Type, Label string
	Required         bool
	Options          []string
}

// Arrives says how a program receives the field.
func (f Field) Arrives(mode string) string {
	if mode == "arguments" {
		return "--" + f.Key + "=…"
	}
	return "$" + waybill.Field{Key: f.Key}.EnvName()
}

const (
	fieldHelp = "A value that sites are asked for, as key:type:label, then :required and, for select and multiselect, :one|two.\n" +
		"Such as base_url:input:Shop address:required"
	settingHelp = "A value that workspaces are asked for, as key:type:title, then :required and, for enum, :one|two.\n" +
		"Such as ledger:string:Ledger:required"
)

// fieldOf reads key:type:label[:required][:one|two].
func fieldOf(answer string) (Field, bool) {
	words := strings.Split(answer, ":")
	const least = 3
	if len(words) < least {
		return Field{}, false
	}
	for i := range words {
		words[i] = strings.TrimSpace(words[i])
	}
	f := Field{Key: words[0], Type: words[1], Label: words[2]}
	for _, w := range words[least:] {
		switch {
		case w == "required":
			f.Required = true
		case w == "" || f.Options != nil:
			return Field{}, false
		default:
			for o := range strings.SplitSeq(w, "|") {
				f.Options = append(f.Options, strings.TrimSpace(o))
			}
		}
	}
	return f, f.Key != "" && f.Label != ""
}

// wrongField returns what is wrong with a field or a setting: its form, its type, its choices, or that its key is taken.
func wrongField(q Question, answer string, before Answers) string {
	f, ok := fieldOf(answer)
	var types []string
	for _, c := range q.step("type").Choices() {
		types = append(types, c.Value)
	}
	switch {
	case !ok:
		_, example, _ := strings.Cut(q.Help, "Such as ")
		return "write key:type:label, such as " + example
	case !slices.Contains(types, f.Type):
		return "there is no type " + f.Type + "; choose one of: " + strings.Join(types, ", ")
	case !chosen(f.Type) && len(f.Options) > 0:
		return f.Type + " has no choices"
	case chosen(f.Type) && len(f.Options) == 0:
		return f.Type + " needs choices, such as :one|two at the end"
	case slices.ContainsFunc(before[q.Name], func(b string) bool { o, _ := fieldOf(b); return o.Key == f.Key }):
		return "there is a " + q.Name + " " + f.Key + " already"
	}
	return q.step("key").Wrong(f.Key, nil)
}

// chosen reports whether values of a type are chosen from a list.
func chosen(kind string) bool {
	return slices.Contains([]string{"select", "multiselect", "enum"}, kind)
}

func (q Question) step(name string) Question {
	i := slices.IndexFunc(q.Steps, func(s Question) bool { return s.Name == name })
	if i < 0 {
		return Question{}
	}
	return q.Steps[i]
}

// fieldSteps asks for a field; label is what manifests call what people see beside it.
func fieldSteps(label string) []Question {
	plain := func(_ Question, answer string, _ Answers) string {
		if strings.ContainsAny(answer, ":|") {
			return "leave out : and | here; the manifest can have them"
		}
		return ""
	}
	return []Question{
		{Name: "key", Ask: "Key", Optional: true, Help: "Letters, digits, - and _, such as base_url. Enter alone ends the list."},
		{Name: "type", Ask: "Type", Default: func(Answers) []string { return []string{map[string]string{"label": "input", "title": "string"}[label]} }},
		{Name: label, Ask: "Label", Check: plain, Default: func(a Answers) []string { return spelt(a.First("key")) }},
		{Name: "required", Ask: "Needs a value", Default: always("no"), choices: []Choice{{"no", ""}, {"yes", ""}}},
		{
			Name: "choices", Ask: "Choices", Many: true, Apart: ",", Check: plain, Help: "The legal values, with commas between them.",
			Asked: func(a Answers) bool { return chosen(a.First("type")) },
		},
	}
}

// spelt makes a label of a key: base_url becomes Base url.
func spelt(key string) []string {
	text := strings.NewReplacer("_", " ", "-", " ").Replace(key)
	if text == "" {
		return nil
	}
	return []string{strings.ToUpper(text[:1]) + text[1:]}
}

func joinField(label string) func(Answers) string {
	return func(steps Answers) string {
		words := []string{steps.First("key"), steps.First("type"), steps.First(label)}
		if steps.First("required") == "yes" {
			words = append(words, "required")
		}
		if options := steps["choices"]; len(options) > 0 {
			words = append(words, strings.Join(options, "|"))
		}
		return strings.Join(words, ":")
	}
}

// values returns what the templates are filled in with.
func (s Set) values(a Answers) (map[string]any, error) {
	v := map[string]any{}
	for _, q := range s.Questions {
		if !q.Many {
			v[strings.ReplaceAll(q.Name, "-", "_")] = a.First(q.Name)
		}
	}
	v["arguments"], v["health"] = a["argument"], a["health-argument"]
	v["categories"], v["channels"], v["stages"], v["prefix"] = a["category"], a["channel"], a["stage"], a.First("column-prefix")
	v["allow"], v["events"], v["redirect"] = a["allow"], a["event"], a["redirect-url"]
	var err error
	if v["fields"], err = read(a["field"]); err != nil {
		return nil, err
	}
	if v["settings"], err = read(a["setting"]); err != nil {
		return nil, err
	}
	scopes := []Scope{}
	for _, answer := range a["scope"] {
		scopes = append(scopes, scopeOf(answer))
	}
	v["scopes"] = scopes
	return v, nil
}

func read(answers []string) ([]Field, error) {
	var fields []Field
	for _, answer := range answers {
		f, ok := fieldOf(answer)
		if !ok {
			return nil, waybill.Errorf(waybill.Invalid, "%q cannot be read", answer)
		}
		fields = append(fields, f)
	}
	return fields, nil
}
