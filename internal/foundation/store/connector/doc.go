// Package connector keeps the tables of the connector room: teams, sites, connector names, releases, live pointers,
// images, health, assignments, runs and schedules. Functions named after a thing report NotFound without it; Find
// returns found false.
package connector
