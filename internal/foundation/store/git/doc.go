// Package git keeps the tables of the git room: repositories, deliveries, refs, checks and commit statuses, which are
// also the outbox to the forges. Functions named after a thing report NotFound without it; Find returns found false.
package git
