package portal

import (
	"cmp"
	"net/http"
	"slices"
	"strconv"
	"strings"

	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
)

// connectorsPage lists all connectors.
type connectorsPage struct {
	frame
	All, Found int
	Search     string
	Sort       string
	Heads      []sortHead
	Rows       []connectorRow
	Before     string // address of the rows before; empty at the start
	After      string
	Repository bool // at least one repository is watched
}

// sortHead is a column that can be sorted by.
type sortHead struct {
	link
	Current bool
}

func (p *Portal) connectors(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	page := connectorsPage{
		frame: p.frame(r, "Connectors", "/connectors"), Search: strings.TrimSpace(query.Get("q")), Sort: query.Get("sort"),
	}
	read, err := p.read(r.Context())
	if err != nil {
		return err
	}
	page.Repository = len(read.repositories) > 0
	all, err := connectorstore.Connectors(r.Context(), read.q)
	if err != nil {
		return err
	}
	page.All = len(all)
	all = arrange(all, page.Search, page.Sort)
	page.Found = len(all)
	number, _ := strconv.Atoi(query.Get("page")) // 0 when it is no number: the first page
	at := func(n int) string {
		query.Set("page", strconv.Itoa(n))
		return "/connectors?" + query.Encode()
	}
	from := min(max(number, 0)*pageRows, len(all))
	to := min(from+pageRows, len(all))
	if from > 0 {
		page.Before = at(number - 1)
	}
	if to < len(all) {
		page.After = at(number + 1)
	}
	for _, key := range []string{"name", "owner", "newest"} {
		query.Set("sort", key)
		query.Del("page")
		page.Heads = append(page.Heads, sortHead{link{key, "/connectors?" + query.Encode()}, key == cmp.Or(page.Sort, "name")})
	}
	if err := read.keepAll(r.Context()); err != nil {
		return err
	}
	runs, err := connectorstore.Runs(r.Context(), read.q, connectorstore.RunFilter{Limit: dashboardWindow})
	if err != nil {
		return err
	}
	if page.Rows, err = read.connectorRows(r.Context(), all[from:to], runs); err != nil {
		return err
	}
	return p.render(w, http.StatusOK, "connectors", page)
}

// arrange keeps the connectors whose name or owner holds search, and sorts them.
func arrange(all []connectorstore.Connector, search, sort string) []connectorstore.Connector {
	search = strings.ToLower(search)
	kept := slices.DeleteFunc(slices.Clone(all), func(c connectorstore.Connector) bool {
		return !strings.Contains(c.Name, search) && !strings.Contains(c.Owner, search)
	})
	slices.SortStableFunc(kept, func(a, b connectorstore.Connector) int {
		switch sort {
		case "owner":
			return cmp.Or(strings.Compare(a.Owner, b.Owner), strings.Compare(a.Name, b.Name))
		case "newest":
			return b.Created.Compare(a.Created)
		default:
			return strings.Compare(a.Name, b.Name)
		}
	})
	return kept
}
