package claims

import (
	"context"
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/jwks"
)

// trustingIssuer is a Config whose keys do not matter. An open issuer trusts
// all tenants, and tells of each that it is asked about.
func trustingIssuer(issuer string, asked *[]string) Config {
	cfg := Config{Issuer: issuer, Audiences: []string{"a"}, Keys: &jwks.Set{}}
	if strings.Contains(issuer, "{") {
		cfg.TrustTenant = func(string) bool {
			if asked != nil {
				*asked = append(*asked, issuer)
			}
			return asked == nil
		}
	}
	return cfg
}

func issuersOf(t *testing.T, names ...string) *Issuers {
	t.Helper()
	configs := make([]Config, len(names))
	for i, name := range names {
		configs[i] = trustingIssuer(name, nil)
	}
	issuers, err := NewIssuers(configs...)
	require.NoError(t, err)
	return issuers
}

func manyNames(format string, n int) []string {
	names := make([]string, n)
	for i := range names {
		names[i] = fmt.Sprintf(format, i)
	}
	return names
}

// One more issuer costs what it does beside few, and so does one less: exact
// ones, those that leave a segment open, and their tenants.
//
// It is not parallel: what others allocate would count.
func TestIssuers_Add_besideMany(t *testing.T) {
	const more = "https://more.example/{tenant}"
	cost := func(issuers *Issuers, name string) uint64 {
		cfg := trustingIssuer(name, nil)
		least := ^uint64(0)
		for range 20 {
			var before, after runtime.MemStats
			runtime.ReadMemStats(&before)
			err := issuers.Add(cfg)
			issuers.Remove(strings.ReplaceAll(name, "{tenant}", "t"))
			issuers.Remove(name)
			runtime.ReadMemStats(&after)
			require.NoError(t, err)
			least = min(least, after.TotalAlloc-before.TotalAlloc)
		}
		return least
	}
	for _, format := range []string{
		"https://h.example/%d", "https://h.example/{t}/%d", "https://h.example/%d/{t}", "https://h%d.example/{t}",
	} {
		few, many := issuersOf(t, manyNames(format, 4)...), issuersOf(t, manyNames(format, 4_000)...)
		for _, name := range []string{"https://more.example", more, "https://h.example/{t}/more"} {
			assert.LessOrEqual(t, cost(many, name), cost(few, name)+24<<10, "%s beside %s", name, format)
		}
	}
}

// Of many issuers that leave a segment open a token asks those that cover its
// own, and a stranger's none.
func TestIssuers_manyOpen(t *testing.T) {
	t.Parallel()
	var asked []string
	var configs []Config
	for _, format := range []string{"https://h%d.example/{t}/v2", "https://one.example/{t}/%d", "https://one.example/%d/{t}"} {
		for _, name := range manyNames(format, 1_000) {
			configs = append(configs, trustingIssuer(name, &asked))
		}
	}
	issuers, err := NewIssuers(configs...)
	require.NoError(t, err)
	table := issuers.trusted.Load()
	for issuer, want := range map[string][]string{
		"https://h7.example/a/v2":                           {"https://h7.example/{t}/v2"},
		"https://one.example/a/7":                           {"https://one.example/{t}/7"},
		"https://one.example/8/7":                           {"https://one.example/8/{t}", "https://one.example/{t}/7"},
		"https://one.example/a/b":                           nil,
		"https://h7.example/a/v3":                           nil,
		"https://two.example/a/v2":                          nil,
		"https://h7.example/" + strings.Repeat("a/", 8_000): nil,
	} {
		asked = nil
		_, err := table.route(t.Context(), issuer)
		assert.Equal(t, errIssuer, err)
		assert.Equal(t, want, asked)
		assert.LessOrEqual(t, len(table.open.covering(issuer, nil)), 2)
	}
}

