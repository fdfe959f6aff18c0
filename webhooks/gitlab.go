package webhooks

import (
	"cmp"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"strconv"
	"strings"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// gitLab is what is read of a payload of GitLab: the fields of all events.
type gitLab struct {
	Ref      string        `json:"ref"`
	Before   string        `json:"before"`
	After    string        `json:"after"`
	Username string        `json:"user_username"` // of a push
	User     gitLabUser    `json:"user"`          // of all else
	Project  gitLabProject `json:"project"`
	Object   gitLabObject  `json:"object_attributes"`
	Merge    *gitLabMerge  `json:"merge_request"` // of a note
	Changes  struct {
		TargetBranch *struct{} `json:"target_branch"`
	} `json:"changes"`
}

type gitLabUser struct {
	Username string `json:"username"`
}

type gitLabProject struct {
	ID            int64  `json:"id"`
	Path          string `json:"path_with_namespace"`
	CloneURL      string `json:"git_http_url"`
	DefaultBranch string `json:"default_branch"`
}

// gitLabObject is a merge request or a note.
type gitLabObject struct {
	gitLabMerge

	ID     int64  `json:"id"`
	Action string `json:"action"`
	OldRev string `json:"oldrev"` // there when the head moved
	URL    string `json:"url"`
	Note   string `json:"note"`
	On     string `json:"noteable_type"` //nolint:misspell // GitLab's word.
	System bool   `json:"system"`
}

type gitLabMerge struct {
	Number     int    `json:"iid"`
	Target     string `json:"target_branch"`
	SourceID   int64  `json:"source_project_id"`
	TargetID   int64  `json:"target_project_id"`
	State      string `json:"state"`
	Title      string `json:"title"`
	UpdatedAt  string `json:"updated_at"`
	LastCommit struct {
		ID string `json:"id"`
	} `json:"last_commit"`
}

// GitLab checks the token or signature of body and reads an event from it. Its field lists are those of GitLab's page
// "Webhook events". It reports what [GitHub] reports.
//
// A secret that begins with whsec_ is a signing token: the request must be signed with it as Standard Webhooks 1.0.0
// says. Any other is a secret token, which the request must show.
func GitLab(h http.Header, body []byte, secrets ...Secret) (waybill.Event, error) {
	if err := tooLarge(body, MaxGitLab); err != nil {
		return waybill.Event{}, err
	}
	signed := standardSigned(h, body, secrets)
	shown := tokenShown(h.Get("X-Gitlab-Token"), secrets)
	if !signed && !shown {
		return waybill.Event{}, mismatch()
	}
	key := gitLabKey(h, body)
	if signed {
		key = h.Get("Webhook-Id")
	}
	return readGitLab(h, key, body)
}

// signingToken begins the secrets that sign and are never shown.
const signingToken = "whsec_"

// tokenShown compares hashes, which are of one length, in constant time.
func tokenShown(token string, secrets []Secret) bool {
	given := sha256.Sum256([]byte(token))
	fits := false
	for _, s := range secrets {
		want := sha256.Sum256([]byte(s))
		if s != "" && !strings.HasPrefix(string(s), signingToken) && hmac.Equal(want[:], given[:]) {
			fits = true
		}
	}
	return fits
}

// standardSigned reports whether one of the signing tokens made one of the signatures over "<id>.<timestamp>.<body>".
// The id is the delivery's, which is stored once: that, and not the time, keeps a replay from having an effect.
func standardSigned(h http.Header, body []byte, secrets []Secret) bool {
	message := append([]byte(h.Get("Webhook-Id")+"."+h.Get("Webhook-Timestamp")+"."), body...)
	fits := false
	for _, s := range secrets {
		text, signs := strings.CutPrefix(string(s), signingToken)
		key, err := base64.StdEncoding.DecodeString(text)
		if !signs || err != nil || len(key) == 0 {
			continue
		}
		for _, signature := range strings.Fields(h.Get("Webhook-Signature")) {
			digits, known := strings.CutPrefix(signature, "v1,")
			sum, err := base64.StdEncoding.DecodeString(digits)
			if known && err == nil && signedBy(message, sum, []Secret{Secret(key)}) {
				fits = true
			}
		}
	}
	return fits
}

// gitLabKey names the delivery. Versions before 17.4 name only the event, and give hooks that set off other hooks one
// name: there the body tells them apart.
func gitLabKey(h http.Header, body []byte) string {
	key, event := h.Get("Idempotency-Key"), h.Get("X-Gitlab-Event-UUID")
	if key != "" || event == "" {
		return key
	}
	sum := sha256.Sum256(body)
	return event + "-" + hex.EncodeToString(sum[:8])
}

// readGitLab reads a verified body.
func readGitLab(h http.Header, key string, body []byte) (waybill.Event, error) {
	e, err := begin(h, "X-Gitlab-Event", key)
	if err != nil {
		return waybill.Event{}, err
	}
	read, known := gitLabReaders()[e.Name]
	if !known {
		return e, nil
	}
	var p gitLab
	if err := decode(body, gitLabShape, &p); err != nil {
		return waybill.Event{}, err
	}
	e.Action, e.Actor = line(p.Object.Action, maxActor), line(cmp.Or(p.Username, p.User.Username), maxActor)
	e.Source, err = sourceOf(p.Project.ID, p.Project.Path, p.Project.CloneURL, p.Project.DefaultBranch, false)
	if err == nil {
		err = read(&p, &e)
	}
	if err != nil {
		return waybill.Event{}, err
	}
	return e, nil
}

// gitLabReaders say how each event is read.
func gitLabReaders() map[string]func(*gitLab, *waybill.Event) error {
	return map[string]func(*gitLab, *waybill.Event) error{
		"Push Hook": (*gitLab).push, "Tag Push Hook": (*gitLab).push,
		"Merge Request Hook": (*gitLab).merge, "Note Hook": (*gitLab).note,
	}
}

func (p *gitLab) push(e *waybill.Event) error {
	if p.Before == "" || p.After == "" {
		return waybill.Errorf(waybill.Invalid, "a push must say before and after")
	}
	u, err := refUpdate(p.Ref, p.Before, p.After)
	return move(e, u, err)
}

// merge reads a merge request. Of its updates only those matter that move its head or its target.
func (p *gitLab) merge(e *waybill.Event) error {
	e.Pull = p.Object.pull()
	e.Pull.URL = p.Object.URL
	if e.Pull.Head == "" || e.Pull.Base == "" {
		return waybill.Errorf(waybill.Invalid, "merge request %d must have a last commit and a target", e.Pull.Number)
	}
	switch p.Object.Action {
	case "open":
		e.Kind, e.Pull.Author = waybill.EventPull, p.User.Username
	case "reopen", "close", "merge":
		e.Kind = waybill.EventPull
	case "update":
		if p.Object.OldRev != "" || p.Changes.TargetBranch != nil {
			e.Kind = waybill.EventPull
		}
	}
	return checkPull(e.Pull)
}

// note reads a comment below a merge request. Those below other things, by GitLab itself or edited later are ignored.
// GitLab says only since 16.11 whether a note is new; before, it told of new ones only.
func (p *gitLab) note(e *waybill.Event) error {
	if p.Object.On != "MergeRequest" {
		return nil
	}
	if p.Merge == nil {
		return waybill.Errorf(waybill.Invalid, "a note below a merge request must hold it")
	}
	e.Pull, e.Comment, e.CommentID = p.Merge.pull(), cut(p.Object.Note, maxComment), idText(p.Object.ID)
	if !p.Object.System && (p.Object.Action == "create" || p.Object.Action == "") {
		e.Kind = waybill.EventComment
	}
	return checkPull(e.Pull)
}

func (m gitLabMerge) pull() *waybill.Pull {
	return &waybill.Pull{
		Number: m.Number, Ref: "refs/merge-requests/" + strconv.Itoa(m.Number) + "/head", Head: m.LastCommit.ID,
		Base: m.Target, Fork: m.SourceID != m.TargetID, Open: m.State == "opened", Title: m.Title, Seen: stamp(m.UpdatedAt),
	}
}
