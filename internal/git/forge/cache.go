package forge

import (
	"crypto/sha256"
	"fmt"
	"io"
	"net/http"
	"slices"
	"sync"
)

// Cache remembers answers with their ETags, so that a forge is asked only for what changed: an answer that says
// "as before" costs no rate. It is safe for concurrent use, and so is a nil one, which remembers nothing.
type Cache struct {
	mu    sync.Mutex
	kept  map[string]remembered
	order []string // oldest first
}

// remembered is an answer that came with an ETag.
type remembered struct {
	tag    string
	header http.Header
	body   []byte
}

// Bounds of a Cache.
const (
	maxRemembered     = 500       // answers
	maxRememberedBody = 256 << 10 // bytes
)

// cacheKey tells apart what may differ by who asks. It keeps no secret.
func cacheKey(req *http.Request) string {
	h := sha256.New()
	for _, part := range []string{req.Header.Get("Authorization"), req.Header.Get("Private-Token"), req.Header.Get("Accept"), req.URL.String()} {
		fmt.Fprintf(h, "%q ", part)
	}
	return string(h.Sum(nil))
}

// ask makes req ask only for what changed since it was answered last.
func (c *Cache) ask(req *http.Request) (known remembered, asked bool) {
	if c == nil || req.Method != http.MethodGet {
		return remembered{}, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if known, asked = c.kept[cacheKey(req)]; asked {
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
		c.put(cacheKey(req), remembered{tag: tag, header: resp.Header.Clone(), body: body})
	}
	return rewind(resp, body), nil
}

func (c *Cache) put(key string, r remembered) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.kept == nil {
		c.kept = map[string]remembered{}
	}
	if _, known := c.kept[key]; !known {
		c.order = append(c.order, key)
	}
	c.kept[key] = r
	if len(c.order) > maxRemembered {
		delete(c.kept, c.order[0])
		c.order = slices.Delete(c.order, 0, 1)
	}
}
