//go:build !octokit

package github

import (
	"net/http"
	"testing"
)

// described checks nothing without the build tag octokit; see described_octokit_test.go.
func described(_ *testing.T, next http.Handler) http.Handler { return next }
