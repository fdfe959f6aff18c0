package gitea

import (
	"context"
	"fmt"
	"net/http"
	"net/url"

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
	return g.in(ctx, r, "ping", func(_ *sdk.Client, p place) (*sdk.Response, error) {
		return g.post(ctx, fmt.Sprintf("/repos/%s/%s/hooks/%d/tests", url.PathEscape(p.owner), url.PathEscape(p.name), ids[0]))
	})
}

// post makes a request that the library has no call for.
func (g *Gitea) post(ctx context.Context, path string) (*sdk.Response, error) {
	token, err := g.options.Token(ctx)
	if err != nil {
		return nil, err
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, g.options.URL+"/api/v1"+path, http.NoBody)
	if err != nil {
		return nil, err
	}
	req.Header.Set("Authorization", "token "+token)
	res, err := g.http.Do(req)
	if err != nil {
		return nil, err
	}
	return &sdk.Response{Response: res}, res.Body.Close()
}
