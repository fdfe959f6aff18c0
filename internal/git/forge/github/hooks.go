package github

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/google/go-github/v60/github"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// events are those that Waybill wants to hear of. A hook of a repository takes all of them; pull requests bring their
// comments as issue_comment.
func events() []string {
	return []string{
		"push", "create", "delete", "pull_request", "issue_comment", "check_run", "check_suite", "merge_group", "repository",
	}
}

// InstallHook makes a repository tell of what happens in it. An App has a hook of its own for all its repositories.
func (f *Forge) InstallHook(ctx context.Context, r waybill.Repository, address string) error {
	if f.o.App != nil {
		_, err := f.installationOf(ctx, r)
		return err
	}
	h, err := f.hooks(ctx, "hook", r)
	if err != nil {
		return err
	}
	return forge.InstallHook(ctx, h, address)
}

// RemoveHook takes the hook with this address away; one that is gone is no error.
func (f *Forge) RemoveHook(ctx context.Context, r waybill.Repository, address string) error {
	if f.o.App != nil {
		return nil
	}
	h, err := f.hooks(ctx, "hook", r)
	if err != nil {
		return err
	}
	return forge.RemoveHook(ctx, h, address)
}

// Ping makes the hook of r with this address say something. NotFound: there is no such hook.
func (f *Forge) Ping(ctx context.Context, r waybill.Repository, address string) error {
	h, err := f.hooks(ctx, "ping", r)
	if err != nil {
		return err
	}
	return forge.PingHook(ctx, h, address)
}

// hooks are those of one repository.
type hooks struct {
	forge  *Forge
	client *github.Client
	at     place
	r      waybill.Repository
}

func (f *Forge) hooks(ctx context.Context, operation string, r waybill.Repository) (hooks, error) {
	c, at, err := f.open(ctx, operation, r)
	return hooks{forge: f, client: c, at: at, r: r}, err
}

// List lists the hooks with what GitHub knows of how they do.
func (h hooks) List(ctx context.Context) ([]forge.Hook, error) {
	var all []forge.Hook
	for one, err := range forge.Pages(func(page int) ([]*github.Hook, int, error) {
		return listed(h.client.Repositories.ListHooks(ctx, h.at.owner, h.at.name, pageOf(page)))
	}) {
		if err != nil {
			return nil, h.explain(ctx, err)
		}
		all = append(all, forge.Hook{
			ID: one.GetID(), Address: one.GetConfig().GetURL(), Says: "; GitHub's last request: " + lastResponse(one), Trouble: hookTrouble(one),
		})
	}
	return all, nil
}

// Put changes the first hook that is there, and removes the others: they would go on with another secret.
func (h hooks) Put(ctx context.Context, address string, there []forge.Hook) error {
	hook := &github.Hook{Active: github.Bool(true), Events: events(), Config: &github.HookConfig{
		URL: &address, ContentType: github.String("json"), InsecureSSL: github.String("0"), Secret: &h.r.HookSecret,
	}}
	if len(there) == 0 {
		_, _, err := h.client.Repositories.CreateHook(ctx, h.at.owner, h.at.name, hook)
		return h.explain(ctx, err)
	}
	if _, _, err := h.client.Repositories.EditHook(ctx, h.at.owner, h.at.name, there[0].ID, hook); err != nil {
		return h.explain(ctx, err)
	}
	return h.explain(ctx, forge.DeleteHooks(ctx, h, there[1:]))
}

// Delete removes a hook.
func (h hooks) Delete(ctx context.Context, id int64) error {
	_, err := h.client.Repositories.DeleteHook(ctx, h.at.owner, h.at.name, id)
	return h.forge.fault(ctx, err)
}

// Ping makes a hook say something.
func (h hooks) Ping(ctx context.Context, id int64) error {
	_, err := h.client.Repositories.PingHook(ctx, h.at.owner, h.at.name, id)
	return h.explain(ctx, err)
}

// explain says why hooks are refused: GitHub hides them from those who may not see them as if they were not there.
func (h hooks) explain(ctx context.Context, err error) error {
	err = h.forge.fault(ctx, err)
	if waybill.IsCode(err, waybill.NotFound) || waybill.IsCode(err, waybill.Denied) {
		return waybill.Wrap(waybill.Denied, errors.Unwrap(err), "the token may not administrate the webhooks of "+h.r.Path+
			" (classic: scope admin:repo_hook; fine-grained: Webhooks, read and write; and the user must be an admin there)")
	}
	return err
}

func lastResponse(h *github.Hook) string {
	return strings.TrimSpace(fmt.Sprintf("%v %v", orNothing(h.LastResponse["code"]), orNothing(h.LastResponse["message"])))
}

func orNothing(v any) any {
	if v == nil {
		return ""
	}
	return v
}

// hookTrouble says why the hook does not work.
func hookTrouble(h *github.Hook) error {
	if !h.GetActive() {
		return waybill.Errorf(waybill.Invalid, "the hook is switched off")
	}
	if code, ok := h.LastResponse["code"].(float64); ok && (code < 200 || code > 299) {
		return waybill.Errorf(waybill.Unavailable, "GitHub's last request to the hook was answered %v: it must be reachable from there, at the public URL", lastResponse(h))
	}
	return nil
}
