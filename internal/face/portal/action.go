package portal

import (
	"net/http"

	"github.com/waybill-dev/waybill/internal/foundation/auth"
	connectorstore "github.com/waybill-dev/waybill/internal/foundation/store/connector"
	gitstore "github.com/waybill-dev/waybill/internal/foundation/store/git"
	"github.com/waybill-dev/waybill/internal/waybill"
)

// startRun starts a run of a connector at the site of the form, and leads to it.
func (p *Portal) startRun(w http.ResponseWriter, r *http.Request) error {
	id := waybill.ParseIdentity(r.PathValue("name"))
	site := r.PostFormValue("site")
	if site == "" {
		return waybill.Errorf(waybill.Invalid, "choose a site")
	}
	run, err := p.Start(r.Context(), Start{
		Connector: id.Name, Major: id.Major, Site: site, By: auth.From(r.Context()).Actor(),
	})
	if err != nil {
		return err
	}
	http.Redirect(w, r, "/runs/"+run.ID, http.StatusSeeOther)
	return nil
}

// cancelRun asks for the end of a run.
func (p *Portal) cancelRun(w http.ResponseWriter, r *http.Request) error {
	id := r.PathValue("id")
	run, err := connectorstore.Run(r.Context(), p.DB.Query(), id)
	if err != nil {
		return err
	}
	if err := p.Runs.Cancel(r.Context(), run.ID, auth.From(r.Context()).Actor()); err != nil {
		return err
	}
	back(w, r, "/runs/"+run.ID, "cancel")
	return nil
}

// rollback makes the version before the live one live again.
func (p *Portal) rollback(w http.ResponseWriter, r *http.Request) error {
	id := waybill.ParseIdentity(r.PathValue("name"))
	env := waybill.Environment(r.PostFormValue("environment"))
	if env != waybill.Dev && env != waybill.Prod {
		return waybill.Errorf(waybill.Invalid, "the environment is %s or %s", waybill.Dev, waybill.Prod)
	}
	if _, err := p.Versions.Rollback(r.Context(), id.Name, id.Major, env, auth.From(r.Context()).Actor()); err != nil {
		return err
	}
	back(w, r, connectorURL(id), "rollback")
	return nil
}

// promote makes a release live in its environment.
func (p *Portal) promote(w http.ResponseWriter, r *http.Request) error {
	live, err := p.Versions.Promote(r.Context(), r.PathValue("id"), auth.From(r.Context()).Actor())
	if err != nil {
		return err
	}
	id := waybill.Identity{Kind: "Connector", Name: live.Connector, Major: live.Major}
	back(w, r, connectorURL(id), "promote")
	return nil
}

// retryCommit examines a commit again.
func (p *Portal) retryCommit(w http.ResponseWriter, r *http.Request) error {
	repository, err := gitstore.RepositoryByName(r.Context(), p.DB.Query(), r.PathValue("owner")+"/"+r.PathValue("name"))
	if err != nil {
		return err
	}
	sha := r.PathValue("sha")
	if err := p.Retrier.Retry(r.Context(), repository.ID, sha, auth.From(r.Context()).Actor()); err != nil {
		return err
	}
	page := commitURL(repository, sha)
	if id := r.PostFormValue("connector"); id != "" {
		page = connectorURL(waybill.ParseIdentity(id))
	}
	back(w, r, page, "retry")
	return nil
}

// back leads to a page, which says what was done. The page is a path of this server: names in it are escaped.
func back(w http.ResponseWriter, r *http.Request, page, did string) {
	http.Redirect(w, r, page+"?did="+did, http.StatusSeeOther) //nolint:gosec // A path below /connectors, /runs or /repositories.
}
