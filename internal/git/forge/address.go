package forge

import (
	"net/url"
	"strings"

	"github.com/waybill-dev/waybill/internal/waybill"
)

// Home reads the address of a forge.
func Home(address string) (*url.URL, error) {
	home, err := url.Parse(strings.TrimRight(address, "/"))
	if err != nil || home.Host == "" || home.Scheme != "https" && home.Scheme != "http" {
		return nil, waybill.Errorf(waybill.Invalid, "%q is not the address of a forge, such as https://git.example.org", address)
	}
	return home, nil
}

// PathOf reads owner/name from the address of a repository at a forge: that of its page, or for cloning over HTTP or
// SSH. Only SSH may have another host. Whether there may be such a path is for the forge to say.
func PathOf(home *url.URL, address string) (string, error) {
	path, ok := "", false
	switch u, err := url.Parse(address); {
	case err == nil && u.Scheme == "ssh":
		path, ok = u.Path, true
	case err == nil && strings.EqualFold(u.Host, home.Host):
		path, ok = strings.CutPrefix(u.Path, strings.TrimSuffix(home.Path, "/")+"/")
	case !strings.Contains(address, "://"):
		_, path, ok = strings.Cut(address, ":") // git@host:owner/name.git
	}
	if !ok {
		return "", waybill.Errorf(waybill.Invalid, "%s is no repository of %s", address, home)
	}
	return strings.TrimSuffix(strings.Trim(path, "/"), ".git"), nil
}
