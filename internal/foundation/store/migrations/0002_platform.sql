-- +goose Up

-- What the platform repository declares, as it was applied last.
CREATE TABLE settings (
  kind TEXT NOT NULL,
  name TEXT NOT NULL,
  digest TEXT NOT NULL,
  sha TEXT NOT NULL,
  file TEXT NOT NULL,
  line INTEGER NOT NULL,
  applied BIGINT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (kind, name)
);
