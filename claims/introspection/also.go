package introspection

import (
	"context"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/internal/presented"
)

// Also returns an [claims.Authenticator] that has the tokens of the
// Introspector's issuer which auth accepts introspected as well, however they
// look: for JWTs that must not outlive their revocation by more than
// [Config].MaxAge, such as five minutes. Only tokens that auth has accepted are
// asked about, so that no stranger has the endpoint asked; the caller is what
// auth says, and bindings are proven to it alone. Tokens of other issuers are
// left to auth.
//
// A token that the endpoint says is another subject's, or does not accept by
// [Config].Accept, is refused. It panics if an argument is nil or was not made
// by its constructor.
func Also(auth claims.Authenticator, in *Introspector) claims.Authenticator {
	if auth == nil || isNil(auth) {
		panic("introspection: Also: the Authenticator is nil")
	}
	if !in.isMade() {
		panic("introspection: Also: the Introspector was not made by New")
	}
	if _, all := claims.AuthorizationServers(auth); all {
		return &listed{also{auth, in}}
	}
	return &also{auth, in}
}

// listed is an also whose issuers are known.
type listed struct{ also }

// AuthorizationServers returns those of the Authenticator.
func (l *listed) AuthorizationServers() []string {
	issuers, _ := claims.AuthorizationServers(l.auth)
	return issuers
}

type also struct {
	auth claims.Authenticator
	in   *Introspector
}

func (a *also) Authenticate(
	ctx context.Context, c claims.Credentials,
) (*claims.Claims, error) {
	caller, err := a.auth.Authenticate(ctx, c)
	if err != nil || caller == nil || caller.Issuer() != a.in.issuer {
		return caller, err
	}
	if err := a.in.agree(ctx, caller, c.Token); err != nil {
		return nil, err
	}
	return caller, nil
}

// Recheck asks the Authenticator, if it can be asked again, and then the
// endpoint.
func (a *also) Recheck(ctx context.Context, caller *claims.Claims) error {
	if again, ok := a.auth.(interface {
		Recheck(context.Context, *claims.Claims) error
	}); ok {
		if err := again.Recheck(ctx, caller); err != nil {
			return err
		}
	}
	token := presented.Token(ctx)
	if token == "" || caller.Issuer() != a.in.issuer {
		return nil
	}
	return a.in.agree(ctx, caller, token)
}

// Schemes returns those of the Authenticator, which proves the bindings.
func (a *also) Schemes() []claims.Scheme {
	if by, ok := a.auth.(interface{ Schemes() []claims.Scheme }); ok {
		return by.Schemes()
	}
	return nil
}

// agree returns nil if the endpoint says that the token of a caller is active.
func (in *Introspector) agree(ctx context.Context, caller *claims.Claims, token string) error {
	found, err := in.lookUp(ctx, token)
	if err != nil {
		return err
	}
	if subject := found.caller.Subject(); subject != "" && subject != caller.Subject() {
		return errSubject
	}
	return in.examiner.Recheck(ctx, found.caller, found.caller)
}
