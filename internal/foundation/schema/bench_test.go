package schema_test

import (
	"testing"

	"github.com/waybill-dev/waybill/internal/foundation/schema"
	"github.com/waybill-dev/waybill/schemas"
)

// BenchmarkFirst measures what a process pays for its first document: reading the schema and compiling a definition.
func BenchmarkFirst(b *testing.B) {
	for _, name := range []string{"#ConnectorDatasource", "#App", "#Site"} {
		b.Run(name, func(b *testing.B) {
			for b.Loop() {
				set, err := schema.New(schemas.Manifest()...)
				if err != nil {
					b.Fatal(err)
				}
				documents, _ := schema.Parse([]byte("kind: x"))
				if err := set.Check(name, documents[0]); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
