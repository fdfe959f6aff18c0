package build

import (
	"testing"

	"github.com/moby/buildkit/solver/pb"
)

func TestCheckSource(t *testing.T) {
	t.Parallel()
	allow := []string{"example.com", "example.com:8443", "[::1]:80", "git.example.com"}
	tests := map[string]struct {
		identifier, fullURL string
		ok                  bool
	}{
		"context":             {"local://context", "", true},
		"image":               {"docker-image://docker.io/library/busybox:1.36", "", true},
		"allowed":             {"https://example.com/x", "", true},
		"own port":            {"https://example.com:443/x", "", true},
		"upper case":          {"https://EXAMPLE.com/x", "", true},
		"allowed port":        {"https://example.com:8443/x", "", true},
		"other port":          {"https://example.com:22/x", "", false},
		"port of http":        {"http://example.com:443/x", "", false},
		"other host":          {"https://example.org/x", "", false},
		"longer host":         {"https://example.com.evil.org/x", "", false},
		"host as user":        {"https://example.com@evil.org/x", "", false},
		"host in the path":    {"https://evil.org/@example.com", "", false},
		"no host":             {"https:///x", "", false},
		"not an address":      {"https://exa mple.com/x", "", false},
		"git":                 {"git://git.example.com/a.git", "https://git.example.com/a.git", true},
		"git over ssh":        {"git://git.example.com/a.git", "git@git.example.com:a.git", true},
		"git elsewhere":       {"git://git.example.com/a.git", "https://evil.org/a.git", false},
		"git ssh elsewhere":   {"git://git.example.com/a.git", "git@evil.org:git.example.com/a.git", false},
		"oci layout":          {"oci-layout://x", "", false},
		"unknown":             {"ftp://example.com/x", "", false},
		"no scheme":           {"example.com", "", false},
		"blob":                {"docker-image+blob://example.com/x", "", false},
		"upper case scheme":   {"HTTPS://example.org/x", "", false},
		"scheme with newline": {"https\n://example.com/x", "", false},
	}
	for name, tt := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			src := &pb.SourceOp{Identifier: tt.identifier, Attrs: map[string]string{}}
			if tt.fullURL != "" {
				src.Attrs[pb.AttrFullRemoteURL] = tt.fullURL
			}
			if cause := checkSource(src, allow); (cause == "") != tt.ok {
				t.Errorf("%s %s: %q", tt.identifier, tt.fullURL, cause)
			}
		})
	}
}

func TestCheckRegistry(t *testing.T) {
	t.Parallel()
	allow := []string{"127.0.0.1:5000"}
	tests := map[string]bool{
		"busybox:1.36": true, "library/busybox": true, "ghcr.io/a/b:1": true, "registry.example.com:5000/a": true, "8.8.8.8/a": true,
		"127.0.0.1:5000/a": true, "127.0.0.1:5001/a": false, "127.0.0.1/a": false, "10.0.0.1/a": false, "192.168.1.1:80/a": false,
		"169.254.169.254/a": false, "100.64.0.1/a": false, "0.0.0.0:5000/a": false, "[::1]:5000/a": false, "[::ffff:127.0.0.1]:80/a": false,
		"localhost/a": false, "localhost:5000/a": false, "a.localhost/a": false, "registry:5000/a": false, "metadata.google.internal/a": false,
		"127.1/a": false, "2130706433:80/a": false, "0x7f.0x1:80/a": false, "printer.local/a": false,
	}
	for ref, ok := range tests {
		t.Run(ref, func(t *testing.T) {
			t.Parallel()
			if cause := checkRegistry(ref, allow); (cause == "") != ok {
				t.Errorf("%s: %q", ref, cause)
			}
		})
	}
}
