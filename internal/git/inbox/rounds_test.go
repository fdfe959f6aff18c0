package inbox

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

func usual() *rounds {
	return newRounds(Intervals{Plain: 30 * time.Second, Unhooked: time.Minute, Hooked: 5 * time.Minute}, map[string]Forge{"hub": {}})
}

// noon is a time like any other.
func noon() time.Time { return time.Date(2026, 1, 2, 12, 0, 0, 0, time.UTC) }

func TestIntervals(t *testing.T) {
	t.Parallel()
	now := noon()
	for name, test := range map[string]struct {
		r    waybill.Repository
		want time.Duration
	}{
		"plain":            {waybill.Repository{Forge: "plain"}, 30 * time.Second},
		"never told":       {waybill.Repository{Forge: "hub"}, time.Minute},
		"told":             {waybill.Repository{Forge: "hub", LastTold: now}, 5 * time.Minute},
		"missed since":     {waybill.Repository{Forge: "hub", LastTold: now, LastMissed: now.Add(1)}, time.Minute},
		"told since":       {waybill.Repository{Forge: "hub", LastTold: now.Add(1), LastMissed: now}, 5 * time.Minute},
		"archived":         {waybill.Repository{Forge: "hub", LastTold: now, Archived: true}, time.Hour},
		"no more at forge": {waybill.Repository{Forge: "gone", LastTold: now}, 30 * time.Second},
	} {
		if got := usual().interval(test.r); got != test.want {
			t.Errorf("%s: %s, want %s", name, got, test.want)
		}
	}
}

func TestRoundsSpreadTheStart(t *testing.T) {
	t.Parallel()
	r, list := usual(), []waybill.Repository{}
	for i := range 1000 {
		list = append(list, waybill.Repository{ID: fmt.Sprint(i), Forge: "hub", URL: fmt.Sprintf("https://h%d.test/x", i)})
	}
	now := noon()
	r.set(list, now)
	last := now
	for _, turn := range r.turns {
		if turn.due.After(last) {
			last = turn.due
		}
	}
	if d := last.Sub(now); d < 55*time.Second || d > time.Minute {
		t.Errorf("the last of 1000 is first looked at after %s, want an interval", d)
	}
	if turns, again := r.take(now); len(turns) != 1 || again.After(now.Add(spread)) {
		t.Errorf("at once %d are looked at, then again after %s", len(turns), again.Sub(now))
	}
}

// TestRoundsAreFair: whoever waits longest is next, and a host that hangs does not take every place.
func TestRoundsAreFair(t *testing.T) {
	t.Parallel()
	r, now := usual(), noon()
	var list []waybill.Repository
	for i := range 20 {
		list = append(list, waybill.Repository{ID: fmt.Sprintf("slow-%02d", i), URL: "https://slow.test/x"})
	}
	for i := range 2 {
		list = append(list, waybill.Repository{ID: fmt.Sprintf("fast-%d", i), URL: "https://fast.test/x"})
	}
	r.set(list, now)
	taken, _ := r.take(now.Add(time.Minute))
	hosts := map[string]int{}
	for _, turn := range taken {
		hosts[turn.host]++
	}
	if hosts["slow.test"] != atOnce/2 || hosts["fast.test"] != 2 {
		t.Errorf("looked at together: %v", hosts)
	}
	if taken[0].repository.ID != "slow-00" {
		t.Errorf("%s goes first", taken[0].repository.ID)
	}
	if more, _ := r.take(now.Add(time.Minute)); len(more) > 0 {
		t.Errorf("%d turns are taken twice", len(more))
	}
}

func TestRoundsGoOn(t *testing.T) {
	t.Parallel()
	limited := waybill.Wrap(waybill.Limited, &forge.RetryAfter{Until: noon().Add(time.Hour)}, "wait")
	broken := errors.New("broken")
	for name, test := range map[string]struct {
		errs []error
		want time.Duration // until the next look, ±20 %
	}{
		"well":          {[]error{nil}, 30 * time.Second},
		"failed":        {[]error{broken}, time.Minute},
		"failed twice":  {[]error{broken, broken}, 2 * time.Minute},
		"failing":       {[]error{broken, broken, broken, broken}, 2 * time.Minute},
		"well again":    {[]error{broken, broken, nil}, 30 * time.Second},
		"asked to wait": {[]error{limited}, time.Hour},
	} {
		r, now := usual(), noon()
		r.set([]waybill.Repository{{ID: "R", Forge: "plain"}}, now)
		turns, _ := r.take(now)
		for _, err := range test.errs {
			r.done(turns[0], err, now)
		}
		if d := r.turns["R"].due.Sub(now); d < test.want*79/100 || d > test.want*121/100 {
			t.Errorf("%s: again after %s, want %s ± 20 %%", name, d, test.want)
		}
		noted := r.news(now)
		if _, ok := noted["R"]; ok != (test.errs[len(test.errs)-1] == nil) {
			t.Errorf("%s: noted as polled: %v", name, ok)
		}
	}
}

// TestQuietServerWritesLittle: looks are noted once a minute, but the first one at once.
func TestQuietServerWritesLittle(t *testing.T) {
	t.Parallel()
	r, now := usual(), noon()
	repository := waybill.Repository{ID: "R", Forge: "plain"}
	writes := 0
	for range 40 {
		r.set([]waybill.Repository{repository}, now)
		turns, _ := r.take(now)
		for _, turn := range turns {
			r.done(turn, nil, now)
		}
		for _, at := range r.news(now) {
			repository.LastPolled = at
			writes++
		}
		now = now.Add(15 * time.Second)
	}
	if writes < 8 || writes > 11 {
		t.Errorf("%d writes in 10 minutes", writes)
	}
}

func TestMovedPulls(t *testing.T) {
	t.Parallel()
	known := []waybill.Pull{{Number: 1, Head: "a", Base: "main"}, {Number: 2, Head: "a", Base: "main"}, {Number: 3, Head: "a", Base: "main"}}
	open := []waybill.Pull{{Number: 1, Head: "a", Base: "main"}, {Number: 2, Head: "b", Base: "main"}, {Number: 4, Head: "a", Base: "main"}}
	got := map[int]bool{}
	for _, n := range movedPulls(known, open) {
		got[n] = true
	}
	if len(got) != 3 || !got[2] || !got[3] || !got[4] {
		t.Errorf("moved: %v, want 2 (head), 3 (closed) and 4 (new)", got)
	}
}
