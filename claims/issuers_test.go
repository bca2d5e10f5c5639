package claims_test

import (
	"errors"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// trusting is a Config that trusts the issuer, reached directly.
func trusting(t testing.TB, issuer *claimstest.Issuer) claims.Config {
	t.Helper()
	keys, err := jwks.NewCache(jwks.Config{Issuer: issuer.URL(), Client: issuer.Client()})
	require.NoError(t, err)
	return claims.Config{
		Issuer: issuer.URL(), Audiences: []string{claimstest.Audience}, Keys: keys,
	}
}

func requestsTo(issuers ...*claimstest.Issuer) (n int) {
	for _, issuer := range issuers {
		n += issuer.KeySetRequests() + issuer.Requests(wellKnown)
	}
	return n
}

// Two issuers may call their keys the same; a token is only ever checked with
// those of the issuer that it names.
func TestIssuers_equalKeyIDs(t *testing.T) {
	t.Parallel()
	a := newIssuer(t, claimstest.Config{URL: "https://a.example"})
	b := newIssuer(t, claimstest.Config{URL: "https://b.example"})
	a.Key().ID, b.Key().ID = "1", "1"
	issuers, err := claims.NewIssuers(trusting(t, a), trusting(t, b))
	require.NoError(t, err)
	for _, issuer := range []*claimstest.Issuer{a, b} {
		caller, err := issuers.Authenticate(t.Context(), bearer(issuer.Mint(claimstest.Token{})))
		require.NoError(t, err)
		assert.Equal(t, issuer.URL(), caller.Issuer())
	}
	before := requestsTo(a, b)
	for _, tt := range []struct {
		name   string
		token  string
		reason claims.Reason
	}{
		{
			name:  "token of A signed with the key of B",
			token: a.Mint(claimstest.Token{Key: b.Key()}), reason: claims.ReasonSignature,
		},
		{
			name:  "token of B signed with the key of A",
			token: b.Mint(claimstest.Token{Key: a.Key()}), reason: claims.ReasonSignature,
		},
		{
			name: "the same without key ID",
			token: a.Mint(claimstest.Token{
				Key: b.Key(), Header: map[string]any{"kid": claimstest.Omit},
			}),
			reason: claims.ReasonSignature,
		},
		{
			name: "token of B that names A",
			token: b.Mint(claimstest.Token{
				Claims: map[string]any{"iss": a.URL()},
			}),
			reason: claims.ReasonSignature,
		},
		{
			name: "token of B that names both",
			token: b.Mint(claimstest.Token{
				Claims: map[string]any{"iss": []string{a.URL(), b.URL()}},
			}),
			reason: claims.ReasonMalformed,
		},
	} {
		caller, err := issuers.Authenticate(t.Context(), bearer(tt.token))
		assertRefused(t, caller, err, tt.reason)
	}
	assert.LessOrEqual(t, requestsTo(a, b)-before, 2*2, "bad signatures cause one fetch of each issuer")
}

// A key that only B has is not looked for in B where the token names A.
func TestIssuers_keyOfAnother(t *testing.T) {
	t.Parallel()
	a := newIssuer(t, claimstest.Config{URL: "https://a.example"})
	b := newIssuer(t, claimstest.Config{URL: "https://b.example"})
	issuers, err := claims.NewIssuers(trusting(t, a), trusting(t, b))
	require.NoError(t, err)
	require.NoError(t, issuers.Ready(t.Context()))
	before := requestsTo(b)
	caller, err := issuers.Authenticate(
		t.Context(), bearer(a.Mint(claimstest.Token{Key: b.Key()})))
	assertRefused(t, caller, err, claims.ReasonUnknownKey)
	assert.Equal(t, before, requestsTo(b))
}

func TestIssuers_unknownIssuer(t *testing.T) {
	t.Parallel()
	a := newIssuer(t, claimstest.Config{URL: "https://a.example"})
	b := newIssuer(t, claimstest.Config{URL: "https://b.example"})
	stranger := newIssuer(t, claimstest.Config{URL: "https://stranger.example"})
	issuers, err := claims.NewIssuers(trusting(t, a), trusting(t, b))
	require.NoError(t, err)
	for _, iss := range []any{
		stranger.URL(), "https://a.example/", "https://A.example", "https://a.exampl", "",
		claimstest.Omit,
	} {
		token := stranger.Mint(claimstest.Token{Claims: map[string]any{"iss": iss}})
		caller, err := issuers.Authenticate(t.Context(), bearer(token))
		assertRefused(t, caller, err, claims.ReasonIssuer)
	}
	assert.Zero(t, requestsTo(a, b, stranger))
}

// The issuer picks everything that its tokens are verified by.
func TestIssuers_ownSettings(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name   string
		change func(*claims.Config) // of A alone
		token  claimstest.Token
		reason claims.Reason // of A's token; B's is accepted
	}{
		{
			name:   "algorithms",
			change: func(cfg *claims.Config) { cfg.Algorithms = []string{"RS256"} },
			reason: claims.ReasonAlgorithm,
		},
		{
			name:   "types",
			change: func(cfg *claims.Config) { cfg.Types = []string{"JWT"} },
			reason: claims.ReasonType,
		},
		{
			name:   "leeway",
			change: func(cfg *claims.Config) { cfg.Leeway = -1 },
			token:  claimstest.Token{Lifetime: -10 * time.Second},
			reason: claims.ReasonExpired,
		},
		{
			name:   "audiences",
			change: func(cfg *claims.Config) { cfg.Audiences = []string{"https://a-only.example"} },
			reason: claims.ReasonAudience,
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			a := newIssuer(t, claimstest.Config{URL: "https://a.example"})
			b := newIssuer(t, claimstest.Config{URL: "https://b.example"})
			cfg := trusting(t, a)
			tt.change(&cfg)
			issuers, err := claims.NewIssuers(cfg, trusting(t, b))
			require.NoError(t, err)
			caller, err := issuers.Authenticate(t.Context(), bearer(a.Mint(tt.token)))
			assertRefused(t, caller, err, tt.reason)
			assert.Zero(t, requestsTo(a))
			_, err = issuers.Authenticate(t.Context(), bearer(b.Mint(tt.token)))
			assert.NoError(t, err)
		})
	}
}

