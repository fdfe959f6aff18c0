package testkit

import (
	"bytes"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Git runs the real git program for a test: bare repositories, clones, commits and pushes, apart from any settings of
// the machine.
type Git struct {
	Dir  string // everything lives below; removed with the test
	home string
	t    testing.TB
}

// NewGit returns an empty place for repositories. It fails the test when git is not installed.
func NewGit(t testing.TB) *Git {
	t.Helper()
	if _, err := exec.LookPath("git"); err != nil {
		t.Fatal("git is needed: apt-get install git")
	}
	g := &Git{Dir: t.TempDir(), t: t}
	g.home = filepath.Join(g.Dir, "home")
	if err := os.Mkdir(g.home, 0o755); err != nil {
		t.Fatal(err)
	}
	return g
}

// NoRaceExitSleep spares programs built with -race, such as hooks that are test binaries, the second that they wait
// before they end.
const NoRaceExitSleep = "GORACE=atexit_sleep_ms=0"

// Env is the environment that git runs in: no settings of the machine, fixed author, plus extra.
func (g *Git) Env(extra ...string) []string {
	env := []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + g.home, "LC_ALL=C", "TZ=UTC",
		"GIT_CONFIG_NOSYSTEM=1", "GIT_CONFIG_GLOBAL=" + os.DevNull, "GIT_TERMINAL_PROMPT=0",
		"GIT_AUTHOR_NAME=Ada", "GIT_AUTHOR_EMAIL=ada@example.org",
		"GIT_COMMITTER_NAME=Ada", "GIT_COMMITTER_EMAIL=ada@example.org",
		NoRaceExitSleep,
	}
	return append(env, extra...)
}

// Run runs git in dir and returns its standard output without the last line break. Failure fails the test.
func (g *Git) Run(dir string, args ...string) string {
	g.t.Helper()
	out, stderr, err := g.Try(dir, nil, args...)
	if err != nil {
		g.t.Fatalf("git %s: %v\n%s", strings.Join(args, " "), err, stderr)
	}
	return strings.TrimSuffix(out, "\n")
}

// Command prepares git in dir; the caller starts it.
func (g *Git) Command(dir string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(g.t.Context(), "git", args...)
	cmd.Dir, cmd.Env = dir, g.Env()
	return cmd
}

// Try runs git in dir with extra environment variables and returns what it wrote, and its error.
func (g *Git) Try(dir string, env []string, args ...string) (stdout, stderr string, err error) {
	var out, bad bytes.Buffer
	cmd := exec.CommandContext(g.t.Context(), "git", args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = dir, g.Env(env...), &out, &bad
	err = cmd.Run()
	return out.String(), bad.String(), err
}

// Bare makes an empty bare repository with default branch main and returns its absolute path.
func (g *Git) Bare(name string) string {
	g.t.Helper()
	path := filepath.Join(g.Dir, name)
	g.Run(g.Dir, "init", "--quiet", "--bare", "--initial-branch=main", path)
	return path
}

// Clone makes a work tree of the repository at url, on branch main.
func (g *Git) Clone(url, name string) *Clone {
	g.t.Helper()
	dir := filepath.Join(g.Dir, name)
	g.Run(g.Dir, "init", "--quiet", "--initial-branch=main", dir)
	g.Run(dir, "remote", "add", "origin", url)
	if g.Run(dir, "ls-remote", "origin", "refs/heads/main") != "" {
		g.Run(dir, "pull", "--quiet", "origin", "main")
	}
	return &Clone{Dir: dir, git: g}
}

// Clone is a work tree.
type Clone struct {
	Dir string
	git *Git
}

// Run runs git in the work tree.
func (c *Clone) Run(args ...string) string {
	c.git.t.Helper()
	return c.git.Run(c.Dir, args...)
}

// Write puts files into the work tree, by slash-separated path; it makes the folders.
func (c *Clone) Write(files map[string]string) {
	c.git.t.Helper()
	for name, text := range files {
		path := filepath.Join(c.Dir, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			c.git.t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
			c.git.t.Fatal(err)
		}
	}
}

// Commit writes files and commits everything in the work tree; it returns the commit.
func (c *Clone) Commit(message string, files map[string]string) string {
	c.git.t.Helper()
	c.Write(files)
	c.Run("add", "--all")
	c.Run("commit", "--quiet", "--allow-empty", "-m", message)
	return c.Run("rev-parse", "HEAD")
}

// Push pushes to origin and returns what the pusher saw on standard error. A refused push fails the test.
// Arguments are options and refspecs, such as "--force", "main", "v1.0.0" or ":gone".
func (c *Clone) Push(args ...string) string {
	c.git.t.Helper()
	seen, err := c.TryPush(nil, args...)
	if err != nil {
		c.git.t.Fatalf("git push %s: %v\n%s", strings.Join(args, " "), err, seen)
	}
	return seen
}

// TryPush is Push with extra environment variables, returning the error.
func (c *Clone) TryPush(env []string, args ...string) (stderr string, err error) {
	var options, refs []string
	for i := 0; i < len(args); i++ {
		switch {
		case args[i] == "-o" && i+1 < len(args):
			options = append(options, args[i], args[i+1])
			i++
		case strings.HasPrefix(args[i], "-"):
			options = append(options, args[i])
		default:
			refs = append(refs, args[i])
		}
	}
	all := append(append([]string{"push"}, options...), "origin")
	_, stderr, err = c.git.Try(c.Dir, env, append(all, refs...)...)
	return stderr, err
}

// Remote returns the lines that came from the other side of a push, without "remote: " and padding.
func Remote(stderr string) string {
	var b strings.Builder
	for line := range strings.Lines(stderr) {
		if text, ok := strings.CutPrefix(line, "remote: "); ok {
			b.WriteString(strings.TrimRight(text, " \n") + "\n")
		}
	}
	return b.String()
}

// GiveAway hands a repository to another user, who can reach it.
func (g *Git) GiveAway(bare string) {
	g.t.Helper()
	const uid = 12345
	for _, dir := range []string{g.Dir, filepath.Dir(g.Dir)} {
		if err := os.Chmod(dir, 0o755); err != nil {
			g.t.Fatal(err)
		}
	}
	err := filepath.WalkDir(bare, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, uid)
	})
	if err != nil {
		g.t.Fatal(err)
	}
}
