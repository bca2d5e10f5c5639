package grpcmw

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/mtls"
)

// Second is a further credential of calls, see [Config.Second].
type Second struct {
	// From is where in the metadata of a call it stands, which is nowhere that
	// another credential of the Config stands. The zero value is
	// "authorization", for a Config whose own From is another place.
	From Place

	// Auth says who it is of: a [*claims.Verifier], or any other. Required.
	Auth claims.Authenticator
}

// seeker returns what looks for the further credentials of a call.
type seeker func(context.Context) func(name string) (claims.Credentials, error)

// authsOf returns who is asked about each further credential.
func authsOf(second map[string]Second) map[string]claims.Authenticator {
	auths := make(map[string]claims.Authenticator, len(second))
	for name, s := range second {
		auths[name] = s.Auth
	}
	return auths
}

// placedApart returns what is wrong with the places of further credentials,
// beside the first.
func placedApart(first Place, second map[string]Second) []error {
	var errs []error
	names := slices.Sorted(maps.Keys(second))
	for i, name := range names {
		field, from := fmt.Sprintf("Config.Second[%q].From", name), second[name].From
		errs = append(errs, placed(field, from)...)
		if err := from.collision(first); err != nil {
			errs = append(errs, fmt.Errorf("grpcmw: New: %s and Config.From %w", field, err))
		}
		for _, other := range names[:i] {
			if err := from.collision(second[other].From); err != nil {
				errs = append(errs, fmt.Errorf(
					"grpcmw: New: %s and Config.Second[%q].From %w", field, other, err))
			}
		}
	}
	return errs
}

// secondOf returns the seeker for a Config, nil if there is nothing to look
// for.
func secondOf(second map[string]Second, handedOn *mtls.Forwarded) seeker {
	if len(second) == 0 {
		return nil
	}
	places := make(map[string]Place, len(second))
	for name, s := range second {
		places[name] = s.From
	}
	return func(ctx context.Context) func(string) (claims.Credentials, error) {
		return func(name string) (claims.Credentials, error) {
			credentials, err := places[name].take(ctx)
			credentials.Proof = prover{handedOn}
			return credentials, err
		}
	}
}
