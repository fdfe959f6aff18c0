package schema_test

import (
	"bytes"
	"math/rand/v2"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/rogpeppe/go-internal/txtar"
	"gopkg.in/yaml.v3"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/schemas"
)

// FuzzHidden spoils documents in many places at once. CUE tells one kind of mistake before another and stops at some: after
// Check it must have nothing new to say.
func FuzzHidden(f *testing.F) {
	for seed := range uint64(80) {
		f.Add(seed)
	}
	set, err := schema.New(schemas.Manifest()...)
	if err != nil {
		f.Fatal(err)
	}
	samples := corpus(f)
	f.Fuzz(func(t *testing.T, seed uint64) {
		random := rand.New(rand.NewPCG(seed, 1))
		sample := samples[random.IntN(len(samples))]
		var root yaml.Node
		if err := yaml.Unmarshal(sample.text, &root); err != nil {
			t.Fatal(err)
		}
		for range 1 + random.IntN(8) {
			spoil(random, root.Content[0])
		}
		spoiled, err := yaml.Marshal(&root)
		if err != nil {
			t.Fatal(err)
		}
		documents, _ := schema.Parse(spoiled)
		for _, d := range documents {
			if d.Root == nil {
				continue
			}
			hidden, err := set.Hidden(sample.definition, d)
			if err != nil || len(hidden) > 0 {
				t.Fatalf("%v hidden, %v\n%s", hidden, err, spoiled)
			}
		}
	})
}

// sample is a document and the definition that it is judged by.
type sample struct {
	definition string
	text       []byte
}

// corpus returns the documents of the corpus of manifests.
func corpus(t testing.TB) (all []sample) {
	t.Helper()
	paths, err := filepath.Glob("../../git/manifest/testdata/corpus/*.txtar")
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range paths {
		archive, err := txtar.ParseFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, f := range archive.Files {
			if filepath.Base(f.Name) != "waybill.yaml" {
				continue
			}
			for text := range bytes.SplitSeq(f.Data, []byte("---\n")) {
				documents, problems := schema.Parse(text)
				if len(documents) != 1 || len(problems) > 0 || documents[0].Root == nil {
					continue
				}
				if definition := definitionOf(documents[0]); definition != "" {
					all = append(all, sample{definition, text})
				}
			}
		}
	}
	if len(all) < 100 {
		t.Fatalf("only %d documents", len(all))
	}
	return all
}

// spoil changes one place below spec or metadata.
func spoil(random *rand.Rand, root *yaml.Node) {
	var places []*yaml.Node
	var walk func(n *yaml.Node, depth int)
	walk = func(n *yaml.Node, depth int) {
		if n.Kind == yaml.MappingNode {
			for i := 1; i < len(n.Content); i += 2 {
				if key := n.Content[i-1].Value; depth > 0 || key == "spec" || key == "metadata" {
					walk(n.Content[i], depth+1)
				}
			}
		} else {
			for _, e := range n.Content {
				walk(e, depth+1)
			}
		}
		if depth > 1 || n.Kind == yaml.MappingNode && depth > 0 {
			places = append(places, n)
		}
	}
	walk(root, 0)
	if len(places) == 0 {
		return
	}
	n := places[random.IntN(len(places))]
	scalar := func(value string) { *n = yaml.Node{Kind: yaml.ScalarNode, Value: value} }
	switch random.IntN(9) {
	case 0:
		scalar([]string{"", "null", "true", "-1", "0", "1.5", "99999999999", "x y", "A", ".inf", "2026-01-01"}[random.IntN(11)])
	case 1:
		scalar(strings.Repeat("x", 10000))
	case 2:
		*n = yaml.Node{Kind: yaml.SequenceNode}
	case 3:
		*n = yaml.Node{Kind: yaml.MappingNode}
	case 4:
		copied := *n
		*n = yaml.Node{Kind: yaml.SequenceNode, Content: []*yaml.Node{&copied, {Kind: yaml.ScalarNode, Value: "7"}}}
	case 5:
		copied := *n
		*n = yaml.Node{Kind: yaml.MappingNode, Content: []*yaml.Node{{Kind: yaml.ScalarNode, Value: "x" + strconv.Itoa(random.IntN(3))}, &copied}}
	default: // something less, or again
		size := 1
		if n.Kind == yaml.MappingNode {
			size = 2
		}
		if len(n.Content) >= size {
			i := random.IntN(len(n.Content)/size) * size
			if n.Kind == yaml.MappingNode || random.IntN(2) == 0 {
				n.Content = slices.Delete(slices.Clone(n.Content), i, i+size)
			} else {
				n.Content = append(slices.Clone(n.Content), n.Content[i])
			}
		}
	}
}

// TestOneLookIsEnough: judging costs more than all else that is done with a manifest, so a file full of mistakes must not
// be judged several times.
func TestOneLookIsEnough(t *testing.T) {
	t.Parallel()
	set := compile(t, `
import "list"
// A.
#A: {
	// Kind.
	kind!: "a" | "b"
	// List.
	items!: list.MinItems(1) & list.MaxItems(9) & [...{n!: int & >=1 & <=9}]
}`)
	for _, text := range []string{
		"kind: a\nitems: [{n: 1}]",
		"items: []",
		"kind: c\nitems: [{n: 0}, {n: x}, {n: 1, m: 2}, {}, {m: [1]}]",
	} {
		before := set.Looks("#A")
		found := problems(t, set, text)
		if looks := set.Looks("#A") - before; looks != 1 {
			t.Errorf("%s: %d problems took %d looks", text, len(found), looks)
		}
	}
	if got := problems(t, set, "kind: {}"); len(got) != 2 {
		t.Errorf("problems = %q", got)
	}
}
