package comment

import (
	"strings"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// maxBuilds is how many bytes of text there are up to which builds are added.
const maxBuilds = 30_000

// unbuilt is the end of the title when builds did not succeed.
func (w *writer) unbuilt() string {
	failed := 0
	for _, b := range w.Builds {
		if b.Outcome == waybill.Failed || b.Outcome == waybill.Errored {
			failed++
		}
	}
	if failed == 0 {
		return ""
	}
	return ", " + waybill.Count(failed, "build") + " failed"
}

// builds lists what became of the images that the head needs.
func (w *writer) builds() {
	var items []string
	for _, b := range w.Builds {
		if text := b.says(); text != "" {
			items = append(items, "- "+code(b.Identity.String(), maxName)+" "+text+" ([details]("+address(b.Page)+"))")
		}
	}
	if len(items) == 0 {
		return
	}
	w.line("", "**Build of the head**", "")
	for i, item := range items {
		if !w.room(item, maxBuilds) {
			w.line("- and " + waybill.Count(len(items)-i, "more build") + ", on [the page](" + address(w.Page) + ")")
			return
		}
		w.line(item)
	}
}

// says tells how a build stands; empty when nobody needs it any more. One that waits reads like one that runs, so that
// nothing has to be sent when it begins.
func (b Build) says() string {
	why, _, _ := strings.Cut(strings.TrimSpace(b.Detail), "\n")
	switch b.Outcome {
	case waybill.OK:
		text := "is built: " + code(short(b.Image), maxName)
		if b.Size > 0 {
			text += ", " + waybill.FormatBytes(b.Size)
		}
		return text
	case waybill.Failed:
		return "failed: " + plain(why, maxMessage)
	case waybill.Errored:
		return "could not be built, which is not your fault: " + plain(why, maxMessage)
	case waybill.Waiting, waybill.Running:
		return "is being built"
	default:
		return ""
	}
}

// short is the beginning of the id of an image, as the forge's statuses show it.
func short(image string) string {
	algorithm, digits, ok := strings.Cut(image, ":")
	if !ok {
		return image
	}
	return algorithm + ":" + digits[:min(12, len(digits))]
}
