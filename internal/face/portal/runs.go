package portal

import (
	"net/http"
	"net/url"
	"slices"

	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// runsPage lists runs, newest first.
type runsPage struct {
	frame
	Connector, Site, State string // what is asked for; empty for all
	Connectors, Sites      []string
	States                 []waybill.RunState
	Runs                   []runRow
	More                   string
}

func (p *Portal) runs(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	page := runsPage{
		frame: p.frame(r, "Runs", "/runs"), States: waybill.RunStates(),
		Connector: query.Get("connector"), Site: query.Get("site"), State: query.Get("state"),
	}
	read, err := p.read(r.Context())
	if err != nil {
		return err
	}
	filter := connectorstore.RunFilter{
		Connector: page.Connector, Site: page.Site, Before: query.Get("before"), Limit: pageRows + 1,
	}
	if slices.Contains(page.States, waybill.RunState(page.State)) {
		filter.States = []waybill.RunState{waybill.RunState(page.State)}
	}
	runs, err := connectorstore.Runs(r.Context(), read.q, filter)
	if err != nil {
		return err
	}
	if len(runs) > pageRows {
		runs = runs[:pageRows]
		page.More = "/runs?" + url.Values{
			"connector": {page.Connector}, "site": {page.Site}, "state": {page.State}, "before": {runs[pageRows-1].ID},
		}.Encode()
	}
	if page.Runs, err = read.runRows(r.Context(), runs); err != nil {
		return err
	}
	connectors, err := connectorstore.Connectors(r.Context(), read.q)
	if err != nil {
		return err
	}
	for _, c := range connectors {
		page.Connectors = append(page.Connectors, c.Name)
	}
	sites, err := connectorstore.Sites(r.Context(), read.q)
	if err != nil {
		return err
	}
	for _, s := range sites {
		page.Sites = append(page.Sites, s.Name)
	}
	return p.render(w, http.StatusOK, "runs", page)
}

// Filtered reports whether anything but the newest runs is asked for.
func (page runsPage) Filtered() bool { return page.Connector+page.Site+page.State != "" }
