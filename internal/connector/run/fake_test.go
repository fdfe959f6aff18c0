package run

import (
	"cmp"
	"context"
	"errors"
	"io"
	"slices"
	"strconv"
	"sync"
	"time"

	"github.com/waybill-dev/waybill/internal/connector/runner"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// box is a container of the fake.
type box struct {
	runner.Container
	spec  runner.Spec
	out   string
	errs  string
	exit  runner.Exit
	ended chan struct{} // closed when the program has ended
	gone  chan struct{} // closed when the container was removed
}

// fakeRunner keeps containers in memory. It survives engines, as a Docker Engine does.
type fakeRunner struct {
	now     func() time.Time
	program func(b *box) // called at the start; ends the box or leaves it running

	mu       sync.Mutex
	boxes    map[string]*box // by name
	started  []string        // names, each real start
	startErr error
	waitErr  error
	ignores  bool // programs do not end when asked
}

func (f *fakeRunner) Start(_ context.Context, spec runner.Spec) (runner.Container, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.startErr != nil {
		return runner.Container{}, f.startErr
	}
	if b, ok := f.boxes[spec.Name]; ok {
		return b.Container, nil
	}
	f.started = append(f.started, spec.Name)
	b := &box{
		Container: runner.Container{
			ID: "box" + strconv.Itoa(len(f.started)), Name: spec.Name, Labels: spec.Labels, Running: true,
			PID: 4000 + len(f.started), Created: f.now(), Started: f.now(),
		},
		spec: spec, ended: make(chan struct{}), gone: make(chan struct{}),
	}
	f.boxes[spec.Name] = b
	if f.program != nil {
		f.program(b)
	}
	return b.Container, nil
}

func (f *fakeRunner) Wait(ctx context.Context, id string, stdout, stderr io.Writer) (runner.Exit, error) {
	b, err := f.find(id)
	if err != nil {
		return runner.Exit{}, err
	}
	for text, w := range map[string]io.Writer{b.out: stdout, b.errs: stderr} {
		if _, err := io.WriteString(w, text); err != nil && !errors.Is(err, runner.ErrEnough) {
			return runner.Exit{}, waybill.Wrap(waybill.Internal, err, "output")
		}
	}
	select {
	case <-ctx.Done():
		return runner.Exit{}, waybill.Wrap(waybill.Unavailable, context.Cause(ctx), "interrupted")
	case <-b.gone:
		return runner.Exit{}, waybill.Errorf(waybill.NotFound, "no container")
	case <-b.ended:
		return b.exit, nil
	}
}

func (f *fakeRunner) Stop(_ context.Context, id string, grace time.Duration) error {
	b, err := f.find(id)
	if err != nil {
		return nil //nolint:nilerr // the contract: what vanished is stopped
	}
	code := 143
	if f.ignores || grace == 0 {
		code = 137
	}
	b.end(code, f.now())
	return nil
}

func (f *fakeRunner) Remove(_ context.Context, id string) error {
	f.remove(id)
	return nil
}

func (f *fakeRunner) remove(id string) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for name, b := range f.boxes {
		if name == id || b.ID == id {
			close(b.gone)
			delete(f.boxes, name)
		}
	}
}

func (f *fakeRunner) List(context.Context) ([]runner.Container, error) { return f.containers(), nil }

func (f *fakeRunner) containers() []runner.Container {
	f.mu.Lock()
	defer f.mu.Unlock()
	var list []runner.Container
	for _, b := range f.boxes {
		list = append(list, b.Container)
	}
	return list
}

func (f *fakeRunner) find(id string) (*box, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, b := range f.boxes {
		if b.ID == id {
			return b, f.waitErr
		}
	}
	return nil, waybill.Errorf(waybill.NotFound, "no container %s", id)
}

// box returns the container of a run.
func (f *fakeRunner) box(r waybill.Run) *box {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.boxes[containerName(r)]
}

// names lists the containers that are there.
func (f *fakeRunner) names() []string {
	var names []string
	for _, c := range f.containers() {
		names = append(names, c.Name)
	}
	slices.SortFunc(names, cmp.Compare)
	return names
}

// end ends the program; only the first end counts.
func (b *box) end(code int, at time.Time) {
	select {
	case <-b.ended:
	default:
		b.exit = runner.Exit{Code: code, Started: b.Started, Ended: at}
		close(b.ended)
	}
}

// printing returns a program that prints and ends at once.
func printing(out, errs string, code int) func(*box) {
	return func(b *box) {
		b.out, b.errs = out, errs
		b.end(code, b.Started.Add(2*time.Second))
	}
}
