package jwks

import (
	"errors"
	"net"
	"net/url"
	"strings"
)

// parseIssuer takes an issuer identifier that metadata can be found under.
func parseIssuer(s string) (*url.URL, error) { return parse(s, true) }

// parseURL takes an absolute https URL, or http on a loopback address, without
// user information and fragment.
func parseURL(s string) (*url.URL, error) { return parse(s, false) }

// parse names all that is wrong with s, and does not repeat s, which may hold a
// password.
func parse(s string, issuer bool) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, errors.New("is not a URL")
	case u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("must be an absolute URL with a host")
	}
	var wrong []string
	switch {
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		wrong = append(wrong, "be https (http is for loopback addresses only)")
	case u.Scheme != "https" && u.Scheme != "http":
		wrong = append(wrong, "be an https URL")
	}
	if u.User != nil {
		wrong = append(wrong, "not have user information")
	}
	if strings.Contains(s, "#") {
		wrong = append(wrong, "not have a fragment")
	}
	if issuer && (u.RawQuery != "" || u.ForceQuery) { // RFC 8414 section 2
		wrong = append(wrong, "not have a query")
	}
	if len(wrong) > 0 {
		return nil, errors.New("must " + strings.Join(wrong, ", and must "))
	}
	return u, nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// sameOrigin compares scheme, host and port (RFC 6454 section 5).
func sameOrigin(a, b *url.URL) bool {
	return a.Scheme == b.Scheme && strings.EqualFold(a.Hostname(), b.Hostname()) &&
		port(a) == port(b)
}

func port(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"https": "443", "http": "80"}[u.Scheme]
}

// withoutQuery is s as errors and logs may show it: a query may hold a secret.
func withoutQuery(s string) string {
	before, _, _ := strings.Cut(s, "?")
	return before
}
