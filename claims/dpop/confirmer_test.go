package dpop_test

import (
	"context"
	"errors"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/dpop"
)

// with returns a copy of a JWK with a member more.
func with(key *claimstest.Key, name string, value any) m {
	jwk := key.JWK()
	jwk[name] = value
	return jwk
}

func without(key *claimstest.Key, name string) m {
	jwk := key.JWK()
	delete(jwk, name)
	return jwk
}

// A proof that is not as RFC 9449 section 4.2 has it is refused as one, and
// what it need not have may be there.
func TestConfirmer_form(t *testing.T) {
	t.Parallel()
	ec, rsa, ed := claimstest.MustKey("ES256"), claimstest.MustKey("PS256"), claimstest.MustKey("EdDSA")
	plain := func(p string, _ *claimstest.Key) []string { return []string{p} }
	for _, tt := range []struct {
		name   string
		key    *claimstest.Key
		header m
		claims m
		fields func(proof string, key *claimstest.Key) []string
		accept bool
	}{
		{name: "right", accept: true},
		{name: "no field", fields: func(string, *claimstest.Key) []string { return nil }},
		{name: "an empty field", fields: func(string, *claimstest.Key) []string { return []string{""} }},
		{name: "two in one field", fields: func(p string, _ *claimstest.Key) []string { return []string{p + ", " + p} }},
		{name: "an empty field beside it", fields: func(p string, _ *claimstest.Key) []string { return []string{p, ""} }},
		{name: "a scheme before it", fields: func(p string, _ *claimstest.Key) []string { return []string{"DPoP " + p} }},
		{name: "a fourth segment", fields: func(p string, _ *claimstest.Key) []string { return []string{p + ".AAAA"} }},
		{name: "no signature", fields: func(p string, _ *claimstest.Key) []string { return []string{p[:strings.LastIndex(p, ".")]} }},
		{name: "an empty signature", fields: func(p string, _ *claimstest.Key) []string { return []string{p[:strings.LastIndex(p, ".")+1]} }},
		{name: "padding", fields: func(p string, _ *claimstest.Key) []string { return []string{p + "="} }},
		{name: "a line break", fields: func(p string, _ *claimstest.Key) []string { return []string{p + "\n"} }},
		{name: "too long", claims: m{"padding": strings.Repeat("x", 8<<10)}},
		{name: "header no object", fields: func(_ string, k *claimstest.Key) []string { return []string{k.Sign([]byte(`[]`), []byte(`{}`))} }},
		{name: "header no JSON", fields: func(_ string, k *claimstest.Key) []string { return []string{k.Sign([]byte(`{`), []byte(`{}`))} }},
		{name: "no payload", fields: func(p string, k *claimstest.Key) []string {
			return []string{p[:strings.Index(p, ".")] + "." + p[strings.LastIndex(p, "."):]}
		}},
		{name: "typ null", header: m{"typ": nil}},
		{name: "typ JWT", header: m{"typ": "JWT"}},
		{name: "typ in capitals", header: m{"typ": "DPOP+JWT"}},
		{name: "typ with application", header: m{"typ": "application/dpop+jwt"}},
		{name: "alg HS256", header: m{"alg": "HS256"}},
		{name: "alg none", header: m{"alg": "none"}},
		{name: "alg of another key", header: m{"alg": "ES384"}},
		{name: "alg empty", header: m{"alg": ""}},
		{name: "alg a list", header: m{"alg": []string{"ES256"}}},
		{name: "PKCS1", key: rsa, header: m{"alg": "RS256"}},
		{name: "crit", header: m{"crit": []string{"x"}, "x": 1}},
		{name: "b64", header: m{"b64": true}},
		{name: "alg twice, in another case", header: m{"ALG": "none"}},
		{name: "jwk null", header: m{"jwk": nil}},
		{name: "jwk a string", header: m{"jwk": "key"}},
		{name: "jwk empty", header: m{"jwk": m{}}},
		{name: "jwk a key set", header: m{"jwk": m{"keys": []m{ec.JWK()}}}},
		{name: "jwk by reference", header: m{"jwk": claimstest.Omit, "jku": "https://evil.example", "kid": "x"}},
		{name: "jwk symmetric", header: m{"jwk": m{"kty": "oct", "k": "AAAA"}, "alg": "HS256"}},
		{name: "jwk symmetric, asymmetric alg", header: m{"jwk": m{"kty": "oct", "k": "AAAA"}}},
		{name: "jwk with d", header: m{"jwk": with(ec, "d", "AAAA")}},
		{name: "jwk with d, empty", header: m{"jwk": with(ec, "d", "")}},
		{name: "jwk with d, null", header: m{"jwk": with(ec, "d", nil)}},
		{name: "jwk with p", key: rsa, header: m{"jwk": with(rsa, "p", "AAAA")}},
		{name: "jwk with q", key: rsa, header: m{"jwk": with(rsa, "q", "AAAA")}},
		{name: "jwk with dp", key: rsa, header: m{"jwk": with(rsa, "dp", "AAAA")}},
		{name: "jwk with dq", key: rsa, header: m{"jwk": with(rsa, "dq", "AAAA")}},
		{name: "jwk with qi", key: rsa, header: m{"jwk": with(rsa, "qi", "AAAA")}},
		{name: "jwk with oth", key: rsa, header: m{"jwk": with(rsa, "oth", []m{})}},
		{name: "jwk with k", header: m{"jwk": with(ec, "k", "AAAA")}},
		{name: "jwk with priv, as of ML-DSA", header: m{"jwk": with(ec, "priv", "AAAA")}},
		{name: "jwk of Ed25519 with d", key: ed, header: m{"jwk": with(ed, "d", "AAAA")}},
		{name: "jwk for encryption", header: m{"jwk": with(ec, "use", "enc")}},
		{name: "jwk for another alg", header: m{"jwk": with(ec, "alg", "ES512")}},
		{name: "jwk without y", header: m{"jwk": without(ec, "y")}},
		{name: "jwk off its curve", header: m{"jwk": with(ec, "y", "AAAA")}},
		{name: "jwk of another curve", header: m{"jwk": with(ec, "crv", "secp256k1")}},
		{name: "jwk with a certificate alone", header: m{"jwk": m{"kty": "EC", "crv": "P-256", "x5c": []string{"AAAA"}}}},
		{name: "jwk with further members", header: m{"jwk": with(ec, "nobody", m{"knows": []any{1, nil}})}, accept: true},
		{name: "header with further members", header: m{"kid": "k", "x5t": "x"}, accept: true},

		{name: "jti null", claims: m{"jti": nil}},
		{name: "jti empty", claims: m{"jti": ""}},
		{name: "jti a number", claims: m{"jti": 7}},
		{name: "jti as long as it may be", claims: m{"jti": strings.Repeat("j", 256)}, accept: true},
		{name: "jti too long", claims: m{"jti": strings.Repeat("j", 257)}},
		{name: "htm a list", claims: m{"htm": []string{"GET"}}},
		{name: "htu a number", claims: m{"htu": 7}},
		{name: "htu a list", claims: m{"htu": []string{orderURL}}},
		{name: "ath null", claims: m{"ath": nil}},
		{name: "ath of another token", claims: m{"ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"}},
		{name: "ath with padding", claims: m{"ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo="}},
		{name: "iat a string", claims: m{"iat": "1562262618"}},
		{name: "iat negative", claims: m{"iat": -1}},
		{name: "iat with a fraction", claims: m{"iat": float64(time.Now().Unix()) + 0.5}, accept: true},
		{name: "nonce a number", claims: m{"nonce": 7}},
		{name: "a nonce that nobody asked for", claims: m{"nonce": "anything"}, accept: true},
		{name: "exp a string", claims: m{"exp": "soon"}},
		{name: "HTU beside htu", claims: m{"HTU": "https://evil.example"}},
		{name: "further claims", claims: m{"iss": "client", "aud": []string{"x"}, "cnf": m{"jkt": "x"}}, accept: true},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if tt.key == nil {
				tt.key = ec
			}
			if tt.fields == nil {
				tt.fields = plain
			}
			c := newConfirmer(t, dpop.Config{})
			proof := proofOf(tt.key, claimstest.Proof{Header: tt.header, Claims: tt.claims})
			_, err := ask(t, c, tt.key, orderURL, tt.fields(proof, tt.key)...)
			if tt.accept {
				require.NoError(t, err)
				return
			}
			assertRefused(t, claims.ReasonProof, err)
		})
	}
}

