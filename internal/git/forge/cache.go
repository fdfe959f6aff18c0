package forge

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"

	"github.com/waybill-dev/waybill/internal/foundation/memo"
)

// Cache remembers answers with their ETags, so that a forge is asked only for what changed: an answer that says
// "as before" costs no rate. It is safe for concurrent use, and so is a nil one, which remembers nothing.
type Cache struct {
	kept *memo.Memo[string, remembered]
}

// Bounds of a Cache, in bytes.
const (
	maxRemembered     = 32 << 20
	maxRememberedBody = 256 << 10
)

// NewCache returns one that remembers nothing yet.
func NewCache() *Cache { return &Cache{memo.New[string, remembered](maxRemembered)} }

// remembered is an answer that came with an ETag.
type remembered struct {
	tag    string
	header http.Header
	body   []byte
}

// overhead is about what remembering an answer costs beside what was said, in bytes.
const overhead = 4 << 10

// cost is about what remembering r costs, in bytes: of its headers alone there may be maxHeader.
func (r remembered) cost() int64 {
	n := overhead + len(r.body)
	for name, values := range r.header {
		n += len(name)
		for _, v := range values {
			n += len(v)
		}
	}
	return int64(n)
}

// cacheKey tells apart what may differ by who asks. It keeps no secret.
func cacheKey(req *http.Request) string {
	h := sha256.New()
	for _, part := range []string{req.Header.Get("Authorization"), req.Header.Get("Accept"), req.URL.String()} {
		fmt.Fprintf(h, "%q ", part)
	}
	return string(h.Sum(nil))
}

// ask makes req ask only for what changed since it was answered last.
func (c *Cache) ask(req *http.Request) (known remembered, asked bool) {
	if c == nil || req.Method != http.MethodGet {
		return remembered{}, false
	}
	if known, asked = c.kept.Find(cacheKey(req)); asked {
		req.Header.Set("If-None-Match", known.tag)
	}
	return known, asked
}

// answer is what was answered last, with the headers about rates of today.
func (r remembered) answer(resp *http.Response) *http.Response {
	for name, values := range r.header {
		if resp.Header.Get(name) == "" {
			resp.Header[name] = values
		}
	}
	resp.Status, resp.StatusCode = http.StatusText(http.StatusOK), http.StatusOK
	return rewind(resp, r.body)
}

// keep remembers an answer that has an ETag, and passes it on.
func (c *Cache) keep(req *http.Request, resp *http.Response) (*http.Response, error) {
	tag := resp.Header.Get("ETag")
	if c == nil || tag == "" || req.Method != http.MethodGet || resp.StatusCode != http.StatusOK || resp.ContentLength > maxRememberedBody {
		return resp, nil
	}
	body, err := io.ReadAll(resp.Body)
	_ = resp.Body.Close()
	if err != nil {
		return nil, err
	}
	if len(body) <= maxRememberedBody {
		known := remembered{tag: tag, header: resp.Header.Clone(), body: body}
		c.kept.Put(cacheKey(req), known, known.cost())
	}
	return rewind(resp, body), nil
}
