package api

import (
	"context"
	"net/http"

	"github.com/waybill-dev/waybill/internal/face/api/wire"
	"github.com/waybill-dev/waybill/internal/foundation/auth"
)

func (a *API) addVersion() {
	add(a, operation{
		method: http.MethodGet, path: "/version", id: "get-version", tag: "server",
		summary: "Say which program answers.", action: auth.Read,
	}, func(context.Context, *struct{}) (*body[wire.Version], error) {
		return answer(wire.Version{Version: a.Version, API: "v1"}), nil
	})
}
