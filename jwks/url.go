package jwks

import (
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
)

// httpHosts are hosts, with or without a port, that may be asked over http.
type httpHosts []string

func (hosts httpHosts) allow(u *url.URL) bool {
	return slices.ContainsFunc(hosts, func(entry string) bool {
		host, port, _ := splitHost(entry)
		return strings.EqualFold(host, u.Hostname()) && (port == "" || port == portOf(u))
	})
}

// validate says what is wrong with the hosts, by their place in field.
func (hosts httpHosts) validate(field string) (errs []error) {
	for i, entry := range hosts {
		if _, _, ok := splitHost(entry); !ok {
			errs = append(errs, fmt.Errorf(
				"jwks: %s[%d] of %.100q must be a host, or a host and a port",
				field, i, shown(entry)))
		}
	}
	return errs
}

// splitHost splits a host as a URL has it. An IPv6 address may be without its
// brackets if there is no port.
func splitHost(entry string) (host, port string, ok bool) {
	if net.ParseIP(entry) != nil {
		return entry, "", true
	}
	u, err := url.Parse("http://" + entry)
	ok = err == nil && entry != "" && u.Host == entry && u.Hostname() != "" &&
		!strings.HasSuffix(entry, ":") && !strings.ContainsAny(entry, "*%")
	if !ok {
		return "", "", false
	}
	return u.Hostname(), u.Port(), true
}

// checkIssuer takes an issuer identifier that metadata can be found under.
func checkIssuer(s string, insecure httpHosts) (*url.URL, error) {
	return checkURL(s, insecure, true)
}

// checkURL takes an absolute https URL, or http on a loopback address or one of
// the hosts, without user information and fragment; for an issuer, without
// query as well. The error names all that is wrong, and does not repeat s,
// which may hold a password.
func checkURL(s string, insecure httpHosts, issuer bool) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, errors.New("is not a URL")
	case u.Hostname() == "" || u.Opaque != "":
		return nil, errors.New("must be an absolute URL with a host")
	}
	var wrong []string
	switch {
	case u.Scheme == "http" && !isLoopback(u.Hostname()) && !insecure.allow(u):
		wrong = append(wrong,
			"be https (http is for loopback addresses and InsecureHTTPHosts only)")
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
		portOf(a) == portOf(b)
}

func portOf(u *url.URL) string {
	if p := u.Port(); p != "" {
		return p
	}
	return map[string]string{"https": "443", "http": "80"}[u.Scheme]
}

// withoutQuery is a valid URL as errors and logs may show it: a query may hold
// a secret.
func withoutQuery(s string) string {
	before, _, _ := strings.Cut(s, "?")
	return before
}

// shown is as much of what should be a URL as errors may show: neither a
// password nor what a path, a query or a fragment may hold.
func shown(s string) string {
	rest := strings.TrimRight(s, "/")
	scheme, after, ok := strings.Cut(rest, "://")
	if ok {
		scheme, rest = scheme+"://", after
	} else {
		scheme = ""
	}
	more := ""
	if i := strings.LastIndexByte(rest, '@'); i >= 0 { // it may stand in a password
		scheme, rest = scheme+"…@", rest[i+1:]
	}
	if i := strings.IndexAny(rest, "/?#\\"); i > 0 || ok && i == 0 {
		rest, more = rest[:i], "/…"
	}
	return scheme + rest + more
}
