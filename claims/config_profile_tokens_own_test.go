package claims_test

import (
	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// keycloakCases: the tokens of Keycloak 26 with an audience mapper.
// www.keycloak.org/docs/latest/server_admin
func keycloakCases() []profileCase {
	const issuer, api = "https://sso.example/realms/library", "orders"
	const subject = "dca26e7c-5c6a-4f74-ab29-09ab93b0d208"
	user := dated(`{"exp":$exp,"iat":$iat,"auth_time":$iat,
		"jti":"onrtac:60f25a5e-44bd-4453-a1da-e822972013b9","iss":"https://sso.example/realms/library",
		"aud":["orders","account"],"sub":"dca26e7c-5c6a-4f74-ab29-09ab93b0d208","typ":"Bearer",
		"azp":"library-web","sid":"4d8d5e63-e5bf-406f-9a35-222e71fa57ff","acr":"0",
		"allowed-origins":["*"],"realm_access":{"roles":["offline_access","view-books"]},
		"resource_access":{"account":{"roles":["manage-account","view-profile"]}},
		"scope":"openid email profile","email_verified":true,"preferred_username":"alice"}`)
	service := dated(`{"exp":$exp,"iat":$iat,"jti":"trrtcc:60f25a5e-44bd-4453-a1da-e822972013b9",
		"iss":"https://sso.example/realms/library","aud":"orders",
		"sub":"dca26e7c-5c6a-4f74-ab29-09ab93b0d208","typ":"Bearer","azp":"importer","acr":"1",
		"realm_access":{"roles":["importer"]},
		"resource_access":{"orders":{"roles":["admin","clerk"]},"spiffe://a/b.c":{"roles":["x"]},
			"a.b/c":{"roles":["reader"]}},
		"scope":"email profile","clientHost":"10.0.0.7","clientAddress":"10.0.0.7",
		"client_id":"importer","email_verified":false,"preferred_username":"service-account-importer"}`)
	id := dated(`{"exp":$exp,"iat":$iat,"auth_time":$iat,"jti":"60f25a5e-44bd-4453-a1da-e822972013b9",
		"iss":"https://sso.example/realms/library","aud":"orders",
		"sub":"dca26e7c-5c6a-4f74-ab29-09ab93b0d208","typ":"ID","azp":"library-web","nonce":"n-0S6",
		"sid":"4d8d5e63-e5bf-406f-9a35-222e71fa57ff","at_hash":"cpqKfdQA5eH891Ff5oJr_Q","acr":"1"}`)
	refresh := dated(`{"exp":$exp,"iat":$iat,"jti":"60f25a5e-44bd-4453-a1da-e822972013b9",
		"iss":"https://sso.example/realms/library","aud":"orders",
		"sub":"dca26e7c-5c6a-4f74-ab29-09ab93b0d208","typ":"Refresh","azp":"library-web",
		"sid":"4d8d5e63-e5bf-406f-9a35-222e71fa57ff","scope":"openid email profile"}`)
	logout := dated(`{"iat":$iat,"exp":$exp,"jti":"60f25a5e-44bd-4453-a1da-e822972013b9",
		"iss":"https://sso.example/realms/library","aud":"orders",
		"sub":"dca26e7c-5c6a-4f74-ab29-09ab93b0d208","typ":"Logout","sid":"4d8d5e63",
		"events":{"http://schemas.openid.net/event/backchannel-logout":{}}}`)
	unmarked := m{"nonce": claimstest.Omit, "at_hash": claimstest.Omit}
	scopes := []string{"openid", "email", "profile"}
	permissions := []string{
		"offline_access", "view-books", "account:manage-account", "account:view-profile",
	}
	like := func(name, header string, change m) issuedToken {
		return issuedToken{
			name: name, header: header, payload: changed(user, change), subject: subject,
			clientID: "library-web", scopes: scopes, permissions: permissions,
		}
	}
	refused := func(name, header, payload string, reason claims.Reason) issuedToken {
		return issuedToken{name: name, header: header, payload: payload, reason: reason}
	}
	return []profileCase{{
		name: "Keycloak",
		config: claims.Config{
			Issuer: issuer, Audiences: []string{api}, Profile: claims.Keycloak,
		},
		tokens: []issuedToken{
			like("user", typedJWT, nil),
			like("user, at+jwt", typedAT, nil),
			like("user, typ bearer", typedJWT, m{"typ": "bearer"}),
			like("user, before version 25", typedJWT, m{
				"nonce": "n-0S6", "nbf": 0, "session_state": "4d8d5e63-e5bf-406f-9a35-222e71fa57ff",
			}),
			like("user, client_id of a mapper", typedJWT, m{"client_id": "another"}),
			{
				name: "service account", header: typedJWT, payload: service, subject: subject,
				clientID: "importer", scopes: []string{"email", "profile"},
				permissions: []string{"importer", "orders:admin", "orders:clerk", "spiffe%3A//a/b.c:x", "a.b/c:reader"},
			},
			{
				name: "lightweight, with a mapper for sub", header: typedJWT, clientID: "library-web",
				payload: dated(`{"exp":$exp,"iat":$iat,"jti":"onrtac:60f25a5e","aud":"orders",
					"sub":"dca26e7c-5c6a-4f74-ab29-09ab93b0d208",
					"iss":"https://sso.example/realms/library","typ":"Bearer","azp":"library-web",
					"sid":"4d8d5e63-e5bf-406f-9a35-222e71fa57ff","scope":"openid email profile"}`),
				subject: subject, scopes: scopes,
			},
			refused("lightweight", typedJWT, dated(`{"exp":$exp,"iat":$iat,"jti":"onrtac:60f25a5e",
				"aud":"orders","iss":"https://sso.example/realms/library","typ":"Bearer",
				"azp":"library-web","sid":"4d8d5e63","scope":"openid email profile"}`), claims.ReasonClaims),
			refused("without the client scope basic", typedJWT, changed(user, m{"sub": claimstest.Omit}),
				claims.ReasonClaims),
			refused("bound by DPoP", typedJWT, changed(user, m{
				"typ": "DPoP", "cnf": m{"jkt": "0ZcOCORZNYy-DWpqq30jZyJGHTN0d2HglBV3uiguA4I"},
			}), claims.ReasonBinding),
			refused("bound to a certificate", typedJWT, changed(user, m{
				"cnf": m{"x5t#S256": "A4DtL2JmUMhAsvJj5tKyn64SqzmuXbMrJa0n761y5v0"},
			}), claims.ReasonBinding),
			refused("no audience mapper", typedJWT, changed(user, m{"aud": "account"}),
				claims.ReasonAudience),
			refused("no audience", typedJWT, changed(user, m{"aud": claimstest.Omit}),
				claims.ReasonAudience),
			refused("ID token", typedJWT, id, claims.ReasonType),
			refused("ID token without nonce and at_hash", typedJWT, changed(id, unmarked),
				claims.ReasonType),
			refused("ID token in a cookie", typedJWT, changed(id, also(unmarked, m{
				"typ": "Serialized-ID",
			})), claims.ReasonType),
			refused("refresh token", `{"alg":"HS512","typ":"JWT","kid":"rs256"}`, refresh,
				claims.ReasonAlgorithm),
			refused("refresh token signed with RS256", typedJWT, refresh, claims.ReasonType),
			refused("offline token", typedJWT, changed(refresh, m{"typ": "Offline"}),
				claims.ReasonType),
			refused("logout token", `{"alg":"RS256","typ":"logout+jwt","kid":"rs256"}`, logout,
				claims.ReasonType),
			refused("logout token, typ JWT", typedJWT, logout, claims.ReasonType),
			refused("logout token without events", typedJWT,
				changed(logout, m{"events": claimstest.Omit, "azp": "library-web"}),
				claims.ReasonType),
		},
	}}
}

// kubernetesCases:
// kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin
func kubernetesCases() []profileCase {
	const issuer = "https://kubernetes.default.svc.cluster.local"
	const account = "system:serviceaccount:kube-system:coredns"
	projected := dated(`{"aud":["https://orders.example"],"exp":$exp,"iat":$iat,
		"iss":"https://kubernetes.default.svc.cluster.local",
		"jti":"ea28ed49-2e11-4280-9ec5-bc3d1d84661a","kubernetes.io":{"namespace":"kube-system",
			"node":{"name":"n1","uid":"58456cb0-dd00-45ed-b797-5578fdceaced"},
			"pod":{"name":"coredns-69cbfb9798-jv9gn","uid":"778a530c-b3f4-47c0-9cd5-ab018fb64f33"},
			"serviceaccount":{"name":"coredns","uid":"a087d5a0-e1dd-43ec-93ac-f13d89cd13af"}},
		"nbf":$iat,"sub":"system:serviceaccount:kube-system:coredns"}`)
	secret := `{"iss":"kubernetes/serviceaccount","kubernetes.io/serviceaccount/namespace":"default",
		"kubernetes.io/serviceaccount/secret.name":"default-token-abcde",
		"kubernetes.io/serviceaccount/service-account.name":"default",
		"kubernetes.io/serviceaccount/service-account.uid":"a087d5a0-e1dd-43ec-93ac-f13d89cd13af",
		"sub":"system:serviceaccount:default:default"}`
	ours := m{"iss": issuer, "aud": []string{"https://orders.example"}}
	like := func(name, header string, change m) issuedToken {
		return issuedToken{
			name: name, header: header, payload: changed(projected, change), subject: account,
			clientID: account,
		}
	}
	return []profileCase{{
		name: "Kubernetes",
		config: claims.Config{
			Issuer: issuer, Audiences: []string{"https://orders.example"}, Profile: claims.Kubernetes,
		},
		tokens: []issuedToken{
			like("projected", untyped, nil),
			like("projected, by an external signer", typedJWT, nil),
			like("before version 1.30, bound to nothing", untyped, m{
				"jti": claimstest.Omit, "kubernetes.io": m{
					"namespace": "kube-system", "serviceaccount": m{"name": "coredns", "uid": "a087d5a0"},
				},
			}),
			{
				name: "for the API server", header: untyped, reason: claims.ReasonAudience,
				payload: changed(projected, m{"aud": []string{issuer}}),
			},
			{name: "from a secret", header: untyped, payload: secret, reason: claims.ReasonIssuer},
			{
				name: "from a secret, issuer and audience ours", header: untyped,
				payload: changed(secret, ours), reason: claims.ReasonClaims,
			},
			{
				name: "from a secret, with an end", header: untyped, reason: claims.ReasonClaims,
				payload: changed(secret, merged(ours, m{"exp": farFuture})),
			},
		},
	}}
}

// oktaCases: developer.okta.com/docs/api/openapi/okta-oauth/guides/overview
func oktaCases() []profileCase {
	const issuer, client = "https://example.okta.com/oauth2/default", "nmdP1fcyvdVO11AL7ECm"
	const internal = `{"kid":"rs256","typ":"application/okta-internal-at+jwt","alg":"RS256"}`
	user := dated(`{"ver":1,"jti":"AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE",
		"iss":"https://example.okta.com/oauth2/default","aud":"api://default",
		"sub":"joe.user@example.com","iat":$iat,"exp":$exp,"cid":"nmdP1fcyvdVO11AL7ECm",
		"uid":"00ujmkLgagxeRrAg20g3","scp":["openid","email"],"auth_time":$iat,
		"acr":"urn:okta:loa:1fa:any"}`)
	service := dated(`{"ver":1,"jti":"AT.0mP4JKAZX1iACIT4vbEDF7LpvDVjxypPMf0D7uX39RE",
		"iss":"https://example.okta.com/oauth2/default","aud":"api://default",
		"sub":"nmdP1fcyvdVO11AL7ECm","iat":$iat,"exp":$exp,"cid":"nmdP1fcyvdVO11AL7ECm",
		"scp":["orders"]}`)
	id := dated(`{"ver":1,"sub":"00uid4BxXw6I6TV4m0g3",
		"iss":"https://example.okta.com/oauth2/default","aud":"api://default","iat":$iat,"exp":$exp,
		"amr":["pwd"],"jti":"ID.4eAWJOCMB3SX8XewDfVR","auth_time":$iat,"idp":"00ok1u7AsAkrwdZL3z0g3",
		"nonce":"n-0S6","at_hash":"cpqKfdQA5eH891Ff5oJr_Q","name":"Joe"}`)
	like := func(name, header, payload, subject string, scopes ...string) issuedToken {
		return issuedToken{
			name: name, header: header, payload: payload, subject: subject, clientID: client,
			scopes: scopes,
		}
	}
	refused := func(name string, reason claims.Reason, changes m) issuedToken {
		return issuedToken{
			name: name, header: untyped, payload: changed(id, changes), reason: reason,
		}
	}
	omit := claimstest.Omit
	return []profileCase{{
		name: "Okta",
		config: claims.Config{
			Issuer: issuer, Audiences: []string{"api://default"}, Profile: claims.Okta,
		},
		tokens: []issuedToken{
			like("user", untyped, user, "joe.user@example.com", "openid", "email"),
			like("user, okta-internal-at+jwt", internal, user, "joe.user@example.com", "openid", "email"),
			like("client credentials", untyped, service, client, "orders"),
			refused("ID token", claims.ReasonType, nil),
			refused("ID token without nonce", claims.ReasonType, m{"nonce": omit}),
			refused("ID token with idp alone", claims.ReasonType, m{"nonce": omit, "at_hash": omit}),
			refused("ID token without a mark", claims.ReasonClaims, m{
				"nonce": omit, "at_hash": omit, "idp": omit,
			}),
			{
				name: "org authorization server", header: internal, reason: claims.ReasonIssuer,
				payload: changed(user, m{"iss": "https://example.okta.com"}),
			},
		},
	}}
}
