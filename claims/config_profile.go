package claims

import (
	"fmt"
	"strconv"
	"strings"
)

// Profile is a kind of issuer, in one word for a [Config]. It stands for the
// values of other fields, which [Profile.Config] returns: what an access token
// of such an issuer must have, what only its other tokens have, and where it
// says who the client is and what the caller may do.
//
// Types, PermissionClaims and ClientIDClaim, where a Config sets them, take the
// place of the profile's, and so does a claim in ClaimValues of that claim
// there. RequiredClaims, ForbiddenClaims and further ClaimValues are added to
// it. Two profiles are more than their fields: Cognito lets a Config do without
// Audiences, and Google asks for ClientIDs or Check.
type Profile uint8

const (
	// RFC9068 is any issuer that follows the profile for JWT access tokens:
	// "typ" is at+jwt, and "sub", "client_id", "iat" and "jti" are there (RFC
	// 9068 sections 2 and 4). It is the one to ask an issuer for.
	RFC9068 Profile = 1 + iota

	// Auth0 is an Auth0 tenant, whose issuer ends in a slash, by either of its
	// token profiles. In its own, hardly more than "aud" tells an access token
	// from an ID token: choose the RFC 9068 one where you can, and [RFC9068]
	// here. Permissions are those of "permissions", which the API's RBAC
	// settings add to the token.
	Auth0

	// Cognito is an AWS Cognito user pool. Its access tokens have "token_use":
	// "access", and no "aud" unless the client asked for a resource: Audiences
	// may be left out where ClientIDs names the app clients, and a token with
	// "aud" is refused then. Permissions are the groups, "cognito:groups".
	Cognito

	// EntraV1 is Microsoft Entra ID with tokens of version 1.0, which the API's
	// manifest chooses; the issuer is "https://sts.windows.net/{tenantid}/".
	// Permissions are "roles"; a token without scope and without role, which
	// every application of the tenant can get, is refused. The key set may be
	// that of either version.
	EntraV1

	// EntraV2 is Microsoft Entra ID with tokens of version 2.0, whose issuer is
	// "https://login.microsoftonline.com/{tenantid}/v2.0". Otherwise it is as
	// EntraV1.
	EntraV2

	// Google is accounts.google.com. Its access tokens are opaque and cannot be
	// verified here. What services are sent are the ID tokens of service
	// accounts, made for the URL of the service. Everybody can have one made
	// for any URL, so ClientIDs, the e-mail addresses of the accounts, or Check
	// is required. ID tokens of users, made for them to sign in, are refused.
	Google

	// Hydra is ORY Hydra with JWT as its access token strategy.
	Hydra

	// Keycloak is a realm of Keycloak, "https://host/realms/name". Permissions
	// are the realm's roles, and those of each client with its name before
	// them: "orders:admin". A token has this API as its "aud" only if the realm
	// has an audience mapper for it. "sub" is required, which since Keycloak 25
	// the client scope "basic" adds: without it all users of a client would be
	// one caller. Lightweight access tokens need a mapper for each of the two.
	Keycloak

	// Kubernetes is the API server of a cluster, for projected tokens of
	// service accounts made for the audience of this API. ClientID is the
	// account, "system:serviceaccount:namespace:name". The tokens that were
	// kept in secrets, which never expire, are refused. Tokens made for the API
	// server itself may be valid for a year: do not accept its audience.
	Kubernetes

	// Okta is a custom authorization server of Okta,
	// "https://host/oauth2/default". Okta publishes no keys for the tokens of
	// its org authorization server.
	Okta
)

