package claims_test

import (
	"context"

	"github.com/sallyport-go/sallyport/claims"
)

// authorize decides about a request as a transport has it decided.
func authorize(
	ctx context.Context, auth claims.Authenticator, c claims.Credentials, needs claims.Requirement,
) (*claims.Claims, error) {
	guard, err := claims.NewGuard(auth, claims.GuardConfig{})
	if err != nil {
		return nil, err
	}
	ctx, err = guard.Authorize(ctx, claims.Operation{Requirement: needs}, c, nil)
	if err != nil {
		return nil, err
	}
	caller, _ := claims.FromContext(ctx)
	return caller, nil
}

// attempt is a request for an operation.
type attempt struct {
	Operation   string
	Needs       claims.Requirement
	Credentials claims.Credentials
	Fault       error // why there are no Credentials
	Request     any
	Pending     bool
}

// decide has a guard decide about an attempt.
func decide(ctx context.Context, guard *claims.Guard, a attempt) (context.Context, error) {
	op := claims.Operation{Protocol: "HTTP", Name: a.Operation, Requirement: a.Needs}
	switch {
	case a.Fault != nil:
		return nil, guard.Refuse(ctx, op, a.Fault)
	case a.Pending:
		return guard.AuthorizeStream(ctx, op, a.Credentials)
	}
	return guard.Authorize(ctx, op, a.Credentials, a.Request)
}