// A member that is there twice is refused, in whichever object.
func TestConfirmer_twice(t *testing.T) {
	t.Parallel()
	c, key := newConfirmer(t, dpop.Config{}), claimstest.MustKey("EdDSA")
	for name, sign := range map[string]func() string{
		"header":  func() string { return key.Sign([]byte(`{"typ":"dpop+jwt","alg":"none","alg":"EdDSA"}`), []byte(`{}`)) },
		"payload": func() string { return key.Sign([]byte(headerOf(key)), []byte(`{"jti":"a","jti":"b"}`)) },
		"jwk": func() string {
			return key.Sign([]byte(`{"typ":"dpop+jwt","alg":"EdDSA","jwk":{"kty":"EC","kty":"OKP"}}`), []byte(`{}`))
		},
	} {
		_, err := ask(t, c, key, orderURL, sign())
		assertRefused(t, claims.ReasonProof, err)
		assert.ErrorContains(t, errors.Unwrap(claims.AsError(err)), "as it must be", name)
	}
}

func headerOf(key *claimstest.Key) string {
	proof := key.Prove(claimstest.Proof{})
	return decode(proof[:strings.Index(proof, ".")])
}

// Every algorithm that is advertised verifies, under either name of Ed25519,
// and those of a Config alone.
func TestConfirmer_algorithms(t *testing.T) {
	t.Parallel()
	all := newConfirmer(t, dpop.Config{})
	assert.NotContains(t, strings.Join(all.Algorithms(), " "), "RS")
	for _, algorithm := range all.Algorithms() {
		name := algorithm
		if algorithm == "Ed25519" {
			algorithm = "EdDSA"
		}
		key := claimstest.MustKey(algorithm)
		for range 2 { // the key is known by then
			_, err := ask(t, all, key, orderURL, proofOf(key, claimstest.Proof{Header: m{"alg": name}}))
			require.NoError(t, err, name)
		}
		alone := newConfirmer(t, dpop.Config{Algorithms: []string{"PS384"}})
		_, err := ask(t, alone, key, orderURL, proofOf(key, claimstest.Proof{Header: m{"alg": name}}))
		if name == "PS384" {
			require.NoError(t, err)
			continue
		}
		assertRefused(t, claims.ReasonProof, err)
	}
}

