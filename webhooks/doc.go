// Package webhooks reads what forges say: headers and body in, a verified event out.
//
// Every function checks the signature over the raw bytes first; an unsigned body is never parsed. Nothing here does
// I/O or looks at a clock, so everything can be fuzzed.
package webhooks
