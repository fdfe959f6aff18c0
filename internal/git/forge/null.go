package forge

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"slices"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// something reads a whole answer, and makes an error of a list of nothing, and of nothing after something was to be
// made: the clients of forges take what came for something that is there. To who asks, null may be an empty list.
func (w *Wire) something(req *http.Request, resp *http.Response) (*http.Response, error) {
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		return nil, err
	}
	var list []json.RawMessage
	null := func(raw json.RawMessage) bool { return string(bytes.TrimSpace(raw)) == "null" }
	makes := req.Method == http.MethodPost || req.Method == http.MethodPatch || req.Method == http.MethodPut
	if makes && null(body) || json.Unmarshal(body, &list) == nil && slices.ContainsFunc(list, null) {
		return nil, waybill.Errorf(waybill.Unavailable, "%s answers with nothing where something must be", w.Host)
	}
	return rewind(resp, body), nil
}
