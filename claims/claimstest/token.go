package claimstest

import (
	"encoding/json"
	"maps"
	"time"
)

// Token is what a minted token says. The zero value is a valid token of the
// issuer without subject and scope.
type Token struct {
	Subject  string
	ClientID string
	// Audience is "aud". Nil means that of the issuer.
	Audience []string
	// Scope is space-separated.
	Scope string
	// Permissions are what the caller may do, where the issuer's Profile says
	// it in the token: groups, roles or permissions. Other issuers leave them
	// out.
	Permissions []string
	// Lifetime is how long the token is valid from now on, zero that of the
	// issuer; a negative one makes a token that has expired.
	Lifetime time.Duration

	// Claims and Header are further members, which take the place of any that
	// the token would have otherwise. [Omit] as a value leaves a member out;
	// nil makes it null.
	Claims, Header map[string]any

	// Key signs the token. Nil means the issuer's.
	Key *Key
}

type omit struct{}

// Omit as the value of a claim or header parameter of a [Token] leaves it out.
var Omit any = omit{}

// Mint returns a signed token (RFC 9068), in the shape of the issuer's Profile.
// It panics if a claim cannot be written as JSON.
func (i *Issuer) Mint(t Token) string {
	now := time.Now()
	if t.Lifetime == 0 {
		t.Lifetime = i.cfg.Lifetime
	}
	if t.Audience == nil {
		t.Audience = []string{i.cfg.Audience}
	}
	if t.Key == nil {
		t.Key = i.Key()
	}
	payload := map[string]any{
		"iss": i.URL(),
		"aud": t.Audience,
		"exp": now.Add(t.Lifetime).Unix(),
		"iat": now.Unix(),
		"jti": randomText(),
	}
	for name, value := range map[string]string{
		"sub": t.Subject, "client_id": t.ClientID, "scope": t.Scope,
	} {
		if value != "" {
			payload[name] = value
		}
	}
	header := map[string]any{"alg": t.Key.Algorithm, "typ": "at+jwt", "kid": t.Key.ID}
	i.shape(t, payload, header)
	return t.Key.Sign(object(header, t.Header), object(payload, t.Claims))
}

func object(members, further map[string]any) []byte {
	maps.Copy(members, further)
	maps.DeleteFunc(members, func(_ string, value any) bool { return value == Omit })
	encoded, err := json.Marshal(members)
	must(err)
	return encoded
}
