package claims

import (
	"errors"
	"strings"
)

const maxTenantSize = 128

// template is an issuer identifier with one path segment left open, such as
// "https://login.microsoftonline.com/{tenantid}/v2.0".
type template struct {
	prefix, suffix string
}

// parseTemplate returns nil for an issuer without an open segment.
func parseTemplate(issuer string) (*template, error) {
	prefix, rest, found := strings.Cut(issuer, "{")
	if !found {
		if strings.Contains(issuer, "}") {
			return nil, errors.New("has a \"}\" without a \"{\"")
		}
		return nil, nil
	}
	name, suffix, found := strings.Cut(rest, "}")
	switch {
	case !found || name == "" || strings.ContainsAny(name+suffix, "{}"):
		return nil, errors.New("must have one \"{name}\" and no other braces")
	case !strings.HasSuffix(prefix, "/") || suffix != "" && suffix[0] != '/':
		return nil, errors.New("must have the \"{name}\" as a whole path segment")
	case strings.Count(prefix, "/") < 3: // "https://host/"
		return nil, errors.New("must not leave the host open")
	}
	return &template{prefix, suffix}, nil
}

// tenant returns what stands in the open segment of an issuer, or "" if the
// issuer is none of the template. It is up to 128 letters, digits, ".", "-" and
// "_", and not "." or "..": the sender of a token writes it.
func (t *template) tenant(issuer string) string {
	tenant, ok := strings.CutPrefix(issuer, t.prefix)
	if !ok {
		return ""
	}
	if tenant, ok = strings.CutSuffix(tenant, t.suffix); !ok {
		return ""
	}
	if len(tenant) > maxTenantSize || tenant == "." || tenant == ".." {
		return ""
	}
	for i := range len(tenant) {
		switch c := tenant[i]; {
		case 'a' <= c && c <= 'z', 'A' <= c && c <= 'Z', '0' <= c && c <= '9':
		case c == '-', c == '_', c == '.':
		default:
			return ""
		}
	}
	return tenant
}
