package claims

import (
	"maps"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/jws"
	"github.com/sallyport-go/sallyport/jwks"
)

// reporter takes note of a fault; its text begins with the name of a field.
type reporter func(format string, args ...any)

// validate reports everything that is wrong; full is the Config with its
// profile and the defaults.
func (cfg Config) validate(full Config, accepted jws.Algorithms, report reporter) {
	if cfg.Issuer == "" {
		report("Issuer is required")
	}
	cfg.validateAudience(report)
	cfg.validateKeys(report)
	for _, alg := range cfg.Algorithms {
		if _, ok := accepted[alg]; ok {
			continue
		}
		if _, ok := jws.Symmetric[alg]; ok {
			report("Algorithms: %q needs a secret: see NewSymmetricVerifier", alg)
			continue
		}
		report("Algorithms: %q is not one of the algorithms accepted, %s", alg, accepted)
	}
	for _, typ := range cfg.Types {
		if strings.ContainsRune(typ, '/') {
			report("Types: %q must be written without \"application/\"", typ)
		}
	}
	cfg.validateClaims(report)
	cfg.validateMeaning(full, report)
	full.validateContradictions(report)
	cfg.validateNumbers(report)
}

func (cfg Config) validateNumbers(report reporter) {
	if cfg.Leeway > maxLeeway {
		report("Leeway of %v is more than %v", cfg.Leeway, maxLeeway)
	}
	for _, field := range []struct {
		name  string
		value time.Duration
	}{{"MaxTokenAge", cfg.MaxTokenAge}, {"MaxLifetime", cfg.MaxLifetime}} {
		if field.value < 0 {
			report("%s of %v is negative", field.name, field.value)
		}
	}
	if cfg.MaxTokens > maxMaxTokens {
		report("MaxTokens of %d is more than %d", cfg.MaxTokens, maxMaxTokens)
	}
	if n := cfg.MaxTokenSize; n < 0 || n > maxMaxTokenSize {
		report("MaxTokenSize of %d is not between 0 and %d", n, maxMaxTokenSize)
	}
}

func (cfg Config) validateAudience(report reporter) {
	switch {
	case cfg.InsecureSkipAudience && len(cfg.Audiences) > 0:
		report("InsecureSkipAudience contradicts Audiences %q", cfg.Audiences)
	case slices.Contains(cfg.Audiences, ""):
		report("Audiences %q has an empty audience", cfg.Audiences)
	case cfg.InsecureSkipAudience || len(cfg.Audiences) > 0:
	case cfg.Profile == Cognito && len(cfg.ClientIDs) > 0:
	case cfg.Profile == Cognito:
		report("ClientIDs is required, or Audiences: " +
			"the app clients of the user pool that may call this API")
	default:
		report("Audiences is required: the name of this API in a token's \"aud\"")
	}
}

// validateKeys finds what contradicts itself in where the keys come from.
func (cfg Config) validateKeys(report reporter) {
	if cfg.KeyCache.Issuer != "" || cfg.KeyCache.URL != "" {
		report("KeyCache.Issuer and KeyCache.URL must be empty: Issuer and KeySetURL say them")
	}
	if cfg.Keys == nil {
		if cfg.KeysOf != "" {
			report("KeysOf is %q, and Keys is nil", shownURL(cfg.KeysOf))
		}
		return
	}
	if isNil(cfg.Keys) {
		report("Keys is a nil %T, as its constructor returns beside an error", cfg.Keys)
		return
	}
	if cache, ok := cfg.Keys.(*jwks.Cache); ok && cache.SameConfig(new(jwks.Cache)) {
		report("Keys is a jwks.Cache that was not made by jwks.NewCache")
		return
	}
	if cfg.KeySetURL != "" || !isZero(cfg.KeyCache) {
		report("Keys takes the place of KeySetURL and KeyCache")
	}
	cache, ok := cfg.Keys.(*jwks.Cache)
	if !ok || cache.Issuer() == "" {
		return
	}
	switch of := cache.Issuer(); cfg.KeysOf {
	case of:
	case "":
		if !cfg.couldHave(of) {
			report("Keys is a cache of the keys of %q, and Issuer is %q: "+
				"if they are two names of one issuer, say so by KeysOf",
				shownURL(of), shownURL(cfg.Issuer))
		}
	default:
		report("KeysOf is %q, and Keys is a cache of the keys of %q",
			shownURL(cfg.KeysOf), shownURL(of))
	}
}

