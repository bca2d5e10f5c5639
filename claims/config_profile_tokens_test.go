package claims_test

import (
	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// Headers as most issuers write them; "kid" is that of the key at hand.
const (
	typedJWT = `{"alg":"RS256","typ":"JWT","kid":"rs256"}`
	typedAT  = `{"typ":"at+JWT","alg":"RS256","kid":"rs256"}`
	untyped  = `{"kid":"rs256","alg":"RS256"}`
)

// rfc9068Cases have the token of RFC 9068 section 3 and the ID token of OpenID
// Connect Core section 2.
func rfc9068Cases() []profileCase {
	const api = "https://rs.example.com/"
	user := dated(`{"iss":"https://authorization-server.example.com/","sub":"5ba552d67",
		"aud":"https://rs.example.com/","exp":$exp,"iat":$iat,
		"jti":"dbe39bf3a3ba4238a513f51d6e1691c4","client_id":"s6BhdRkqt3",
		"scope":"openid profile reademail"}`)
	id := dated(`{"iss":"https://authorization-server.example.com/","sub":"24400320",
		"aud":"https://rs.example.com/","nonce":"n-0S6_WzA2Mj","exp":$exp,"iat":$iat,
		"auth_time":$iat,"acr":"urn:mace:incommon:iap:silver"}`)
	return []profileCase{{
		name: "RFC9068",
		config: claims.Config{
			Issuer: "https://authorization-server.example.com/", Audiences: []string{api},
			Profile: claims.RFC9068,
		},
		tokens: []issuedToken{
			{
				name: "user", header: typedAT, payload: user, subject: "5ba552d67",
				clientID: "s6BhdRkqt3", scopes: []string{"openid", "profile", "reademail"},
			},
			{
				name: "client", header: typedAT, subject: "s6BhdRkqt3", clientID: "s6BhdRkqt3",
				payload: changed(user, m{"sub": "s6BhdRkqt3", "scope": claimstest.Omit}),
			},
			{name: "ID token", header: typedJWT, payload: id, reason: claims.ReasonType},
			{
				name: "ID token without nonce", header: typedJWT, reason: claims.ReasonType,
				payload: changed(id, m{"nonce": claimstest.Omit}),
			},
			{
				name: "ID token without typ", header: untyped, payload: id, reason: claims.ReasonType,
			},
			{
				name: "ID token as an access token", header: typedAT, payload: id,
				reason: claims.ReasonClaims,
			},
		},
	}}
}

// auth0Cases: auth0.com/docs/secure/tokens/access-tokens/access-token-profiles
func auth0Cases() []profileCase {
	const api = "https://example.com/health-api"
	user := dated(`{"iss":"https://my-domain.auth0.com/","sub":"auth0|123456",
		"aud":["https://example.com/health-api","https://my-domain.auth0.com/userinfo"],
		"azp":"my_client_id","exp":$exp,"iat":$iat,"scope":"openid profile read:patients read:admin",
		"permissions":["read:patients"]}`)
	rfc9068 := changed(user, m{
		"azp": claimstest.Omit, "client_id": "my_client_id", "jti": "73WakrfVbNJBaAmhQtEeDv",
	})
	id := dated(`{"nickname":"jane","name":"Jane Doe","picture":"https://example.com/jane.jpg",
		"updated_at":"2026-01-01T00:00:00.000Z","email":"jane@example.com","email_verified":true,
		"iss":"https://my-domain.auth0.com/","aud":"https://example.com/health-api",
		"sub":"auth0|123456","iat":$iat,"exp":$exp,"sid":"B9wlN2bPYzqSHCLmkYFfmi1YEqxIPkbO",
		"nonce":"SWVrMGgtV0dkZ2FIV2lYX0pIT0VB"}`)
	scopes := []string{"openid", "profile", "read:patients", "read:admin"}
	return []profileCase{{
		name: "Auth0",
		config: claims.Config{
			Issuer: "https://my-domain.auth0.com/", Audiences: []string{api}, Profile: claims.Auth0,
		},
		tokens: []issuedToken{
			{
				name: "user", header: typedJWT, payload: user, subject: "auth0|123456",
				clientID: "my_client_id", scopes: scopes, permissions: []string{"read:patients"},
			},
			{
				name: "user, RFC 9068", header: typedAT, payload: rfc9068, subject: "auth0|123456",
				clientID: "my_client_id", scopes: scopes, permissions: []string{"read:patients"},
			},
			{
				name: "client credentials", header: typedJWT,
				payload: dated(`{"iss":"https://my-domain.auth0.com/","sub":"my_client_id@clients",
					"aud":"https://example.com/health-api","iat":$iat,"exp":$exp,"scope":"read:patients",
					"gty":"client-credentials","azp":"my_client_id"}`),
				subject: "my_client_id@clients", clientID: "my_client_id",
				scopes: []string{"read:patients"},
			},
			{
				name: "client credentials without scope, in an organization", header: typedJWT,
				payload: dated(`{"iss":"https://my-domain.auth0.com/","sub":"my_client_id@clients",
					"aud":"https://example.com/health-api","iat":$iat,"exp":$exp,
					"gty":"client-credentials","azp":"my_client_id","org_id":"org_1","org_name":"acme"}`),
				subject: "my_client_id@clients", clientID: "my_client_id",
			},
			{
				name: "bound to a certificate", header: typedAT, reason: claims.ReasonBinding,
				payload: changed(rfc9068, m{"cnf": m{"x5t#S256": "A4DtL2JmUMhAsvJj5tKyn64SqzmuXb"}}),
			},
			{
				name: "for userinfo alone", header: typedJWT, reason: claims.ReasonAudience,
				payload: changed(user, m{"aud": "https://my-domain.auth0.com/userinfo"}),
			},
			{name: "ID token", header: typedJWT, payload: id, reason: claims.ReasonType},
			{
				name: "ID token without nonce", header: typedJWT, reason: claims.ReasonType,
				payload: changed(id, m{"nonce": claimstest.Omit}),
			},
			{
				name: "ID token without session", header: typedJWT, reason: claims.ReasonType,
				payload: changed(id, m{"sid": claimstest.Omit}),
			},
			{
				name: "ID token with at_hash alone", header: typedJWT, reason: claims.ReasonType,
				payload: changed(id, m{
					"nonce": claimstest.Omit, "sid": claimstest.Omit, "at_hash": "HK6E_P6Dh8Y93mRNtsDB1Q",
				}),
			},
			{
				// As in the sample of
				// auth0.com/docs/secure/tokens/id-tokens/id-token-structure
				name: "ID token without any of them", header: typedJWT, reason: claims.ReasonClaims,
				payload: changed(id, m{"nonce": claimstest.Omit, "sid": claimstest.Omit}),
			},
		},
	}}
}

// hydraCases: ory.com/docs/oauth2-oidc/jwt-access-token
func hydraCases() []profileCase {
	const api = "https://orders.example"
	user := dated(`{"aud":["https://orders.example"],"client_id":"my-client","exp":$exp,
		"ext":{"foo":"bar"},"iat":$iat,"iss":"https://hydra.example/",
		"jti":"0c4f1d1a-1b0e-4a0e-8d0e-6a5a0f7b8c9d","nbf":$iat,"scp":["openid","offline"],
		"sub":"user-1"}`)
	id := dated(`{"acr":"0","amr":["pwd"],"at_hash":"cpqKfdQA5eH891Ff5oJr_Q",
		"aud":["https://orders.example"],"auth_time":$iat,"exp":$exp,"iat":$iat,
		"iss":"https://hydra.example/","jti":"5b1c8e0f-3b7d-4f0e-9c7a-2f6d1e0b9a8c",
		"nonce":"n-0S6_WzA2Mj","rat":$iat,"sid":"1d4e2f","sub":"user-1"}`)
	return []profileCase{{
		name: "Hydra",
		config: claims.Config{
			Issuer: "https://hydra.example/", Audiences: []string{api}, Profile: claims.Hydra,
		},
		tokens: []issuedToken{
			{
				name: "user, scp an array", header: typedJWT, payload: user, subject: "user-1",
				clientID: "my-client", scopes: []string{"openid", "offline"},
			},
			{
				name: "scope a string", header: typedJWT, subject: "user-1",
				payload:  changed(user, m{"scp": claimstest.Omit, "scope": "openid offline"}),
				clientID: "my-client", scopes: []string{"openid", "offline"},
			},
			{
				name: "scopes both ways", header: typedJWT, subject: "user-1",
				payload:  changed(user, m{"scope": "openid offline"}),
				clientID: "my-client", scopes: []string{"openid", "offline"},
			},
			{
				name: "no ext, no nbf", header: typedJWT, subject: "user-1",
				payload:  changed(user, m{"ext": claimstest.Omit, "nbf": claimstest.Omit}),
				clientID: "my-client", scopes: []string{"openid", "offline"},
			},
			{
				name: "client credentials", header: typedJWT, subject: "my-client",
				payload:  changed(user, m{"sub": "my-client", "ext": m{}, "scp": []string{}}),
				clientID: "my-client",
			},
			{
				name: "without an audience", header: typedJWT, reason: claims.ReasonAudience,
				payload: changed(user, m{"aud": []string{}}),
			},
			{name: "ID token", header: typedJWT, payload: id, reason: claims.ReasonType},
			{
				name: "ID token without nonce", header: typedJWT, reason: claims.ReasonType,
				payload: changed(id, m{"nonce": claimstest.Omit}),
			},
			{
				name: "ID token with rat alone", header: typedJWT, reason: claims.ReasonType,
				payload: changed(id, m{
					"nonce": claimstest.Omit, "at_hash": claimstest.Omit, "sid": claimstest.Omit,
				}),
			},
			{
				name: "ID token without a mark", header: typedJWT, reason: claims.ReasonClaims,
				payload: changed(id, m{
					"nonce": claimstest.Omit, "at_hash": claimstest.Omit, "sid": claimstest.Omit,
					"rat": claimstest.Omit,
				}),
			},
		},
	}}
}
