package schema

import (
	"fmt"
	"slices"
	"strconv"
	"sync"

	"cuelang.org/go/cue"
	"cuelang.org/go/cue/cuecontext"
	"cuelang.org/go/cue/errors"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Set is the definitions of one CUE source, ready to judge documents. It is safe for concurrent use.
type Set struct {
	src      []byte
	outlines func() (map[string]*Outline, error)

	mu   sync.Mutex
	idle []*judge // compiled and not in use
}

// maxUses is how many documents one compiled source judges. CUE keeps every field name it ever saw, so a compiled
// source is thrown away before strangers can fill the memory with it.
const maxUses = 2000

// maxIdle is how many compiled sources are kept for the next documents.
const maxIdle = 4

// judge is a compiled source. CUE values are not safe for concurrent use, so one document has it for itself.
type judge struct {
	ctx         *cue.Context
	root        cue.Value
	definitions map[string]cue.Value
	uses        int
}

// New compiles src. An error is a mistake of ours in the source.
func New(src []byte) (*Set, error) {
	s := &Set{src: src}
	s.outlines = sync.OnceValues(func() (map[string]*Outline, error) { return outlines(src) })
	j, err := s.compile()
	if err != nil {
		return nil, err
	}
	if _, err := s.outlines(); err != nil {
		return nil, err
	}
	s.idle = append(s.idle, j)
	return s, nil
}

// Outline returns the outline of a definition, such as #ConnectorDatasource; NotFound when there is none.
func (s *Set) Outline(definition string) (*Outline, error) {
	all, err := s.outlines()
	if err != nil {
		return nil, err
	}
	o, ok := all[definition]
	if !ok {
		return nil, waybill.Errorf(waybill.NotFound, "the schema declares no %s", definition)
	}
	return o, nil
}

func (s *Set) compile() (*judge, error) {
	ctx := cuecontext.New()
	root := ctx.CompileBytes(s.src)
	if err := root.Err(); err != nil {
		return nil, waybill.Wrap(waybill.Internal, err, "schema cannot be compiled")
	}
	return &judge{ctx: ctx, root: root, definitions: map[string]cue.Value{}}, nil
}

func (s *Set) acquire() (*judge, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if n := len(s.idle); n > 0 {
		j := s.idle[n-1]
		s.idle = s.idle[:n-1]
		return j, nil
	}
	return s.compile()
}

func (s *Set) release(j *judge) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if j.uses < maxUses && len(s.idle) < maxIdle {
		s.idle = append(s.idle, j)
	}
}

// maxRounds bounds the search for mistakes behind mistakes; no document nests them deeper than this.
const maxRounds = 20

// maxProblems is how many mistakes of one document are told.
const maxProblems = 100

// Check finds every mistake of d against a definition and adds it to d.Problems. Nodes with mistakes become holes.
// An error says that the judge itself failed.
func (s *Set) Check(definition string, d *Document) error {
	outline, err := s.Outline(definition)
	if err != nil || d.Root == nil {
		return err
	}
	d.trim(outline, d.Root, outline, nil)
	j, err := s.acquire()
	if err != nil {
		return err
	}
	known := make([]Path, 0, len(d.Problems))
	for _, p := range d.Problems {
		if p.Mistake == Alias || p.Mistake == Tag { // holes, which CUE calls incomplete
			known = append(known, p.Path)
		}
	}
	for range maxRounds {
		paths, err := j.offences(definition, d)
		if err != nil {
			return err // j is not given back: what it holds after a crash is unknown
		}
		slices.SortStableFunc(paths, func(a, b Path) int { return len(a) - len(b) }) // what is above covers what is below
		before := len(known)
		for _, p := range paths {
			if covered(p, known) || len(d.Problems) >= maxProblems {
				continue
			}
			known = append(known, p)
			d.Problems = append(d.Problems, d.explain(outline, p))
		}
		if len(known) == before {
			break
		}
	}
	s.release(j)
	d.Problems = slips(d.Problems)
	return nil
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
func (j *judge) offences(definition string, d *Document) (paths []Path, err error) {
	defer func() {
		if r := recover(); r != nil {
			err = waybill.Wrap(waybill.Internal, fmt.Errorf("crash: %v", r), "the document could not be judged")
		}
	}()
	j.uses++
	def, ok := j.definitions[definition]
	if !ok {
		def = j.root.LookupPath(cue.ParsePath(definition))
		j.definitions[definition] = def
	}
	v := def.Unify(j.ctx.BuildExpr(d.expr(d.Root)))
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
