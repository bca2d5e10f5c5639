package httpmw

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/sallyport-go/sallyport/claims/httpauth"
)

// resource is what a Middleware guards, for clients.
type resource struct {
	identifier   string // as a Config has it; empty for none
	metadataURL  string
	metadataPath string
	ofRequest    bool // identifier is a path on the host of the request
}

func newResource(identifier string) (resource, error) {
	if identifier == "" {
		return resource{}, nil
	}
	const stand = "https://host" // for that of the request
	if strings.HasPrefix(identifier, "/") {
		at, err := httpauth.ResourceMetadataURL(stand + identifier)
		if identifier == "/" {
			identifier = "" // as a host alone is written
		}
		return resource{
			identifier: identifier, metadataPath: strings.TrimPrefix(at, stand), ofRequest: true,
		}, err
	}
	at, err := httpauth.ResourceMetadataURL(identifier)
	if err != nil {
		return resource{}, err
	}
	u, err := url.Parse(at)
	if err != nil {
		return resource{}, err
	}
	return resource{
		identifier: identifier, metadataURL: at, metadataPath: u.EscapedPath(),
	}, nil
}

// of returns the identifier of the resource and the URL of its metadata for a
// request, empty if neither can be told.
func (s *resource) of(r *http.Request) (identifier, metadataURL string) {
	if !s.ofRequest {
		return s.identifier, s.metadataURL
	}
	if r == nil || !isHost(r.Host) {
		return "", ""
	}
	origin := "http://" + r.Host
	if r.TLS != nil {
		origin = "https://" + r.Host
	}
	return origin + s.identifier, origin + s.metadataPath
}

// isHost reports whether a Host field holds a name or an address as they are
// written in a URL, with or without a port: the client chose it.
func isHost(host string) bool {
	other := func(r rune) bool {
		return (r < 'a' || 'z' < r) && (r < 'A' || 'Z' < r) && (r < '0' || '9' < r) &&
			!strings.ContainsRune("-._:[]", r)
	}
	if host == "" || strings.HasSuffix(host, ":") || strings.IndexFunc(host, other) >= 0 {
		return false
	}
	u, err := url.Parse("http://" + host)
	return err == nil && u.Host == host
}

// bearerMethods are the words of RFC 9728 section 2 for where a token is taken
// from: none for a place that RFC 6750 does not know.
func (p Place) bearerMethods() []string {
	methods := []string{}
	for _, s := range p.spots() {
		switch {
		case s == authorization:
			methods = append(methods, "header")
		case s.kind == inForm:
			methods = append(methods, "body")
		case s == spot{inQuery, formParameter}: // another name is no method of RFC 6750
			methods = append(methods, "query")
		}
	}
	return methods
}
