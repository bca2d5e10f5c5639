package statictoken

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"strings"

	"github.com/sallyport-go/sallyport/claims"
)

// entry is a Token ready for use. It is immutable.
type entry struct {
	hash     hash
	caller   *claims.Claims // nil if it has expired
	networks []netip.Prefix
}

// meaning is what makes claims of a Token; nil makes none.
type meaning struct {
	issuer   string
	examiner *claims.Examiner
}

// permissionClaim is where a token's permissions stand in its claims.
const permissionClaim = "permissions"

// compile makes a Token ready for use, or reports everything that is wrong with
// it.
func (t Token) compile(as *meaning) (*entry, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	h, _ := parseHash(t.Hash)
	e := &entry{hash: h, networks: t.Networks}
	if as == nil {
		return e, nil
	}
	text, err := json.Marshal(t.claims(as.issuer))
	if err != nil {
		return nil, err
	}
	e.caller, err = as.examiner.Examine(context.Background(), text)
	if err == nil {
		return e, nil
	}
	refusal := claims.AsError(err)
	if refusal.Reason() == claims.ReasonExpired {
		return e, nil
	}
	return nil, errors.Join(refusal, refusal.Unwrap())
}

// claims are what a Token says, by the names that a JWT has for it.
func (t Token) claims(issuer string) map[string]any {
	object := map[string]any{"iss": issuer, "sub": t.Subject, "jti": t.Hash}
	if t.Client != "" {
		object["client_id"] = t.Client
	}
	if len(t.Scopes) > 0 {
		object["scope"] = strings.Join(t.Scopes, " ")
	}
	if len(t.Permissions) > 0 {
		object[permissionClaim] = t.Permissions
	}
	if !t.Expires.IsZero() {
		object["exp"] = t.Expires.Unix()
	}
	return object
}

// mayUse reports whether the token may be used from where a request came.
func (e *entry) mayUse(peer netip.Addr) bool {
	for _, network := range e.networks {
		if network.Contains(peer) {
			return true
		}
	}
	return len(e.networks) == 0
}
