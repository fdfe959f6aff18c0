package config

import (
	"cmp"
	"encoding/json"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"

	"gopkg.in/yaml.v3"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/internal/waybill"
	"github.com/waybill-dev/waybill/schemas"
)

// definition is where schemas/server.cue declares the keys.
const definition = "#Server"

// Options say where a configuration comes from. All may be empty.
type Options struct {
	File     string                            // name of the configuration file; empty: none
	ReadFile func(name string) ([]byte, error) // reads it
	Getenv   func(name string) string          // the environment; nil: none
	Flags    map[string]string                 // given flags by name without dashes, see [Key.Flag]
}

// Key is one setting.
type Key struct {
	Path    string // build.allowHosts
	Env     string // WAYBILL_BUILD_ALLOW_HOSTS
	Flag    string // build-allow-hosts
	Doc     string // a sentence
	Default string // empty: none
	Bool    bool   // the flag needs no value

	path    schema.Path
	outline *schema.Outline
}

// Keys lists every setting that has a flag, in the order of the schema: all but lists of mappings.
func Keys() ([]Key, error) {
	_, outline, err := compile()
	if err != nil {
		return nil, err
	}
	return keys(outline, nil), nil
}

func compile() (*schema.Set, *schema.Outline, error) {
	set, err := schema.New(schemas.Server)
	if err != nil {
		return nil, nil, err
	}
	outline, err := set.Outline(definition)
	return set, outline, err
}

func keys(o *schema.Outline, at schema.Path) []Key {
	var all []Key
	for _, f := range o.Fields {
		p := at.Child(f.Name)
		if f.Kinds&schema.Mapping != 0 {
			all = append(all, keys(f.Outline, p)...)
			continue
		}
		if f.Kinds&schema.List != 0 && f.Elements != nil && f.Elements.Kinds&schema.Mapping != 0 {
			continue // a list of mappings has no words for a variable or flag
		}
		k := Key{Path: p.String(), Doc: f.Doc, Bool: f.Kinds == schema.Bool, path: p, outline: f.Outline}
		if f.Default != nil {
			text, _ := json.Marshal(f.Default)
			k.Default = strings.Trim(string(text), `"`)
		}
		k.Flag = dashed(p)
		k.Env = "WAYBILL_" + strings.ToUpper(strings.ReplaceAll(k.Flag, "-", "_"))
		all = append(all, k)
	}
	return all
}

// dashed turns build.allowHosts into build-allow-hosts and publicURL into public-url.
func dashed(p schema.Path) string {
	var b strings.Builder
	upper := true // the character before was upper case or nothing
	for _, r := range strings.Join(p, "-") {
		if unicode.IsUpper(r) && !upper {
			b.WriteByte('-')
		}
		upper = unicode.IsUpper(r)
		b.WriteRune(unicode.ToLower(r))
	}
	return b.String()
}

// Load reads a configuration. Every mistake is told at once, with its place in the file, or the variable or flag;
// the error is Invalid then, and NotFound when the file does not exist.
func Load(o Options) (Config, error) {
	set, outline, err := compile()
	if err != nil {
		return Config{}, err
	}
	d, err := o.document()
	if err != nil {
		return Config{}, err
	}
	origins := o.overlay(d, keys(outline, nil))
	if err := set.Check(definition, d); err != nil {
		return Config{}, err
	}
	if err := o.complain(d.Problems, origins); err != nil {
		return Config{}, err
	}
	c, err := fill(d, outline)
	if err != nil {
		return Config{}, err
	}
	return c, o.complain(examine(d, c.Forges, o.Getenv), origins)
}

// document reads the file; without one it is empty.
func (o Options) document() (*schema.Document, error) {
	text := []byte("{}")
	if o.File != "" {
		var err error
		if text, err = o.ReadFile(o.File); err != nil {
			return nil, waybill.Wrap(waybill.NotFound, err, "the configuration file "+o.File+" cannot be read: "+err.Error())
		}
	}
	documents, problems := schema.Parse(text)
	for _, p := range problems {
		if p.Mistake != schema.Mark && p.Mistake != schema.LineEnd {
			return nil, o.complain([]schema.Problem{p}, nil)
		}
	}
	switch {
	case len(documents) == 0:
		documents, _ = schema.Parse([]byte("{}"))
	case len(documents) > 1:
		return nil, o.complain([]schema.Problem{{
			Mistake: schema.Documents, Line: documents[1].Line, Column: 1, Message: "the file has more than one document", Hint: "delete the others",
		}}, nil)
	}
	if documents[0].Root == nil {
		return nil, o.complain(documents[0].Problems, nil)
	}
	return documents[0], nil
}

// overlay puts environment and flags over the document and returns which path came from where.
func (o Options) overlay(d *schema.Document, all []Key) map[string]string {
	origins := map[string]string{}
	for _, k := range all {
		text, origin := "", ""
		if o.Getenv != nil {
			text, origin = o.Getenv(k.Env), k.Env
		}
		if v, ok := o.Flags[k.Flag]; ok {
			text, origin = v, "--"+k.Flag
		}
		if text == "" && !strings.HasPrefix(origin, "--") {
			continue
		}
		origins[k.Path] = origin
		d.Set(k.path, node(k.outline, text))
	}
	return origins
}

