package httpauth

import (
	"errors"
	"net"
	"net/url"
	"path"
	"strings"
)

// ResourceMetadataURL returns where the metadata of a protected resource is
// (RFC 9728 section 3.1): "https://api.example/orders" has it at
// "https://api.example/.well-known/oauth-protected-resource/orders". It is the
// resource_metadata of a challenge (section 5.1).
//
// The error says what is wrong with the identifier: it is an https URL without
// user, query or fragment, whose path is clean and of printable ASCII. The host
// of an http URL must be this machine.
func ResourceMetadataURL(resource string) (string, error) {
	u, err := url.Parse(resource)
	if err != nil {
		return "", errors.New("cannot be parsed as a URL")
	}
	switch {
	case u.Scheme != "https" && !(u.Scheme == "http" && isLoopback(u.Hostname())):
		return "", errors.New("must be an https URL, or http to a loopback address " +
			"(RFC 9728 section 1.2)")
	case u.Host == "" || u.Opaque != "":
		return "", errors.New("has no host")
	case u.User != nil:
		return "", errors.New("must not have a user")
	case strings.ContainsAny(resource, "?#"):
		return "", errors.New("must have no query and no fragment (RFC 9728 section 1.2)")
	case strings.ContainsAny(resource, `"\ `) || !isPrintable(resource):
		return "", errors.New("must be printable ASCII, without spaces, quotes and backslashes")
	}
	at := u.EscapedPath()
	if at == "/" {
		at = ""
	}
	if at != "" && path.Clean(at) != strings.TrimSuffix(at, "/") {
		return "", errors.New(`must have a path without "", "." and ".." among its segments`)
	}
	return u.Scheme + "://" + u.Host + "/.well-known/oauth-protected-resource" + at, nil
}

func isLoopback(host string) bool {
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