// One issuer's outage is not the other's.
func TestIssuers_Ready(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		a := newIssuer(t, claimstest.Config{URL: "https://a.example"})
		b := newIssuer(t, claimstest.Config{URL: "https://b.example"})
		issuers, err := claims.NewIssuers(trusting(t, a), trusting(t, b))
		require.NoError(t, err)
		b.Fail(http.StatusInternalServerError)

		err = issuers.Ready(t.Context())
		assert.ErrorIs(t, err, claims.ErrUnavailable)
		assert.ErrorIs(t, err, jwks.ErrUnavailable)
		var refusal *claims.Error
		require.ErrorAs(t, err, &refusal)
		assert.Equal(t, claims.ReasonKeysUnavailable, refusal.Reason())
		assert.ErrorContains(t, err, `issuer "https://b.example" is not ready`)
		assert.ErrorContains(t, err, "status 500")
		assert.NotContains(t, err.Error(), "a.example")
		assert.NotContains(t, refusal.Error(), "b.example", "that is for clients, too")

		_, err = issuers.Authenticate(t.Context(), bearer(a.Mint(claimstest.Token{})))
		assert.NoError(t, err)
		_, err = issuers.Authenticate(t.Context(), bearer(b.Mint(claimstest.Token{})))
		assert.ErrorIs(t, err, claims.ErrUnavailable)

		b.Intercept(nil)
		time.Sleep(5 * time.Second) // the backoff
		assert.NoError(t, issuers.Ready(t.Context()))
		_, err = issuers.Authenticate(t.Context(), bearer(b.Mint(claimstest.Token{})))
		assert.NoError(t, err)
	})
}

func TestNewIssuers(t *testing.T) {
	t.Parallel()
	good := claims.Config{Issuer: "https://a.example", Audiences: []string{"x"}}
	with := func(change func(*claims.Config)) claims.Config {
		cfg := good
		change(&cfg)
		return cfg
	}
	other := with(func(cfg *claims.Config) { cfg.Issuer = "https://b.example" })
	tooLax := with(func(cfg *claims.Config) { cfg.Leeway = time.Hour })
	for _, tt := range []struct {
		name  string
		list  []claims.Config
		wrong []string
	}{
		{name: "one", list: []claims.Config{good}},
		{name: "two", list: []claims.Config{good, other}},
		{
			name: "nearly the same",
			list: []claims.Config{good, with(func(cfg *claims.Config) { cfg.Issuer += "/" })},
		},
		{name: "none", wrong: []string{"at least one"}},
		{
			name:  "the same twice",
			list:  []claims.Config{good, other, good},
			wrong: []string{`Config 2 (issuer "https://a.example")`, "twice"},
		},
		{
			name:  "one wrong",
			list:  []claims.Config{good, tooLax},
			wrong: []string{`Config 1 (issuer "https://a.example")`, "Config.Leeway"},
		},
		{
			name: "each wrong",
			list: []claims.Config{
				{}, tooLax, with(func(cfg *claims.Config) {
					cfg.Issuer, cfg.Algorithms = "https://c.example", []string{"none"}
				}),
			},
			wrong: []string{
				`Config 0 (issuer "")`, "Config.Issuer", "Config.Audiences",
				`Config 1 (issuer "https://a.example")`, "Config.Leeway",
				`Config 2 (issuer "https://c.example")`, "Config.Algorithms", `"none"`,
			},
		},
		{
			name:  "one wrong and another twice",
			list:  []claims.Config{{}, good, good},
			wrong: []string{"Config.Audiences", "twice"},
		},
		{
			name:  "twice, and one of them wrong",
			list:  []claims.Config{tooLax, good},
			wrong: []string{"Config.Leeway", "twice"},
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			issuers, err := claims.NewIssuers(tt.list...)
			if len(tt.wrong) == 0 {
				require.NoError(t, err)
				assert.NotNil(t, issuers)
				return
			}
			assert.Nil(t, issuers)
			for _, part := range tt.wrong {
				assert.ErrorContains(t, err, part)
			}
		})
	}
}

// Two without a name are not told that they are the same.
func TestNewIssuers_noNames(t *testing.T) {
	t.Parallel()
	_, err := claims.NewIssuers(claims.Config{}, claims.Config{})
	require.ErrorContains(t, err, `Config 1 (issuer ""): claims: Config.Issuer`)
	assert.NotContains(t, err.Error(), "twice")
}

// A password that was put into a URL by mistake goes no further.
func TestNewIssuers_errorHidesPasswords(t *testing.T) {
	t.Parallel()
	_, err := claims.NewIssuers(claims.Config{
		Issuer: "https://user:hunter2@issuer.example", Audiences: []string{"x"},
	})
	require.Error(t, err)
	assert.NotContains(t, err.Error(), "hunter2")
	for e := err; e != nil; e = errors.Unwrap(e) {
		assert.NotContains(t, e.Error(), "hunter2")
	}
}
