package server_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/waybill-dev/waybill/internal/testkit"
)

// settings is what the platform repository of the test declares: a team, a prod site with an assignment of the world's
// connector, the world's repository, and a policy on base images.
func (w *world) settings(images string) string {
	return fmt.Sprintf(`apiVersion: waybill.dev/v1
kind: Team
metadata: {name: feeds}
spec: {members: [{user: ada, role: owner}]}
---
apiVersion: waybill.dev/v1
kind: Repository
metadata: {name: %[1]s}
spec: {url: %[2]q, forge: plain, owner: feeds}
---
apiVersion: waybill.dev/v1
kind: Policy
metadata: {name: images, description: Build on images that security has checked.}
spec: {baseImages: [%[3]q]}
`, w.connector, w.bare, images)
}

// assigned declares a site where the world's connector runs.
func (w *world) assigned() string {
	return fmt.Sprintf(`---
apiVersion: waybill.dev/v1
kind: Site
metadata: {name: shops, owner: feeds}
spec:
  account: acme
  project: shops
  environment: prod
  connectors:
    - {connector: %s, config: {greeting: declared}}
`, w.connector)
}

// TestPlatformRepository pushes settings, sees them work, and takes them back.
func TestPlatformRepository(t *testing.T) {
	t.Parallel()
	w := newWorld(t, "platform-made")
	bare := w.git.Bare("platform.git")
	platform := w.git.Clone(bare, "platform")
	w.start("WAYBILL_PLATFORM_REPOSITORY=" + bare)
	w.eventually("the platform repository is watched", func() bool { return strings.Contains(w.waybill("repo", "list"), "platform/platform") })

	platform.Commit("Declare", map[string]string{"waybill.yaml": w.settings("busybox:*")})
	if seen := testkit.Remote(platform.Push("main")); !strings.Contains(seen, "validate  ok") {
		t.Fatalf("the platform push:\n%s", seen)
	}
	w.eventually("the declared repository is watched", func() bool { return strings.Contains(w.waybill("repo", "list"), "feeds/"+w.connector) })
	if seen := testkit.Remote(w.clone.Push("main")); !strings.Contains(seen, "dev       ok") {
		t.Fatalf("a push to the declared repository:\n%s", seen)
	}

	platform.Commit("Assign", map[string]string{"waybill.yaml": w.settings("busybox:*") + w.assigned()})
	platform.Push("main")
	if sites := w.waybill("site", "list"); !strings.Contains(sites, "shops") {
		t.Errorf("sites after the push:\n%s", sites)
	}
	w.clone.Run("tag", "v1.0.0")
	w.clone.Push("v1.0.0")
	if out := w.waybill("runs", "start", w.connector, "--site", "shops", "--wait"); !strings.Contains(out, `"greeting":"declared"`) {
		t.Errorf("a run at the declared site:\n%s", out)
	}

	platform.Commit("Forbid", map[string]string{"waybill.yaml": w.settings("debian:*") + w.assigned()})
	platform.Push("main")
	w.clone.Commit("Change", map[string]string{"waybill.yaml": w.manifest("  run: {timeout: 4m}\n")})
	if seen := testkit.Remote(w.clone.Push("main")); !strings.Contains(seen, "WB9") || !strings.Contains(seen, "Build on images that security has checked") {
		t.Errorf("a push against the policy:\n%s", seen)
	}

	platform.Commit("Shrink", map[string]string{"waybill.yaml": strings.Replace(w.settings("busybox:*"), "spec: {base", "spec: {maxImageSize: 1Ki, base", 1) + w.assigned()})
	platform.Push("main")
	w.clone.Commit("Change", map[string]string{"waybill.yaml": w.manifest("  run: {timeout: 5m}\n")})
	if seen := testkit.Remote(w.clone.Push("main")); !strings.Contains(seen, "build     failed") || !strings.Contains(seen, "policy images allows 1 KiB: Build on images") {
		t.Errorf("a push of an image that is too large:\n%s", seen)
	}

	platform.Commit("Break", map[string]string{"waybill.yaml": "kind: Sight\n"})
	platform.Push("main")
	if sites := w.waybill("site", "list"); !strings.Contains(sites, "shops") {
		t.Errorf("a broken platform push changed the sites:\n%s", sites)
	}

	platform.Commit("Revert", map[string]string{"waybill.yaml": w.settings("busybox:*")})
	platform.Push("main")
	if sites := w.waybill("site", "list"); strings.Contains(sites, "shops") {
		t.Errorf("a revert left the site:\n%s", sites)
	}
	w.clone.Commit("Change", map[string]string{"waybill.yaml": w.manifest("  run: {timeout: 3m}\n")})
	if seen := testkit.Remote(w.clone.Push("main")); !strings.Contains(seen, "dev       ok") {
		t.Errorf("after the revert the connector is valid again:\n%s", seen)
	}
}
