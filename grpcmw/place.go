package grpcmw

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"google.golang.org/grpc/metadata"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/httpauth"
)

// Place is where in the metadata of a call a credential stands, see
// [Config.From]. The zero value is the "authorization" metadata, in the form of
// RFC 6750 section 2.1, which is where a token belongs unless there is no
// choice. What is wrong with a Place is reported by [New].
//
// A place holds at most one credential: metadata of which there are two values
// is refused with [claims.ErrInvalidRequest].
type Place struct{ way *metadataWay }

// metadataWay is a metadata key.
type metadataWay struct{ typed, key, scheme string }

const authorizationKey = "authorization"

// FromMetadata returns the place that is the metadata of that key, in any case.
// With an empty scheme the value is the token and nothing else; "Bearer" means
// that it has the form of an Authorization field; any other scheme, such as
// "Token", is the only one accepted and stands before the token.
//
// What logs calls may not know that metadata of another key than
// "authorization" is secret, and a proxy may pass on what a client sent under a
// key that the proxy is trusted to set. A token is verified wherever it stands,
// so that no client gains by that more than its token is worth.
func FromMetadata(key, scheme string) Place {
	return Place{&metadataWay{key, strings.ToLower(key), scheme}}
}

// take returns the credential that a call has in this place.
func (p Place) take(ctx context.Context) (claims.Credentials, error) {
	if p.way == nil {
		return httpauth.Parse(metadata.ValueFromIncomingContext(ctx, authorizationKey))
	}
	return httpauth.ParseAs(p.way.scheme, metadata.ValueFromIncomingContext(ctx, p.way.key))
}

func (p Place) key() string {
	if p.way == nil {
		return authorizationKey
	}
	return p.way.key
}

// collision returns where two places would find the same credential, nil if
// they cannot.
func (p Place) collision(other Place) error {
	if p.key() != other.key() {
		return nil
	}
	return fmt.Errorf("both look at the metadata %s", p.key())
}

// taken are the keys that mean something else. What begins with ":" or "grpc-"
// does as well.
var taken = []string{"content-type", "cookie", "dpop", "host", "te", "user-agent"}

func (p Place) validate() error {
	if p.way == nil {
		return nil
	}
	var errs []error
	key := p.way.key
	if key == "" || strings.Trim(key, "0123456789abcdefghijklmnopqrstuvwxyz-_.") != "" {
		errs = append(errs, fmt.Errorf("FromMetadata: the key %q must have letters, digits "+
			"and -_. alone", p.way.typed))
	}
	switch {
	case strings.HasSuffix(key, "-bin"):
		errs = append(errs, fmt.Errorf("FromMetadata: the values of %s are binary", key))
	case strings.HasPrefix(key, "grpc-"), slices.Contains(taken, key):
		errs = append(errs, fmt.Errorf("FromMetadata: the metadata %s means something else", key))
	}
	_, err := httpauth.NewChallenge(httpauth.ChallengeConfig{Scheme: p.way.scheme})
	if err != nil {
		errs = append(errs, fmt.Errorf("FromMetadata: the scheme %q must be a token "+
			"(RFC 9110 section 11.1) of at most 32 characters", p.way.scheme))
	}
	return errors.Join(errs...)
}

// placed returns what is wrong with the Place of a Config's field, each mistake
// by itself.
func placed(field string, p Place) []error {
	var errs []error
	for _, err := range each(p.validate()) {
		errs = append(errs, fmt.Errorf("grpcmw: New: %s: %w", field, err))
	}
	return errs
}
