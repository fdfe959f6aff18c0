package build

import (
	"net/netip"
	"net/url"
	"slices"
	"strings"

	"github.com/distribution/reference"
	"github.com/moby/buildkit/solver/pb"
)

// checkSource says why a source of a build is refused, or nothing. Images, the context and hosts on the allow list pass.
func checkSource(src *pb.SourceOp, allow []string) (cause string) {
	scheme, _, ok := strings.Cut(src.Identifier, "://")
	switch {
	case ok && (scheme == "docker-image" || scheme == "local"):
		return ""
	case ok && (scheme == "http" || scheme == "https" || scheme == "git"):
		host := sourceHost(src)
		if host == "" || !slices.Contains(allow, host) {
			return "sources from " + hostName(host) + " are refused: the operator of Waybill can allow this host"
		}
		return ""
	default:
		return "sources of this kind are refused"
	}
}

func hostName(host string) string {
	if host == "" {
		return "this host"
	}
	return host
}

// sourceHost returns host, or host:port unless the port is the scheme's own; empty when there is none to be read.
func sourceHost(src *pb.SourceOp) string {
	remote := src.Identifier
	if full := src.Attrs[pb.AttrFullRemoteURL]; full != "" {
		remote = full
	}
	if user, rest, ok := strings.Cut(remote, "@"); ok && !strings.Contains(user, "/") { // git@host:path
		host, _, _ := strings.Cut(rest, ":")
		return strings.ToLower(host)
	}
	u, err := url.Parse(remote)
	if err != nil {
		return ""
	}
	defaults := map[string]string{"http": "80", "https": "443", "git": "9418", "ssh": "22"}
	if port := u.Port(); port != "" && port != defaults[u.Scheme] {
		return strings.ToLower(u.Hostname()) + ":" + port
	}
	return strings.ToLower(u.Hostname())
}

func imageRef(identifier string) (ref string, ok bool) {
	return strings.CutPrefix(identifier, "docker-image://")
}

// checkRegistry says why the engine may not pull an image, or nothing. Names are not resolved: an internal registry
// behind a public-looking name is the operator's to close.
func checkRegistry(ref string, allow []string) (cause string) {
	named, err := reference.ParseNormalizedNamed(ref)
	if err != nil {
		return "this is no image name"
	}
	registry := strings.ToLower(reference.Domain(named))
	if slices.Contains(allow, registry) || public(registry) {
		return ""
	}
	return "images from " + registry + " are refused: the operator of Waybill can allow this registry"
}

// public reports whether a host[:port] looks like one of the internet: a name with a dot, or a global address.
func public(registry string) bool {
	u, err := url.Parse("https://" + registry)
	if err != nil {
		return false
	}
	host := u.Hostname()
	if addr, err := netip.ParseAddr(host); err == nil {
		addr = addr.Unmap()
		return addr.IsGlobalUnicast() && !addr.IsPrivate() && !netip.MustParsePrefix("100.64.0.0/10").Contains(addr)
	}
	dot := strings.LastIndexByte(host, '.')
	if dot < 0 || strings.HasSuffix(host, ".localhost") || strings.HasSuffix(host, ".internal") || strings.HasSuffix(host, ".local") {
		return false
	}
	top := host[dot+1:]
	return top != "" && (top[0] < '0' || top[0] > '9') // 127.1 and 0x7f.0x1 are addresses to some resolvers
}
