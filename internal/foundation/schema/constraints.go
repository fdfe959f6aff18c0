package schema

import (
	"slices"
	"strconv"
	"strings"
	"sync"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/literal"
)

// Constraints is CUE of somebody else that documents must agree with. A field may say in words what it demands:
// @say("…"). It is safe for concurrent use.
type Constraints struct {
	src []byte

	mu   sync.Mutex
	ctx  *cue.Context
	root cue.Value
	uses int
}

// Offence is a place at which a document does not agree with constraints.
type Offence struct {
	Path Path
	Say  string // what the constraint says; may be empty
}

// NewConstraints compiles src. When it is no CUE, line and column say where; else they are 0.
func NewConstraints(src []byte) (c *Constraints, line, column int) {
	c = &Constraints{src: src}
	if err := c.compile(); err != nil {
		line, column = 1, 1
		for _, p := range errors.Positions(err) {
			return nil, max(p.Line(), 1), max(p.Column(), 1)
		}
		return nil, line, column
	}
	return c, 0, 0
}

func (c *Constraints) compile() error {
	c.ctx = cuecontext.New()
	c.root = c.ctx.CompileBytes(c.src)
	c.uses = 0
	return c.root.Validate()
}

// Judge returns where values do not agree, each place once, what is above covering what is below.
func (c *Constraints) Judge(values map[string]any) (offences []Offence) {
	c.mu.Lock()
	defer c.mu.Unlock()
	defer func() {
		if recover() != nil {
			offences = []Offence{{}}
		}
	}()
	if c.uses++; c.uses > maxUses {
		if err := c.compile(); err != nil {
			return []Offence{{}}
		}
	}
	v := c.root.Unify(c.ctx.Encode(values))
	var paths []Path
	for _, e := range errors.Errors(v.Validate(cue.Final())) {
		var p Path
		for _, l := range e.Path() {
			if text, err := strconv.Unquote(l); err == nil {
				l = text
			}
			if _, err := strconv.Atoi(l); err == nil {
				l = "[" + l + "]"
			}
			p = p.Child(l)
		}
		paths = append(paths, p)
	}
	slices.SortStableFunc(paths, func(a, b Path) int { return len(a) - len(b) })
	var known []Path
	for _, p := range paths {
		if covered(p, known) || slices.ContainsFunc(known, func(k Path) bool { return len(k) == 0 && len(p) == 0 }) {
			continue
		}
		known = append(known, p)
		offences = append(offences, Offence{Path: p, Say: say(v, p)})
	}
	return offences
}

// say returns the words of the constraint at path, or of the nearest one above it.
func say(v cue.Value, path Path) string {
	for ; len(path) > 0; path = path[:len(path)-1] {
		at := selectors(path)
		last := len(at) - 1
		for _, absent := range []bool{false, true} {
			if absent && at[last].LabelType() == cue.StringLabel {
				at[last] = at[last].Required() // a field that is not there is found as name!
			}
			attribute := v.LookupPath(cue.MakePath(at...)).Attribute("say")
			if attribute.Err() != nil {
				continue
			}
			if text, err := literal.Unquote(attribute.Contents()); err == nil {
				return text
			}
			return attribute.Contents()
		}
	}
	return ""
}

// selectors returns path as CUE names it.
func selectors(path Path) []cue.Selector {
	at := make([]cue.Selector, len(path))
	for i, e := range path {
		at[i] = cue.Str(e)
		if inner, ok := strings.CutPrefix(e, "["); ok {
			if n, err := strconv.Atoi(strings.TrimSuffix(inner, "]")); err == nil {
				at[i] = cue.Index(n)
			}
		}
	}
	return at
}
