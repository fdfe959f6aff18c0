package gitlab

import (
	"context"
	"errors"

	gitlab "gitlab.com/gitlab-org/api/client-go"

	"github.com/waybill-dev/waybill/internal/git/forge"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// InstallHook makes a project tell of what happens in it.
func (f *Forge) InstallHook(ctx context.Context, r waybill.Repository, address string) error {
	h, err := f.hooks("hook", r)
	if err != nil {
		return err
	}
	return forge.InstallHook(ctx, h, address)
}

// RemoveHook takes the hook with this address away; one that is gone is no error.
func (f *Forge) RemoveHook(ctx context.Context, r waybill.Repository, address string) error {
	h, err := f.hooks("hook", r)
	if err != nil {
		return err
	}
	return forge.RemoveHook(ctx, h, address)
}

// Ping makes the hook of r with this address say something, as if somebody had pushed; GitLab does so five times a
// minute at most. NotFound: there is no such hook.
func (f *Forge) Ping(ctx context.Context, r waybill.Repository, address string) error {
	h, err := f.hooks("ping", r)
	if err != nil {
		return err
	}
	return forge.PingHook(ctx, h, address)
}

// hooks are those of one project.
type hooks struct {
	forge   *Forge
	client  *gitlab.Client
	project any
	r       waybill.Repository
}

func (f *Forge) hooks(operation string, r waybill.Repository) (hooks, error) {
	c, project, err := f.open(operation, r)
	return hooks{forge: f, client: c, project: project, r: r}, err
}

// List lists the hooks, and which of them GitLab has given up.
func (h hooks) List(ctx context.Context) ([]forge.Hook, error) {
	var all []forge.Hook
	for one, err := range forge.Pages(func(page int) ([]*gitlab.ProjectHook, int, error) {
		return listed(h.client.Projects.ListProjectHooks(h.project, &gitlab.ListProjectHooksOptions{ListOptions: pageOf(page)}, gitlab.WithContext(ctx)))
	}) {
		if err != nil {
			return nil, h.explain(ctx, err)
		}
		all = append(all, forge.Hook{ID: one.ID, Address: one.URL, Trouble: hookTrouble(one)})
	}
	return all, nil
}

func hookTrouble(h *gitlab.ProjectHook) error {
	if h.AlertStatus == "" || h.AlertStatus == "executable" {
		return nil
	}
	return waybill.Errorf(waybill.Unavailable, "GitLab has switched the hook off (%s) because requests to it failed: it must be reachable from there, at the public URL", h.AlertStatus)
}

// Put changes the first hook that is there, and removes the others: they would go on with another secret.
func (h hooks) Put(ctx context.Context, address string, there []forge.Hook) error {
	yes, no := gitlab.Ptr(true), gitlab.Ptr(false)
	hook := gitlab.AddProjectHookOptions{
		URL: &address, Token: &h.r.HookSecret, PushEvents: yes, TagPushEvents: yes, MergeRequestsEvents: yes, NoteEvents: yes,
		IssuesEvents: no, EnableSSLVerification: yes,
	}
	if len(there) == 0 {
		_, _, err := h.client.Projects.AddProjectHook(h.project, &hook, gitlab.WithContext(ctx))
		return h.explain(ctx, err)
	}
	changed := gitlab.EditProjectHookOptions(hook)
	if _, _, err := h.client.Projects.EditProjectHook(h.project, there[0].ID, &changed, gitlab.WithContext(ctx)); err != nil {
		return h.explain(ctx, err)
	}
	return h.explain(ctx, forge.DeleteHooks(ctx, h, there[1:]))
}

// Delete removes a hook.
func (h hooks) Delete(ctx context.Context, id int64) error {
	_, err := h.client.Projects.DeleteProjectHook(h.project, id, gitlab.WithContext(ctx))
	return h.forge.fault(ctx, err)
}

// Ping makes a hook tell of a push.
func (h hooks) Ping(ctx context.Context, id int64) error {
	_, err := h.client.Projects.TriggerTestProjectHook(h.project, id, gitlab.ProjectHookEventPush, gitlab.WithContext(ctx))
	return h.explain(ctx, err)
}

// explain says why hooks are refused.
func (h hooks) explain(ctx context.Context, err error) error {
	err = h.forge.fault(ctx, err)
	if waybill.IsCode(err, waybill.NotFound) || waybill.IsCode(err, waybill.Denied) {
		return waybill.Wrap(waybill.Denied, errors.Unwrap(err), "the token may not administrate the webhooks of "+h.r.Path+
			" (it needs the scope api and the role Maintainer)")
	}
	return err
}
