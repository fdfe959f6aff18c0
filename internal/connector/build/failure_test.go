package build_test

import (
	"strings"
	"testing"

	"github.com/waybill-dev/waybill/internal/waybill"
)

func TestBuildNamesTheDevelopersLine(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	const from = "FROM busybox:1.36\n"
	tests := map[string]struct{ dockerfile, want string }{
		"run": {
			from + "RUN echo fail-run; false\n",
			"Dockerfile:2: RUN echo fail-run; false: exit code 1: fail-run",
		},
		"output": {
			from + "\nRUN for i in 1 2 3 4 5; do echo line $i; done; \\\n  exit 3\n",
			"Dockerfile:3: RUN for i in 1 2 3 4 5; do echo line $i; done; …: exit code 3: line 3 | line 4 | line 5",
		},
		"here-document": {
			from + "RUN <<EOF\necho in-here\nexit 4\nEOF\n",
			"Dockerfile:2: RUN <<EOF: exit code 4: in-here",
		},
		"syntax": {
			from + "RUNN make\n",
			"Dockerfile:2: RUNN make: unknown instruction: RUNN (did you mean RUN?)",
		},
		"flag": {
			from + "RUN --security=insecure true\n",
			"Dockerfile:2: RUN --security=insecure true: unknown flag: --security",
		},
		"no instruction": {"# nothing\n", "Dockerfile:1: # nothing: file with no instructions"},
		"copy":           {from + "COPY gone /x\n", `Dockerfile:2: COPY gone /x: "/gone" not found`},
		"manifest":       {from + "COPY waybill.yaml /x\n", `Dockerfile:2: COPY waybill.yaml /x: "/waybill.yaml" not found`},
		"base": {
			"FROM no-such-image.example/x:1\n",
			"Dockerfile:1: FROM no-such-image.example/x:1: the engine does not have this image and cannot pull it from no-such-image.example: no such host",
		},
		"internal registry": {
			"FROM localhost:1/x:1\n",
			"Dockerfile:1: FROM localhost:1/x:1: images from localhost:1 are refused: the operator of Waybill can allow this registry",
		},
		"git": {
			from + "ADD https://example.com/a/b.git /x\n",
			"Dockerfile:2: ADD https://example.com/a/b.git /x: sources from example.com are refused: the operator of Waybill can allow this host",
		},
		"ssh": {
			from + "ADD git@example.com:a/b.git /x\n",
			"Dockerfile:2: ADD git@example.com:a/b.git /x: sources from example.com are refused: the operator of Waybill can allow this host",
		},
		"host network": {from + "RUN --network=host true\n", "Dockerfile:2: RUN --network=host true: the network of the host is refused"},
		"secret": {
			from + "RUN --mount=type=secret,id=x,required=true true\n",
			"Dockerfile:2: RUN --mount=type=secret,id=x,required=true true: secret x not found",
		},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			log, err := l.fail(t, request(tree{"Dockerfile": tt.dockerfile, "waybill.yaml": "kind: Connector\n"}))
			if err.Error() != tt.want || !waybill.IsCode(err, waybill.Invalid) {
				t.Errorf("got  %v (%s)\nwant %v\n%s", err, waybill.CodeOf(err), tt.want, log)
			}
		})
	}
}

func TestBuildBlamesTheEngineForAFullDisk(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	full := "FROM busybox:1.36\nRUN echo 'cp: write error: No space left on device' >&2; false\n"
	if _, err := l.fail(t, request(tree{"Dockerfile": full})); !waybill.IsCode(err, waybill.Unavailable) {
		t.Errorf("got %v (%s)", err, waybill.CodeOf(err))
	}
}

func TestBuildChecksPaths(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	files := tree{
		"Dockerfile": "FROM scratch\n", "feed/Dockerfile": "FROM scratch\nCOPY x /\n", "shared/x": "x",
		"feed/Link@": "Dockerfile", "feed/Empty": "\n", "evil/../x": "x",
	}
	tests := map[string]struct {
		set  func(*waybill.Build)
		want string
	}{
		"context outside":    {func(b *waybill.Build) { b.Context = "../.." }, `build.context "../.." lies outside the repository`},
		"absolute context":   {func(b *waybill.Build) { b.Context = "/etc" }, `build.context "/etc" lies outside the repository`},
		"dockerfile outside": {func(b *waybill.Build) { b.Dockerfile = "../../x" }, `build.dockerfile "../../x" lies outside the repository`},
		"no dockerfile":      {func(b *waybill.Build) { b.Dockerfile = "Gone" }, "build.dockerfile: feed/Gone does not exist in the commit"},
		"empty dockerfile":   {func(b *waybill.Build) { b.Dockerfile = "Empty" }, "feed/Empty is empty"},
		"unsafe path":        {func(b *waybill.Build) { b.Context = "../evil" }, `the commit holds the unsafe path "evil/../x"`},
		"platform":           {func(b *waybill.Build) { b.Platform = "a/b/c/d" }, `build.platform "a/b/c/d" is not a platform such as linux/amd64`},
		"link":               {func(b *waybill.Build) { b.Dockerfile = "Link" }, "build.dockerfile: feed/Link is a symbolic link"},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			r := request(files)
			r.Folder = "feed"
			tt.set(&r.Spec)
			_, err := l.Digest(t.Context(), r)
			if err == nil || err.Error() != tt.want || !waybill.IsCode(err, waybill.Invalid) {
				t.Errorf("got  %v (%s)\nwant %v", err, waybill.CodeOf(err), tt.want)
			}
			if _, err := l.fail(t, r); err.Error() != tt.want {
				t.Errorf("build: got  %v\nwant %v", err, tt.want)
			}
		})
	}
	r := request(files)
	r.Folder, r.Spec.Context = "feed", "../shared"
	if res, log := l.build(t, r); !strings.Contains(log, "COPY x /") || res.Image == "" {
		t.Errorf("a context beside the folder does not build:\n%s", log)
	}
}
