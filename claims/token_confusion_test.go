package claims_test

import (
	"context"
	"maps"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// confusion is a token that is taken for an access token of this API by one
// that looks too little. The trusted issuer has signed it with its own key.
type confusion struct {
	name    string
	header  m
	payload m // what differs from a good token's
	profile claims.Profile
	reason  claims.Reason
}

var (
	logoutEvents   = m{"events": m{"http://schemas.openid.net/event/backchannel-logout": m{}}}
	securityEvents = m{"events": m{"https://schemas.openid.net/secevent/risc/event-type/x": m{}}}

	// anID takes from a good token what no ID token has.
	anID = m{
		"client_id": claimstest.Omit, "scope": claimstest.Omit, "jti": claimstest.Omit,
		"auth_time": longAgo, "name": "Alice",
	}
	// aProof leaves of a good token what a DPoP proof has.
	aProof = m{
		"iss": claimstest.Omit, "aud": claimstest.Omit, "exp": claimstest.Omit, "sub": claimstest.Omit,
		"client_id": claimstest.Omit, "scope": claimstest.Omit,
		"htm": "GET", "htu": "https://api.example/orders",
	}
	// aStatement is an entity's of itself (OpenID Federation 1.0 section 3).
	aStatement = m{
		"sub": issuerURL, "aud": claimstest.Omit, "client_id": claimstest.Omit,
		"scope": claimstest.Omit, "jwks": m{"keys": []m{}},
		"authority_hints": []string{"https://x.example"},
		"metadata":        m{"oauth_authorization_server": m{"issuer": issuerURL}},
	}
)

func typ(value any) m { return m{"typ": value} }

// also is both; unlike merged it keeps what is to be left out.
func also(changes, more m) m {
	all := maps.Clone(changes)
	maps.Copy(all, more)
	return all
}

func confusions() []confusion {
	proofHeader := m{"typ": "dpop+jwt", "jwk": m{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}}
	none := claimstest.Omit
	list := []confusion{
		{
			name: "ID token, typ JWT with at_hash", header: typ("JWT"),
			payload: also(anID, m{"at_hash": "x"}), reason: claims.ReasonType,
		},
		{
			name: "ID token, typ JWT with c_hash", header: typ("JWT"),
			payload: also(anID, m{"c_hash": "x"}), reason: claims.ReasonType,
		},
		{
			name: "ID token, no typ, at_hash", header: typ(none),
			payload: also(anID, m{"at_hash": "x"}), reason: claims.ReasonType,
		},
		{
			name:    "ID token, typ at+jwt, at_hash",
			payload: also(anID, m{"at_hash": "x"}), reason: claims.ReasonType,
		},
		{
			name: "ID token for its client", header: typ("JWT"),
			payload: also(anID, m{"aud": "shop"}), reason: claims.ReasonAudience,
		},
		{
			name: "logout token, typ logout+jwt", header: typ("logout+jwt"), payload: logoutEvents,
			reason: claims.ReasonType,
		},
		{
			name: "logout token, typ JWT with events", header: typ("JWT"), payload: logoutEvents,
			reason: claims.ReasonType,
		},
		{
			name: "logout token, no typ, events", header: typ(none), payload: logoutEvents,
			reason: claims.ReasonType,
		},
		{
			name: "DPoP proof, typ dpop+jwt with jwk", header: proofHeader, payload: aProof,
			reason: claims.ReasonIssuer,
		},
		{
			name: "DPoP proof, typ dpop+jwt with jwk and iss", header: proofHeader,
			payload: also(aProof, m{"iss": issuerURL}), reason: claims.ReasonType,
		},
		{
			name: "DPoP proof, no typ, htm and htu", header: typ(none), payload: aProof,
			reason: claims.ReasonIssuer,
		},
		{
			name: "DPoP proof, no typ, with iss, without exp", header: typ(none),
			payload: also(aProof, m{"iss": issuerURL}), reason: claims.ReasonClaims,
		},
		{
			name: "security event token, typ secevent+jwt", header: typ("secevent+jwt"),
			payload: securityEvents, reason: claims.ReasonType,
		},
		{
			name: "security event token, no typ, events", header: typ(none),
			payload: securityEvents, reason: claims.ReasonType,
		},
		{
			name: "entity statement, typ entity-statement+jwt", header: typ("entity-statement+jwt"),
			payload: aStatement, reason: claims.ReasonType,
		},
		{
			// It is for nobody in particular: the lack of "aud" refuses it.
			name: "entity statement, no typ", header: typ(none), payload: aStatement,
			reason: claims.ReasonAudience,
		},
		{
			name: "entity statement, no typ, with aud, RFC9068", header: typ(none),
			payload: also(aStatement, m{"aud": claimstest.Audience}), profile: claims.RFC9068,
			reason: claims.ReasonType,
		},
		{
			name:    "entity statement, typ at+jwt, with aud, RFC9068",
			payload: also(aStatement, m{"aud": claimstest.Audience}), profile: claims.RFC9068,
			reason: claims.ReasonClaims,
		},
		{
			name:    "token for another API",
			payload: m{"aud": "https://other.example"}, reason: claims.ReasonAudience,
		},
		{
			name:    "token for another API of this host",
			payload: m{"aud": claimstest.Audience + "/billing"}, reason: claims.ReasonAudience,
		},
		{
			name: "token for no API", payload: m{"aud": none}, reason: claims.ReasonAudience,
		},
		{
			name: "token for its client", payload: m{"aud": "shop"}, reason: claims.ReasonAudience,
		},
		{
			name: "nested JWT, cty JWT", header: m{"cty": "JWT"}, reason: claims.ReasonType,
		},
	}
	for profile := claims.RFC9068; profile <= claims.Okta; profile++ {
		reason := claims.ReasonType
		if profile == claims.Kubernetes { // it lacks what each of its tokens has
			reason = claims.ReasonClaims
		}
		list = append(list, confusion{
			name: "ID token, typ JWT with nonce alone, " + profile.String(), header: typ("JWT"),
			payload: also(anID, m{"nonce": "n-0S6_WzA2Mj"}), profile: profile, reason: reason,
		})
	}
	for _, name := range []string{
		"ISS", "Iss", "i\u017fs", "SUB", "\u017fub", "AUD", "Aud", "EXP", "eXp", "NBF", "IAT", "JTI",
		"Scope", "SCP", "Client_ID", "AZP", "CNF",
	} {
		list = append(list, confusion{
			name: "claim name in another case, " + name, payload: m{name: "x"},
			reason: claims.ReasonMalformed,
		})
	}
	return list
}

func TestConfusions(t *testing.T) {
	t.Parallel()
	for _, tt := range confusions() {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			refuseUnasked(t, tt.profile, forged(head(tt.header), body(tt.payload)), tt.reason)
		})
	}
	t.Run("nested JWT, the payload is one", func(t *testing.T) {
		t.Parallel()
		inner := forged(head(nil), body(nil))
		refuseUnasked(t, 0, forged(head(nil), inner), claims.ReasonMalformed)
		refuseUnasked(t, 0, forged(head(nil), `"`+inner+`"`), claims.ReasonMalformed)
	})
	t.Run("JWE", func(t *testing.T) {
		t.Parallel()
		encrypted := strings.Join([]string{
			b64(encodeJSON(m{"alg": "RSA-OAEP-256", "enc": "A256GCM", "kid": "rs256", "cty": "JWT"})),
			b64(material("key", 256)), b64(material("iv", 12)), b64(material("text", 300)),
			b64(material("tag", 16)),
		}, ".")
		refuseUnasked(t, 0, encrypted, claims.ReasonEncrypted)
		refuseUnasked(t, 0, strings.Replace(encrypted, b64(material("key", 256)), "", 1),
			claims.ReasonEncrypted) // "alg" dir has no key
	})
	t.Run("issuer and audience lookalikes", confuseNames)
	t.Run("white space in scopes", confuseScopes)
	t.Run("keys of another kind", confuseKeys)
	t.Run("control", func(t *testing.T) {
		t.Parallel()
		issuer := newForgerIssuer(t)
		_, err := newVerifier(t, issuer, nil).Authenticate(
			t.Context(), bearer(forged(head(nil), body(nil))))
		require.NoError(t, err)
		assert.Equal(t, 1, issuer.KeySetRequests())
	})
}

// refuseUnasked checks that a token is refused, and that it makes nobody fetch
// a key first.
func refuseUnasked(t *testing.T, profile claims.Profile, token string, reason claims.Reason) {
	t.Helper()
	issuer := newForgerIssuer(t)
	verifier := newVerifier(t, issuer, func(cfg *claims.Config) {
		cfg.Profile = profile
		cfg.Check = func(context.Context, *claims.Claims) error { return nil } // Google needs one
	})
	caller, err := verifier.Authenticate(t.Context(), bearer(token))
	assertRefused(t, caller, err, reason)
	assert.Zero(t, issuer.KeySetRequests())
	assert.Zero(t, issuer.Requests(wellKnown))
}
