package gitea

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Ping makes the hook of r with this address say something: Gitea sends the last push to the default branch again, and
// nothing while there is none. NotFound: there is no such hook.
func (g *Gitea) Ping(ctx context.Context, r waybill.Repository, address string) error {
	ids, err := g.hooks(ctx, r, address)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return waybill.Errorf(waybill.NotFound, "there is no hook to %s", address)
	}
	return g.in(ctx, r, "ping", func(_ *sdk.Client, p place) error {
		return g.post(ctx, "ping", "repos", url.PathEscape(p.owner), url.PathEscape(p.name), "hooks", strconv.FormatInt(ids[0], 10), "tests")
	})
}

// post makes a request that the library has no call for.
func (g *Gitea) post(ctx context.Context, operation string, path ...string) error {
	address := g.web.JoinPath("api", "v1").JoinPath(path...)
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address.String(), http.NoBody)
	if err != nil {
		return err
	}
	res, err := g.wire.For(operation).Client().Do(req)
	if err != nil {
		return err
	}
	return res.Body.Close()
}
