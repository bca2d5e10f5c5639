package claimstest

import (
	"maps"
	"slices"
	"strings"
)

// shapes are what access tokens of issuers that people use look like, by the
// name of the profile in package claims: those of a client that asks for
// itself, by the issuers' own documentation. A shape changes the payload and
// header of a token by RFC 9068.
var shapes = map[string]func(t Token, payload, header map[string]any){
	"none":    func(Token, map[string]any, map[string]any) {},
	"RFC9068": func(Token, map[string]any, map[string]any) {},
	"Auth0": func(t Token, payload, header map[string]any) {
		plain(payload, header, "client_id", "jti")
		payload["azp"], payload["gty"] = t.ClientID, "client-credentials"
		if t.Subject == t.ClientID {
			payload["sub"] = t.ClientID + "@clients"
		}
		list(payload, "permissions", t.Permissions)
	},
	"Cognito": func(t Token, payload, header map[string]any) {
		plain(payload, header, "aud")
		delete(header, "typ")
		payload["token_use"], payload["version"] = "access", 2
		payload["auth_time"] = payload["iat"]
		list(payload, "cognito:groups", t.Permissions)
	},
	"EntraV1": func(t Token, payload, header map[string]any) {
		plain(payload, header, "client_id", "scope", "jti")
		payload["ver"], payload["appid"], payload["appidacr"] = "1.0", t.ClientID, "1"
		entra(t, payload)
	},
	"EntraV2": func(t Token, payload, header map[string]any) {
		plain(payload, header, "client_id", "scope", "jti")
		payload["ver"], payload["azp"], payload["azpacr"] = "2.0", t.ClientID, "1"
		entra(t, payload)
	},
	"Google": func(t Token, payload, header map[string]any) {
		plain(payload, header, "client_id", "scope", "jti")
		payload["azp"], payload["email"], payload["email_verified"] = t.Subject, t.ClientID, true
	},
	"Hydra": func(t Token, payload, header map[string]any) {
		plain(payload, header, "scope")
		payload["ext"], payload["nbf"] = map[string]any{}, payload["iat"]
		payload["scp"] = words(t.Scope)
	},
	"Keycloak": func(t Token, payload, header map[string]any) {
		plain(payload, header)
		payload["typ"], payload["azp"], payload["acr"] = "Bearer", t.ClientID, "1"
		payload["preferred_username"] = "service-account-" + t.ClientID
		payload["realm_access"] = map[string]any{"roles": t.Permissions}
	},
	"Kubernetes": func(t Token, payload, header map[string]any) {
		plain(payload, header, "client_id", "scope")
		delete(header, "typ")
		payload["sub"], payload["nbf"] = t.ClientID, payload["iat"]
		account := strings.Split(t.ClientID, ":")
		payload["kubernetes.io"] = map[string]any{
			"namespace":      account[max(0, len(account)-2)],
			"serviceaccount": map[string]any{"name": account[len(account)-1], "uid": payload["jti"]},
		}
	},
	"Okta": func(t Token, payload, header map[string]any) {
		plain(payload, header, "client_id", "scope")
		delete(header, "typ")
		payload["ver"], payload["cid"] = 1, t.ClientID
		payload["scp"] = words(t.Scope)
	},
}

// plain makes an ordinary JWT of a token, without some claims.
func plain(payload, header map[string]any, without ...string) {
	header["typ"] = "JWT"
	for _, name := range without {
		delete(payload, name)
	}
}

// entra has roles for an application, and scopes for a user.
func entra(t Token, payload map[string]any) {
	payload["oid"], payload["idtyp"] = t.Subject, "app"
	list(payload, "roles", t.Permissions)
	if t.Scope != "" && t.Subject != t.ClientID {
		payload["scp"], payload["idtyp"] = t.Scope, "user"
	}
}

func list(payload map[string]any, name string, values []string) {
	if len(values) > 0 {
		payload[name] = values
	}
}

func words(text string) []string { return append([]string{}, strings.Fields(text)...) }

// shapeNames are those that a Config may have.
func shapeNames() string {
	return strings.Join(slices.Sorted(maps.Keys(shapes)), ", ")
}
