package github

import (
	"context"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Ping makes the hook of r with this address say something. NotFound: there is no such hook.
func (f *Forge) Ping(ctx context.Context, r waybill.Repository, address string) error {
	c, at, err := f.open(ctx, "ping", r)
	if err != nil {
		return err
	}
	there, err := f.hooks(ctx, c, at)
	if err != nil {
		return f.mayNotHook(ctx, r, err)
	}
	for _, h := range there {
		if h.GetConfig().GetURL() == address {
			_, err := c.Repositories.PingHook(ctx, at.owner, at.name, h.GetID())
			return f.mayNotHook(ctx, r, err)
		}
	}
	return waybill.Errorf(waybill.NotFound, "%s has no hook that goes to %s", r.Path, address)
}
