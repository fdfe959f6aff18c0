// Package config reads the configuration of a server: a YAML file, the environment over it, flags over both.
//
// What keys there are, their defaults and what they mean stands in schemas/server.cue. Without any of the three the
// defaults make a working server.
package config

import (
	"path/filepath"
	"time"
)

// Config is the configuration of a server, complete and legal.
type Config struct {
	Data        string // folder for everything that the server keeps
	Database    string // path of an SQLite file, or a postgres:// address
	Listen      string // host:port of pages, API and hooks
	AdminListen string // host:port of metrics, health and profiles
	PublicURL   string // without slash at the end; empty: taken from the listener
	BinPath     string // program that Git hooks call; empty: the running one
	Docker      Docker
	Registry    Registry
	Platform    Platform
	Build       Build
	Runs        Runs
	Pulls       Pulls
	Forges      []Forge
	Poll        Poll
	Retention   Retention
	Log         Log
}

// Docker says where the engine is.
type Docker struct {
	Host string // such as unix:///var/run/docker.sock; empty: DOCKER_HOST or the local socket
}

// Registry says where images are pushed to.
type Registry struct {
	Prefix string // host and path that image names start with; empty: nothing is pushed
}

// Platform says where the settings of the portal are declared.
type Platform struct {
	Repository string // absolute path or URL; empty: nowhere
	Owner      string // team that owns it
}

// Build limits builds.
type Build struct {
	AllowHosts   []string // hosts that Dockerfiles may fetch from; *.example.org stands for all below
	Concurrency  int      // builds at once
	MinFreeBytes int64    // builds wait while the disk has less space
}

// Runs limits runs.
type Runs struct {
	Concurrency int // runs at once
}

// Pulls says what happens at pull requests.
type Pulls struct {
	Comment string // when they get one: off, on-change or always
}

// Poll says how often repositories are looked at without being told to.
type Poll struct {
	Plain    time.Duration // plain Git
	Unhooked time.Duration // at a forge, without a hook that works
	Hooked   time.Duration // at a forge, with one
}

// Retention says what is kept.
type Retention struct {
	FailedLogs time.Duration // of failed builds
	Images     int           // per connector, beside the live ones
	Deliveries time.Duration // of hooks
	Withdrawn  time.Duration // until dev loses what its branch no longer declares
}

// Log says what is logged and how.
type Log struct {
	Level  string // debug, info, warn or error
	Format string // text or json
}

// BlobFolder is where logs are kept.
func (c Config) BlobFolder() string { return filepath.Join(c.Data, "blobs") }

// MirrorFolder is where repositories are mirrored.
func (c Config) MirrorFolder() string { return filepath.Join(c.Data, "mirrors") }
