package webhooks

import (
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Limits of the bodies of forges, in bytes. GitHub sends no larger ones and says so.
const (
	MaxGitHub = 25 << 20
	MaxGitea  = 10 << 20
	MaxGitLab = 10 << 20
)

// What is kept of texts that people write, in bytes.
const (
	maxComment = 4 << 10
	maxTitle   = 500
	maxURL     = 2048
	maxPath    = 500
)

const noCommit = "0000000000000000000000000000000000000000"

// forgeKey is what a forge may call a delivery; eventName what it may call an event.
var (
	forgeKey  = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$`)
	eventName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_ -]{0,63}$`)
	repoPath  = regexp.MustCompile(`^[A-Za-z0-9_.~+-]+(/[A-Za-z0-9_.~+-]+)+$`)
)

func tooLarge(body []byte, limit int) error {
	if len(body) > limit {
		return waybill.Errorf(waybill.TooLarge, "the body is larger than %d bytes", limit)
	}
	return nil
}

// begin reads the headers that name event and delivery.
func begin(h http.Header, nameHeader string, key string) (waybill.Event, error) {
	name := h.Get(nameHeader)
	if !eventName.MatchString(name) {
		return waybill.Event{}, waybill.Errorf(waybill.Invalid, "%s names no event", nameHeader)
	}
	if !forgeKey.MatchString(key) {
		return waybill.Event{}, waybill.Errorf(waybill.Invalid, "no header names the delivery by 1 to 128 letters, digits, dots, colons, dashes or underscores")
	}
	return waybill.Event{Kind: waybill.EventIgnored, Name: name, Key: key}, nil
}

// idText is a number that a forge gives for ever, as text; empty when it gave none.
func idText(n int64) string {
	if n <= 0 {
		return ""
	}
	return strconv.FormatInt(n, 10)
}

// sourceOf checks what a forge says of a repository. Id and path must be right, the rest is left out when it is not.
func sourceOf(id int64, path, cloneURL, branch string, archived bool) (s waybill.EventSource, err error) {
	if s.ID = idText(id); s.ID == "" {
		return s, waybill.Errorf(waybill.Invalid, "the repository has no id")
	}
	if len(path) > maxPath || !repoPath.MatchString(path) || strings.Contains("/"+path+"/", "/../") || strings.Contains("/"+path+"/", "/./") {
		return s, waybill.Errorf(waybill.Invalid, "%q is no path of a repository", cut(path, 100))
	}
	s.Path, s.CloneURL, s.Archived = path, webURL(cloneURL), archived
	if ValidRefName("refs/heads/" + branch) {
		s.DefaultBranch = branch
	}
	return s, nil
}

// refUpdate checks one moved ref. Ids that a forge does not tell are empty.
func refUpdate(name, before, after string) (waybill.RefUpdate, error) {
	u := waybill.RefUpdate{Name: name, Old: before, New: after}
	if !ValidRefName(name) {
		return u, waybill.Errorf(waybill.Invalid, "%q is not a full ref name", cut(name, 100))
	}
	if before != "" && !isObjectID(before) || after != "" && !isObjectID(after) {
		return u, waybill.Errorf(waybill.Invalid, "the commits of %s must be 40 hex digits", cut(name, 100))
	}
	return u, nil
}

// move makes e a push of u, unless u is neither a branch nor a tag.
func move(e *waybill.Event, u waybill.RefUpdate, err error) error {
	if err != nil {
		return err
	}
	if Watched(u.Name) {
		e.Kind, e.Refs = waybill.EventPush, []waybill.RefUpdate{u}
	}
	return nil
}

// fullRef is the full name of a branch or tag of which the forge tells kind and short name.
func fullRef(kind, short string) (name string, known bool) {
	switch kind {
	case "branch":
		return "refs/heads/" + short, true
	case "tag":
		return "refs/tags/" + short, true
	default:
		return "", false
	}
}

// checkPull checks what must be right in p and cuts what people wrote.
func checkPull(p *waybill.Pull) error {
	switch {
	case p.Number <= 0:
		return waybill.Errorf(waybill.Invalid, "the pull request has no number")
	case p.Head != "" && !isObjectID(p.Head):
		return waybill.Errorf(waybill.Invalid, "the head of pull request %d must be 40 hex digits", p.Number)
	case p.Base != "" && !ValidRefName("refs/heads/"+p.Base):
		return waybill.Errorf(waybill.Invalid, "pull request %d goes to %q, which is no branch", p.Number, cut(p.Base, 100))
	}
	p.Title, p.Author, p.URL = line(p.Title, maxTitle), line(p.Author, maxActor), webURL(p.URL)
	return nil
}

// line is at most n bytes of text without control characters.
func line(s string, n int) string {
	return cut(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s[:min(len(s), n)]), n)
}

// webURL is s when it is an address that people may follow, else empty.
func webURL(s string) string {
	if len(s) > maxURL || !strings.HasPrefix(s, "https://") && !strings.HasPrefix(s, "http://") || strings.ContainsFunc(s, func(r rune) bool {
		return r <= ' ' || r == 0x7f || r == '"' || r == '<' || r == '>'
	}) {
		return ""
	}
	return cut(s, maxURL)
}

// stamp reads a time as the forges write it; zero when it is written otherwise.
func stamp(s string) time.Time {
	for _, layout := range []string{time.RFC3339, "2006-01-02 15:04:05 MST", "2006-01-02 15:04:05 -0700"} {
		if t, err := time.Parse(layout, s); err == nil {
			return t.UTC()
		}
	}
	return time.Time{}
}