// node turns the text of a variable or flag into what a file would hold.
func node(o *schema.Outline, text string) *yaml.Node {
	if o.Kinds&schema.List != 0 {
		list := &yaml.Node{Kind: yaml.SequenceNode, Tag: "!!seq"}
		for entry := range strings.SplitSeq(text, ",") {
			if entry = strings.TrimSpace(entry); entry != "" {
				list.Content = append(list.Content, &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: entry})
			}
		}
		return list
	}
	n := &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: text}
	if o.Kinds&schema.Text == 0 {
		n.Tag = "" // a number, or true or false
	}
	return n
}

// complain turns problems into one error, a line each.
func (o Options) complain(problems []schema.Problem, origins map[string]string) error {
	if len(problems) == 0 {
		return nil
	}
	slices.SortStableFunc(problems, func(a, b schema.Problem) int { return cmp.Or(a.Line-b.Line, a.Column-b.Column) })
	lines := make([]string, 0, len(problems)+1)
	lines = append(lines, "the configuration has "+waybill.Count(len(problems), "mistake")+":")
	for _, p := range problems {
		place := o.File + ":" + strconv.Itoa(p.Line) + ":" + strconv.Itoa(p.Column)
		for path, origin := range origins {
			if text := p.Path.String(); text == path || strings.HasPrefix(text, path+"[") {
				place = origin
			}
		}
		line := place + ": " + p.Message
		if p.Hint != "" {
			line += " (" + p.Hint + ")"
		}
		lines = append(lines, line)
	}
	return waybill.Errorf(waybill.Invalid, "%s", strings.Join(lines, "\n"))
}

// wire is the configuration as it is written, with defaults.
type wire struct {
	Data, Database, Listen, AdminListen, PublicURL, BinPath string

	Docker   Docker
	Registry Registry
	Platform Platform
	Build    struct {
		AllowHosts  []string
		Concurrency int
		MinFree     string
	}
	Runs      Runs
	Pulls     Pulls
	Forges    []Forge
	Poll      struct{ Plain, Unhooked, Hooked string }
	Retention struct {
		FailedLogs, Deliveries, Withdrawn string
		Images                            int
	}
	Log Log
}

// fill completes the document and makes a Config of it.
func fill(d *schema.Document, outline *schema.Outline) (Config, error) {
	text, err := json.Marshal(d.Fill(outline))
	if err != nil {
		return Config{}, waybill.Wrap(waybill.Internal, err, "configuration cannot be written as JSON")
	}
	var w wire
	if err := json.Unmarshal(text, &w); err != nil {
		return Config{}, waybill.Wrap(waybill.Internal, err, "configuration does not fit its definition")
	}
	c := Config{
		Data: w.Data, Database: w.Database, Listen: w.Listen, AdminListen: w.AdminListen,
		PublicURL: strings.TrimRight(w.PublicURL, "/"), BinPath: w.BinPath, Docker: w.Docker, Registry: w.Registry, Platform: w.Platform,
		Build: Build{AllowHosts: w.Build.AllowHosts, Concurrency: w.Build.Concurrency}, Runs: w.Runs, Pulls: w.Pulls,
		Retention: Retention{Images: w.Retention.Images}, Log: w.Log,
	}
	if c.Database == "" {
		c.Database = filepath.Join(c.Data, "waybill.db")
	}
	c.Build.MinFreeBytes, _ = waybill.ParseBytes(w.Build.MinFree)
	for i, f := range w.Forges {
		w.Forges[i].URL = strings.TrimRight(cmp.Or(f.URL, homes()[f.Kind]), "/")
	}
	c.Forges = w.Forges
	for _, d := range []struct {
		path, text string
		to         *time.Duration
	}{
		{"poll.plain", w.Poll.Plain, &c.Poll.Plain},
		{"poll.unhooked", w.Poll.Unhooked, &c.Poll.Unhooked},
		{"poll.hooked", w.Poll.Hooked, &c.Poll.Hooked},
		{"retention.failedLogs", w.Retention.FailedLogs, &c.Retention.FailedLogs},
		{"retention.deliveries", w.Retention.Deliveries, &c.Retention.Deliveries},
		{"retention.withdrawn", w.Retention.Withdrawn, &c.Retention.Withdrawn},
	} {
		if *d.to, err = positive(d.path, d.text); err != nil {
			return Config{}, err
		}
	}
	return c, nil
}

// positive reads a duration above zero.
func positive(path, text string) (time.Duration, error) {
	v, err := time.ParseDuration(text)
	if err != nil || v <= 0 {
		return 0, waybill.Errorf(waybill.Invalid, "the configuration has 1 mistake:\n%s: %q is not legal (write a duration above 0s)", path, text)
	}
	return v, nil
}
