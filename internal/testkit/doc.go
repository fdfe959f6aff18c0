// Package testkit starts the real parts that tests talk to: engine, databases, git, browser.
// A part that is missing fails the test with what to install.
package testkit
