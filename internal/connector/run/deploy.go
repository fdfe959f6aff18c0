package run

import (
	"context"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// Deployed is told, in the transaction of a deployment, that release has reached a site. It queues a run when the
// declaration asks for one on deployment. A run that is refused, for want of a value perhaps, is noted in the history
// of the connector and does not hold up the deployment.
func (e *Engine) Deployed(ctx context.Context, tx *store.Tx, release waybill.Release, site string) error {
	d := release.Declaration
	if !d.Connector.Run.OnDeploy {
		return nil
	}
	_, err := e.trigger(ctx, tx, Request{
		Connector: d.Name, Major: d.Major, Site: site, Trigger: waybill.TriggerDeploy,
		By: waybill.Actor{Channel: waybill.ChannelGit},
	})
	return err
}

// trigger starts a run that no person waits for. A refusal is noted in the history of the connector.
func (e *Engine) trigger(ctx context.Context, tx *store.Tx, req Request) (started bool, err error) {
	_, err = e.start(ctx, tx, req)
	if !refused(err) {
		return err == nil, err
	}
	id := waybill.Identity{Name: req.Connector, Major: req.Major}
	return false, store.Record(ctx, tx, waybill.Entry{
		Actor: req.By.Name, Channel: req.By.Channel, Subject: "connector:" + id.String(),
		Action: "run.refuse", After: string(req.Trigger), Message: err.Error(),
	})
}

// refused reports whether err is an answer to the request, and no trouble of ours.
func refused(err error) bool {
	switch waybill.CodeOf(err) {
	case waybill.Invalid, waybill.NotFound, waybill.Conflict:
		return true
	default:
		return false
	}
}
