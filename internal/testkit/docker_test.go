package testkit_test

import (
	"testing"

	"github.com/waybill-dev/waybill/internal/testkit"
)

func TestDockerHasTheBaseImage(t *testing.T) {
	t.Parallel()
	cli := testkit.Docker(t)
	got, err := cli.ImageInspect(t.Context(), testkit.BusyBox)
	if err != nil {
		t.Fatal(err)
	}
	if got.RootFS.Layers == nil {
		t.Errorf("%s has no layers", testkit.BusyBox)
	}
}
