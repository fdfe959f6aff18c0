package forge

import (
	"context"
	"net/http"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Token returns an access token. It is asked for each request, so that a changed one is used at once; an empty one is
// none.
type Token func(ctx context.Context) (string, error)

// Read returns the token of the moment, or Unauthenticated: a token that cannot be read may come back.
func (t Token) Read(ctx context.Context) (string, error) {
	text, err := t(ctx)
	if err != nil {
		return "", waybill.Wrap(waybill.Unauthenticated, err, err.Error())
	}
	return text, nil
}

// Authorize adds the token to a request.
func (t Token) Authorize(req *http.Request) error {
	text, err := t.Read(req.Context())
	if err == nil && text != "" {
		req.Header.Set("Authorization", "Bearer "+text)
	}
	return err
}
