package testkit

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"time"

	"github.com/oklog/ulid/v2"
)

// giteaVersion is the one that .tools/setup/gitea compiles.
const giteaVersion = "v1.26.0"

// giteaServer is the Gitea of this process. It ends when the write end of its pipe closes, which the kernel sees to
// however the process ends.
type giteaServer struct {
	dir, url, token string
	attr            *syscall.SysProcAttr
	alive           *os.File
}

// giteaConfig lets hooks reach this machine, keeps them in memory on their way (the default queue holds them back for
// one to two seconds), and turns off what tests do not need.
const giteaConfig = `RUN_MODE = prod
RUN_USER = %[3]s
WORK_PATH = %[1]s/work
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = %[2]s
ROOT_URL = http://127.0.0.1:%[2]s/
STATIC_ROOT_PATH = %[1]s/static
DISABLE_SSH = true
OFFLINE_MODE = true
[database]
DB_TYPE = sqlite3
SQLITE_JOURNAL_MODE = WAL
[security]
INSTALL_LOCK = true
SECRET_KEY = tests only
PASSWORD_HASH_ALGO = pbkdf2$1000$50
[service]
DISABLE_REGISTRATION = true
[webhook]
ALLOWED_HOST_LIST = loopback
[queue]
TYPE = channel
[indexer]
ISSUE_INDEXER_TYPE = db
[repository]
DEFAULT_BRANCH = main
[session]
PROVIDER = memory
[cron]
ENABLED = false
[actions]
ENABLED = false
[packages]
ENABLED = false
[log]
MODE = console
LEVEL = warn
`

// serveGitea runs the server until standard input ends.
const serveGitea = `"$1/gitea" --config "$1/app.ini" web >"$1/log" 2>&1 &
server=$!
read -r _
kill -KILL "$server"
wait "$server"
rm -rf "$1"`

// startGitea copies the program to a folder that the user nobody can read, as Gitea refuses to run as root, and starts
// it there with an administrator.
func startGitea() (*giteaServer, error) {
	dir, err := os.MkdirTemp("", "waybill-gitea-")
	if err != nil {
		return nil, err
	}
	if err := copyGitea(dir); err != nil {
		return nil, err
	}
	s := &giteaServer{dir: dir}
	user, err := s.configure()
	if err != nil {
		return nil, err
	}
	if s.attr, err = unprivileged(user, dir); err != nil {
		return nil, err
	}
	if _, err := s.run("migrate"); err != nil {
		return nil, err
	}
	out, err := s.run("admin", "user", "create", "--admin", "--username", "keeper", "--email", "keeper@example.org",
		"--password", ulid.Make().String(), "--must-change-password=false", "--access-token", "--access-token-scopes", "all")
	if err != nil {
		return nil, err
	}
	if s.token = regexp.MustCompile(`[0-9a-f]{40}`).FindString(out); s.token == "" {
		return nil, fmt.Errorf("it names no token: %s", out)
	}
	return s, s.serve()
}

// copyGitea copies program and templates from the cache folder.
func copyGitea(dir string) error {
	cache, err := os.UserCacheDir()
	if err != nil {
		return err
	}
	cache = filepath.Join(cache, "waybill", "gitea")
	program, err := os.ReadFile(filepath.Join(cache, "gitea-"+giteaVersion))
	if err != nil {
		return fmt.Errorf("it is not there; run .tools/setup/gitea: %w", err)
	}
	for _, part := range []string{"options", "templates", "public"} {
		if err := os.CopyFS(filepath.Join(dir, "static", part), os.DirFS(filepath.Join(cache, "static-"+giteaVersion, part))); err != nil {
			return fmt.Errorf("its templates are not there; run .tools/setup/gitea: %w", err)
		}
	}
	return os.WriteFile(filepath.Join(dir, "gitea"), program, 0o755)
}

// configure writes the settings and returns the user that Gitea shall run as.
func (s *giteaServer) configure() (user string, err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	_, port, err := net.SplitHostPort(l.Addr().String())
	if err = errors.Join(err, l.Close()); err != nil {
		return "", err
	}
	s.url = "http://127.0.0.1:" + port
	if user = os.Getenv("USER"); os.Getuid() == 0 {
		user = "nobody"
	}
	text := fmt.Sprintf(giteaConfig, s.dir, port, user)
	return user, os.WriteFile(filepath.Join(s.dir, "app.ini"), []byte(text), 0o666)
}

// command prepares a program that runs as the server's user and apart from any settings of the machine.
func (s *giteaServer) command(program string, args ...string) *exec.Cmd {
	cmd := exec.Command(program, args...) // for the life of the process
	cmd.Dir, cmd.SysProcAttr = s.dir, s.attr
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Join(s.dir, "home"), "LC_ALL=C", "TZ=UTC"}
	return cmd
}

// run runs a command of Gitea to its end and returns what it printed.
func (s *giteaServer) run(args ...string) (string, error) {
	all := append([]string{"--config", filepath.Join(s.dir, "app.ini")}, args...)
	out, err := s.command(filepath.Join(s.dir, "gitea"), all...).CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("gitea %s: %w\n%s", strings.Join(args, " "), err, out)
	}
	return string(out), nil
}

// serve starts the server and returns when it answers.
func (s *giteaServer) serve() error {
	server := s.command("/bin/sh", "-c", serveGitea, "sh", s.dir)
	input, alive, err := os.Pipe()
	if err != nil {
		return err
	}
	server.Stdin, s.alive = input, alive
	if err := server.Start(); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) //nolint:forbidigo // For the life of the process.
	defer cancel()
	tick := time.NewTicker(50 * time.Millisecond)
	defer tick.Stop()
	for !s.healthy(ctx) {
		select {
		case <-tick.C:
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(s.dir, "log"))
			return fmt.Errorf("it does not answer:\n%s", log)
		}
	}
	return nil
}

func (s *giteaServer) healthy(ctx context.Context) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, s.url+"/api/healthz", nil)
	if err != nil {
		return false
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return false
	}
	return res.Body.Close() == nil && res.StatusCode == http.StatusOK
}
