package portal_test

import (
	"fmt"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	cdplog "github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/waybill-dev/waybill/internal/face/httpserver"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
	"github.com/waybill-dev/waybill/internal/testkit"
)

// serve serves the portal to a browser in which who is signed in, with the headers of the server.
func (w *world) serve(who auth.Principal) string {
	w.t.Helper()
	identify := func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			next.ServeHTTP(rw, r.WithContext(auth.With(r.Context(), who)))
		})
	}
	log := slog.New(slog.NewTextHandler(testWriter{w.t}, nil))
	server := httptest.NewServer(httpserver.Wrap(w.portal, httpserver.Identify(), httpserver.SecurityHeaders(), httpserver.CheckOrigin(log), identify))
	w.t.Cleanup(server.Close)
	return server.URL
}

// TestPhone opens every page as narrow as a phone: nothing may be wider than the window. With WAYBILL_SCREENSHOTS set
// to a folder it also leaves pictures there, of both widths and colour schemes.
func TestPhone(t *testing.T) {
	t.Parallel()
	f := fill(newWorld(t))
	url := f.serve(admin())
	tab := testkit.Open(t, testkit.Chromium(t), url, testkit.View{Width: 390}) // one, so that one page is live at a time
	for _, path := range f.paths() {
		must(t, chromedp.Do(tab, chromedp.Navigate(url+path)))
		wide, err := chromedp.Run(tab, chromedp.Evaluate[[]string](`
			document.documentElement.scrollWidth <= innerWidth ? [] :
			[...document.querySelectorAll("main *, header *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1)
				.map(e => e.tagName + "." + e.className + " " + e.textContent.slice(0, 60))`))
		must(t, err)
		if len(wide) > 0 {
			t.Errorf("%s scrolls sideways at 390 px: %q", path, wide)
		}
	}
	if folder := os.Getenv("WAYBILL_SCREENSHOTS"); folder != "" {
		picture(t, filepath.Join(folder, "empty"), newWorld(t), []string{"/", "/runs"})
		picture(t, filepath.Join(folder, "full"), f.world, f.paths())
	}
}

// picture leaves screenshots of pages in files whose names begin with prefix.
func picture(t *testing.T, prefix string, w *world, paths []string) {
	t.Helper()
	url, browser := w.serve(admin()), testkit.Chromium(t)
	for kind, v := range map[string]testkit.View{
		"light-1280": {Width: 1280}, "dark-1280": {Width: 1280, Dark: true}, "light-390": {Width: 390}, "dark-390": {Width: 390, Dark: true},
	} {
		tab := testkit.Open(t, browser, url, v)
		for i, path := range paths {
			must(t, chromedp.Do(tab, chromedp.Navigate(url+path)))
			png, err := chromedp.Run(tab, chromedp.FullScreenshot(100)) // 100 means PNG
			must(t, err)
			must(t, os.WriteFile(fmt.Sprintf("%s-%02d%s-%s.png", prefix, i, slug(path), kind), png, 0o600))
		}
	}
}

// slug makes a path a name of a file.
func slug(path string) string {
	path = strings.Map(func(r rune) rune {
		if strings.ContainsRune("/?=&@", r) {
			return '_'
		}
		return r
	}, path)
	return path[:min(40, len(path))]
}

// TestStartARunAndWatchIt does what people come for: it opens the page of a connector, starts a run with mouse and
// keyboard, and sees it end without loading the page again.
func TestStartARunAndWatchIt(t *testing.T) {
	t.Parallel()
	f := fill(newWorld(t))
	f.engine.run = f.running
	url := f.serve(admin())
	tab := testkit.Open(t, testkit.Chromium(t), url+"/connectors/shop-feed", testkit.View{Width: 1280})
	var complaints atomic.Int32 // of the content security policy, and errors of the script
	must(t, chromedp.Listen(tab, func(ev any) {
		switch ev := ev.(type) {
		case *cdplog.EventEntryAdded:
			t.Logf("the browser says: %s", ev.Entry.Text)
			complaints.Add(1)
		case *runtime.EventExceptionThrown:
			t.Logf("the script failed: %s", ev.ExceptionDetails.Text)
			complaints.Add(1)
		}
	}))
	must(t, chromedp.Do(tab,
		chromedp.Click("#start"), chromedp.WaitVisible("#site"), chromedp.SendKeys("#site", "feeds-prod"),
		chromedp.Click(`form[action$="/runs"] button`), chromedp.WaitVisible("#run-state"),
	))
	where, err := chromedp.Run(tab, chromedp.Location())
	must(t, err)
	if want := url + "/runs/" + f.running.ID; where != want {
		t.Fatalf("the browser is at %s, want %s", where, want)
	}
	if got, want := strings.Join(f.engine.calls, ","), "start shop-feed 1 feeds-prod by ada"; got != want {
		t.Errorf("the engine was asked for %q, want %q", got, want)
	}
	wait := func(expression string) {
		t.Helper()
		if _, err := chromedp.Run(tab, chromedp.Poll[bool](expression, chromedp.WithPollingTimeout(20*time.Second))); err != nil {
			t.Fatalf("waiting for %s: %v", expression, err)
		}
	}
	must(t, chromedp.Do(tab, chromedp.Evaluate[chromedp.Void](`window.stays = true`)))
	f.logs.add(f.running.Stdout, `{"level":"warning","message":"nearly there"}`+"\n")
	wait(`document.querySelector("[data-log=stdout]").textContent.includes("nearly there")`)
	wait(`document.querySelectorAll("[data-log=stdout] > div").length === 3`)
	f.end(f.running)
	wait(`document.querySelector("#run-state").textContent.includes("The run succeeded")`)
	wait(`document.querySelector("#said").textContent === "Run succeeded" && window.stays`)
	if complaints.Load() > 0 {
		t.Error("the browser complained")
	}
}
