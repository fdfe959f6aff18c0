package gitlab

import (
	"context"

	gitlab "gitlab.com/gitlab-org/api/client-go"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Ping makes the hook of r with this address say something, as if somebody had pushed; GitLab does so five times a
// minute at most. NotFound: there is no such hook.
func (f *Forge) Ping(ctx context.Context, r waybill.Repository, address string) error {
	c, project, err := f.open("ping", r)
	if err != nil {
		return err
	}
	there, err := f.hooks(ctx, c, project)
	if err != nil {
		return f.mayNotHook(ctx, r, err)
	}
	for _, h := range there {
		if h.URL == address {
			_, err := c.Projects.TriggerTestProjectHook(project, h.ID, gitlab.ProjectHookEventPush, gitlab.WithContext(ctx))
			return f.mayNotHook(ctx, r, err)
		}
	}
	return waybill.Errorf(waybill.NotFound, "%s has no hook that goes to %s", r.Path, address)
}
