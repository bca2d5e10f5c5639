package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net/url"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/introspection"
	"github.com/sallyport-go/sallyport/claims/statictoken"
	"github.com/sallyport-go/sallyport/jwks"
)

// kindFlags are the kinds of token that are accepted beside the JWTs of
// issuers.
type kindFlags struct {
	staticTokens, mint           string
	introspect, introspectClient string

	minted statictoken.Token           // if mint is not empty
	static *statictoken.Tokens         // nil if there are none
	opaque *introspection.Introspector // nil if there are none
}

func (k *kindFlags) register(fs *flag.FlagSet) {
	fs.StringVar(&k.staticTokens, "static-tokens", "", "")
	fs.StringVar(&k.mint, "mint-token", "", "")
	fs.StringVar(&k.introspect, "introspect", "", "")
	fs.StringVar(&k.introspectClient, "introspect-client", "", "")
}

// open makes what the flags name.
func (k *kindFlags) open(issuers, audiences []string, bound []claims.Confirmer) error {
	var errs []error
	fault := func(err error) { errs = append(errs, err) }
	if k.staticTokens != "" {
		var err error
		k.static, err = statictoken.New(statictoken.Config{File: k.staticTokens})
		if err != nil {
			fault(fmt.Errorf("-static-tokens %q: %w", k.staticTokens, err))
		}
	}
	if k.mint != "" {
		if k.staticTokens == "" {
			fault(errors.New("-mint-token needs -static-tokens"))
		}
		var err error
		k.minted, err = parseToken(k.mint, time.Now())
		fault(err)
	}
	if k.introspect != "" || k.introspectClient != "" {
		fault(k.openOpaque(claims.Config{
			Issuer: opaqueIssuer(issuers, k.introspect), Audiences: audiences, Confirmers: bound,
		}))
	}
	return errors.Join(errs...)
}

func (k *kindFlags) openOpaque(accept claims.Config) error {
	if k.introspect == "" {
		return errors.New("-introspect-client needs -introspect")
	}
	id, secret, ok := strings.Cut(k.introspectClient, ":")
	if !ok || id == "" || secret == "" {
		return errors.New("-introspect needs -introspect-client, as ID:SECRET")
	}
	var err error
	k.opaque, err = introspection.New(introspection.Config{
		Endpoint: k.introspect, Client: introspection.Basic(id, secret),
		Accept: accept,
		// Many endpoints answer only about the tokens that are for who asks.
		InsecureMissingAudience: true,
	})
	if err != nil {
		return fmt.Errorf("-introspect %q: %w", redacted(k.introspect), err)
	}
	return nil
}

// opaqueIssuer is whose the opaque tokens are: the only issuer's, or else that
// of the endpoint's own address.
func opaqueIssuer(issuers []string, endpoint string) string {
	if len(issuers) == 1 {
		return issuers[0]
	}
	u, err := url.Parse(endpoint)
	if err != nil {
		return endpoint
	}
	return u.Scheme + "://" + u.Host
}

// beside returns the issuers with the further kinds, those first that tell by a
// prefix, and those last that somebody has to be asked about.
func (k *kindFlags) beside(issuers *claims.Issuers) trusted {
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
