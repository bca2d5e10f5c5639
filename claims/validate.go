package claims

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// validate returns everything that is wrong, as errors that name the field.
func (cfg Config) validate(accepted algorithmSet) []error {
	var errs []error
	report := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("claims: Config."+format, args...))
	}
	if cfg.Issuer == "" {
		report("Issuer is required")
	}
	cfg.validateAudience(report)
	if v := reflect.ValueOf(cfg.Keys); v.Kind() == reflect.Pointer && v.IsNil() {
		report("Keys is a nil %T, as its constructor returns beside an error", cfg.Keys)
	}
	if !cfg.Profile.known() {
		report("Profile %d is none of the profiles", int(cfg.Profile))
	}
	for _, alg := range cfg.Algorithms {
		if _, ok := accepted[alg]; ok {
			continue
		}
		if _, ok := symmetric[alg]; ok {
			report("Algorithms: %q needs a secret: see NewSymmetricVerifier", alg)
			continue
		}
		report("Algorithms: %q is not one of the algorithms accepted", alg)
	}
	for _, typ := range cfg.Types {
		if strings.ContainsRune(typ, '/') {
			report("Types: %q must be written without \"application/\"", typ)
		}
	}
	cfg.validateClaims(report)
	if cfg.Leeway > maxLeeway {
		report("Leeway of %v is more than %v", cfg.Leeway, maxLeeway)
	}
	if cfg.MaxTokenAge < 0 {
		report("MaxTokenAge is negative")
	}
	if cfg.MaxLifetime < 0 {
		report("MaxLifetime is negative")
	}
	if cfg.TokenCache > maxTokenCache {
		report("TokenCache of %d is more than %d", cfg.TokenCache, maxTokenCache)
	}
	return errs
}

func (cfg Config) validateAudience(report func(string, ...any)) {
	switch {
	case cfg.InsecureSkipAudience && len(cfg.Audiences) > 0:
		report("InsecureSkipAudience contradicts Audiences")
	case slices.Contains(cfg.Audiences, ""):
		report("Audiences has an empty audience")
	case cfg.InsecureSkipAudience || len(cfg.Audiences) > 0:
	case cfg.Profile == Cognito && len(cfg.ClientIDs) > 0:
	case cfg.Profile == Cognito:
		report("ClientIDs is required, or Audiences: " +
			"the app clients of the user pool that may call this API")
	default:
		report("Audiences is required: the name of this API in a token's \"aud\"")
	}
}

func (cfg Config) validateClaims(report func(string, ...any)) {
	if cfg.Profile == Google && len(cfg.ClientIDs) == 0 && cfg.Check == nil {
		report("ClientIDs is required, or Check: everybody can have Google make a token " +
			"for this API; name the e-mail addresses of the accounts that may call it")
	}
	if slices.Contains(cfg.ClientIDs, "") {
		report("ClientIDs has an empty client")
	}
	for _, name := range cfg.RequiredClaims {
		if slices.Contains(strings.Split(name, "|"), "") {
			report("RequiredClaims: %q has an empty name", name)
		}
	}
	if slices.Contains(cfg.ForbiddenClaims, "") {
		report("ForbiddenClaims has an empty name")
	}
	cfg.effective().validateContradictions(report)
	for _, kind := range kinds(cfg.ClaimValues) {
		if kind.claim == "" || len(kind.values) == 0 {
			report("ClaimValues: %q needs a name and a value", kind.claim)
		}
	}
	for _, path := range cfg.PermissionClaims {
		switch {
		case path == "":
			report("PermissionClaims has an empty name")
		case path == "*" || strings.HasSuffix(path, ".*"):
			report("PermissionClaims: %q must name a claim after the \"*\"", path)
		}
	}
	if cfg.PermissionMap != nil && len(cfg.effective().PermissionClaims) == 0 {
		report("PermissionMap is set, and PermissionClaims names no claim to map")
	}
}

// validateContradictions finds claims that are required and forbidden, by the Config,
// by its profile or always: no token would be accepted.
func (cfg Config) validateContradictions(report func(string, ...any)) {
	forbidden := func(name string) bool { return slices.Contains(cfg.ForbiddenClaims, name) }
	for _, names := range append(alternatives(cfg.RequiredClaims), []string{"iss"}, []string{"exp"}) {
		if !slices.ContainsFunc(names, func(name string) bool { return !forbidden(name) }) {
			report("ForbiddenClaims: %q is required as well", strings.Join(names, "|"))
		}
	}
	for _, kind := range kinds(cfg.ClaimValues) {
		if forbidden(kind.claim) {
			report("ForbiddenClaims: %q is to have a value as well", kind.claim)
		}
	}
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