// A key that is known by its text verifies nothing of another.
func TestConfirmer_knownKey(t *testing.T) {
	t.Parallel()
	c, key, other := newConfirmer(t, dpop.Config{}), claimstest.MustKey("ES256"), claimstest.MustKey("ES256")
	_, err := ask(t, c, key, orderURL, proofOf(key, claimstest.Proof{}))
	require.NoError(t, err)
	_, err = ask(t, c, key, orderURL, proofOf(other, claimstest.Proof{Header: m{"jwk": jwkOf(key)}}))
	assertRefused(t, claims.ReasonProof, err)
	_, err = ask(t, c, other, orderURL, proofOf(key, claimstest.Proof{}))
	assertRefused(t, claims.ReasonBinding, err)
	_, err = ask(t, c, key, orderURL, proofOf(key, claimstest.Proof{Header: m{"alg": "ES384"}}))
	assertRefused(t, claims.ReasonProof, err)
}

func jwkOf(key *claimstest.Key) m {
	jwk := key.JWK()
	for _, name := range []string{"kid", "alg", "use"} {
		delete(jwk, name)
	}
	return jwk
}

// The time of a proof is that of its iat, to the second, and what nbf and exp
// say beside it.
func TestConfirmer_time(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		key := claimstest.MustKey("EdDSA")
		c := newConfirmer(t, dpop.Config{Window: 10 * time.Second})
		at := func(d time.Duration) int64 { return time.Now().Add(d).Unix() }
		for _, tt := range []struct {
			name   string
			claims m
			accept bool
		}{
			{name: "as long ago as it may be", claims: m{"iat": at(-10 * time.Second)}, accept: true},
			{name: "longer ago", claims: m{"iat": at(-11 * time.Second)}},
			{name: "as far ahead as it may be", claims: m{"iat": at(10 * time.Second)}, accept: true},
			{name: "further ahead", claims: m{"iat": at(11 * time.Second)}},
			{name: "at the beginning of time", claims: m{"iat": 0}},
			{name: "at its end", claims: m{"iat": int64(253402300799)}},
			{name: "has expired", claims: m{"exp": at(-11 * time.Second)}},
			{name: "will expire", claims: m{"exp": at(time.Second)}, accept: true},
			{name: "not yet valid", claims: m{"nbf": at(11 * time.Second)}},
			{name: "valid", claims: m{"nbf": at(0)}, accept: true},
		} {
			_, err := ask(t, c, key, orderURL, proofOf(key, claimstest.Proof{Claims: tt.claims}))
			if tt.accept {
				assert.NoError(t, err, tt.name)
			} else {
				assertRefused(t, claims.ReasonProofTime, err)
			}
		}
	})
}

