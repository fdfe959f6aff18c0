package webhooks

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Headers of plain hooks and of the requests that follow their progress.
const (
	HeaderSignature = "X-Waybill-Signature" // sha256=<hex of HMAC-SHA256>
	HeaderTimestamp = "X-Waybill-Timestamp" // seconds since 1970
	HeaderDelivery  = "X-Waybill-Delivery"  // chosen by the sender; the same for every attempt of one delivery
)

// maxSkew is how far the sender's clock may be from ours.
const maxSkew = 5 * time.Minute

// Secret is a key that both sides of a hook know. It prints as [redacted].
type Secret string

// String hides the secret.
func (Secret) String() string { return "[redacted]" }

// GoString hides the secret from %#v.
func (Secret) GoString() string { return "[redacted]" }

// LogValue hides the secret from logs.
func (Secret) LogValue() slog.Value { return slog.StringValue("[redacted]") }

// mac signs message.
func (s Secret) mac(message []byte) []byte {
	h := hmac.New(sha256.New, []byte(s))
	_, _ = h.Write(message) // never fails
	return h.Sum(nil)
}

// SignGet signs a request without a body, such as the one that follows the progress of a push: the signature covers
// "<timestamp>.<method> <path and query>".
func SignGet(r *http.Request, secret Secret, now time.Time) {
	stamp := strconv.FormatInt(now.Unix(), 10)
	r.Header.Set(HeaderTimestamp, stamp)
	r.Header.Set(HeaderSignature, signatureOf(secret, stamp, getMessage(r)))
}

// VerifyGet checks what [SignGet] signed. Unauthenticated when no secret fits or the timestamp is off.
func VerifyGet(r *http.Request, now time.Time, secrets ...Secret) error {
	return verify(r.Header, getMessage(r), now, secrets)
}

func getMessage(r *http.Request) []byte {
	return []byte(r.Method + " " + r.URL.RequestURI())
}

// signatureOf returns the value of the signature header for a message sent at stamp.
func signatureOf(secret Secret, stamp string, message []byte) string {
	return "sha256=" + hex.EncodeToString(secret.mac(append([]byte(stamp+"."), message...)))
}

// signedBy reports whether one of the secrets made sum over message. Every secret is tried, each in constant time; the
// empty one, with which anybody can sign, never fits.
func signedBy(message, sum []byte, secrets []Secret) bool {
	fits := false
	for _, s := range secrets {
		if s != "" && hmac.Equal(s.mac(message), sum) {
			fits = true
		}
	}
	return fits
}

// signedHex is signedBy for a sum in hex digits.
func signedHex(message []byte, digits string, secrets []Secret) bool {
	sum, err := hex.DecodeString(digits)
	return err == nil && len(sum) == sha256.Size && signedBy(message, sum, secrets)
}

// mismatch is what a request hears that no secret fits, whatever else is wrong with it.
func mismatch() error { return waybill.Errorf(waybill.Unauthenticated, "the signature does not match") }

// verify checks the signature over timestamp and message, against every secret and in constant time, then the age.
func verify(h http.Header, message []byte, now time.Time, secrets []Secret) error {
	stamp := h.Get(HeaderTimestamp)
	given, isHex := strings.CutPrefix(h.Get(HeaderSignature), "sha256=")
	sum, err := hex.DecodeString(given)
	if !isHex || err != nil || len(sum) != sha256.Size || stamp == "" {
		return waybill.Errorf(waybill.Unauthenticated, "the request is not signed (%s, %s)", HeaderSignature, HeaderTimestamp)
	}
	if !signedBy(append([]byte(stamp+"."), message...), sum, secrets) {
		return mismatch()
	}
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if age := now.Sub(time.Unix(seconds, 0)); err != nil || age > maxSkew || age < -maxSkew {
		return waybill.Errorf(waybill.Unauthenticated, "the signature is not from now: the clocks differ by more than %s, or the request is an old one", maxSkew)
	}
	return nil
}
