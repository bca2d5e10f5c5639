package revocation_test

import (
	"context"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/dpop"
	"github.com/sallyport-go/sallyport/claims/introspection"
	"github.com/sallyport-go/sallyport/claims/revocation"
	"github.com/sallyport-go/sallyport/claims/statictoken"
)

// credential is a token that a client has, with the key that it is bound to,
// nil for none.
type credential struct {
	token string
	key   *claimstest.Key
}

// show returns what a request has of it.
func (c credential) show(method, url string) (authorization, proof string) {
	if c.key == nil {
		return "Bearer " + c.token, ""
	}
	return "DPoP " + c.token, c.key.Prove(claimstest.Proof{Method: method, URL: url, Token: c.token})
}

// credentials are those of one kind, of two issuers that have an alice each.
type credentials struct {
	newAuth func(t testing.TB) claims.Authenticator // one that remembers nothing

	alice, bob credential // of one issuer
	namesake   credential // alice of another
	// What alice's token has, each in an Entry of its own, by name.
	entries map[string]revocation.Entry
}

// credentialKinds are the kinds of token that this library verifies.
var credentialKinds = map[string]func(testing.TB) credentials{
	"static token of a file":          staticOfFile,
	"static token of a source":        staticOfSource,
	"opaque token":                    func(t testing.TB) credentials { return opaque(t, whole, false) },
	"opaque token of few claims":      func(t testing.TB) credentials { return opaque(t, few, false) },
	"opaque token, bound to a key":    func(t testing.TB) credentials { return opaque(t, whole, true) },
	"token of a service account":      reviewed,
	"JWT, bound to a key":             func(t testing.TB) credentials { return boundJWT(t, false) },
	"JWT, bound to a key, also asked": func(t testing.TB) credentials { return boundJWT(t, true) },
}

// person is what the tokens of somebody have beside an issuer.
type person struct{ token, session, subject, client string }

var (
	alice = person{"t1", "s1", "alice", "shop"}
	bob   = person{"t2", "s2", "bob", "till"}
)

func (p person) claims(issuer string) map[string]any {
	now := time.Now()
	return map[string]any{
		"iss": issuer, "aud": claimstest.Audience, "sub": p.subject, "client_id": p.client,
		"jti": p.token, "sid": p.session, "iat": now.Unix(), "exp": now.Add(time.Hour).Unix(),
	}
}

func (p person) entries(issuer string) map[string]revocation.Entry {
	return map[string]revocation.Entry{
		"subject":             {Issuer: issuer, Subject: p.subject},
		"client":              {Issuer: issuer, ClientID: p.client},
		"subject at a client": {Issuer: issuer, Subject: p.subject, ClientID: p.client},
		"token":               {Issuer: issuer, Token: p.token},
		"session":             {Issuer: issuer, Session: p.session},
		"issuer":              {Issuer: issuer}, // and Before
	}
}

// staticOfFile are tokens of two files. Such a token has no session, and its
// hash for an ID.
func staticOfFile(t testing.TB) credentials {
	paths := map[string]string{"ours": filepath.Join(t.TempDir(), "a"), "theirs": filepath.Join(t.TempDir(), "b")}
	add := func(issuer string, p person) credential {
		token, err := statictoken.AddToFile(paths[issuer], issuer, statictoken.Token{Subject: p.subject, Client: p.client})
		require.NoError(t, err)
		return credential{token: token}
	}
	c := credentials{alice: add("ours", alice), bob: add("ours", bob), namesake: add("theirs", alice)}
	c.newAuth = func(t testing.TB) claims.Authenticator {
		return ofBoth(t, func(issuer string) statictoken.Config {
			return statictoken.Config{File: paths[issuer], Prefix: issuer, Issuer: issuer}
		})
	}
	c.entries = entriesOfStatic(t, c)
	return c
}

// rows is a table of a database.
type rows map[string]statictoken.Token

func (r rows) Lookup(_ context.Context, hash string) (*statictoken.Token, error) {
	row, ok := r[hash]
	if !ok {
		return nil, nil
	}
	return &row, nil
}

