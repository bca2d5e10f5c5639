package claims

import (
	"cmp"
	"errors"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
)

var (
	defaultTypes = []string{"at+jwt", "JWT", ""}
	idTokenMarks = []string{"at_hash", "c_hash", "s_hash"}
)

// effective returns the Config with the fields of its profile and the defaults
// filled in. It shares nothing with cfg that a caller could change later.
func (cfg Config) effective() Config {
	profile := cfg.Profile.Config()
	cfg.Audiences = slices.Clone(cfg.Audiences)
	cfg.Algorithms = slices.Clone(cfg.Algorithms)
	cfg.ClientIDs = slices.Clone(cfg.ClientIDs)
	cfg.Types = first(cfg.Types, profile.Types, defaultTypes)
	cfg.PermissionClaims = first(cfg.PermissionClaims, profile.PermissionClaims)
	cfg.PermissionMap = cloneTable(cfg.PermissionMap)
	cfg.ClientIDClaim = cmp.Or(cfg.ClientIDClaim, profile.ClientIDClaim)
	cfg.RequiredClaims = slices.Concat(profile.RequiredClaims, cfg.RequiredClaims)
	cfg.ForbiddenClaims = slices.Concat(profile.ForbiddenClaims, cfg.ForbiddenClaims)
	if !cfg.InsecureAllowIDTokens {
		cfg.ForbiddenClaims = append(cfg.ForbiddenClaims, idTokenMarks...)
	}
	values := cloneTable(profile.ClaimValues)
	if values == nil {
		values = map[string][]string{}
	}
	maps.Copy(values, cloneTable(cfg.ClaimValues))
	cfg.ClaimValues = values
	cfg.Leeway = max(cmp.Or(cfg.Leeway, defaultLeeway), 0)
	cfg.TokenCache = cmp.Or(cfg.TokenCache, defaultTokenCache)
	return cfg
}

// first returns a copy of the first list that is not empty.
func first(lists ...[]string) []string {
	for _, list := range lists {
		if len(list) > 0 {
			return slices.Clone(list)
		}
	}
	return nil
}

func cloneTable(table map[string][]string) map[string][]string {
	clone := maps.Clone(table)
	for value, list := range clone {
		clone[value] = slices.Clone(list)
	}
	return clone
}

// kind is a claim that has one of a few values in an access token.
type kind struct {
	claim  string
	values []string
}

func kinds(values map[string][]string) []kind {
	var list []kind
	for _, claim := range slices.Sorted(maps.Keys(values)) {
		list = append(list, kind{claim, values[claim]})
	}
	return list
}

// namesOf returns the claims that a Config names, those inside others left out.
func namesOf(cfg Config) []string {
	var names []string
	for _, alternatives := range alternatives(cfg.RequiredClaims) {
		names = append(names, alternatives...)
	}
	names = append(names, cfg.ForbiddenClaims...)
	names = slices.AppendSeq(names, maps.Keys(cfg.ClaimValues))
	for _, path := range cfg.PermissionClaims {
		first, _, _ := strings.Cut(path, ".")
		names = append(names, path, first)
	}
	return slices.Compact(slices.Sorted(slices.Values(append(names, cfg.ClientIDClaim))))
}

// alternatives takes "scp|roles" apart.
func alternatives(names []string) [][]string {
	var list [][]string
	for _, name := range names {
		list = append(list, strings.Split(name, "|"))
	}
	return list
}

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
