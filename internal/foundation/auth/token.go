package auth

import (
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"log/slog"
	"strings"
)

// Secret is the text of a token. It prints as [redacted]; only Reveal shows it.
type Secret string

// The prefixes say what a secret is for, so that one is never accepted in place of another.
const (
	tokenPrefix   = "wb_"  // bearer token
	sessionPrefix = "wbs_" // session cookie
	linkPrefix    = "wbl_" // sign-in link
)

// String hides the secret.
func (Secret) String() string { return "[redacted]" }

// LogValue hides the secret from logs.
func (Secret) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// Reveal returns the text of the secret, to hand to its owner once.
func (s Secret) Reveal() string { return string(s) }

// newSecret returns prefix and 256 random bits.
func newSecret(prefix string) Secret {
	var b [32]byte
	_, _ = rand.Read(b[:]) // never fails (crypto/rand)
	return Secret(prefix + base64.RawURLEncoding.EncodeToString(b[:]))
}

// hash returns what is stored of a secret. A plain hash is enough for 256 random bits.
func (s Secret) hash() string {
	sum := sha256.Sum256([]byte(s))
	return hex.EncodeToString(sum[:])
}

func (s Secret) is(prefix string) bool { return strings.HasPrefix(string(s), prefix) }
