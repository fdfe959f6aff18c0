package gitea

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

	sdk "code.gitea.io/sdk/gitea"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Ping makes the hook of r with this address say something: Gitea tells again of the newest commit of the default branch.
// NotFound: there is no such hook.
func (g *Gitea) Ping(ctx context.Context, r waybill.Repository, address string) error {
	ids, err := g.hooks(ctx, r, address)
	if err != nil {
		return err
	}
	if len(ids) == 0 {
		return waybill.Errorf(waybill.NotFound, "%s has no hook that goes to %s", r.Path, address)
	}
	token, err := g.options.Token(ctx)
	if err != nil {
		return err
	}
	return g.in(ctx, r, "ping", func(_ *sdk.Client, p place) (*sdk.Response, error) {
		at := fmt.Sprintf("%s/api/v1/repos/%s/%s/hooks/%d/tests", g.options.URL, url.PathEscape(p.owner), url.PathEscape(p.name), ids[0])
		req, err := http.NewRequestWithContext(ctx, http.MethodPost, at, http.NoBody)
		if err != nil {
			return nil, err
		}
		req.Header.Set("Authorization", "token "+token)
		req.Header.Set("User-Agent", "waybill")
		res, err := g.http.Do(req)
		if err != nil {
			return nil, err
		}
		defer func() { _ = res.Body.Close() }()
		if res.StatusCode/100 != 2 {
			err = waybill.Errorf(waybill.Unavailable, "Gitea says %s", res.Status)
		}
		return &sdk.Response{Response: res}, err
	})
}