// staticOfSource are tokens of two tables of a database.
func staticOfSource(t testing.TB) credentials {
	key, tables := statictoken.NewKey(), map[string]rows{"ours": {}, "theirs": {}}
	add := func(issuer string, p person) credential {
		token, minted, err := statictoken.Mint(key, issuer, statictoken.Token{Subject: p.subject, Client: p.client})
		require.NoError(t, err)
		tables[issuer][minted.Hash] = minted
		return credential{token: token}
	}
	c := credentials{alice: add("ours", alice), bob: add("ours", bob), namesake: add("theirs", alice)}
	c.newAuth = func(t testing.TB) claims.Authenticator {
		return ofBoth(t, func(issuer string) statictoken.Config {
			return statictoken.Config{Source: tables[issuer], Key: key, Prefix: issuer, Issuer: issuer}
		})
	}
	c.entries = entriesOfStatic(t, c)
	return c
}

func ofBoth(t testing.TB, config func(issuer string) statictoken.Config) claims.Authenticator {
	ours, err := statictoken.New(config("ours"))
	require.NoError(t, err)
	theirs, err := statictoken.New(config("theirs"))
	require.NoError(t, err)
	return claims.FirstOf(ours, theirs)
}

func entriesOfStatic(t testing.TB, c credentials) map[string]revocation.Entry {
	caller, err := c.newAuth(t).Authenticate(t.Context(), claims.Credentials{Scheme: "Bearer", Token: c.alice.token})
	require.NoError(t, err)
	require.NotEmpty(t, caller.ID())
	who := alice
	who.token = caller.ID()
	entries := who.entries("ours")
	delete(entries, "session")
	return entries
}

// Which claims an endpoint tells beside whose a token is, and for whom.
const (
	whole = "iss jti sid iat exp"
	few   = ""
)

// opaque are tokens that two endpoints know.
func opaque(t testing.TB, told string, bound bool) credentials {
	answers := map[string]map[string]any{}
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		answer, ok := answers[r.FormValue("token")]
		if !ok {
			answer = map[string]any{"active": false}
		}
		assert.NoError(t, json.NewEncoder(w).Encode(answer))
	}))
	t.Cleanup(endpoint.Close)
	add := func(issuer, prefix string, p person) credential {
		answer := p.claims(issuer)
		for _, name := range strings.Fields(whole) {
			if !strings.Contains(told, name) {
				delete(answer, name)
			}
		}
		c := credential{token: prefix + "_" + p.subject}
		if bound {
			c.key = claimstest.MustKey("ES256")
			answer["cnf"], answer["token_type"] = map[string]any{"jkt": c.key.Thumbprint()}, "DPoP"
		}
		answer["active"] = true
		answers[c.token] = answer
		return c
	}
	c := credentials{
		alice: add(here, "ours", alice), bob: add(here, "ours", bob), namesake: add(elsewhere, "theirs", alice),
		entries: alice.entries(here),
	}
	if told == few {
		delete(c.entries, "token")
		delete(c.entries, "session")
	}
	c.newAuth = func(t testing.TB) claims.Authenticator {
		proofs, err := dpop.New(dpop.Config{})
		require.NoError(t, err)
		asking := func(issuer, prefix string) claims.Authenticator {
			asked, err := introspection.New(introspection.Config{
				Endpoint: endpoint.URL, Client: introspection.Basic("api", "secret"),
				Accept: claims.Config{
					Issuer: issuer, Audiences: []string{claimstest.Audience}, Confirmers: []claims.Confirmer{proofs},
				},
				Recognizes: func(token string) bool { return strings.HasPrefix(token, prefix+"_") },
			})
			require.NoError(t, err)
			return asked
		}
		return claims.FirstOf(asking(here, "ours"), asking(elsewhere, "theirs"))
	}
	return c
}

