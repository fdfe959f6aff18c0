package build_test

import (
	"net/http/httptest"
	"slices"
	"strings"
	"testing"

	"github.com/docker/docker/api/types/image"
	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/waybill-dev/waybill/internal/connector/build"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// tiny builds an image without a base.
func tiny(t *testing.T, l lab, tag string) string {
	t.Helper()
	r := request(tree{"Dockerfile": "FROM scratch\nCOPY x /\n", "x": t.Name() + tag})
	r.Tag = tag
	res, _ := l.build(t, r)
	return res.Image
}

func TestPushReturnsTheDigestInTheRegistry(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	srv := httptest.NewServer(registry.New())
	t.Cleanup(srv.Close)
	host := strings.TrimPrefix(srv.URL, "http://")
	tag := build.TagName("build-test-push", 1, build.Content{Context: t.Name()})
	id := tiny(t, l, tag)

	digest, err := l.Push(t.Context(), id, host+"/feeds/shop-feed:1")
	if err != nil {
		t.Fatal(err)
	}
	if !strings.HasPrefix(digest, host+"/feeds/shop-feed@sha256:") {
		t.Fatalf("repository digest is %q", digest)
	}
	if again, err := l.Push(t.Context(), id, host+"/feeds/shop-feed:1"); err != nil || again != digest {
		t.Errorf("the second push says %q, %v", again, err)
	}
	if found, _, err := l.Find(t.Context(), id); err != nil || !slices.Equal(found.Tags, []string{tag}) {
		t.Errorf("tags after the push: %q, %v", found.Tags, err)
	}
	if err := l.Remove(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if ok, err := l.Exists(t.Context(), id); err != nil || ok {
		t.Fatalf("after Remove: exists %v, %v", ok, err)
	}
	pulled, err := l.docker.ImagePull(t.Context(), digest, image.PullOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_ = drain(pulled)
	if found, ok, err := l.Find(t.Context(), digest); err != nil || !ok || found.ID != id {
		t.Errorf("pulled back: %+v, %v, %v; want %s", found, ok, err, id)
	}
}

func TestPushSaysWhatIsWrong(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	id := tiny(t, l, build.TagName("build-test-push", 2, build.Content{Context: t.Name()}))
	srv := httptest.NewServer(nil)
	srv.Close()
	host := strings.TrimPrefix(srv.URL, "http://")
	tests := map[string]struct {
		image, ref string
		want       waybill.Code
	}{
		"no name":     {id, "not a name", waybill.Invalid},
		"no image":    {"sha256:" + strings.Repeat("0", 64), host + "/x:1", waybill.NotFound},
		"no registry": {id, host + "/x:1", waybill.Unavailable},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if _, err := l.Push(t.Context(), tt.image, tt.ref); !waybill.IsCode(err, tt.want) {
				t.Errorf("got %v (%s), want %s", err, waybill.CodeOf(err), tt.want)
			}
		})
	}
}

func TestImagesAreNamedListedAndRemoved(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	first := build.TagName("build-test-image", 1, build.Content{Context: t.Name()})
	second := build.TagName("build-test-image", 2, build.Content{Context: t.Name()})
	id := tiny(t, l, first)
	if err := l.Tag(t.Context(), id, second); err != nil {
		t.Fatal(err)
	}
	images, err := l.Images(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	at := slices.IndexFunc(images, func(i build.Image) bool { return i.ID == id })
	if at < 0 {
		t.Fatalf("%s is missing in %+v", id, images)
	}
	slices.Sort(images[at].Tags)
	if got := images[at].Tags; !slices.Equal(got, []string{first, second}) {
		t.Errorf("tags are %q", got)
	}
	if err := l.Tag(t.Context(), id, "build-test-foreign:1"); err != nil {
		t.Fatal(err)
	}
	if err := l.Remove(t.Context(), id); err != nil {
		t.Fatal(err)
	}
	if found, ok, err := l.Find(t.Context(), id); err != nil || !ok || !slices.Equal(found.Tags, []string{"build-test-foreign:1"}) {
		t.Errorf("the name of somebody else: %+v, %v, %v", found, ok, err)
	}
	if _, err := l.docker.ImageRemove(t.Context(), "build-test-foreign:1", image.RemoveOptions{}); err != nil {
		t.Fatal(err)
	}
	for range 2 { // a second removal is no mistake
		if err := l.Remove(t.Context(), id); err != nil {
			t.Error(err)
		}
	}
	if err := l.Tag(t.Context(), id, first); !waybill.IsCode(err, waybill.NotFound) {
		t.Errorf("tag of an image that is gone: %v", err)
	}
}

func TestFreeBytes(t *testing.T) {
	t.Parallel()
	if free, err := newLab(t).FreeBytes(t.Context()); err != nil || free <= 0 {
		t.Errorf("free: %d, %v", free, err)
	}
}
