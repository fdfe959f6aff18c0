package testkit

import (
	"context"
	"os/exec"
	"testing"

	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
)

// viewHeight is how much of a page is on screen at once, in CSS pixels. Screenshots hold the whole page all the same.
const viewHeight = 900

// View is how somebody looks at a page.
type View struct {
	Width int  // of the window in CSS pixels; 390 is a telephone
	Dark  bool // prefers-color-scheme
}

// Chromium starts a headless browser with an empty profile and returns its context for chromedp; it ends with the test.
// It opens no connection but those of its pages. The test fails when no chromium is installed.
func Chromium(t testing.TB) context.Context {
	t.Helper()
	program, err := exec.LookPath("chromium")
	if err != nil {
		t.Fatalf("no browser: install the package chromium and try again: %v", err)
	}
	options := append(chromedp.DefaultExecAllocatorOptions[:],
		chromedp.ExecPath(program),
		chromedp.NoSandbox, // tests run as root, for which there is no sandbox
		chromedp.DisableGPU,
		chromedp.Flag("disable-quic", true),
		chromedp.Flag("disable-component-update", true),
	)
	allocator, cancel := chromedp.NewExecAllocator(t.Context(), options...)
	t.Cleanup(cancel)
	browser, stop := chromedp.NewContext(allocator, chromedp.WithErrorf(t.Logf))
	t.Cleanup(stop)
	if err := chromedp.Do(browser); err != nil {
		t.Fatalf("start %s: %v", program, err)
	}
	return browser
}

// Open loads the page at url in a new tab of browser and returns the tab's context; it closes with the test.
func Open(t testing.TB, browser context.Context, url string, v View) context.Context {
	t.Helper()
	tab, closeTab := chromedp.NewContext(browser)
	t.Cleanup(closeTab)
	err := chromedp.Do(tab, chromedp.EmulateViewport(int64(v.Width), viewHeight), colours(v.Dark), chromedp.Navigate(url))
	if err != nil {
		t.Fatalf("open %s: %v", url, err)
	}
	return tab
}

// Screenshot returns the page at url, from its top to its end, as a PNG.
func Screenshot(t testing.TB, browser context.Context, url string, v View) []byte {
	t.Helper()
	tab := Open(t, browser, url, v)
	png, err := chromedp.Run(tab, chromedp.FullScreenshot(100)) // 100 means PNG
	if err != nil {
		t.Fatalf("screenshot of %s: %v", url, err)
	}
	return png
}

// colours sets what the page is told about the reader's preference.
func colours(dark bool) chromedp.Action[chromedp.Void] {
	scheme := "light"
	if dark {
		scheme = "dark"
	}
	return chromedp.Func(func(ctx context.Context, tab *chromedp.Target) error {
		_, err := cdp.Call(ctx, tab, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
			Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: scheme}},
		})
		return err
	})
}