// couldHave reports whether the keys of an issuer may be those of this one: of
// an open issuer, if they are of one of its host, or, of Entra, of the other
// version.
func (cfg Config) couldHave(of string) bool {
	if of == cfg.Issuer || cfg.Profile.lets(of, cfg.Issuer) {
		return true
	}
	open, err := parseTemplate(cfg.Issuer)
	if open == nil {
		return err != nil
	}
	_, rest, _ := strings.Cut(open.prefix, "//")
	host, _, _ := strings.Cut(rest, "/")
	origin := open.prefix[:len(open.prefix)-len(rest)] + host
	return of == origin || strings.HasPrefix(of, origin+"/") || cfg.Profile == EntraV1
}

func isZero(v any) bool { return reflect.ValueOf(v).IsZero() }

// shownURL returns a URL for people, without what may be secret in it.
func shownURL(text string) string {
	u, err := url.Parse(text)
	text, _, _ = strings.Cut(text, "?")
	text, _, _ = strings.Cut(text, "#")
	if at := strings.LastIndexByte(text, '@'); at >= 0 && (err != nil || u.User != nil) {
		start := 0
		if slashes := strings.Index(text[:at], "//"); slashes >= 0 {
			start = slashes + len("//")
		}
		text = text[:start] + text[at+1:]
	}
	return clip(text)
}

func (cfg Config) validateClaims(report reporter) {
	if cfg.Profile == Google && len(cfg.ClientIDs) == 0 && cfg.Check == nil {
		report("ClientIDs is required, or Check: everybody can have Google make a token " +
			"for this API; name the e-mail addresses of the accounts that may call it")
	}
	if slices.Contains(cfg.ClientIDs, "") {
		report("ClientIDs %q has an empty client", cfg.ClientIDs)
	}
	for _, name := range cfg.RequiredClaims {
		if slices.Contains(strings.Split(name, "|"), "") {
			report("RequiredClaims: %q has an empty name", name)
		}
	}
	if slices.Contains(cfg.ForbiddenClaims, "") {
		report("ForbiddenClaims %q has an empty name", cfg.ForbiddenClaims)
	}
	for _, claim := range valuesOf(cfg.ClaimValues) {
		if claim.claim == "" || len(claim.values) == 0 {
			report("ClaimValues: %q needs a name and a value", claim.claim)
		}
	}
}

// validateMeaning finds what is wrong with the fields that say what claims
// mean.
func (cfg Config) validateMeaning(full Config, report reporter) {
	if !cfg.Profile.known() {
		report("Profile %d is none of the profiles", int(cfg.Profile))
	}
	for i, path := range cfg.PermissionClaims {
		if _, err := parsePath(path); err != nil {
			report("PermissionClaims[%d]: %q %w", i, path, err)
		}
	}
	if cfg.PermissionMap != nil && len(full.PermissionClaims) == 0 {
		report("PermissionMap is set, and PermissionClaims names no claim to map")
	}
	for _, scope := range slices.Sorted(maps.Keys(cfg.ScopeMap)) {
		for _, name := range append([]string{scope}, cfg.ScopeMap[scope]...) {
			if !isScope(name) {
				report("ScopeMap: %s is not a scope (RFC 6749 section 3.3)", strconv.Quote(name))
			}
		}
	}
}

// validateContradictions finds claims that are required and forbidden, by the
// Config, by its profile or always: no token would be accepted.
func (cfg Config) validateContradictions(report reporter) {
	forbidden := func(name string) bool { return slices.Contains(cfg.ForbiddenClaims, name) }
	required := append(alternatives(cfg.RequiredClaims), []string{"iss"}, []string{"exp"})
	for _, names := range required {
		if !slices.ContainsFunc(names, func(name string) bool { return !forbidden(name) }) {
			report("ForbiddenClaims: %q is required as well", strings.Join(names, "|"))
		}
	}
	for _, claim := range valuesOf(cfg.ClaimValues) {
		if forbidden(claim.claim) {
			report("ForbiddenClaims: %q is to have a value as well", claim.claim)
		}
	}
	for _, text := range cfg.PermissionClaims {
		path, err := parsePath(text)
		if first := path.first(); err == nil && forbidden(first) {
			report("PermissionClaims: %q is in a claim that is forbidden", text)
		}
	}
}

func (cfg Config) validateTenant(open bool, report reporter) {
	switch {
	case !open && cfg.TrustTenant != nil:
		report("TrustTenant is set, and Issuer %q leaves nothing open", shownURL(cfg.Issuer))
	case !open:
	default:
		if cfg.TrustTenant == nil {
			report("TrustTenant is required: it says which tenants of Issuer are trusted")
		}
		if cfg.Keys == nil {
			report("Keys is required where Issuer leaves a segment open: " +
				"a jwks.Cache with a MetadataURL")
		}
	}
}
