package portal

import (
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	platformstore "github.com/waybill-dev/waybill/internal/foundation/store/platform"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// settingsPage lists what the platform repository declares.
type settingsPage struct {
	frame
	Repository waybill.Repository // the platform's; zero when it is not watched
	Configured bool               // the configuration names one
	All        int
	Groups     []settingGroup
}

// settingGroup holds the settings of one kind.
type settingGroup struct {
	ID, Title string
	Settings  []setting
}

// setting is one declaration, and where in Git it stands.
type setting struct {
	Name    string
	Values  []pair
	Place   string // file:line
	Commit  commitLink
	Applied time.Time
}

// settingTitles are the kinds in the order people look for them, and what they are called.
func settingTitles() [][2]string {
	return [][2]string{
		{waybill.KindTeam, "Teams"},
		{waybill.KindRepository, "Repositories"},
		{waybill.KindSite, "Sites"},
		{waybill.KindWorkspace, "Workspaces"},
		{waybill.KindAuthProvider, "Providers"},
		{waybill.KindEventCatalog, "Events"},
		{waybill.KindTerms, "Terms"},
		{waybill.KindPolicy, "Policies"},
	}
}

func (p *Portal) settings(w http.ResponseWriter, r *http.Request) error {
	page := settingsPage{frame: p.frame(r, "Settings", "/settings"), Configured: p.Platform != ""}
	read, err := p.read(r.Context())
	if err != nil {
		return err
	}
	for _, repository := range read.repositories {
		if page.Configured && repository.URL == p.Platform {
			page.Repository = repository
		}
	}
	all, err := platformstore.List(r.Context(), read.q, "")
	if err != nil {
		return err
	}
	page.All = len(all)
	for _, kind := range settingTitles() {
		group := settingGroup{ID: strings.ToLower(kind[1]), Title: kind[1]}
		for _, s := range all {
			if s.Kind == kind[0] {
				group.Settings = append(group.Settings, newSetting(s, read.link(page.Repository.ID, s.Commit)))
			}
		}
		if len(group.Settings) > 0 {
			page.Groups = append(page.Groups, group)
		}
	}
	return p.render(w, http.StatusOK, "settings", page)
}

func newSetting(s platformstore.Setting, commit commitLink) setting {
	v := setting{Name: s.Name, Place: fmt.Sprintf("%s:%d", s.File, max(s.Line, 1)), Commit: commit, Applied: s.Applied}
	codes := []string{"Address", "Connector", "Branches", "Tags", "Manifests in", "Text", "Base images", "Constraints", "Events", "Scopes"}
	for _, f := range s.Spec.Facts() {
		v.Values = append(v.Values, pair{f.Name, clip(f.Value, longFact), slices.Contains(codes, f.Name)})
	}
	return v
}

// longFact is how much of a value is shown; the manifest has all of it.
const longFact = 400
