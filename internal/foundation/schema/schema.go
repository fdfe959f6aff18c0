package schema

import (
	"fmt"
	"slices"
	"strconv"
	"sync"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/ast"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"
	"cuelang.org/go/cue/token"
	"gopkg.in/yaml.v3"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Set is the definitions of a schema, ready to judge documents. Each is compiled when the first document needs it.
// It is safe for concurrent use.
type Set struct {
	source source

	mu       sync.Mutex
	outlines map[string]*Outline
	idle     map[string][]*judge // compiled and not in use, by definition
}

// maxUses is how many documents one compiled definition judges. CUE keeps every field name it ever saw, so a compiled
// definition is thrown away before strangers can fill the memory with it.
const maxUses = 2000

// maxIdle is how many compiled copies of a definition are kept for the next documents.
const maxIdle = 4

// judge is a compiled definition. CUE values are not safe for concurrent use, so one document has it for itself.
type judge struct {
	ctx        *cue.Context
	root       cue.Value
	definition string
	uses       int
}

// New reads the CUE files of a schema, which may refer to one another. An error is a mistake of ours in them; mistakes
// that only show when a definition is used are reported by Outline and Check, as Internal.
func New(files ...[]byte) (*Set, error) {
	src, err := read(files)
	if err != nil {
		return nil, err
	}
	return &Set{source: src, outlines: map[string]*Outline{}, idle: map[string][]*judge{}}, nil
}

// Outline returns the outline of a definition, such as #ConnectorDatasource; NotFound when there is none.
func (s *Set) Outline(definition string) (*Outline, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if o, ok := s.outlines[definition]; ok {
		return o, nil
	}
	d, ok := s.source[definition]
	if !ok {
		return nil, waybill.Errorf(waybill.NotFound, "the schema declares no %s", definition)
	}
	r := outliner{source: s.source}
	o := r.field(d.field)
	if r.err != nil {
		return nil, r.err
	}
	s.outlines[definition] = o
	return o, nil
}

// Source returns the CUE of a definition with everything that it needs, to be compiled alone.
func (s *Set) Source(definition string) (string, error) { return s.source.text(definition) }

func (s *Set) acquire(definition string) (*judge, error) {
	s.mu.Lock()
	if idle := s.idle[definition]; len(idle) > 0 {
		j := idle[len(idle)-1]
		s.idle[definition] = idle[:len(idle)-1]
		s.mu.Unlock()
		return j, nil
	}
	s.mu.Unlock()
	text, err := s.source.lean(definition)
	if err != nil {
		return nil, err
	}
	ctx := cuecontext.New()
	root := ctx.CompileString(text)
	if err := root.LookupPath(cue.ParsePath(definition)).Err(); err != nil {
		return nil, waybill.Wrap(waybill.Internal, err, "schema cannot be compiled")
	}
	return &judge{ctx: ctx, root: root, definition: definition}, nil
}

func (s *Set) release(definition string, j *judge) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j.uses < maxUses && len(s.idle[definition]) < maxIdle {
		s.idle[definition] = append(s.idle[definition], j)
	}
}

// maxRounds bounds the search for mistakes behind mistakes; no document nests them deeper than this.
const maxRounds = 20

// maxProblems is how many mistakes of one document are told.
const maxProblems = 100

// Check finds every mistake of d against a definition and adds it to d.Problems. Nodes with mistakes become holes.
// An error says that the judge itself failed.
func (s *Set) Check(definition string, d *Document) error {
	_, err := s.find(definition, d)
	d.Problems = slips(d.Problems)
	return err
}

// find adds what is wrong with d to d.Problems. It returns the paths at which CUE may go on refusing d.
func (s *Set) find(definition string, d *Document) (known []Path, err error) {
	outline, err := s.Outline(definition)
	if err != nil || d.Root == nil {
		return nil, err
	}
	d.trim(outline, d.Root, outline, nil)
	j, err := s.acquire(definition)
	if err != nil {
		return nil, err
	}
	for _, p := range d.Problems {
		if p.Mistake == Alias || p.Mistake == Tag || p.Mistake == Missing { // holes, which CUE calls incomplete
			known = append(known, p.Path)
		}
	}
	for more, rounds := true, 0; more && rounds < maxRounds; rounds++ {
		paths, err := j.offences(d)
		if err != nil {
			return nil, err // j is not given back: what it holds after a crash is unknown
		}
		more = false
		slices.SortStableFunc(paths, func(a, b Path) int { return len(a) - len(b) }) // what is above covers what is below
		for _, p := range paths {
			if covered(p, known) || len(d.Problems) >= maxProblems {
				continue
			}
			known = append(known, p)
			_, n := Find(d.Root, p)
			more = more || n == nil || n.Kind != yaml.ScalarNode
			d.Problems = append(d.Problems, d.explain(outline, p))
		}
	}
	s.release(definition, j)
	return known, nil
}

func covered(p Path, known []Path) bool {
	for _, k := range known {
		if len(k) > 0 && p.Under(k) {
			return true
		}
	}
	return false
}

// offences returns the paths of d that CUE refuses in the state d is in.
func (j *judge) offences(d *Document) (paths []Path, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = waybill.Wrap(waybill.Internal, fmt.Errorf("crash: %v", r), "the document could not be judged")
		}
	}()
	j.uses++
	both := &ast.BinaryExpr{X: ast.NewIdent(j.definition), Op: token.AND, Y: d.expr(d.Root)} // evaluated once, together
	v := j.ctx.BuildExpr(both, cue.Scope(j.root))
	for _, e := range errors.Errors(v.Validate(cue.Concrete(true))) {
		paths = append(paths, d.path(e.Path()))
	}
	return paths, nil
}

// path turns a path of CUE, which starts with the definition, into one of d.
func (d *Document) path(labels []string) Path {
	var p Path
	n := d.Root
	for i, l := range labels {
		if i == 0 && len(l) > 0 && l[0] == '#' {
			continue
		}
		if text, err := strconv.Unquote(l); err == nil {
			l = text
		}
		if n != nil && kindOf(n) == List {
			l = "[" + l + "]"
		}
		p = p.Child(l)
		if n != nil {
			_, n = child(n, l)
		}
	}
	return p
}
