package build_test

import (
	"context"
	"errors"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/connector/build"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// builderFunc is a Builder made of one function.
type builderFunc func(ctx context.Context, r build.Request) (build.Result, error)

func (f builderFunc) Build(ctx context.Context, r build.Request) (build.Result, error) {
	return f(ctx, r)
}

func TestLimitLetsOnlySoManyRun(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var running atomic.Int32
		release := make(chan struct{})
		b := build.Limit(builderFunc(func(context.Context, build.Request) (build.Result, error) {
			running.Add(1)
			<-release
			running.Add(-1)
			return build.Result{}, nil
		}), 2)
		logs := [3]journal{}
		for i := range logs {
			go func() { _, _ = b.Build(t.Context(), build.Request{Log: &logs[i]}) }()
		}
		synctest.Wait()
		if n := running.Load(); n != 2 {
			t.Errorf("%d builds run", n)
		}
		waiting := logs[0].String() + logs[1].String() + logs[2].String()
		if waiting != "waiting for another build to end\n" {
			t.Errorf("logs: %q", waiting)
		}
		ctx, cancel := context.WithCancelCause(t.Context())
		gone := errors.New("superseded")
		cancel(gone)
		if _, err := b.Build(ctx, build.Request{}); !errors.Is(err, gone) {
			t.Errorf("a build that gave up waiting: %v", err)
		}
		close(release)
		synctest.Wait()
		if n := running.Load(); n != 0 {
			t.Errorf("%d builds run at the end", n)
		}
	})
}

func TestRecordTellsOutcomeAndDuration(t *testing.T) {
	t.Parallel()
	tests := map[string]struct {
		res  build.Result
		err  error
		over bool // the ctx has ended
		want build.Observation
	}{
		"ok":         {build.Result{}, nil, false, build.Observation{Outcome: waybill.OK}},
		"reused":     {build.Result{Reused: true}, nil, false, build.Observation{Outcome: waybill.OK, Reused: true}},
		"failed":     {build.Result{}, waybill.Errorf(waybill.Invalid, "x"), false, build.Observation{Outcome: waybill.Failed}},
		"error":      {build.Result{}, errors.New("x"), false, build.Observation{Outcome: waybill.Errored}},
		"superseded": {build.Result{}, context.Canceled, true, build.Observation{Outcome: waybill.Superseded}},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			ctx, cancel := context.WithCancel(t.Context())
			defer cancel()
			if tt.over {
				cancel()
			}
			tt.want.Duration = 3 * time.Second
			now := time.Unix(0, 0)
			clock := func() time.Time { now = now.Add(3 * time.Second); return now }
			var got build.Observation
			b := build.Record(builderFunc(func(context.Context, build.Request) (build.Result, error) { return tt.res, tt.err }),
				clock, func(o build.Observation) { got = o })
			if res, err := b.Build(ctx, build.Request{}); res != tt.res || !errors.Is(err, tt.err) {
				t.Errorf("the result changed: %+v, %v", res, err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestReuseFindsAnEarlierImage(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	content := build.Content{Context: t.Name(), Recipe: "r"}
	tag := build.TagName("build-test-reuse", 1, content)
	id := tiny(t, l, build.TagName("build-test-reuse", 9, content))
	earlier := map[build.Content]string{content: id}
	find := func(_ context.Context, c build.Content) (string, bool, error) {
		image, ok := earlier[c]
		return image, ok, nil
	}
	built := 0
	b := build.Reuse(builderFunc(func(context.Context, build.Request) (build.Result, error) {
		built++
		return build.Result{Image: "new"}, nil
	}), find, l.Engine)

	res, err := b.Build(t.Context(), build.Request{Content: content, Tag: tag})
	if err != nil || res.Image != id || !res.Reused || res.Size == 0 || built != 0 {
		t.Errorf("same content: %+v, %v, %d builds", res, err, built)
	}
	if found, ok, err := l.Find(t.Context(), tag); err != nil || !ok || found.ID != id {
		t.Errorf("the tag: %+v, %v, %v", found, ok, err)
	}
	if res, err := b.Build(t.Context(), build.Request{Content: build.Content{Context: "other"}}); err != nil || res.Image != "new" {
		t.Errorf("other content: %+v, %v", res, err)
	}
	if err := l.Remove(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if res, err := b.Build(t.Context(), build.Request{Content: content, Tag: tag}); err != nil || res.Image != "new" || built != 2 {
		t.Errorf("image that is gone: %+v, %v, %d builds", res, err, built)
	}
}