// A zero Confirmer, or a nil one, lets nobody in.
func TestConfirmer_zero(t *testing.T) {
	t.Parallel()
	key := claimstest.MustKey("EdDSA")
	for _, c := range []*dpop.Confirmer{nil, {}} {
		_, err := ask(t, c, key, orderURL, proofOf(key, claimstest.Proof{}))
		assert.ErrorIs(t, err, claims.ErrUnavailable)
	}
}

func TestNew_mistakes(t *testing.T) {
	t.Parallel()
	_, err := dpop.New(dpop.Config{
		BaseURL: "api.example/v1", Algorithms: []string{"ES256", "RS256", "none"}, Window: time.Hour,
		NonceLifetime: 2 * time.Hour, NonceSecrets: [][]byte{[]byte("short")},
		Replays: (*dpop.Memory)(nil), InsecureSkipReplays: true,
	})
	for _, wrong := range []string{
		`dpop: New: Config.BaseURL of "api.example/v1" is not like "https://api.example"`,
		`Config.Algorithms: "RS256" is none of`, `Config.Algorithms: "none" is none of`,
		"Config.Window of 1h0m0s is not between 0 and 5m0s", "Config.NonceLifetime of 2h0m0s is not between 1s and 1h0m0s",
		"Config.NonceSecrets[0] has 5 bytes, and needs 32", "Config.RequireNonce is not set",
		"Config.Replays would remember", "Config.Replays is a nil *dpop.Memory",
	} {
		assert.ErrorContains(t, err, wrong)
	}
	for _, url := range []string{"https://a.example?x", "https://a.example#x", "https://u@a.example", "ftp://a.example", "https://", "/path"} {
		_, err := dpop.New(dpop.Config{BaseURL: url})
		assert.ErrorContains(t, err, "Config.BaseURL", url)
	}
	_, err = dpop.New(dpop.Config{Replays: &dpop.Memory{}})
	assert.ErrorContains(t, err, "Config.Replays was not made by NewMemory")
	_, err = dpop.New(dpop.Config{Window: -1})
	assert.ErrorContains(t, err, "Config.Window")
}

// storeFunc is a ReplayStore of a user's.
type storeFunc func(ctx context.Context, jkt, jti string, until time.Time) (bool, error)

func (f storeFunc) Use(ctx context.Context, jkt, jti string, until time.Time) (bool, error) {
	return f(ctx, jkt, jti, until)
}

// A proof that is refused for anything else is not used up.
func TestConfirmer_recordedLast(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var asked int
		memory := dpop.NewMemory(0)
		c := newConfirmer(t, dpop.Config{Replays: storeFunc(func(ctx context.Context, jkt, jti string, until time.Time) (bool, error) {
			asked++
			assert.Equal(t, "the one", jti)
			assert.Equal(t, time.Now().Add(time.Minute), until)
			return memory.Use(ctx, jkt, jti, until)
		})})
		key := claimstest.MustKey("ES256")
		one := m{"jti": "the one"}
		right := proofOf(key, claimstest.Proof{Claims: one})
		for _, wrong := range []claimstest.Proof{
			{Claims: one, Method: "PUT"}, {Claims: one, URL: "https://evil.example"},
			{Claims: m{"jti": "the one", "ath": "x"}}, {Claims: m{"jti": "the one", "iat": 0}},
			{Claims: one, Header: m{"typ": "JWT"}},
		} {
			_, err := ask(t, c, key, orderURL, proofOf(key, wrong))
			require.Error(t, err)
		}
		_, err := ask(t, c, key, orderURL, right[:len(right)-4]+"AAAA")
		require.Error(t, err)
		require.Zero(t, asked)
		_, err = ask(t, c, key, orderURL, right)
		require.NoError(t, err)
		_, err = ask(t, c, key, orderURL, right)
		assertRefused(t, claims.ReasonProofUsed, err)
		assert.Equal(t, 2, asked)
	})
}

