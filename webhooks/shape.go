package webhooks

// shape says of the name of a field whether it is read, and when it is an object or a list of objects, which of its
// fields are. Payloads are mostly what nobody reads: passing over it costs a fraction of decoding it.
type shape func(name []byte) (inner shape, wanted bool)

// hubShape is the shape of hub.
func hubShape(name []byte) (shape, bool) {
	switch string(name) {
	case "action", "ref", "ref_type", "before", "after", "sha", "is_pull":
		return nil, true
	case "repository", "repositories", "repositories_added", "repositories_removed":
		return repoShape, true
	case "pusher", "sender", "installation", "check_run", "check_suite", "merge_group":
		return flatShape, true
	case "pull_request", "issue":
		return pullShape, true
	case "comment":
		return commentShape, true
	case "changes":
		return changesShape, true
	default:
		return nil, false
	}
}

func repoShape(name []byte) (shape, bool) {
	switch string(name) {
	case "id", "full_name", "clone_url", "default_branch", "archived":
		return nil, true
	default:
		return nil, false
	}
}

// flatShape is that of all objects of which only names, numbers and commits are read.
func flatShape(name []byte) (shape, bool) {
	switch string(name) {
	case "id", "login", "name", "username", "head_ref", "head_sha":
		return nil, true
	default:
		return nil, false
	}
}

func pullShape(name []byte) (shape, bool) {
	switch string(name) {
	case "number", "state", "title", "html_url", "updated_at":
		return nil, true
	case "user", "pull_request":
		return flatShape, true
	case "head", "base":
		return branchShape, true
	default:
		return nil, false
	}
}

func branchShape(name []byte) (shape, bool) {
	switch string(name) {
	case "ref", "sha":
		return nil, true
	case "repo":
		return repoShape, true
	default:
		return nil, false
	}
}

func commentShape(name []byte) (shape, bool) {
	switch string(name) {
	case "id", "body":
		return nil, true
	case "user":
		return flatShape, true
	default:
		return nil, false
	}
}

func changesShape(name []byte) (shape, bool) {
	switch string(name) {
	case "base", "ref", "default_branch", "target_branch":
		return flatShape, true
	default:
		return nil, false
	}
}

// gitLabShape is the shape of gitLab.
func gitLabShape(name []byte) (shape, bool) {
	switch string(name) {
	case "ref", "before", "after", "user_username":
		return nil, true
	case "user":
		return flatShape, true
	case "project", "object_attributes", "merge_request":
		return mergeShape, true
	case "changes":
		return changesShape, true
	default:
		return nil, false
	}
}

// mergeShape is that of projects, merge requests and notes of GitLab.
func mergeShape(name []byte) (shape, bool) {
	switch string(name) {
	case "id", "path_with_namespace", "git_http_url", "default_branch", "iid", "target_branch", "source_project_id",
		"target_project_id", "state", "title", "updated_at", "action", "oldrev", "url", "note", "noteable_type", "system": //nolint:misspell // GitLab's word.
		return nil, true
	case "last_commit":
		return flatShape, true
	default:
		return nil, false
	}
}
