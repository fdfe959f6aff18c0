-- +goose Up

-- Repositories on forges: the number that survives a rename, the path of today, a second secret while one is exchanged.
ALTER TABLE repositories ADD COLUMN forge_id TEXT NOT NULL DEFAULT '';
ALTER TABLE repositories ADD COLUMN path TEXT NOT NULL DEFAULT '';
ALTER TABLE repositories ADD COLUMN old_hook_secret TEXT NOT NULL DEFAULT '';
ALTER TABLE repositories ADD COLUMN old_secret_ends BIGINT NOT NULL DEFAULT 0;
ALTER TABLE repositories ADD COLUMN last_told BIGINT NOT NULL DEFAULT 0;
ALTER TABLE repositories ADD COLUMN last_missed BIGINT NOT NULL DEFAULT 0;
ALTER TABLE repositories ADD COLUMN archived INTEGER NOT NULL DEFAULT 0;
CREATE UNIQUE INDEX repositories_forge ON repositories (forge, forge_id) WHERE forge_id <> '';

CREATE TABLE pulls (
  repository TEXT NOT NULL,
  number BIGINT NOT NULL,
  is_open INTEGER NOT NULL,
  body TEXT NOT NULL, -- what the forge says
  comment TEXT NOT NULL DEFAULT '',
  told TEXT NOT NULL DEFAULT '',
  note TEXT NOT NULL DEFAULT '',
  against TEXT NOT NULL DEFAULT '',
  PRIMARY KEY (repository, number)
);

-- The latest of a repository are asked for at each push.
DROP INDEX deliveries_repository;
CREATE INDEX deliveries_repository ON deliveries (repository, id);

-- Comments that ask for something, and the delivery that told of each first.
CREATE TABLE comments (
  repository TEXT NOT NULL,
  comment TEXT NOT NULL,
  delivery TEXT NOT NULL,
  PRIMARY KEY (repository, comment)
);

-- How large an image is, in bytes; 0: it was built before that was kept.
ALTER TABLE images ADD COLUMN size BIGINT NOT NULL DEFAULT 0;

-- What a forge was told last, and whether what it was not told may have arrived all the same.
ALTER TABLE statuses ADD COLUMN told TEXT NOT NULL DEFAULT '';
ALTER TABLE statuses ADD COLUMN doubt INTEGER NOT NULL DEFAULT 0;

-- What only grows is listed and counted by an index.
CREATE INDEX checks_repository ON checks (repository, id);
CREATE INDEX releases_connector ON releases (connector, id);
CREATE INDEX releases_sha ON releases (sha, id);
CREATE INDEX releases_pending ON releases (repository, id) WHERE outcome IN ('waiting', 'running');
CREATE INDEX releases_outcome ON releases (outcome);
CREATE INDEX runs_newest ON runs (connector, id);
CREATE INDEX runs_state ON runs (state, id);
CREATE INDEX history_repository ON history (repository, id);
CREATE INDEX history_sha ON history (sha, id);