// What issuers come and go in what order makes no difference to what a list of
// them, gone through one by one, would say.
func TestIssuers_asIfOneByOne(t *testing.T) {
	t.Parallel()
	pool := []string{
		"https://a.example", "https://a.example/b", "https://a.example/b/c", "https://a.example/c/b",
		"https://a.example/{t}", "https://a.example/{u}", "https://a.example/{t}/c", "https://a.example/b/{t}",
		"https://a.example/{t}/", "https://a.example/b/{t}/c", "https://a.example/{s}/c", "https://b.example/{t}",
	}
	tokens := []string{
		"", "https://a.example", "https://a.example/", "https://a.example/b", "https://a.example/d",
		"https://a.example/b/c", "https://a.example/c/b", "https://a.example/b/", "https://a.example/d/c",
		"https://a.example/b/d/c", "https://a.example/b//c", "https://b.example/b", "https://a.example/{t}",
		"https://a.example/{t}/c", "https://c.example/b", "//", "https:///", "https://a.example/../c",
	}
	random := rand.New(rand.NewPCG(1, 2))
	issuers := issuersOf(t, pool[0])
	trusted := map[string]bool{pool[0]: true}
	removed := map[string]bool{}
	tenantOf := func(open, issuer string) bool {
		of, err := parseTemplate(open)
		require.NoError(t, err)
		return of != nil && of.tenant(issuer) != ""
	}
	covered := func(issuer string) bool {
		return slices.ContainsFunc(pool, func(open string) bool { return trusted[open] && tenantOf(open, issuer) })
	}
	for range 3_000 {
		if random.IntN(2) == 0 {
			name := pool[random.IntN(len(pool))]
			require.NoError(t, issuers.Add(trustingIssuer(name, nil)))
			trusted[name] = true
		} else {
			name := append(pool, tokens...)[random.IntN(len(pool)+len(tokens))]
			issuers.Remove(name)
			delete(trusted, name)
			removed[name] = true
		}
		for name := range removed {
			if trusted[name] || !covered(name) {
				delete(removed, name)
			}
		}
		table := issuers.trusted.Load()
		for _, token := range tokens {
			want := ""
			if trusted[token] && !strings.Contains(token, "{") {
				want = token
			} else if !removed[token] {
				for _, open := range slices.Sorted(slices.Values(pool)) {
					if trusted[open] && tenantOf(open, token) {
						want = open
						break
					}
				}
			}
			got := ""
			if v, err := table.route(t.Context(), token); err == nil {
				got = v.issuer
			}
			require.Equal(t, want, got, "%s of %v without %v", token, trusted, removed)
		}
	}
}

// The largest token that is read, and the schemes that are taken, are those of
// the issuers that are trusted now.
func TestIssuers_ofAll(t *testing.T) {
	t.Parallel()
	large := trustingIssuer("https://large.example", nil)
	large.MaxTokenSize = maxMaxTokenSize
	issuers := issuersOf(t, "https://a.example")
	sizes := func() int { return issuers.trusted.Load().sizes() }
	assert.Equal(t, defaultMaxTokenSize, sizes())
	require.NoError(t, issuers.Add(large))
	assert.Equal(t, maxMaxTokenSize, sizes())
	large.MaxTokenSize = 1 << 10
	require.NoError(t, issuers.Add(large))
	assert.Equal(t, defaultMaxTokenSize, sizes())
	assert.True(t, issuers.Remove("https://a.example"))
	assert.Equal(t, 1<<10, sizes())

	takes := func() bool {
		takes, sure := issuers.trusted.Load().takes("dpop")
		assert.True(t, sure)
		return takes
	}
	bound := trustingIssuer("https://bound.example", nil)
	bound.Confirmers = []Confirmer{proves("DPoP")}
	other := trustingIssuer("https://other.example", nil)
	other.Confirmers = []Confirmer{proves("dpop")}
	assert.False(t, takes())
	require.NoError(t, issuers.Add(bound))
	assert.True(t, takes())
	require.NoError(t, issuers.Add(other))
	assert.True(t, issuers.Remove(bound.Issuer))
	assert.True(t, takes(), "of another")
	other.Confirmers = nil
	require.NoError(t, issuers.Add(other))
	assert.False(t, takes())
}

// proves is a Confirmer of that scheme.
type proves string

func (p proves) Confirms() (member, scheme string)                { return "jkt", string(p) }
func (proves) Confirm(context.Context, string, Credentials) error { return nil }
