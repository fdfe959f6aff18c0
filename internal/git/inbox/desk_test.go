package inbox

import (
	"context"
	"encoding/json"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/foundation/queue"
	"github.com/waybill-dev/waybill/internal/foundation/store"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// hub is a forge with one repository, whose token may do what it is told that it may.
type hub struct {
	forge.Host
	path   string
	hooks  map[string]string // secret by address
	denied bool
	open   []waybill.Pull
}

func (h *hub) Find(_ context.Context, r waybill.Repository) (waybill.Repository, error) {
	if r.ForgeID != "77" && r.URL != "https://hub.test/"+h.path {
		return r, waybill.Errorf(waybill.NotFound, "hub.test has no %s", r.URL)
	}
	return waybill.Repository{ForgeID: "77", Path: h.path, URL: "https://hub.test/" + h.path + ".git", DefaultBranch: "main", Name: "Shop"}, nil
}

func (h *hub) InstallHook(_ context.Context, r waybill.Repository, address string) error {
	if h.denied {
		return waybill.Errorf(waybill.Denied, "the token may not change hooks")
	}
	h.hooks[address] = r.HookSecret
	return nil
}

func (h *hub) RemoveHook(_ context.Context, _ waybill.Repository, address string) error {
	delete(h.hooks, address)
	return nil
}

func (h *hub) OpenPulls(context.Context, waybill.Repository) ([]waybill.Pull, error) {
	return h.open, nil
}

// noMirrors remembers whose mirrors were removed.
type noMirrors struct{ removed []string }

func (m *noMirrors) Remove(_ context.Context, r waybill.Repository) error {
	m.removed = append(m.removed, r.ID)
	return nil
}

// places answers for the addresses that it knows.
type places map[string]map[string]string

func (p places) Tips(_ context.Context, r waybill.Repository) (map[string]string, string, error) {
	tips, ok := p[r.URL]
	if !ok {
		return nil, "", waybill.Errorf(waybill.NotFound, "nothing at %s", r.URL)
	}
	return tips, "main", nil
}

type desk struct {
	*Watcher
	t       *testing.T
	post    *post
	hub     *hub
	mirrors *noMirrors
	places  places
	now     time.Time
}

// newDesk is a watcher with one forge.
func newDesk(t *testing.T) *desk {
	t.Helper()
	d := &desk{
		t: t, post: newPost(t), hub: &hub{path: "acme/shop", hooks: map[string]string{}}, mirrors: &noMirrors{}, now: time.Now().Truncate(time.Second),
		places: places{"https://hub.test/acme/shop.git": {mainRef: commitA}},
	}
	d.post.Now = func() time.Time { return d.now }
	d.Watcher = &Watcher{
		Inbox: d.post.Inbox, Poller: &Poller{Inbox: d.post.Inbox, Lister: d.places, Timeout: time.Minute}, Mirrors: d.mirrors,
		Forges:    map[string]Forge{"hub": {Host: d.hub, Kind: "gitea", URL: "https://hub.test"}},
		Intervals: Intervals{Plain: time.Minute, Unhooked: time.Minute, Hooked: time.Hour},
	}
	return d
}

func ada() waybill.Actor { return waybill.Actor{Name: "ada", Channel: waybill.ChannelAPI} }

func (d *desk) add(q Request) Added {
	d.t.Helper()
	added, err := d.AddRepository(d.t.Context(), q, ada())
	if err != nil {
		d.t.Fatal(err)
	}
	return added
}

func (d *desk) stored(id string) waybill.Repository {
	d.t.Helper()
	r, err := gitstore.Repository(d.t.Context(), d.post.DB.Query(), id)
	if err != nil {
		d.t.Fatal(err)
	}
	return r
}

func TestForgeOfAnAddress(t *testing.T) {
	t.Parallel()
	w := &Watcher{Forges: map[string]Forge{
		"hub": {URL: "https://hub.test"}, "inner": {URL: "https://hub.test/inner"}, "a": {URL: "https://two.test"}, "b": {URL: "https://two.test"},
	}}
	for _, test := range []struct{ name, address, want, err string }{
		{"", "https://hub.test/acme/shop.git", "hub", ""},
		{"", "https://HUB.test/acme/shop", "hub", ""},
		{"", "https://hub.test/inner/shop.git", "inner", ""},
		{"", "https://hub.test.evil.test/acme/shop.git", "plain", ""},
		{"", "http://hub.test/acme/shop.git", "plain", ""},
		{"", "https://hub.test:8443/acme/shop.git", "plain", ""},
		{"", "ssh://git@two.test/acme/shop.git", "", "a or b"},
		{"", "/srv/git/shop.git", "plain", ""},
		{"b", "https://two.test/acme/shop.git", "b", ""},
		{"plain", "https://hub.test/acme/shop.git", "plain", ""},
		{"other", "https://hub.test/acme/shop.git", "", "there is: a, b, hub, inner"},
	} {
		got, err := w.forgeOf(test.name, test.address)
		if got != test.want || (err != nil) != (test.err != "") || err != nil && !strings.Contains(err.Error(), test.err) {
			t.Errorf("%q %s: %q, %v", test.name, test.address, got, err)
		}
	}
}

func TestAddAtForge(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	added := d.add(Request{URL: "ssh://git@hub.test/acme/shop.git", Owner: "feeds"})
	r := d.stored(added.Repository.ID)
	if r.Forge != "hub" || r.ForgeID != "77" || r.Path != "acme/shop" || r.URL != "https://hub.test/acme/shop.git" ||
		r.FullName() != "feeds/shop" || r.DefaultBranch != "main" {
		t.Errorf("watched as %+v", r)
	}
	if !added.Hooked || d.hub.hooks["http://waybill.test/hooks/hub/"+r.Hook] != r.HookSecret {
		t.Errorf("hooked: %v, hooks: %v", added.Hooked, d.hub.hooks)
	}
	if pending, err := queue.Pending(t.Context(), d.post.DB.Query(), refWork, r.ID+" "+mainRef); err != nil || !pending {
		t.Errorf("nobody looks at main (%v)", err)
	}
	_, err := d.AddRepository(t.Context(), Request{URL: "https://hub.test/acme/shop", Name: "other", Owner: "feeds"}, ada())
	if !waybill.IsCode(err, waybill.Conflict) {
		t.Errorf("watched twice: %v", err)
	}
	if err := d.RemoveRepository(t.Context(), r.ID, ada()); err != nil || len(d.hub.hooks) > 0 || !slices.Contains(d.mirrors.removed, r.ID) {
		t.Errorf("removed: %v, hooks: %v, mirrors: %v", err, d.hub.hooks, d.mirrors.removed)
	}
}

func TestAddSaysWhatToPaste(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	d.hub.denied = true
	added := d.add(Request{URL: "https://hub.test/acme/shop", Owner: "feeds"})
	r := added.Repository
	f := added.Form
	if added.Hooked || f == nil || f.Page != "https://hub.test/acme/shop/settings/hooks/gitea/new" || f.Secret != r.HookSecret ||
		f.Address != "http://waybill.test/hooks/hub/"+r.Hook || !slices.Contains(f.Events, "Push") || !strings.Contains(added.Hint, "may not change hooks") {
		t.Errorf("added: %+v, form: %+v", added, f)
	}
	if slices.Contains(f.Events, "Create") {
		t.Error("Gitea would tell of a new branch twice")
	}
}

// TestRename: the poller loses a repository, finds it by its number, and goes on at the new place at once.
func TestRename(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	r := d.add(Request{URL: "https://hub.test/acme/shop", Owner: "feeds"}).Repository
	delete(d.places, r.URL)
	d.hub.path = "store/front"
	d.places["https://hub.test/store/front.git"] = map[string]string{mainRef: commitA, "refs/tags/v1.0.0": commitA}
	rounds := newRounds(d.Intervals, d.Forges)
	rounds.set([]waybill.Repository{d.stored(r.ID)}, d.now)
	turns, _ := rounds.take(d.now)
	if err := d.look(t.Context(), rounds, turns[0]); err != nil {
		t.Fatal(err)
	}
	got := d.stored(r.ID)
	if got.Path != "store/front" || got.URL != "https://hub.test/store/front.git" || got.FullName() != "feeds/shop" {
		t.Errorf("it is now %+v", got)
	}
	if pending, err := queue.Pending(t.Context(), d.post.DB.Query(), refWork, r.ID+" refs/tags/v1.0.0"); err != nil || !pending {
		t.Errorf("the new place was not read (%v)", err)
	}
	d.hub.path, d.places = "gone", places{}
	if err := d.look(t.Context(), rounds, turns[0]); err == nil {
		t.Error("a repository that is nowhere is no error")
	}
}

// TestHookThatMissesIsInstalledAgain: somebody deleted it at the forge.
func TestHookThatMissesIsInstalledAgain(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	r := d.add(Request{URL: "https://hub.test/acme/shop", Owner: "feeds"}).Repository
	observed := func(tip string) {
		err := d.post.DB.Write(t.Context(), "test", func(tx *store.Tx) error {
			if _, err := tx.Exec(t.Context(), `UPDATE work SET done = wanted`); err != nil {
				return err
			}
			return gitstore.PutRef(t.Context(), tx, waybill.Ref{Repository: r.ID, Name: mainRef, Tip: tip})
		})
		if err != nil {
			t.Fatal(err)
		}
	}
	rounds := newRounds(d.Intervals, d.Forges)
	step := func(tip string) {
		d.places[r.URL] = map[string]string{mainRef: tip}
		d.now = d.now.Add(time.Minute)
		rounds.set([]waybill.Repository{d.stored(r.ID)}, d.now)
		if err := d.look(t.Context(), rounds, rounds.turns[r.ID]); err != nil {
			t.Fatal(err)
		}
		d.now = d.now.Add(hookPatience)
		if err := d.reload(t.Context(), rounds); err != nil {
			t.Fatal(err)
		}
		observed(tip)
	}
	observed(commitA)
	clear(d.hub.hooks)
	step(commitB)
	if len(d.hub.hooks) != 1 || d.stored(r.ID).LastMissed.IsZero() {
		t.Fatalf("hooks: %v, last missed %s", d.hub.hooks, d.stored(r.ID).LastMissed)
	}
	clear(d.hub.hooks)
	step(commitA)
	if len(d.hub.hooks) != 0 {
		t.Error("the hook was installed again within minutes")
	}
	d.now = d.now.Add(mendEvery)
	step(commitB)
	if len(d.hub.hooks) != 1 {
		t.Error("the hook was not installed again later")
	}
}

func TestPullsThatHooksMissed(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	r := d.add(Request{URL: "https://hub.test/acme/shop", Owner: "feeds"}).Repository
	d.hub.open = []waybill.Pull{{Number: 7, Head: commitA, Base: "main"}}
	if _, err := d.lookCloser(t.Context(), r, false); err != nil {
		t.Fatal(err)
	}
	if pending, err := queue.Pending(t.Context(), d.post.DB.Query(), "pull", r.ID+" 7"); err != nil || !pending {
		t.Errorf("nobody looks at the pull request (%v)", err)
	}
}

func TestRotateSecret(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	r := d.add(Request{URL: "https://hub.test/acme/shop", Owner: "feeds"}).Repository
	rotated, err := d.RotateSecret(t.Context(), r.ID, ada())
	if err != nil || !rotated.Hooked {
		t.Fatalf("%+v, %v", rotated, err)
	}
	got := d.stored(r.ID)
	if got.OldHookSecret != r.HookSecret || got.HookSecret == r.HookSecret || d.hub.hooks[d.Inbox.hookAddress(r)] != got.HookSecret {
		t.Errorf("secrets %q and %q; the forge has %v", got.HookSecret, got.OldHookSecret, d.hub.hooks)
	}
	d.now = rotated.OldEnds
	if err := d.Inbox.EndSecrets(t.Context()); err != nil || d.stored(r.ID).OldHookSecret != "" {
		t.Errorf("the old secret is still good (%v)", err)
	}
	d.hub.denied = true
	typed, err := d.RotateSecret(t.Context(), r.ID, ada())
	if err != nil || typed.Hooked || typed.Form == nil || typed.Form.Secret != d.stored(r.ID).HookSecret {
		t.Errorf("%+v, %v", typed, err)
	}
	if overlap := d.stored(r.ID).OldSecretEnds.Sub(d.now); overlap != overlapTyped {
		t.Errorf("a person has %s to paste it", overlap)
	}
}

// TestWithdrawClearsAway: what the transaction removed, work takes away at the forge.
func TestWithdrawClearsAway(t *testing.T) {
	t.Parallel()
	d := newDesk(t)
	spec := waybill.RepositorySpec{URL: "https://hub.test/acme/shop.git", Forge: "hub", Owner: "feeds"}
	if err := d.Acceptable(t.Context(), d.post.DB.Query(), "shop", waybill.RepositorySpec{URL: spec.URL, Forge: "nowhere", Owner: "feeds"}); !waybill.IsCode(err, waybill.Invalid) {
		t.Errorf("a forge that is not configured: %v", err)
	}
	write := func(fn func(tx *store.Tx) error) {
		t.Helper()
		if err := d.post.DB.Write(t.Context(), "test", fn); err != nil {
			t.Fatal(err)
		}
	}
	write(func(tx *store.Tx) error { return d.Declare(t.Context(), tx, "shop", spec, ada()) })
	r, err := gitstore.RepositoryByName(t.Context(), d.post.DB.Query(), "feeds/shop")
	if err != nil {
		t.Fatal(err)
	}
	if result := d.Handle(t.Context(), queue.Item{Kind: WatchKind, Key: r.ID}); result.Err() != nil {
		t.Fatal(result.Err())
	}
	if got := d.stored(r.ID); got.ForgeID != "77" || len(d.hub.hooks) != 1 {
		t.Errorf("declared: %+v, hooks %v", got, d.hub.hooks)
	}
	write(func(tx *store.Tx) error { return d.Withdraw(t.Context(), tx, "shop", spec, ada()) })
	payload, err := store.Get(t.Context(), d.post.DB.Query(), "payload", func(s *string) []any { return []any{s} },
		`SELECT payload FROM work WHERE kind = $1 AND key = $2`, WatchKind, r.ID)
	if err != nil || strings.Contains(payload, d.hub.hooks[d.Inbox.hookAddress(r)]) || !json.Valid([]byte(payload)) {
		t.Errorf("payload %s, %v", payload, err)
	}
	if result := d.Handle(t.Context(), queue.Item{Kind: WatchKind, Key: r.ID, Payload: payload}); result.Err() != nil {
		t.Fatal(result.Err())
	}
	if len(d.hub.hooks) != 0 || !slices.Contains(d.mirrors.removed, r.ID) {
		t.Errorf("left: hooks %v; mirrors removed: %v", d.hub.hooks, d.mirrors.removed)
	}
}

// TestDefaultBranchChanges: the new one is read again, as that which dev runs.
func TestDefaultBranchChanges(t *testing.T) {
	t.Parallel()
	p := newPost(t)
	err := p.DB.Write(t.Context(), "test", func(tx *store.Tx) error {
		for _, ref := range []string{mainRef, "refs/heads/old"} {
			if err := gitstore.PutRef(t.Context(), tx, waybill.Ref{Repository: "R", Name: ref, Tip: commitA}); err != nil {
				return err
			}
		}
		return gitstore.SetDefaultBranch(t.Context(), tx, "R", "old")
	})
	if err != nil {
		t.Fatal(err)
	}
	p.tips = map[string]string{mainRef: commitA, "refs/heads/old": commitA}
	p.poll(&Poller{Inbox: p.Inbox, Lister: p, Timeout: time.Minute})
	_, known, err := gitstore.FindRef(t.Context(), p.DB.Query(), "R", mainRef)
	if err != nil || known || !p.dirty(mainRef) || p.dirty("refs/heads/old") || p.repository().DefaultBranch != "main" {
		t.Errorf("main observed: %v, dirty: %v; default %q (%v)", known, p.dirty(mainRef), p.repository().DefaultBranch, err)
	}
}

// TestHookThatNobodyMayPing is judged by what it said.
func TestHookThatNobodyMayPing(t *testing.T) {
	t.Parallel()
	now := noon()
	for name, test := range map[string]struct {
		r    waybill.Repository
		ok   bool
		says string
	}{
		"works":       {waybill.Repository{LastTold: now.Add(-time.Minute)}, true, "said something 1m0s ago"},
		"new":         {waybill.Repository{}, true, "said nothing yet"},
		"never spoke": {waybill.Repository{LastMissed: now}, false, "never said anything"},
		"fell silent": {waybill.Repository{LastTold: now.Add(-time.Hour), LastMissed: now}, false, "missed a push"},
	} {
		if got := heard(Finding{}, test.r, now); got.OK != test.ok || !strings.HasPrefix(got.Says, test.says) {
			t.Errorf("%s: %+v", name, got)
		}
	}
}
