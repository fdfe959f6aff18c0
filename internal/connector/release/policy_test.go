package release

import (
	"context"
	"strings"
	"testing"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// TestLargeImageIsRefused: the policy's words reach the developer, and the image does not stay.
func TestLargeImageIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	limit := int64(500 << 20)
	h.Policies = func(context.Context) (map[string]waybill.PolicySpec, error) {
		return map[string]waybill.PolicySpec{"open": {}, "small": {MaxImageSize: limit, Message: "Images travel to every site."}}, nil
	}
	h.docker.size = limit
	h.push("a-1", "")
	h.settleDown()
	h.docker.size = 3 << 29
	h.push("b-1", "")
	h.settleDown()
	want := "waybill failure shop-feed/build: the image has 1.5 GiB, policy small allows 500 MiB: Images travel to every site.\n"
	if got := h.board("b-1"); !strings.HasPrefix(got, want) {
		t.Errorf("%s\nwant %s", got, want)
	}
	if h.liveCommit(waybill.Dev) != "a-1" || h.docker.images[h.image("b")] || !h.docker.images[h.image("a")] {
		t.Errorf("dev serves %s, images %v", h.liveCommit(waybill.Dev), h.docker.images)
	}
}

// TestReleasedTagsDoNotMove also for versions that are not live any more.
func TestReleasedTagsDoNotMove(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	for _, v := range [][2]string{{"a-1", "1.0.0"}, {"a-2", "1.1.0"}} {
		h.push(v[0], "")
		h.settleDown()
		h.push(v[0], v[1])
		h.settleDown()
	}
	for _, version := range []string{"1.0.0", "1.1.0"} {
		h.push("a-3", "")
		h.settleDown()
		h.push("a-3", version)
		h.settleDown()
		if got := h.board("a-3"); !strings.Contains(got, "/prod failure v"+version+" was released from a-") || h.liveCommit(waybill.Prod) != "a-2" {
			t.Errorf("%s moved: prod serves %s\n%s", version, h.liveCommit(waybill.Prod), got)
		}
	}
}
