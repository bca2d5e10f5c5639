package dpop

import (
	"errors"
	"net/netip"
	"strconv"
	"strings"
)

// target is what a request is for, normalised (RFC 3986 sections 6.2.2 and
// 6.2.3): two are equal if their URLs are, but for query, fragment and user.
type target struct {
	origin string // scheme, host, and the port unless it is that of the scheme
	path   string
}

// String returns the URL.
func (t target) String() string { return t.origin + t.path }

// with returns what a request is for behind a proxy that takes away t.
func (t *target) with(request target) target {
	return target{t.origin, strings.TrimSuffix(t.path, "/") + request.path}
}

// parseBase returns the target that a Config names, nil if it names none.
func parseBase(url string) (*target, error) {
	if url == "" {
		return nil, nil
	}
	if strings.ContainsAny(url, "?#@") {
		return nil, errors.New("has a query, a fragment or a user")
	}
	t, ok := parseTarget(url)
	if !ok {
		return nil, errors.New(`is not like "https://api.example"`)
	}
	return &t, nil
}

// parseTarget takes an absolute http or https URL apart. It reports false for
// anything else, and for what no URL has: what software could read in two ways.
func parseTarget(url string) (t target, ok bool) {
	scheme, rest, found := strings.Cut(url, "://")
	if !found {
		return t, false
	}
	port := ""
	switch scheme = lower(scheme); scheme {
	case "https":
		port = "443"
	case "http":
		port = "80"
	default:
		return t, false
	}
	if end := strings.IndexAny(rest, "?#"); end >= 0 {
		rest = rest[:end]
	}
	authority, path := rest, "/"
	if slash := strings.IndexByte(rest, '/'); slash >= 0 {
		authority, path = rest[:slash], rest[slash:]
	}
	host, ok := parseAuthority(authority, port)
	if !ok {
		return t, false
	}
	if path, ok = normalPath(path); !ok {
		return t, false
	}
	return target{scheme + "://" + host, path}, true
}

// parseAuthority returns the host in lower case, with the port unless it is the
// usual one.
func parseAuthority(authority, usual string) (string, bool) {
	// A server never sees the user that a URL names (RFC 9110 section 4.2.4).
	host := authority[strings.LastIndexByte(authority, '@')+1:]
	port := ""
	if i := strings.LastIndexByte(host, ':'); i >= 0 && !strings.HasSuffix(host, "]") {
		host, port = host[:i], host[i+1:]
	}
	host, ok := normalHost(host)
	if !ok {
		return "", false
	}
	if port == "" {
		return host, true
	}
	for i := range len(port) {
		if port[i] < '0' || '9' < port[i] {
			return "", false
		}
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if port = strconv.FormatUint(n, 10); err != nil || n == 0 {
		return "", false
	}
	if port == usual {
		return host, true
	}
	return host + ":" + port, true
}

// normalHost returns a host in the one way in which it can be written, without
// the final dot of a name that is fully qualified. A name is ASCII: others are
// written in their encoded form where they are sent.
func normalHost(host string) (string, bool) {
	if inner, found := strings.CutPrefix(host, "["); found {
		inner, found = strings.CutSuffix(inner, "]")
		address, err := netip.ParseAddr(inner)
		if !found || err != nil || !address.Is6() || address.Zone() != "" {
			return "", false
		}
		return "[" + address.String() + "]", true
	}
	host = strings.TrimSuffix(lower(host), ".")
	for i := range len(host) {
		if c := host[i]; !isUnreserved(c) && !strings.ContainsRune("!$&'()*+,;=", rune(c)) {
			return "", false
		}
	}
	return host, host != ""
}

// normalPath returns a path with what need not be escaped as it is, all else
// escaped in upper case, and without "." and ".." segments.
func normalPath(path string) (string, bool) {
	b := make([]byte, 0, len(path))
	for i := 0; i < len(path); i++ {
		c := path[i]
		switch {
		case c <= ' ' || c == 0x7f || c == '\\': // which some take for "/"
			return "", false
		case c > 0x7f || strings.IndexByte("\"<>^`{|}", c) >= 0:
			b = append(b, '%', upperHex[c>>4], upperHex[c&0xf])
			continue
		case c != '%':
			b = append(b, c)
			continue
		}
		if i+2 >= len(path) {
			return "", false
		}
		high, low := unhex(path[i+1]), unhex(path[i+2])
		if high > 0xf || low > 0xf {
			return "", false
		}
		if c = high<<4 | low; isUnreserved(c) {
			b = append(b, c)
		} else {
			b = append(b, '%', upperHex[high], upperHex[low])
		}
		i += 2
	}
	return withoutDots(string(b)), true
}

const upperHex = "0123456789ABCDEF"

// unhex returns the value of a hexadecimal digit, more than 15 if it is none.
func unhex(c byte) byte {
	switch {
	case '0' <= c && c <= '9':
		return c - '0'
	case 'a' <= c|0x20 && c|0x20 <= 'f':
		return c | 0x20 - 'a' + 10
	}
	return 0xff
}

// isUnreserved is RFC 3986 section 2.3.
func isUnreserved(c byte) bool {
	return '0' <= c && c <= '9' || 'a' <= c|0x20 && c|0x20 <= 'z' ||
		c == '-' || c == '.' || c == '_' || c == '~'
}

// withoutDots is RFC 3986 section 5.2.4, for a path that begins with a slash.
func withoutDots(path string) string {
	if !strings.Contains(path, "/.") {
		return path
	}
	var kept []string
	segments := strings.Split(path[1:], "/")
	for i, segment := range segments {
		switch segment {
		case ".":
		case "..":
			kept = kept[:max(len(kept)-1, 0)]
		default:
			kept = append(kept, segment)
			continue
		}
		if i == len(segments)-1 { // "/a/." is "/a/"
			kept = append(kept, "")
		}
	}
	return "/" + strings.Join(kept, "/")
}

// lower is ASCII alone: what is not ASCII is no host, and is not to become one.
func lower(s string) string {
	return strings.Map(func(c rune) rune {
		if 'A' <= c && c <= 'Z' {
			return c + 'a' - 'A'
		}
		return c
	}, s)
}
