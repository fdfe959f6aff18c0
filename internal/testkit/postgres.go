package testkit

import (
	"context"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/oklog/ulid/v2"
)

// cluster is the PostgreSQL server of this process. It ends when the write end of its pipe closes, which the kernel
// sees to however the process ends.
type cluster struct {
	dir   string
	alive *os.File
}

// theCluster is shared by all tests of a process: starting one takes seconds.
var theCluster = sync.OnceValues(func() (*cluster, error) { return startCluster("off") })

// Postgres returns the URL of an empty schema in a real PostgreSQL server that belongs to this test process. The schema
// is dropped when the test ends, the server when the process ends. The test fails when PostgreSQL is not installed.
func Postgres(t testing.TB) string {
	t.Helper()
	c, err := theCluster()
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	schema := "t" + ulid.Make().String()
	c.exec(t, t.Context(), `CREATE SCHEMA "`+schema+`"`)
	t.Cleanup(func() {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(t.Context()), time.Minute)
		defer cancel()
		c.exec(t, ctx, `DROP SCHEMA "`+schema+`" CASCADE`)
	})
	return c.url(schema)
}

// DurablePostgres is Postgres on a server of its own that keeps what it has acknowledged, as in production: for
// benchmarks. It is as slow as the disk.
func DurablePostgres(t testing.TB) string {
	t.Helper()
	c, err := startCluster("on")
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	t.Cleanup(func() { _ = c.alive.Close() })
	return c.url("public")
}

func (c *cluster) url(schema string) string {
	q := url.Values{"host": {c.dir}, "search_path": {`"` + schema + `"`}}
	return "postgres://postgres@/postgres?" + q.Encode()
}

// exec runs one statement on a connection of its own.
func (c *cluster) exec(t testing.TB, ctx context.Context, statement string) {
	t.Helper()
	conn, err := pgx.Connect(ctx, c.url("public"))
	if err != nil {
		t.Errorf("connect to PostgreSQL: %v", err)
		return
	}
	if _, err := conn.Exec(ctx, statement); err != nil {
		t.Errorf("%s: %v", statement, err)
	}
	if err := conn.Close(ctx); err != nil {
		t.Errorf("close the connection to PostgreSQL: %v", err)
	}
}

// postgresBin finds the newest installed PostgreSQL.
func postgresBin() (string, error) {
	found, err := filepath.Glob("/usr/lib/postgresql/*/bin/initdb")
	if err != nil {
		return "", err
	}
	if len(found) > 0 {
		return filepath.Dir(found[len(found)-1]), nil
	}
	initdb, err := exec.LookPath("initdb")
	if err != nil {
		return "", fmt.Errorf("PostgreSQL is not installed: on Debian, apt-get install postgresql: %w", err)
	}
	return filepath.Dir(initdb), nil
}

// serve runs the server until standard input ends; $3 says whether it is to survive a crash of the machine.
const serve = `"$1/postgres" -D "$2/data" -k "$2" -c listen_addresses= -c "fsync=$3" -c "full_page_writes=$3" \
	-c shared_buffers=32MB -c max_connections=400 >"$2/log" 2>&1 &
server=$!
read -r _
kill -QUIT "$server"
wait "$server"
rm -rf "$2"`

// startCluster makes and starts a server that only listens on a socket in a folder of its own. Its texts are sorted by
// an English dictionary, to find code that counts on the order of bytes.
func startCluster(durable string) (*cluster, error) {
	bin, err := postgresBin()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "waybill-postgres-")
	if err != nil {
		return nil, err
	}
	attr, err := unprivileged("postgres", dir)
	if err != nil {
		return nil, err
	}
	initdb := exec.Command(filepath.Join(bin, "initdb"), "-D", filepath.Join(dir, "data"), "-U", "postgres", "-A", "trust",
		"-E", "UTF8", "--locale=C.UTF-8", "--locale-provider=icu", "--icu-locale=en-US", "--no-sync", "--no-instructions")
	initdb.Dir, initdb.SysProcAttr = dir, attr
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("initdb: %w\n%s", err, out)
	}
	server := exec.Command("/bin/sh", "-c", serve, "sh", bin, dir, durable)
	server.Dir, server.SysProcAttr = dir, attr
	input, alive, err := os.Pipe()
	if err != nil {
		return nil, err
	}
	server.Stdin = input
	if err := server.Start(); err != nil {
		return nil, err
	}
	c := &cluster{dir: dir, alive: alive}
	return c, c.wait()
}

// unprivileged gives dir and what is in it to the user called name when we are root, as whom servers refuse to run.
func unprivileged(name, dir string) (*syscall.SysProcAttr, error) {
	attr := &syscall.SysProcAttr{Setsid: true}
	if os.Getuid() != 0 {
		return attr, nil
	}
	u, err := user.Lookup(name)
	if err != nil {
		return nil, err
	}
	uid, err := strconv.ParseUint(u.Uid, 10, 32)
	if err != nil {
		return nil, err
	}
	gid, err := strconv.ParseUint(u.Gid, 10, 32)
	if err != nil {
		return nil, err
	}
	attr.Credential = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return attr, filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, int(uid), int(gid))
	})
}

// wait returns when the server answers.
func (c *cluster) wait() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute) //nolint:forbidigo // For the life of the process.
	defer cancel()
	ticker := time.NewTicker(50 * time.Millisecond)
	defer ticker.Stop()
	for {
		conn, err := pgx.Connect(ctx, c.url("public"))
		if err == nil {
			return conn.Close(ctx)
		}
		select {
		case <-ticker.C:
		case <-ctx.Done():
			log, _ := os.ReadFile(filepath.Join(c.dir, "log"))
			return fmt.Errorf("it does not answer: %w\n%s", err, log)
		}
	}
}
