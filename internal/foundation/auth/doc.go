// Package auth says who is asking and what they may do: bearer tokens with a scope and an end, browser sessions that
// begin with a one-time sign-in link, and the one function that allows or denies.
package auth
