-- One text for SQLite and PostgreSQL: TEXT, BIGINT and INTEGER only, no NULL. Times are UTC microseconds, 0 is none.

-- +goose Up
CREATE TABLE history (
  id TEXT PRIMARY KEY,
  at BIGINT NOT NULL,
  actor TEXT NOT NULL,
  channel TEXT NOT NULL,
  repository TEXT NOT NULL,
  sha TEXT NOT NULL,
  subject TEXT NOT NULL,
  action TEXT NOT NULL,
  value_before TEXT NOT NULL,
  value_after TEXT NOT NULL,
  message TEXT NOT NULL
);
CREATE INDEX history_subject ON history (subject, id);
CREATE INDEX history_commit ON history (repository, sha, id);

CREATE TABLE tokens (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  hash TEXT NOT NULL UNIQUE,
  scope TEXT NOT NULL,
  created BIGINT NOT NULL,
  expires BIGINT NOT NULL,
  last_used BIGINT NOT NULL
);

CREATE TABLE work (
  kind TEXT NOT NULL,
  key TEXT NOT NULL,
  wanted BIGINT NOT NULL,
  claimed BIGINT NOT NULL,
  done BIGINT NOT NULL,
  due BIGINT NOT NULL,
  attempt INTEGER NOT NULL,
  lease_owner TEXT NOT NULL,
  lease_end BIGINT NOT NULL,
  priority INTEGER NOT NULL,
  tenant TEXT NOT NULL,
  payload TEXT NOT NULL,
  discarded BIGINT NOT NULL,
  error TEXT NOT NULL,
  updated BIGINT NOT NULL,
  PRIMARY KEY (kind, key)
);
CREATE INDEX work_open ON work (kind, due) WHERE wanted <> done;
CREATE INDEX work_discarded ON work (discarded) WHERE discarded > 0;

CREATE TABLE repositories (
  id TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  name TEXT NOT NULL,
  url TEXT NOT NULL UNIQUE,
  forge TEXT NOT NULL,
  hook TEXT NOT NULL,
  hook_secret TEXT NOT NULL,
  default_branch TEXT NOT NULL,
  push_notes INTEGER NOT NULL,
  added BIGINT NOT NULL,
  last_polled BIGINT NOT NULL,
  UNIQUE (owner, name)
);
CREATE UNIQUE INDEX repositories_hook ON repositories (hook) WHERE hook <> '';

CREATE TABLE deliveries (
  id TEXT PRIMARY KEY,
  repository TEXT NOT NULL,
  forge TEXT NOT NULL,
  hook TEXT NOT NULL,
  event_key TEXT NOT NULL,
  event TEXT NOT NULL,
  received BIGINT NOT NULL,
  UNIQUE (forge, hook, event_key)
);
CREATE INDEX deliveries_repository ON deliveries (repository);

CREATE TABLE refs (
  repository TEXT NOT NULL,
  name TEXT NOT NULL,
  tip TEXT NOT NULL,
  observed BIGINT NOT NULL,
  PRIMARY KEY (repository, name)
);

CREATE TABLE checks (
  id TEXT PRIMARY KEY,
  repository TEXT NOT NULL,
  ref TEXT NOT NULL,
  sha TEXT NOT NULL,
  phase TEXT NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX checks_ref ON checks (repository, ref, id);
CREATE INDEX checks_commit ON checks (repository, sha, id);
CREATE INDEX checks_sha ON checks (sha);

CREATE TABLE statuses (
  repository TEXT NOT NULL,
  sha TEXT NOT NULL,
  context TEXT NOT NULL,
  state TEXT NOT NULL,
  description TEXT NOT NULL,
  url TEXT NOT NULL,
  outcome TEXT NOT NULL,
  started BIGINT NOT NULL,
  updated BIGINT NOT NULL,
  seq BIGINT NOT NULL,
  sent BIGINT NOT NULL,
  PRIMARY KEY (repository, sha, context)
);
CREATE INDEX statuses_unsent ON statuses (updated) WHERE seq > sent;

CREATE TABLE teams (
  name TEXT PRIMARY KEY,
  created BIGINT NOT NULL
);

CREATE TABLE sites (
  name TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  environment TEXT NOT NULL,
  created BIGINT NOT NULL
);

CREATE TABLE connectors (
  name TEXT PRIMARY KEY,
  owner TEXT NOT NULL,
  repository TEXT NOT NULL,
  created BIGINT NOT NULL
);

CREATE TABLE releases (
  id TEXT PRIMARY KEY,
  connector TEXT NOT NULL,
  major INTEGER NOT NULL,
  environment TEXT NOT NULL,
  repository TEXT NOT NULL,
  ref TEXT NOT NULL,
  sha TEXT NOT NULL,
  check_id TEXT NOT NULL,
  semver TEXT NOT NULL,
  image_context TEXT NOT NULL,
  recipe TEXT NOT NULL,
  image TEXT NOT NULL,
  repo_digest TEXT NOT NULL,
  outcome TEXT NOT NULL,
  created BIGINT NOT NULL,
  declaration TEXT NOT NULL,
  steps TEXT NOT NULL,
  actor TEXT NOT NULL
);
CREATE INDEX releases_lane ON releases (connector, major, environment, id);
CREATE INDEX releases_commit ON releases (repository, sha, id);
CREATE INDEX releases_check ON releases (check_id, id);
CREATE INDEX releases_open ON releases (connector, major, environment, id) WHERE outcome IN ('waiting', 'running');

CREATE TABLE lives (
  connector TEXT NOT NULL,
  major INTEGER NOT NULL,
  environment TEXT NOT NULL,
  release_id TEXT NOT NULL,
  seq BIGINT NOT NULL,
  since BIGINT NOT NULL,
  PRIMARY KEY (connector, major, environment)
);

CREATE TABLE images (
  context TEXT NOT NULL,
  recipe TEXT NOT NULL,
  image TEXT NOT NULL,
  repo_digest TEXT NOT NULL,
  first_commit TEXT NOT NULL,
  created BIGINT NOT NULL,
  PRIMARY KEY (context, recipe)
);

CREATE TABLE health (
  image TEXT NOT NULL,
  program TEXT NOT NULL,
  ok INTEGER NOT NULL,
  detail TEXT NOT NULL,
  log TEXT NOT NULL,
  created BIGINT NOT NULL,
  PRIMARY KEY (image, program)
);

CREATE TABLE assignments (
  site TEXT NOT NULL,
  connector TEXT NOT NULL,
  major INTEGER NOT NULL,
  config TEXT NOT NULL,
  schedule TEXT NOT NULL,
  enabled INTEGER NOT NULL,
  updated BIGINT NOT NULL,
  PRIMARY KEY (site, connector, major)
);
CREATE INDEX assignments_connector ON assignments (connector, major);

CREATE TABLE runs (
  id TEXT PRIMARY KEY,
  connector TEXT NOT NULL,
  major INTEGER NOT NULL,
  site TEXT NOT NULL,
  state TEXT NOT NULL,
  cancel INTEGER NOT NULL,
  body TEXT NOT NULL
);
CREATE INDEX runs_connector ON runs (connector, major, id);
CREATE INDEX runs_site ON runs (site, id);
CREATE INDEX runs_open ON runs (id) WHERE state IN ('queued', 'running');

CREATE TABLE schedules (
  site TEXT NOT NULL,
  connector TEXT NOT NULL,
  major INTEGER NOT NULL,
  spec TEXT NOT NULL,
  due BIGINT NOT NULL,
  PRIMARY KEY (site, connector, major)
);
CREATE INDEX schedules_due ON schedules (due);