// boundJWT are tokens of two issuers. If they are also asked about, an endpoint
// says that they are active.
func boundJWT(t testing.TB, also bool) credentials {
	ours, theirs := claimstest.Start(t, claimstest.Config{}), claimstest.Start(t, claimstest.Config{})
	mint := func(by *claimstest.Issuer, p person) credential {
		key := claimstest.MustKey("ES256")
		members := p.claims(by.URL())
		members["cnf"] = map[string]any{"jkt": key.Thumbprint()}
		return credential{by.Mint(claimstest.Token{Claims: members}), key}
	}
	c := credentials{
		alice: mint(ours, alice), bob: mint(ours, bob), namesake: mint(theirs, alice), entries: alice.entries(ours.URL()),
	}
	answers := map[string]map[string]any{}
	for of, who := range map[credential]map[string]any{
		c.alice: alice.claims(ours.URL()), c.bob: bob.claims(ours.URL()), c.namesake: alice.claims(theirs.URL()),
	} {
		who["active"], who["token_type"] = true, "DPoP"
		who["cnf"] = map[string]any{"jkt": of.key.Thumbprint()}
		answers[of.token] = who
	}
	endpoint := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		assert.NoError(t, json.NewEncoder(w).Encode(answers[r.FormValue("token")]))
	}))
	t.Cleanup(endpoint.Close)
	c.newAuth = func(t testing.TB) claims.Authenticator {
		proofs, err := dpop.New(dpop.Config{})
		require.NoError(t, err)
		accept := func(issuer string) claims.Config {
			return claims.Config{
				Issuer: issuer, Audiences: []string{claimstest.Audience}, Confirmers: []claims.Confirmer{proofs},
			}
		}
		issuers, err := claims.NewIssuers(accept(ours.URL()), accept(theirs.URL()))
		require.NoError(t, err)
		if !also {
			return issuers
		}
		asked, err := introspection.New(introspection.Config{
			Endpoint: endpoint.URL, Client: introspection.Basic("api", "secret"), Accept: accept(ours.URL()),
		})
		require.NoError(t, err)
		return introspection.Also(issuers, asked)
	}
	return c
}

// reviewed are tokens of two Kubernetes clusters, of which its API server tells
// the subject alone.
func reviewed(t testing.TB) credentials {
	newCluster := func(prefix string) *httptest.Server {
		cluster := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			var review struct {
				APIVersion string         `json:"apiVersion"`
				Kind       string         `json:"kind"`
				Spec       map[string]any `json:"spec"`
				Status     map[string]any `json:"status"`
			}
			assert.NoError(t, json.NewDecoder(r.Body).Decode(&review))
			name, ok := strings.CutPrefix(review.Spec["token"].(string), prefix+"_")
			review.Status = map[string]any{
				"authenticated": ok, "audiences": []string{claimstest.Audience}, "user": map[string]any{"username": name},
			}
			w.Header().Set("Content-Type", "application/json")
			assert.NoError(t, json.NewEncoder(w).Encode(review))
		}))
		t.Cleanup(cluster.Close)
		return cluster
	}
	ours, theirs := newCluster("ours"), newCluster("theirs")
	c := credentials{
		alice: credential{token: "ours_alice"}, bob: credential{token: "ours_bob"}, namesake: credential{token: "theirs_alice"},
		entries: alice.entries(ours.URL),
	}
	for _, none := range []string{"token", "session", "client", "subject at a client"} {
		delete(c.entries, none)
	}
	c.newAuth = func(t testing.TB) claims.Authenticator {
		asking := func(cluster *httptest.Server, prefix string) claims.Authenticator {
			asked, err := introspection.NewTokenReview(introspection.Config{
				Endpoint:   cluster.URL,
				Client:     introspection.BearerToken(func(context.Context) (string, error) { return "own", nil }),
				Accept:     claims.Config{Issuer: cluster.URL, Audiences: []string{claimstest.Audience}},
				Recognizes: func(token string) bool { return strings.HasPrefix(token, prefix+"_") },
			})
			require.NoError(t, err)
			return asked
		}
		return claims.FirstOf(asking(ours, "ours"), asking(theirs, "theirs"))
	}
	return c
}
