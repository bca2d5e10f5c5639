package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/introspection"
	"github.com/sallyport-go/sallyport/claims/statictoken"
	"github.com/sallyport-go/sallyport/jwks"
)

// furtherKinds are the kinds of token that are accepted beside the JWTs of
// issuers.
type furtherKinds struct {
	static *statictoken.Tokens         // nil if there are none
	opaque *introspection.Introspector // nil if there are none
}

// addKinds sets o.further and o.minted.
func (o *options) addKinds() (err error) {
	var faults [2]error
	o.further, faults[0] = o.openKinds()
	if o.mint != "" {
		o.minted, faults[1] = parseToken(o.mint, time.Now())
	}
	return errors.Join(faults[:]...)
}

// openKinds returns the further kinds that the command line names.
func (o *options) openKinds() (further furtherKinds, err error) {
	var errs []error
	if o.staticTokens != "" {
		further.static, err = statictoken.New(statictoken.Config{File: o.staticTokens})
		if err != nil {
			errs = append(errs, fmt.Errorf("-static-tokens %q: %w", o.staticTokens, err))
		}
	}
	if o.mint != "" && o.staticTokens == "" {
		errs = append(errs, errors.New("-mint-token needs -static-tokens"))
	}
	switch id, secret, ok := strings.Cut(o.introspectClient, ":"); {
	case o.introspect == "" && o.introspectClient == "":
	case o.introspect == "":
		errs = append(errs, errors.New("-introspect-client needs -introspect"))
	case !ok || id == "" || secret == "":
		errs = append(errs, errors.New("-introspect needs -introspect-client, as ID:SECRET"))
	default:
		further.opaque, err = introspection.New(introspection.Config{
			Endpoint: o.introspect, Client: introspection.Basic(id, secret),
			Accept: claims.Config{Issuer: o.opaqueIssuer(), Audiences: o.audiences},
			// Many endpoints answer only about the tokens that are for who asks.
			InsecureMissingAudience: true,
		})
		if err != nil {
			errs = append(errs, fmt.Errorf("-introspect %q: %w", redacted(o.introspect), err))
		}
	}
	return further, errors.Join(errs...)
}

// opaqueIssuer is whose the opaque tokens are: the only issuer's, or else that
// of the endpoint's own address.
func (o *options) opaqueIssuer() string {
	if len(o.issuers) == 1 {
		return o.issuers[0]
	}
	u, err := url.Parse(o.introspect)
	if err != nil {
		return o.introspect
	}
	return u.Scheme + "://" + u.Host
}

// beside returns the issuers with the further kinds, those first that tell by a
// prefix, and those last that somebody has to be asked about.
func (k furtherKinds) beside(issuers *claims.Issuers) trusted {
	var auths []claims.Authenticator
	if k.static != nil {
		auths = append(auths, k.static)
	}
	auths = append(auths, issuers)
	if k.opaque != nil {
		auths = append(auths, k.opaque)
	}
	if len(auths) == 1 {
		return issuers
	}
	return &kinds{claims.FirstOf(auths...), issuers, k.static}
}

// kinds are the issuers with further kinds of token. Whatever is asked of an
// Authenticator is asked of all.
type kinds struct {
	claims.Authenticator
	issuers *claims.Issuers
	static  *statictoken.Tokens
}

// Ready tells whether tokens of every kind can be told.
func (k *kinds) Ready(ctx context.Context, issuers ...string) error {
	err := k.issuers.Ready(ctx, issuers...)
	if k.static != nil {
		err = errors.Join(err, k.static.Ready(ctx))
	}
	return err
}

func (k *kinds) Recheck(ctx context.Context, caller *claims.Claims) error {
	return k.Authenticator.(interface {
		Recheck(context.Context, *claims.Claims) error
	}).Recheck(ctx, caller)
}

func (k *kinds) Schemes() []claims.Scheme {
	return k.Authenticator.(interface{ Schemes() []claims.Scheme }).Schemes()
}

func (k *kinds) AuthorizationServers() []string {
	issuers, _ := claims.AuthorizationServers(k.Authenticator)
	return issuers
}

func (k *kinds) KeyStats() map[string]jwks.Stats { return k.issuers.KeyStats() }
