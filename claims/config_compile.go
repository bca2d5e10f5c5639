package claims

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/jws"
	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

var (
	defaultTypes = []string{"at+jwt", "JWT", ""}
	idTokenMarks = []string{"at_hash", "c_hash", "s_hash"}
)

// rules are a Config as the checks of a token read it: with nothing left to
// default, and nothing that a caller could change later.
type rules struct {
	issuer       string
	keysOf       string    // the issuer that the keys are of
	template     *template // nil unless issuer leaves a segment open
	trustTenant  func(tenant string) bool
	profile      Profile
	algorithms   []string // empty for all
	types        []string
	forbidden    []string
	values       []claimValues
	required     []requiredClaim
	named        *strict.Names     // claims that the Config names
	variants     map[string]*Error // refusals of what resembles one of them
	mixed        bool              // some of them are not all in lower case
	audiences    []string
	skipAudience bool
	clientIDs    []string // empty for all
	leeway       time.Duration
	maxTokenAge  time.Duration
	maxLifetime  time.Duration
	maxTokenSize int
	maxTokens    int // negative for none
	meaning      meaning
	confirmers   confirmers
	schemes      []Scheme // beside Bearer
	check        func(ctx context.Context, caller *Claims) error
}

// claimValues is a claim that has one of a few values in an access token.
type claimValues struct {
	claim  string
	values []string
}

// requiredClaim is a claim that a token must have, or one of several.
type requiredClaim struct {
	names   []string
	refusal *Error
}

// compile returns the rules of a Config, or everything that is wrong with it,
// as errors that name the field.
func (cfg Config) compile(accepted jws.Algorithms) (*rules, []error) {
	full := cfg.effective()
	open, err := parseTemplate(cfg.Issuer)
	var errs []error
	report := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("claims: Config."+format, args...))
	}
	if err != nil {
		report("Issuer %q %w", shownURL(cfg.Issuer), err)
	}
	cfg.validate(full, accepted, report)
	cfg.validateTenant(open != nil, report)
	confirmers := compileConfirmers(cfg.Confirmers, report)
	if len(errs) > 0 {
		return nil, errs
	}
	r := &rules{
		issuer:       full.Issuer,
		keysOf:       cmp.Or(full.KeysOf, full.Issuer),
		template:     open,
		trustTenant:  full.TrustTenant,
		profile:      full.Profile,
		algorithms:   full.Algorithms,
		types:        full.Types,
		forbidden:    full.ForbiddenClaims,
		values:       valuesOf(full.ClaimValues),
		required:     requiredOf(full.RequiredClaims),
		audiences:    full.Audiences,
		skipAudience: full.InsecureSkipAudience,
		clientIDs:    full.ClientIDs,
		leeway:       full.Leeway,
		maxTokenAge:  full.MaxTokenAge,
		maxLifetime:  full.MaxLifetime,
		maxTokenSize: full.MaxTokenSize,
		maxTokens:    full.MaxTokens,
		meaning:      full.meaning(),
		confirmers:   confirmers,
		schemes:      confirmers.schemes(),
		check:        full.Check,
	}
	named := namesOf(full)
	r.named, r.variants = strict.NewNames(named...), make(map[string]*Error, len(named))
	for _, name := range named {
		r.variants[name] = variantOf(name)
		r.mixed = r.mixed || !strict.IsLower(name)
	}
	return r, nil
}

// compileMeaning is compile for claims that are trusted already.
func (cfg Config) compileMeaning() (meaning, []error) {
	var errs []error
	report := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("claims: Config."+format, args...))
	}
	full := cfg.effective()
	cfg.validateMeaning(full, report)
	return full.meaning(), errs
}

func (cfg Config) meaning() meaning {
	return meaning{
		clientIDClaim: cfg.ClientIDClaim,
		implied:       closureOf(cfg.ScopeMap),
		permissions:   newPermissionMapping(cfg.PermissionClaims, cfg.PermissionMap),
	}
}

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
	cfg.MaxTokens = cmp.Or(cfg.MaxTokens, defaultMaxTokens)
	cfg.MaxTokenSize = cmp.Or(cfg.MaxTokenSize, defaultMaxTokenSize)
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

func valuesOf(values map[string][]string) []claimValues {
	var list []claimValues
	for _, claim := range slices.Sorted(maps.Keys(values)) {
		list = append(list, claimValues{claim, values[claim]})
	}
	return list
}

func requiredOf(claims []string) []requiredClaim {
	var list []requiredClaim
	for _, names := range alternatives(claims) {
		list = append(list, requiredClaim{names, missingClaim(strings.Join(names, "\" or \""), "")})
	}
	return list
}

// missingClaim is the refusal of a token that lacks a claim which the Config,
// or a field of it, asks for.
func missingClaim(name, because string) *Error {
	cause := fmt.Sprintf("claims: claim %q is required", name)
	if strings.Contains(name, "\"") { // several, which quote themselves
		cause = fmt.Sprintf("claims: claim \"%s\" is required", name)
	}
	return &Error{class: ErrInvalidToken, reason: ReasonClaims, cause: errors.New(cause + because)}
}

// closureOf returns for each scope all that it implies, however far.
func closureOf(table map[string][]string) map[string][]string {
	if len(table) == 0 {
		return nil
	}
	all := make(map[string][]string, len(table))
	for scope := range table {
		var seen strict.Members
		seen.Add(scope)
		list := []string{scope}
		for i := 0; i < len(list); i++ {
			for _, implied := range table[list[i]] {
				if seen.Add(implied) {
					list = append(list, implied)
				}
			}
		}
		all[scope] = list[1:]
	}
	return all
}

// namesOf returns the claims that a Config names, those inside others left out.
func namesOf(cfg Config) []string {
	var names []string
	for _, alternatives := range alternatives(cfg.RequiredClaims) {
		names = append(names, alternatives...)
	}
	names = append(names, cfg.ForbiddenClaims...)
	names = slices.AppendSeq(names, maps.Keys(cfg.ClaimValues))
	for _, text := range cfg.PermissionClaims {
		path, _ := parsePath(text)
		names = append(names, path.first(), path.flat)
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
