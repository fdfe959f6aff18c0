package portal

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"time"
)

// live is what a page updates itself with: its data, rendered again in parts whenever a topic wakes, and the logs it
// follows meanwhile.
type live struct {
	Page   string
	Topics []string
	Parts  []string // templates of the page; each renders one element whose id is its name
	// Load reads the data of the page again, and reports whether it can still change.
	Load func(ctx context.Context) (data any, final bool, err error)
	Logs []followed
}

// followed is a log of a page: lines after From are sent as events named after the pane.
type followed struct {
	Pane string
	Log  string // blob id
	From int64  // bytes the page shows already
}

// pause is the least time between two updates of one page, so that a busy topic costs one rendering for many changes.
const pause = 200 * time.Millisecond

// stream serves the updates of a page until nothing can change any more, the browser leaves, or the server stops.
func (p *Portal) stream(w http.ResponseWriter, r *http.Request, l live) error {
	ctx, cancel := context.WithCancel(r.Context())
	defer cancel()
	wake, stop := p.subscribe(ctx, l.Topics)
	defer stop()
	if _, _, err := l.Load(ctx); err != nil {
		return err
	}
	out := newEvents(w)
	following := p.follow(ctx, out, l.Logs)
	defer following.Wait()
	defer cancel()
	for sent := map[string][32]byte{}; ; {
		final, err := p.update(ctx, out, l, sent)
		if err != nil {
			return p.giveUp(r, err)
		}
		if final {
			cancel()
			following.Wait()
			return p.giveUp(r, p.finish(out, l.Logs))
		}
		if !idle(ctx, wake) {
			return nil
		}
	}
}

// giveUp ends a stream whose answer has begun: the browser comes back by itself.
func (p *Portal) giveUp(r *http.Request, err error) error {
	if err != nil && r.Context().Err() == nil {
		p.Log.WarnContext(r.Context(), "live updates of a page ended early", "path", r.URL.Path, "error", err)
	}
	return nil
}

// idle waits for the next change, and reports false when there will be none.
func idle(ctx context.Context, wake <-chan struct{}) bool {
	select {
	case <-ctx.Done():
		return false
	case <-wake:
	}
	select {
	case <-ctx.Done():
		return false
	case <-time.After(pause):
		return true
	}
}

// update sends the parts that changed since they were last sent.
func (p *Portal) update(ctx context.Context, out *events, l live, sent map[string][32]byte) (final bool, err error) {
	data, final, err := l.Load(ctx)
	if err != nil {
		return false, err
	}
	for _, part := range l.Parts {
		html, err := p.fragment(l.Page, part, data)
		if err != nil {
			return false, err
		}
		if sum := sha256.Sum256(html); sent[part] != sum {
			sent[part] = sum
			if err := out.send("swap", "", html); err != nil {
				return false, err
			}
		}
	}
	return final, out.flush()
}

// subscribe merges topics into one wake-up.
func (p *Portal) subscribe(ctx context.Context, topics []string) (wake <-chan struct{}, stop func()) {
	merged := make(chan struct{}, 1)
	ctx, cancel := context.WithCancel(ctx)
	var wg sync.WaitGroup
	for _, t := range topics {
		one, stopOne := p.DB.Subscribe(t)
		wg.Go(func() {
			defer stopOne()
			for {
				select {
				case <-ctx.Done():
					return
				case <-one:
				}
				select {
				case merged <- struct{}{}:
				default: // a wake-up is waiting already
				}
			}
		})
	}
	return merged, func() {
		cancel()
		wg.Wait()
	}
}

// follow sends the lines that are written to the logs of a page. Wait for the group after ctx has ended.
func (p *Portal) follow(ctx context.Context, out *events, logs []followed) *sync.WaitGroup {
	var wg sync.WaitGroup
	for i := range logs {
		wg.Go(func() {
			f := p.Logs.Follow(ctx, logs[i].Log, func() bool { return ctx.Err() != nil })
			defer f.Close()
			if _, err := io.CopyN(io.Discard, f, logs[i].From); err != nil {
				return
			}
			p.copyLines(ctx, out, logs, i, f)
		})
	}
	return &wg
}

// copyLines sends whole lines as they come and counts what was sent. It ends with the reader or with the browser.
func (p *Portal) copyLines(ctx context.Context, out *events, logs []followed, i int, r io.Reader) {
	var rest []byte
	buf := make([]byte, tailBytes)
	for {
		n, err := r.Read(buf)
		rest = append(rest, buf[:n]...)
		if end := bytes.LastIndexByte(rest, '\n') + 1; end > 0 && ctx.Err() == nil {
			if p.sendLines(out, logs, i, rest[:end]) != nil {
				return
			}
			rest = bytes.Clone(rest[end:])
		}
		if err != nil || ctx.Err() != nil {
			return
		}
	}
}

// sendLines sends text as lines of log i. The id of the event says how much of every log was sent, for a browser that
// comes back.
func (p *Portal) sendLines(out *events, logs []followed, i int, text []byte) error {
	html, err := p.fragment("release", "log-lines", logLines(string(text)))
	if err != nil {
		return err
	}
	out.mu.Lock()
	defer out.mu.Unlock()
	logs[i].From += int64(len(text))
	if err := out.write(logs[i].Pane, positions(logs), html); err != nil {
		return err
	}
	return out.rc.Flush()
}

// finish sends what the logs hold beyond what was sent, and says that nothing more will come.
func (p *Portal) finish(out *events, logs []followed) error {
	for i, l := range logs {
		if l.Log == "" {
			continue
		}
		f, err := p.Logs.Open(l.Log)
		if err != nil {
			continue // never written, or gone
		}
		_, err = f.Seek(l.From, io.SeekStart)
		var text []byte
		if err == nil {
			text, err = io.ReadAll(io.LimitReader(f, 64*tailBytes))
		}
		if closeErr := f.Close(); err == nil {
			err = closeErr
		}
		if err == nil && len(text) > 0 {
			err = p.sendLines(out, logs, i, text)
		}
		if err != nil {
			return fmt.Errorf("send the end of a log: %w", err)
		}
	}
	if err := out.send("end", "", []byte("nothing more will change")); err != nil {
		return err
	}
	return out.flush()
}

// positions writes how much of each log was sent, as the query of the stream holds it.
func positions(logs []followed) string {
	parts := make([]string, 0, len(logs))
	for _, l := range logs {
		parts = append(parts, fmt.Sprintf("%s:%d", l.Pane, l.From))
	}
	return strings.Join(parts, ",")
}

// readPositions takes positions from a request: where the browser left off, else where its page ended.
func readPositions(r *http.Request, logs []followed) []followed {
	text := r.Header.Get("Last-Event-Id")
	if text == "" {
		text = r.URL.Query().Get("last")
	}
	for part := range strings.SplitSeq(text, ",") {
		pane, at, _ := strings.Cut(part, ":")
		var n int64
		if _, err := fmt.Sscan(at, &n); err != nil || n < 0 {
			continue
		}
		if i := slices.IndexFunc(logs, func(l followed) bool { return l.Pane == pane }); i >= 0 {
			logs[i].From = n
		}
	}
	return logs
}
