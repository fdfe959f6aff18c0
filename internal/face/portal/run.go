package portal

import (
	"context"
	"io"
	"net/http"

	"github.com/waybill-dev/waybill/internal/foundation/store"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// runPage is one run: where it stands, whose fault it is, and what it wrote.
type runPage struct {
	frame
	Run     waybill.Run
	Row     runRow
	Trouble *trouble
	Values  []pair
	Panes   []logPane
	History []historyRow
	Search  string
}

func (p *Portal) run(w http.ResponseWriter, r *http.Request) error {
	page, err := p.loadRun(r)
	if err != nil {
		return err
	}
	if page.Panes, err = p.runPanes(page.Run, r.URL.Query().Get("q")); err != nil {
		return err
	}
	page.Search = r.URL.Query().Get("q")
	if !page.Run.State.Final() && page.Search == "" {
		page.Stream = page.Row.URL + "/events?last=" + positions(panePositions(page.Panes, page.Run))
	}
	return p.render(w, http.StatusOK, "run", page)
}

func (p *Portal) runEvents(w http.ResponseWriter, r *http.Request) error {
	page, err := p.loadRun(r)
	if err != nil {
		return err
	}
	logs := readPositions(r, panePositions(nil, page.Run))
	return p.stream(w, r, live{
		Page: "run", Topics: []string{"run:" + page.Run.ID}, Parts: []string{"run-state", "run-facts", "history"}, Logs: logs,
		Load: func(ctx context.Context) (any, bool, error) {
			page, err := p.loadRun(r.WithContext(ctx))
			return page, page.Run.State.Final(), err
		},
	})
}

// loadRun reads a run without its logs.
func (p *Portal) loadRun(r *http.Request) (runPage, error) {
	var page runPage
	ctx := r.Context()
	read, err := p.read(ctx)
	if err != nil {
		return page, err
	}
	if page.Run, err = connectorstore.Run(ctx, read.q, r.PathValue("id")); err != nil {
		return page, err
	}
	release, err := read.release(ctx, page.Run.Release)
	if err != nil {
		return page, err
	}
	id := identityOf(page.Run)
	page.frame = p.frame(r, "Run of "+id.String(), "/runs",
		link{"Connectors", "/connectors"}, linkTo(id), link{"Runs", connectorURL(id, "runs")})
	page.Row = newRunRow(page.Run, release, read.link)
	repository := ""
	if release != nil {
		repository = release.Repository
	}
	if t, ok := runTrouble(page.Run, read.link, repository); ok {
		t.Log = link{} // this is where to read more
		page.Trouble = &t
	}
	page.Values = runValues(page.Run, release)
	entries, err := store.History(ctx, read.q, store.HistoryFilter{Subject: "run:" + page.Run.ID})
	page.History = newHistory(entries, read.link)
	return page, err
}

// runValues lists the values given to one run. Passwords are not shown.
func runValues(run waybill.Run, release *waybill.Release) []pair {
	if release == nil || release.Declaration.Connector == nil {
		return nil
	}
	var values []pair
	for _, f := range release.Declaration.Connector.Fields {
		v, ok := run.Values[f.Key]
		switch {
		case ok && f.Type == "password":
			values = append(values, pair{f.Key, "given, not shown", false})
		case ok:
			values = append(values, pair{f.Key, clip(v, 200), true})
		}
	}
	return values
}

// runPanes reads the ends of both outputs of a run, or what query finds in them.
func (p *Portal) runPanes(run waybill.Run, query string) ([]logPane, error) {
	raw := "/runs/" + run.ID + "/logs/"
	follow := !run.State.Final()
	out, err := p.readPane(logPane{ID: "stdout", Title: "stdout", Raw: raw + "stdout", Follow: follow, Search: query}, run.Stdout)
	if err != nil {
		return nil, err
	}
	errs, err := p.readPane(logPane{ID: "stderr", Title: "stderr", Stderr: true, Raw: raw + "stderr", Follow: follow, Search: query}, run.Stderr)
	return []logPane{out, errs}, err
}

// panePositions returns where the live updates of both outputs go on.
func panePositions(panes []logPane, run waybill.Run) []followed {
	logs := []followed{{Pane: "stdout", Log: run.Stdout}, {Pane: "stderr", Log: run.Stderr}}
	for i := range panes {
		logs[i].From = panes[i].Size
	}
	return logs
}

// runLog sends one output of a run as it is.
func (p *Portal) runLog(w http.ResponseWriter, r *http.Request) error {
	run, err := connectorstore.Run(r.Context(), p.DB.Query(), r.PathValue("id"))
	if err != nil {
		return err
	}
	id := map[string]string{"stdout": run.Stdout, "stderr": run.Stderr}[r.PathValue("stream")]
	return p.download(w, id, run.Connector+"-"+run.ID+"-"+r.PathValue("stream")+".log")
}

// download sends a log as a file.
func (p *Portal) download(w http.ResponseWriter, id, name string) error {
	if id == "" {
		return waybill.Errorf(waybill.NotFound, "there is no such log")
	}
	f, err := p.Logs.Open(id)
	if err != nil {
		return err
	}
	defer f.Close()
	h := w.Header()
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("Content-Disposition", `attachment; filename="`+name+`"`)
	h.Set("Cache-Control", "no-store")
	_, _ = io.Copy(w, f) // the client is gone, or the rest cannot be read: the answer has begun
	return nil
}
