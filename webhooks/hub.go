package webhooks

import (
	"strconv"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// hub is what is read of a payload of GitHub, and of Gitea and Forgejo, which follow it: the fields of all events.
type hub struct {
	Action      string     `json:"action"`
	Ref         string     `json:"ref"`
	RefType     string     `json:"ref_type"`
	Before      string     `json:"before"`
	After       string     `json:"after"`
	SHA         string     `json:"sha"` // Gitea: of the ref that was created
	Repository  *hubRepo   `json:"repository"`
	Pusher      hubUser    `json:"pusher"`
	Sender      hubUser    `json:"sender"`
	PullRequest *hubPull   `json:"pull_request"`
	Issue       *hubPull   `json:"issue"`
	IsPull      bool       `json:"is_pull"` // Gitea
	Comment     hubComment `json:"comment"`
	CheckRun    hubCheck   `json:"check_run"`
	CheckSuite  hubCheck   `json:"check_suite"`
	MergeGroup  struct {
		HeadRef string `json:"head_ref"`
		HeadSHA string `json:"head_sha"`
	} `json:"merge_group"`
	Installation struct {
		ID int64 `json:"id"`
	} `json:"installation"`
	Repositories []hubRepo `json:"repositories"`
	Added        []hubRepo `json:"repositories_added"`
	Removed      []hubRepo `json:"repositories_removed"`
	Changes      struct {
		Base          *struct{} `json:"base"`           // GitHub: a pull request goes elsewhere
		Ref           *struct{} `json:"ref"`            // Gitea: the same
		DefaultBranch *struct{} `json:"default_branch"` // of a repository
	} `json:"changes"`
}

type hubRepo struct {
	ID            int64  `json:"id"`
	FullName      string `json:"full_name"`
	CloneURL      string `json:"clone_url"`
	DefaultBranch string `json:"default_branch"`
	Archived      bool   `json:"archived"`
}

type hubUser struct {
	Login string `json:"login"`
	Name  string `json:"name"` // GitHub: of a pusher
}

// hubPull is a pull request, or the issue that it also is.
type hubPull struct {
	Number      int       `json:"number"`
	State       string    `json:"state"`
	Title       string    `json:"title"`
	URL         string    `json:"html_url"`
	User        hubUser   `json:"user"`
	UpdatedAt   string    `json:"updated_at"`
	Head        hubBranch `json:"head"`
	Base        hubBranch `json:"base"`
	PullRequest *struct{} `json:"pull_request"` // of an issue: there when it is a pull request
}

type hubBranch struct {
	Ref  string   `json:"ref"`
	SHA  string   `json:"sha"`
	Repo *hubRepo `json:"repo"` // none when the fork is gone
}

type hubComment struct {
	ID   int64   `json:"id"`
	Body string  `json:"body"`
	User hubUser `json:"user"`
}

type hubCheck struct {
	HeadSHA string `json:"head_sha"`
}

// source reads the repository of an event that happens in one.
func (p *hub) source(e *waybill.Event) (err error) {
	if p.Repository == nil {
		return waybill.Errorf(waybill.Invalid, "a %s event must name its repository", e.Name)
	}
	e.Source, err = p.Repository.source()
	return err
}

func (r *hubRepo) source() (waybill.EventSource, error) {
	return sourceOf(r.ID, r.FullName, r.CloneURL, r.DefaultBranch, r.Archived)
}

func (p *hub) push(e *waybill.Event) error {
	if p.Before == "" || p.After == "" {
		return waybill.Errorf(waybill.Invalid, "a push must say before and after")
	}
	u, err := refUpdate(p.Ref, p.Before, p.After)
	return move(e, u, err)
}

func (p *hub) create(e *waybill.Event) error {
	name, known := fullRef(p.RefType, p.Ref)
	if !known { // once GitHub told of new repositories so
		return nil
	}
	u, err := refUpdate(name, noCommit, p.SHA)
	return move(e, u, err)
}

func (p *hub) remove(e *waybill.Event) error {
	name, known := fullRef(p.RefType, p.Ref)
	if !known {
		return nil
	}
	u, err := refUpdate(name, "", noCommit)
	return move(e, u, err)
}

// pull reads a pull request. Of what happens to it only that matters which moves its head or base, opens or closes it.
func (p *hub) pull(e *waybill.Event) error {
	if p.PullRequest == nil {
		return waybill.Errorf(waybill.Invalid, "a %s event must hold its pull request", e.Name)
	}
	e.Pull = p.PullRequest.pull()
	if e.Pull.Head == "" || e.Pull.Base == "" {
		return waybill.Errorf(waybill.Invalid, "pull request %d must have a head and a base", e.Pull.Number)
	}
	switch p.Action {
	case "opened", "reopened", "closed", "synchronize", "synchronized":
		e.Kind = waybill.EventPull
	case "edited":
		if p.Changes.Base != nil || p.Changes.Ref != nil {
			e.Kind = waybill.EventPull
		}
	}
	return checkPull(e.Pull)
}

// comment reads a comment below a pull request. Comments on issues, and what is edited or deleted later, are ignored.
func (p *hub) comment(e *waybill.Event) error {
	if p.Issue == nil {
		return waybill.Errorf(waybill.Invalid, "a %s event must hold its issue", e.Name)
	}
	if p.Issue.PullRequest == nil && !p.IsPull {
		return nil
	}
	e.Pull, e.Comment, e.CommentID = p.Issue.pull(), cut(p.Comment.Body, maxComment), idText(p.Comment.ID)
	e.Pull.Fork = false // an issue does not tell
	if p.Action == "created" {
		e.Kind, e.Actor = waybill.EventComment, line(p.Comment.User.Login, maxActor)
	}
	return checkPull(e.Pull)
}

func (q *hubPull) pull() *waybill.Pull {
	return &waybill.Pull{
		Number: q.Number, Ref: "refs/pull/" + strconv.Itoa(q.Number) + "/head", Head: q.Head.SHA, Base: q.Base.Ref,
		Fork: q.Head.Repo == nil || q.Base.Repo == nil || q.Head.Repo.ID != q.Base.Repo.ID,
		Open: q.State == "open", Title: q.Title, Author: q.User.Login, URL: q.URL, Seen: stamp(q.UpdatedAt),
	}
}

// repository reads what became of a repository as a whole.
func (p *hub) repository(e *waybill.Event) error {
	switch p.Action {
	case "renamed", "transferred", "archived", "unarchived", "deleted":
		e.Kind = waybill.EventRepository
	case "edited":
		if p.Changes.DefaultBranch != nil {
			e.Kind = waybill.EventRepository
		}
	}
	return nil
}

// hubReader says how an event is read that GitHub and Gitea both know, and that happens in a repository; nil for others.
func hubReader(name string) func(*hub, *waybill.Event) error {
	switch name {
	case "push":
		return (*hub).push
	case "create":
		return (*hub).create
	case "delete":
		return (*hub).remove
	case "pull_request":
		return (*hub).pull
	case "issue_comment":
		return (*hub).comment
	case "repository":
		return (*hub).repository
	default:
		return nil
	}
}
