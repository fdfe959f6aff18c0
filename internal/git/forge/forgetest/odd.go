package forgetest

import (
	"testing"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// OddAnswers lets a forge answer everything with what it never would, and well: it counts as away, nothing is taken for
// done or for true, and nothing breaks.
func OddAnswers(t *testing.T, open func(t *testing.T) (*Place, *Tricks)) {
	for _, said := range []string{"null", "[null]", "{}", "[{}]", "[]", "", "7", `{"id": "x"}`} {
		t.Run(said, func(t *testing.T) {
			t.Parallel()
			p, tricks := open(t)
			tricks.Add(200, " /", Answer(200, said))
			ctx, r := t.Context(), p.Repository
			_, err := p.Host.Find(ctx, r)
			code(t, "find", err, waybill.Unavailable)
			_, err = p.Host.Pull(ctx, r, p.Pull.Number)
			code(t, "pull", err, waybill.Unavailable)
			if list, err := p.Host.OpenPulls(ctx, r); len(list) > 0 {
				t.Errorf("pull requests %+v (%v)", list, err)
			}
			m := forge.Message{Commit: p.Commit, Statuses: []waybill.Status{status("waybill", waybill.StateSuccess, "ok")}, First: true}
			if n, err := p.Host.Write(ctx, r, m); n != 0 || !waybill.IsCode(err, waybill.Unavailable) {
				t.Errorf("%d statuses taken, %v", n, err)
			}
			if may, _ := p.Host.MayWrite(ctx, r, p.Writer); may {
				t.Error("whoever asks may write")
			}
			_, _ = p.Host.Comment(ctx, r, p.Pull, forge.Marker) // must come back, whatever it says
			_ = p.Host.InstallHook(ctx, r, "https://waybill.test/hooks/forge/one")
			_ = p.Host.RemoveHook(ctx, r, "https://waybill.test/hooks/forge/one")
			if len(p.Host.Examine(ctx, r)) == 0 {
				t.Error("nothing was examined")
			}
			if len(p.Statuses(t, p.Commit)) > 0 {
				t.Error("the server was asked")
			}
		})
	}
}
