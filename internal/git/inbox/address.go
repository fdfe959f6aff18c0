package inbox

import (
	"net/url"
	"os"
	"path"
	"path/filepath"
	"regexp"
	"strings"

	"github.com/waybill-dev/waybill/internal/waybill"
)

var nameRule = regexp.MustCompile(`^[a-z][a-z0-9]*([-._][a-z0-9]+)*$`)

// Address returns the URL under which a repository is watched that a person names as text: links in paths are resolved.
// Empty stays empty. Invalid: not the address of a repository.
func Address(text string) (string, error) {
	if text == "" {
		return "", nil
	}
	r := waybill.Repository{URL: text, Owner: "nobody", Name: "any"}
	err := normalise(&r)
	return r.URL, err
}

// wellFormed checks what can be checked before a forge is asked, which may know the name.
func wellFormed(r waybill.Repository) error {
	if r.Name == "" {
		r.Name = "any"
	}
	return normalise(&r)
}

// normalise checks what a person asked for and fills in what follows from it.
func normalise(r *waybill.Repository) error {
	if r.Owner == "" {
		return waybill.Errorf(waybill.Invalid, "a repository needs an owner: pass --owner <team>")
	}
	if !nameRule.MatchString(r.Owner) {
		return waybill.Errorf(waybill.Invalid, "owner %q is no team name: use lower-case letters, digits and single dashes", r.Owner)
	}
	if r.Local() {
		if err := normaliseLocal(r); err != nil {
			return err
		}
	} else if err := checkURL(r.URL); err != nil {
		return err
	}
	if r.Name == "" {
		r.Name = strings.ToLower(strings.TrimSuffix(path.Base(strings.TrimRight(r.URL, "/")), ".git"))
	}
	if !nameRule.MatchString(r.Name) {
		return waybill.Errorf(waybill.Invalid, "%q is no repository name: pass --name with lower-case letters, digits and single dashes", r.Name)
	}
	return nil
}

// normaliseLocal resolves links, so that one folder has one URL, and accepts the bare repository of a work tree.
func normaliseLocal(r *waybill.Repository) error {
	resolved, err := filepath.EvalSymlinks(filepath.Clean(r.URL))
	if err != nil {
		return waybill.Wrap(waybill.Invalid, err, "there is no folder "+r.URL)
	}
	r.URL = resolved
	if info, err := os.Stat(filepath.Join(resolved, "HEAD")); err != nil || info.IsDir() {
		return waybill.Errorf(waybill.Invalid, "%s is no bare Git repository: make one with `git init --bare`, or pass the URL of a server", r.URL)
	}
	return nil
}

// checkURL refuses what cannot be fetched safely: other schemes, and credentials that would end up in logs.
func checkURL(text string) error {
	u, err := url.Parse(text)
	if err != nil || u.Host == "" || u.Scheme != "https" && u.Scheme != "http" && u.Scheme != "ssh" {
		return waybill.Errorf(waybill.Invalid, "repository must be an absolute path of a bare repository, or an https:// or ssh:// URL")
	}
	if _, hasPassword := u.User.Password(); hasPassword || u.User != nil && u.Scheme != "ssh" { // a token may stand as the user
		return waybill.Errorf(waybill.Invalid, "repository URL must not hold a password or token: it is shown to people and programs")
	}
	return nil
}