// profiles are in the order of the constants; the first is none.
var profiles = []struct {
	name   string
	config Config
}{
	{name: "none"},
	{"RFC9068", Config{
		Types:          []string{"at+jwt"},
		RequiredClaims: []string{"sub", "client_id", "iat", "jti"},
	}},
	{"Auth0", Config{
		RequiredClaims:   []string{"sub", "azp|client_id"},
		ForbiddenClaims:  []string{"nonce", "sid"},
		PermissionClaims: []string{"permissions"},
	}},
	{"Cognito", Config{
		ClaimValues:      map[string][]string{"token_use": {"access"}},
		RequiredClaims:   []string{"sub", "client_id"},
		ClientIDClaim:    "client_id",
		PermissionClaims: []string{"cognito:groups"},
	}},
	{"EntraV1", Config{
		ClaimValues:      map[string][]string{"ver": {"1.0"}},
		RequiredClaims:   []string{"sub", "appid", "scp|roles"},
		ForbiddenClaims:  []string{"nonce"},
		ClientIDClaim:    "appid",
		PermissionClaims: []string{"roles"},
	}},
	{"EntraV2", Config{
		ClaimValues:      map[string][]string{"ver": {"2.0"}},
		RequiredClaims:   []string{"sub", "azp", "scp|roles"},
		ForbiddenClaims:  []string{"nonce"},
		ClientIDClaim:    "azp",
		PermissionClaims: []string{"roles"},
	}},
	{"Google", Config{
		ClaimValues:     map[string][]string{"email_verified": {"true"}},
		RequiredClaims:  []string{"sub", "azp", "email"},
		ForbiddenClaims: []string{"nonce", "hd", "name", "given_name", "family_name", "picture"},
		ClientIDClaim:   "email",
	}},
	{"Hydra", Config{
		RequiredClaims:  []string{"sub", "client_id", "jti"},
		ForbiddenClaims: []string{"nonce", "sid", "rat"},
		ClientIDClaim:   "client_id",
	}},
	{"Keycloak", Config{
		// Lower case is a setting of the client; DPoP tokens also have "cnf".
		ClaimValues:      map[string][]string{"typ": {"Bearer", "bearer", "DPoP"}},
		RequiredClaims:   []string{"sub", "azp"},
		ClientIDClaim:    "azp",
		PermissionClaims: []string{"realm_access.roles", "resource_access.*.roles"},
	}},
	{"Kubernetes", Config{
		RequiredClaims: []string{"sub", "kubernetes.io"},
		ClientIDClaim:  "sub",
	}},
	{"Okta", Config{
		Types:           []string{"at+jwt", "okta-internal-at+jwt", "JWT", ""},
		RequiredClaims:  []string{"sub", "cid", "scp"},
		ForbiddenClaims: []string{"nonce", "idp"},
		ClientIDClaim:   "cid",
	}},
}

func (p Profile) known() bool { return int(p) < len(profiles) }

// String returns the profile's name, as in this package.
func (p Profile) String() string {
	if !p.known() {
		return "Profile(" + strconv.Itoa(int(p)) + ")"
	}
	return profiles[p].name
}

// Config returns the fields that the profile stands for, to look at or to
// change before they are used without it; all others are zero.
func (p Profile) Config() Config {
	if !p.known() {
		return Config{}
	}
	cfg := profiles[p].config
	cfg.ClaimValues = cloneTable(cfg.ClaimValues)
	for _, list := range []*[]string{
		&cfg.Types, &cfg.RequiredClaims, &cfg.ForbiddenClaims, &cfg.PermissionClaims,
	} {
		*list = first(*list)
	}
	return cfg
}

// lets reports whether a key that names another issuer may verify a token of
// this one. Entra has one set of keys for the tokens of both its versions, and
// in the document of the newer one the keys name the newer issuer, open or of
// one tenant.
func (p Profile) lets(key, issuer string) bool {
	if p != EntraV1 {
		return false
	}
	open, err := parseTemplate(key)
	for _, cloud := range entraClouds {
		tenant := cloud.v1.tenant(issuer)
		if tenant == "" {
			continue
		}
		if cloud.v2.tenant(key) == tenant || err == nil && open != nil && *open == cloud.v2 {
			return true
		}
	}
	return false
}

// entraClouds are the issuers of both versions, of the public cloud and of the
// national ones.
var entraClouds = []struct{ v1, v2 template }{
	{
		template{prefix: "https://sts.windows.net/", suffix: "/"},
		template{prefix: "https://login.microsoftonline.com/", suffix: "/v2.0"},
	},
	{
		template{prefix: "https://sts.windows.net/", suffix: "/"},
		template{prefix: "https://login.microsoftonline.us/", suffix: "/v2.0"},
	},
	{
		template{prefix: "https://sts.chinacloudapi.cn/", suffix: "/"},
		template{prefix: "https://login.partner.microsoftonline.cn/", suffix: "/v2.0"},
	},
}

// MarshalText returns the profile's name, so that a profile can stand in a
// configuration file.
func (p Profile) MarshalText() ([]byte, error) {
	if !p.known() {
		return nil, fmt.Errorf("claims: %v is none of the profiles", p)
	}
	return []byte(p.String()), nil
}

// UnmarshalText sets the profile by its name, without regard to case; "none",
// or nothing, is no profile.
func (p *Profile) UnmarshalText(name []byte) error {
	if len(name) == 0 {
		*p = 0
		return nil
	}
	names := make([]string, len(profiles))
	for i, profile := range profiles {
		if strings.EqualFold(profile.name, string(name)) {
			*p = Profile(i)
			return nil
		}
		names[i] = profile.name
	}
	return fmt.Errorf("claims: %q is no profile; there are %s", name, strings.Join(names, ", "))
}
