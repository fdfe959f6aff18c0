package forge

import (
	"encoding/json"
	"io"
	"net/http"
	"slices"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// something reads a whole answer, and makes an error of a list of nothing: the clients of forges take what came for
// something that is there. An answer that is null may be an empty list.
func (w *Wire) something(resp *http.Response) (*http.Response, error) {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	var list []json.RawMessage
	null := func(raw json.RawMessage) bool { return string(raw) == "null" }
	if json.Unmarshal(body, &list) == nil && slices.ContainsFunc(list, null) {
		return nil, waybill.Errorf(waybill.Unavailable, "%s lists nothing where something must be", w.Host)
	}
	return rewind(resp, body), nil
}
