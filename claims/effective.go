package claims

import (
	"cmp"
	"maps"
	"slices"
	"strings"
	"time"
)

const (
	defaultLeeway = 30 * time.Second
	maxLeeway     = 5 * time.Minute
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
