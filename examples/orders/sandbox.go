package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/grpcmw"
	"github.com/sallyport-go/sallyport/httpmw"
)

// sandbox is the second credential of the service: the token of a sandbox, in a
// field of its own. A nil sandbox needs none.
type sandbox struct{ issuers trusted }

const (
	sandboxName     = "sandbox"
	sandboxField    = "X-Sandbox-Token"
	sandboxMetadata = "x-sandbox-token"
)

// newSandbox returns the sandbox whose tokens an issuer issues, nil if there is
// no issuer.
func newSandbox(issuer string, audiences []string) (*sandbox, error) {
	if issuer == "" {
		return nil, nil
	}
	issuers, err := claims.NewIssuers(claims.Config{Issuer: issuer, Audiences: audiences})
	if err != nil {
		return nil, fmt.Errorf("-sandbox-issuer %q: %w", redacted(issuer), err)
	}
	return &sandbox{issuers}, nil
}

// needs returns what an operation needs with its sandbox: what is public stays
// so.
func (s *sandbox) needs(r claims.Requirement) claims.Requirement {
	if s == nil || r.IsPublic() {
		return r
	}
	return claims.All(r, claims.Second(sandboxName, claims.Authenticated()))
}

// policy returns what the methods need with their sandbox.
func (s *sandbox) policy(of grpcmw.Policy) grpcmw.Policy {
	both := grpcmw.Policy{}
	for method, needs := range of {
		both[method] = s.needs(needs)
	}
	return both
}

func (s *sandbox) http() map[string]httpmw.Second {
	if s == nil {
		return nil
	}
	return map[string]httpmw.Second{
		sandboxName: {From: httpmw.FromHeader(sandboxField, ""), Auth: s.issuers},
	}
}

func (s *sandbox) grpc() map[string]grpcmw.Second {
	if s == nil {
		return nil
	}
	return map[string]grpcmw.Second{
		sandboxName: {From: grpcmw.FromMetadata(sandboxMetadata, ""), Auth: s.issuers},
	}
}

// ready tells whether the tokens of sandboxes can be verified too.
func (s *sandbox) ready(ctx context.Context, issuers trusted) error {
	err := issuers.Ready(ctx)
	if s == nil {
		return err
	}
	return errors.Join(err, s.issuers.Ready(ctx))
}