// What a store cannot tell, in time, cannot be decided; it is no fault of the
// token.
func TestConfirmer_storeFails(t *testing.T) {
	t.Parallel()
	late := make(chan struct{})
	for _, tt := range []struct {
		name  string
		use   storeFunc
		class error
	}{
		{name: "down", class: claims.ErrUnavailable, use: func(context.Context, string, string, time.Time) (bool, error) {
			return true, errors.New("connection refused")
		}},
		{name: "panics", class: claims.ErrUnavailable, use: func(context.Context, string, string, time.Time) (bool, error) {
			panic("no store")
		}},
		{name: "silent", class: claims.ErrUnavailable, use: func(ctx context.Context, _, _ string, _ time.Time) (bool, error) {
			<-ctx.Done()
			return false, ctx.Err()
		}},
		{name: "deaf", class: claims.ErrUnavailable, use: func(context.Context, string, string, time.Time) (bool, error) {
			<-late
			return true, nil
		}},
		{name: "full by one key", class: claims.ErrInvalidToken, use: func(ctx context.Context, _, _ string, until time.Time) (bool, error) {
			m := dpop.NewMemory(1)
			_, _ = m.Use(ctx, "a", "a", until)
			return false, claims.NewError(claims.ErrInvalidToken, claims.ReasonBinding, nil)
		}},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, key := newConfirmer(t, dpop.Config{Replays: tt.use}), claimstest.MustKey("EdDSA")
			begun := time.Now()
			_, err := ask(t, c, key, orderURL, proofOf(key, claimstest.Proof{}))
			require.ErrorIs(t, err, tt.class)
			assert.Less(t, time.Since(begun), 30*time.Second)
		})
	}
	t.Cleanup(func() { close(late) })
}

// A store that hangs holds no more than so many requests, and what is refused
// then is refused at once.
func TestConfirmer_storeHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		hang := make(chan struct{})
		var waiting atomic.Int32
		c := newConfirmer(t, dpop.Config{Replays: storeFunc(func(context.Context, string, string, time.Time) (bool, error) {
			waiting.Add(1)
			<-hang
			return true, nil
		})})
		key := claimstest.MustKey("EdDSA")
		var all sync.WaitGroup
		var refused atomic.Int32
		for range 1100 {
			proof := proofOf(key, claimstest.Proof{})
			all.Go(func() {
				if _, err := ask(t, c, key, orderURL, proof); errors.Is(err, claims.ErrUnavailable) {
					refused.Add(1)
				}
			})
		}
		all.Wait()
		assert.EqualValues(t, 1100, refused.Load())
		assert.EqualValues(t, 1024, waiting.Load())
		close(hang)
		synctest.Wait()
		_, err := ask(t, c, key, orderURL, proofOf(key, claimstest.Proof{}))
		assert.NoError(t, err, "it is back")
	})
}

// A gate in front looks at a proof and leaves it for the server behind.
func TestConfirmer_gate(t *testing.T) {
	t.Parallel()
	gate, server := newConfirmer(t, dpop.Config{InsecureSkipReplays: true}), newConfirmer(t, dpop.Config{})
	key := claimstest.MustKey("ES256")
	proof := proofOf(key, claimstest.Proof{})
	for range 3 {
		_, err := ask(t, gate, key, orderURL, proof)
		require.NoError(t, err)
	}
	_, err := ask(t, server, key, orderURL, proof)
	require.NoError(t, err)
	_, err = ask(t, server, key, orderURL, proof)
	assertRefused(t, claims.ReasonProofUsed, err)
	_, err = ask(t, gate, key, "https://evil.example", proof)
	assertRefused(t, claims.ReasonProofTarget, err)
}

// Confirmers that share a store accept a proof once between them.
func TestConfirmer_sharedStore(t *testing.T) {
	t.Parallel()
	store, key := dpop.NewMemory(0), claimstest.MustKey("ES256")
	one, other := newConfirmer(t, dpop.Config{Replays: store}), newConfirmer(t, dpop.Config{Replays: store})
	proof := proofOf(key, claimstest.Proof{})
	_, err := ask(t, one, key, orderURL, proof)
	require.NoError(t, err)
	_, err = ask(t, other, key, orderURL, proof)
	assertRefused(t, claims.ReasonProofUsed, err)
}
