package archtest

// The domain is imported by everybody and imports nobody.
const domain = "internal/waybill"

// rooms lists for each package which others of this module it may import; a name ending in /... means all below it too.
// A package without a line has that of the nearest folder above. Everybody may import the domain. Test files may also
// import their own room, foundation, testkit and the suites.
func rooms() map[string][]string {
	return map[string][]string{
		"cmd/waybill": {"internal/face/cli"},

		// The command reads the repository it stands in with the git program that its user has: no mirror, no store.
		"internal/face/cli": {
			"internal/server", "internal/face/client", "internal/face/api/wire", "internal/face/starter", "internal/git/binary",
			"internal/git/forge/github", "internal/git/hook", "internal/git/manifest", "internal/git/plan", "internal/git/progress", "internal/foundation/...", "schemas",
			"internal/connector/build", // what goes into an image, without an engine
		},
		"internal/server": {
			"internal/face/api", "internal/face/client", "internal/face/httpserver", "internal/face/portal",
			"internal/git/...", "internal/connector/...", "internal/foundation/...", "schemas", "webhooks",
		},

		"internal/face/api":        append(face(), "internal/face/api/wire"),
		"internal/face/api/wire":   {},
		"internal/face/portal":     face(),
		"internal/face/client":     {"internal/face/api/wire", "internal/foundation/private"},
		"internal/face/httpserver": {"internal/foundation/..."},
		"internal/face/starter":    {"internal/foundation/schema", "schemas"},

		"internal/git/inbox":        {"internal/foundation/...", "internal/git/forge", "internal/git/progress", "webhooks"},
		"internal/git/platform":     {"internal/foundation/...", "internal/git/manifest"},
		"internal/git/reconcile":    {"internal/foundation/...", "internal/git/manifest", "internal/git/plan", "internal/git/forge", "internal/git/merge", "internal/git/comment"},
		"internal/git/manifest":     {"internal/foundation/filter", "internal/foundation/memo", "internal/foundation/schema", "schemas"},
		"internal/git/hook":         {"internal/git/progress", "webhooks"},
		"internal/git/plan":         {},
		"internal/git/merge":        {},
		"internal/git/comment":      {},
		"internal/git/progress":     {},
		"internal/git/binary":       {},
		"internal/git/repo":         {"internal/foundation/...", "internal/git/binary"},
		"internal/git/forge":        {"internal/foundation/..."},
		"internal/git/forge/github": {"internal/foundation/memo", "internal/git/forge"},
		"internal/git/forge/gitlab": {"internal/git/forge"},
		"internal/git/forge/plain": {
			"internal/foundation/...", "internal/git/binary", "internal/git/forge", "internal/git/hook", "webhooks",
		},
		"internal/git/forge/gitea": {"internal/git/forge"},

		"internal/connector/release":       {"internal/foundation/...", "internal/connector/build", "internal/connector/runner"},
		"internal/connector/run":           {"internal/foundation/...", "internal/connector/runner"},
		"internal/connector/build":         {"internal/foundation/..."},
		"internal/connector/runner":        {},
		"internal/connector/runner/docker": {"internal/foundation/...", "internal/connector/runner"},

		"internal/foundation":        {"internal/foundation/..."},
		"internal/foundation/config": {"internal/foundation/...", "schemas"},
		"internal/foundation/schema": {"internal/foundation/...", "schemas"},

		"internal/face/api/apitest":            append(face(), "internal/face/api", "internal/testkit"),
		"internal/connector/runner/runnertest": {"internal/connector/runner", "internal/testkit"},
		"internal/foundation/store/storetest":  {"internal/foundation/...", "internal/testkit"},
		"internal/git/forge/forgetest":         {"internal/foundation/...", "internal/git/forge", "internal/testkit"},
		"internal/testkit":                     {"internal/foundation/..."},

		"internal/archtest": {},
		"internal/waybill":  {},
		"webhooks":          {},
		"schemas":           {},
		"examples":          {},
	}
}

// face is what the API and the pages stand on: the engines, never each other.
func face() []string {
	return []string{
		"internal/face/httpserver", "internal/git/inbox", "internal/git/reconcile",
		"internal/connector/release", "internal/connector/run", "internal/foundation/...",
	}
}

// adapters each stand for one thing outside; none knows another.
func adapters() []string {
	return []string{
		"internal/connector/build", "internal/connector/runner/docker", "internal/foundation/blob",
		"internal/git/forge/gitea", "internal/git/forge/github", "internal/git/forge/gitlab", "internal/git/forge/plain",
		"internal/git/repo",
	}
}

// suites hold tests that several packages share. Only tests import them.
func suites() []string {
	return []string{
		"internal/connector/runner/runnertest", "internal/face/api/apitest", "internal/foundation/store/storetest",
		"internal/git/forge/forgetest", "internal/testkit",
	}
}

// wholeProcess lists what the tests of dir may import besides, because they run the program as people do.
func wholeProcess(dir string) []string {
	if dir == "internal/server" {
		return []string{"internal/face"}
	}
	return nil
}

// pure lists packages that decide and do nothing else, so that they can be fuzzed and read without a machine in mind.
func pure() []string {
	return []string{domain, "internal/git/manifest", "internal/git/plan", "internal/git/merge", "internal/git/comment"}
}

// impure lists standard packages that reach outside the process.
func impure() []string { return []string{"database/sql", "log/slog", "net", "os"} }

// owners names for libraries that must not spread the packages that hold them.
func owners() map[string][]string {
	engine := []string{"internal/connector/build", "internal/connector/runner/docker", "internal/testkit"}
	database := []string{"internal/foundation/store", "internal/testkit"}
	return map[string][]string{
		"code.gitea.io/sdk":               {"internal/git/forge/gitea"},
		"github.com/docker/docker":        engine,
		"github.com/moby/buildkit":        engine,
		"github.com/moby/moby":            engine,
		"github.com/jackc/pgx":            database,
		"github.com/pressly/goose":        database,
		"modernc.org/sqlite":              database,
		"github.com/go-git/go-git":        {"internal/git/repo", "internal/git/forge/plain", "internal/testkit"},
		"github.com/danielgtaylor/huma":   {"internal/face/api", "internal/face/httpserver"},
		"github.com/spf13/cobra":          {"internal/face/cli"},
		"github.com/chromedp":             {"internal/testkit"},
		"github.com/google/go-cmp":        suites(),
		"github.com/rogpeppe/go-internal": suites(),
		"go.uber.org/goleak":              suites(),
	}
}

// exceptions lists package variables that are state all the same, as folder.name, each with its reason.
func exceptions() []string {
	return []string{
		// Starting a database server or a forge takes seconds, so the tests of a process share one.
		"internal/testkit.theCluster", "internal/testkit.theGitea",
	}
}

// topLevel lists what may stand beside the packages, as patterns of path.Match. Dot-files are free.
func topLevel() []string {
	return []string{
		"cmd", "deploy", "examples", "internal", "schemas", "webhooks",
		"Dockerfile", "LICENSE", "Makefile", "README.md", "go.mod", "go.sum",
		"bin", "*.out", "*.prof", "*.test", // ignored by git
	}
}
