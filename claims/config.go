package claims

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"time"
)

// Config says which tokens a [Verifier] accepts.
type Config struct {
	// Issuer is the issuer identifier: a token's "iss" must equal it, byte for
	// byte. Required. Where Keys is nil it must be an https URL, or http on a
	// loopback address, at which the issuer's metadata is found.
	//
	// It may leave one whole path segment open, as in
	// "https://login.microsoftonline.com/{tenantid}/v2.0", for issuers that have
	// one identifier per tenant and the same keys for all. Then Tenant says which
	// values are trusted, and Keys is required.
	Issuer string

	// Tenant reports whether the issuer with this value in the open segment of
	// Issuer is trusted. Required where Issuer has one, and not allowed where it
	// has none. The sender of a token chooses the value, up to 128 letters, digits,
	// ".", "-" and "_"; it is called for each token and must be quick.
	Tenant func(tenant string) bool

	// Audiences are the names of the API that the Verifier guards: a token's
	// "aud" must have one of them, byte for byte (RFC 7519 section 4.1.3).
	// Required, unless InsecureSkipAudience is set.
	Audiences []string

	// InsecureSkipAudience accepts tokens whatever their "aud", and without
	// one. Every token of the issuer then opens this API, also those that it
	// issued for other APIs. Audiences must be empty.
	InsecureSkipAudience bool

	// Keys finds the issuer's keys: a [*jwks.Cache] with settings of its own,
	// such as a key set URL or an HTTP client, or a [*jwks.Set] that never
	// changes. Nil means a jwks.Cache that discovers them from Issuer. It must
	// be the source of this issuer's keys alone: any key in it can sign any
	// token of the issuer.
	Keys KeySource

	// Algorithms are the signature algorithms that are accepted, out of RS256,
	// RS384, RS512, PS256, PS384, PS512, ES256, ES384, ES512, EdDSA and its
	// newer name Ed25519. Empty means all of them. Whatever is allowed here, a
	// token's algorithm must also fit the key that it names.
	Algorithms []string

	// Types are the values of the header parameter "typ" that are accepted,
	// without "application/" and without regard to case; "" stands for a token
	// that has none. Empty means at+jwt (RFC 9068 section 2.1), JWT and none,
	// which most issuers need; at+jwt alone keeps ID tokens out (RFC 8725
	// section 3.11).
	Types []string

	// PermissionClaims are the claims in which this issuer says what the caller
	// may do: "permissions", "roles", or, inside an object, "realm_access.roles".
	// A claim of exactly that name comes before a path. Each is a string or an
	// array of strings. Empty means that tokens grant no permissions.
	PermissionClaims []string

	// PermissionMap turns the values of those claims, such as roles, into
	// permissions; a value that it does not list grants none. Nil means that the
	// values are the permissions.
	PermissionMap map[string][]string

	// Leeway is how far the issuer's clock may be from ours, at "exp", "nbf"
	// and "iat" alike. Zero means 30 seconds, a negative value none. At most 5
	// minutes.
	Leeway time.Duration
}

func (cfg Config) validate() []error {
	var errs []error
	report := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("claims: Config."+format, args...))
	}
	if cfg.Issuer == "" {
		report("Issuer is required")
	}
	switch {
	case cfg.InsecureSkipAudience && len(cfg.Audiences) > 0:
		report("InsecureSkipAudience contradicts Audiences")
	case !cfg.InsecureSkipAudience && len(cfg.Audiences) == 0:
		report("Audiences is required: the name of this API in a token's \"aud\"")
	case slices.Contains(cfg.Audiences, ""):
		report("Audiences has an empty audience")
	}
	if v := reflect.ValueOf(cfg.Keys); v.Kind() == reflect.Pointer && v.IsNil() {
		report("Keys is a nil %T, as its constructor returns beside an error", cfg.Keys)
	}
	for _, alg := range cfg.Algorithms {
		if _, ok := algorithms[alg]; !ok {
			report("Algorithms: %q is not one of the algorithms accepted", alg)
		}
	}
	for _, typ := range cfg.Types {
		if strings.ContainsRune(typ, '/') {
			report("Types: %q must be written without \"application/\"", typ)
		}
	}
	if slices.Contains(cfg.PermissionClaims, "") {
		report("PermissionClaims has an empty name")
	}
	if cfg.PermissionMap != nil && len(cfg.PermissionClaims) == 0 {
		report("PermissionMap is set, and PermissionClaims names no claim to map")
	}
	if cfg.Leeway > maxLeeway {
		report("Leeway of %v is more than %v", cfg.Leeway, maxLeeway)
	}
	return errs
}

func (cfg Config) validateTenant(open bool) []error {
	switch {
	case !open && cfg.Tenant != nil:
		return []error{errors.New("claims: Config.Tenant is set, and Issuer leaves nothing open")}
	case !open:
		return nil
	}
	var errs []error
	if cfg.Tenant == nil {
		errs = append(errs, errors.New(
			"claims: Config.Tenant is required: it says which tenants of Issuer are trusted"))
	}
	if cfg.Keys == nil {
		errs = append(errs, errors.New(
			"claims: Config.Keys is required where Issuer leaves a segment open: "+
				"a jwks.Cache with a MetadataURL"))
	}
	return errs
}
