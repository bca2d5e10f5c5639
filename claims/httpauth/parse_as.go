package httpauth

import (
	"strings"

	"github.com/sallyport-go/sallyport/claims"
)

var errOtherScheme = claims.NewError(claims.ErrNoToken, claims.ReasonUnsupportedScheme, nil)

// ParseAs is [Parse] for fields that are not the Authorization field, such as
// one that a proxy adds. An empty scheme means that the field is a token and
// nothing else, which is taken as a Bearer token. "Bearer" means that the field
// has the form of an Authorization field, of whatever scheme. Any other scheme
// is the only one taken, and stands before what is a Bearer token all the same,
// as in "Token abc"; but for "DPoP", which says more than that (RFC 9449
// section 7.1).
func ParseAs(scheme string, fields []string) (claims.Credentials, error) {
	switch {
	case scheme == "":
		return parseBare(fields)
	case strings.EqualFold(scheme, "Bearer"):
		return Parse(fields)
	}
	credentials, err := Parse(fields)
	switch {
	case err != nil:
		return claims.Credentials{}, err
	case !strings.EqualFold(scheme, credentials.Scheme):
		return claims.Credentials{}, errOtherScheme
	case !strings.EqualFold(scheme, "DPoP"):
		credentials.Scheme = "Bearer"
	}
	return credentials, nil
}

// parseBare returns the token that a field consists of.
func parseBare(fields []string) (claims.Credentials, error) {
	if len(fields) > 1 {
		return claims.Credentials{}, errSeveral
	}
	if len(fields) == 0 {
		return claims.Credentials{}, errNoToken
	}
	token := strings.Trim(fields[0], " \t")
	if token == "" {
		return claims.Credentials{}, errEmpty
	}
	return claims.Credentials{Scheme: "Bearer", Token: token}, nil
}
