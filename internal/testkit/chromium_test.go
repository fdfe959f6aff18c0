package testkit_test

import (
	"bytes"
	"fmt"
	"image"
	"image/color"
	"image/png"
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/waybill-dev/waybill/internal/testkit"
)

const page = `<!doctype html><style>
body { margin: 0; height: 2000px; background: #fff }
@media (prefers-color-scheme: dark) { body { background: #000 } }
</style>`

func TestScreenshotShowsTheWholePageAsTheReaderWantsIt(t *testing.T) {
	t.Parallel()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { fmt.Fprintln(w, page) }))
	t.Cleanup(server.Close)
	browser := testkit.Chromium(t)
	for _, c := range []struct {
		view testkit.View
		want color.RGBA
	}{
		{testkit.View{Width: 1280}, color.RGBA{R: 255, G: 255, B: 255, A: 255}},
		{testkit.View{Width: 390, Dark: true}, color.RGBA{A: 255}},
	} {
		img, err := png.Decode(bytes.NewReader(testkit.Screenshot(t, browser, server.URL, c.view)))
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(image.Rect(0, 0, c.view.Width, 2000), img.Bounds()); diff != "" {
			t.Errorf("%+v: size (-want +got):\n%s", c.view, diff)
		}
		if got := color.RGBAModel.Convert(img.At(5, 1990)); got != c.want {
			t.Errorf("%+v: colour %v, want %v", c.view, got, c.want)
		}
	}
}
