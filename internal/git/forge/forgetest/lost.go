package forgetest

import (
	"slices"
	"testing"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// LostAnswers lets a comment and a hook be made without an answer: who asks for them again finds them. comment and hook
// fit the requests that make them, as [Tricks.Add] takes it.
func LostAnswers(t *testing.T, p *Place, tricks *Tricks, comment, hook string) {
	t.Helper()
	ctx, body := t.Context(), forge.Marker+"\nthree changes"
	tricks.Add(1, comment, Lost)
	_, err := p.Host.Comment(ctx, p.Repository, p.Pull, body)
	code(t, "a comment without an answer", err, waybill.Unavailable)
	_, err = p.Host.Comment(ctx, p.Repository, p.Pull, body)
	code(t, "the comment again", err, "")
	p.comments(t, body)

	r, address := p.Repository, "https://waybill.test/hooks/forge/one"
	r.HookSecret = "a-secret-of-one-hook"
	tricks.Add(1, hook, Lost)
	code(t, "a hook without an answer", p.Host.InstallHook(ctx, r, address), waybill.Unavailable)
	code(t, "the hook again", p.Host.InstallHook(ctx, r, address), "")
	if got := p.Hooks(t); !slices.Equal(got, []string{address}) {
		t.Errorf("hooks %v", got)
	}
	if n := tricks.Left(); n > 0 {
		t.Errorf("%d answers were not lost", n)
	}
}
