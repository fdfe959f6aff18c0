package forgetest

import (
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// status is one as the outbox gives it.
func status(context string, state waybill.State, description string) waybill.Status {
	return waybill.Status{
		Context: context, State: state, Description: waybill.Describe(description),
		URL: "https://waybill.test/commits/" + strings.ReplaceAll(context, "/", "-"),
	}
}

// write tells the forge about the commit, and fails unless it takes all.
func (p *Place) write(t *testing.T, again bool, list ...waybill.Status) {
	t.Helper()
	m := forge.Message{Commit: p.Commit, Statuses: list, Again: again}
	if n, err := p.Host.Write(t.Context(), p.Repository, m); n != len(list) || err != nil {
		t.Fatalf("%d of %d taken: %v", n, len(list), err)
	}
}

// said compares what the server has of the commit with what it was told.
func (p *Place) said(t *testing.T, want ...waybill.Status) {
	t.Helper()
	for i, s := range want {
		if p.Shown != nil {
			want[i] = p.Shown(s)
		}
	}
	got := p.Statuses(t, p.Commit)
	for i, s := range got {
		got[i] = waybill.Status{Context: s.Context, State: s.State, Description: s.Description, URL: s.URL}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("statuses (-want +got):\n%s", diff)
	}
}

// statuses of all states arrive as they are, in their order, each once.
func statuses(t *testing.T, p *Place) {
	t.Helper()
	var list []waybill.Status
	for _, s := range []waybill.State{waybill.StateFailure, waybill.StateError, waybill.StateSuccess, waybill.StatePending} {
		list = append(list, status("waybill/shop-feed/"+string(s), s, "said "+string(s)))
	}
	p.write(t, false, list...)
	p.said(t, slices.Clone(list)...)
	p.write(t, false)
	p.said(t, slices.Clone(list)...)
}

// newest reduces to the last of each context, in the order in which the contexts appeared first.
func newest(list []waybill.Status) []waybill.Status {
	var out []waybill.Status
	for _, s := range list {
		i := slices.IndexFunc(out, func(o waybill.Status) bool { return o.Context == s.Context })
		if i < 0 {
			out = append(out, s)
		} else {
			out[i] = s
		}
	}
	return out
}

// again: whoever is not sure what arrived adds nothing to what did, and everything that did not. A context begins again
// after a result.
func again(t *testing.T, p *Place) {
	t.Helper()
	pending, aggregate := status("waybill/shop-feed/build", waybill.StatePending, "builds"), status("waybill", waybill.StatePending, "in progress")
	p.write(t, false, aggregate)
	p.write(t, true, aggregate, pending)
	p.said(t, aggregate, pending)
	built := status("waybill/shop-feed/build", waybill.StateSuccess, "sha256:9f2c71e0b7d4")
	p.write(t, false, built)
	before := len(p.Statuses(t, p.Commit))
	p.write(t, true, built, aggregate)
	if after := len(p.Statuses(t, p.Commit)); after != before {
		t.Errorf("%d statuses became %d, though nothing changed", before, after)
	}
	p.write(t, true, pending) // a re-run
	list := p.Statuses
	p.Statuses = func(t *testing.T, commit string) []waybill.Status { t.Helper(); return newest(list(t, commit)) }
	p.said(t, aggregate, pending)
}

// text: descriptions and contexts hold what people write in manifests.
func text(t *testing.T, p *Place) {
	t.Helper()
	context := waybill.ContextOf(waybill.Identity{Kind: waybill.KindConnector, Name: strings.Repeat("long-", 60), Major: 2}, "validate")
	odd := status(context, waybill.StateFailure, `2 errors: a/"waybill".yaml:14:7 <b>unknown</b> field 'größe' ✗ `+strings.Repeat("é", 200))
	odd.URL = "https://waybill.test/commits/1?x=1&y=%20#a"
	p.write(t, false, odd)
	p.said(t, odd)
	empty := status("waybill/shop-feed/dev", waybill.StatePending, "")
	empty.URL = ""
	p.write(t, false, empty)
	if got := p.Statuses(t, p.Commit); len(got) != 2 {
		t.Errorf("got %d statuses, want 2", len(got))
	}
}

// refused: what can never succeed says so.
func refused(t *testing.T, p *Place) {
	t.Helper()
	m := forge.Message{Commit: strings.Repeat("0123", 10), Statuses: []waybill.Status{status("waybill", waybill.StateSuccess, "ok")}}
	n, err := p.Host.Write(t.Context(), p.Repository, m)
	code(t, "a commit that is not there", err, waybill.NotFound)
	if n != 0 {
		t.Errorf("%d taken", n)
	}
	gone := p.Repository
	gone.Path += "-gone"
	gone.ForgeID = "987654321"
	m.Commit = p.Commit
	_, err = p.Host.Write(t.Context(), gone, m)
	code(t, "a repository that is not there", err, waybill.NotFound, waybill.Denied)
}
