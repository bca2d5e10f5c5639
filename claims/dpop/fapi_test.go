package dpop_test

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/dpop"
)

// exam is one try at a wire, with a token that is bound to a key.
type exam struct {
	t      testing.TB
	wire   wire
	issuer *claimstest.Issuer
	key    *claimstest.Key
	token  string
	nonce  string // that the proofs have, empty for none
}

func (e *exam) bound(key *claimstest.Key) string {
	return e.issuer.Mint(claimstest.Token{Claims: m{"cnf": m{"jkt": key.Thumbprint()}}})
}

// proof returns one that is right but for what is said here.
func (e *exam) proof(header, members m) string {
	return e.key.Prove(claimstest.Proof{
		Method: e.wire.method, URL: e.wire.url, Token: e.token, Nonce: e.nonce, Header: header, Claims: members,
	})
}

func (e *exam) send(proofs ...string) answer {
	fields := []field{{"Authorization", "DPoP " + e.token}}
	for _, proof := range proofs {
		fields = append(fields, field{"DPoP", proof})
	}
	return e.wire.send(e.t, fields...)
}

func (e *exam) with(header, members m) answer { return e.send(e.proof(header, members)) }

const (
	accept  = "accept"
	refuse  = "refuse"
	byNonce = "accept with a nonce" // and refuse without
)

// blocks are those of FAPI2SPFinalDpopNegativeTests of the OpenID conformance
// suite, in their order, and what it demands.
var blocks = []struct {
	name string
	must string
	try  func(e *exam) answer
}{
	{"1 the field in capitals", accept, func(e *exam) answer {
		return e.wire.send(e.t, field{"Authorization", "DPoP " + e.token}, field{"DPOP", e.proof(nil, nil)})
	}},
	{"2 two fields", refuse, func(e *exam) answer { return e.send(e.proof(nil, nil), e.proof(nil, nil)) }},
	{"3 no well-formed JWT", refuse, func(e *exam) answer { return e.send("this.is-no.JWT") }},
	{"4 no typ", refuse, func(e *exam) answer { return e.with(m{"typ": claimstest.Omit}, nil) }},
	{"5 no alg", refuse, func(e *exam) answer { return e.with(m{"alg": claimstest.Omit}, nil) }},
	{"6 no jwk", refuse, func(e *exam) answer { return e.with(m{"jwk": claimstest.Omit}, nil) }},
	{"7 no jti", refuse, func(e *exam) answer { return e.with(nil, m{"jti": claimstest.Omit}) }},
	{"8 no htm", refuse, func(e *exam) answer { return e.with(nil, m{"htm": claimstest.Omit}) }},
	{"9 no htu", refuse, func(e *exam) answer { return e.with(nil, m{"htu": claimstest.Omit}) }},
	{"10 no iat", refuse, func(e *exam) answer { return e.with(nil, m{"iat": claimstest.Omit}) }},
	{"11 no ath", refuse, func(e *exam) answer { return e.with(nil, m{"ath": claimstest.Omit}) }},
	{"12 another typ", refuse, func(e *exam) answer { return e.with(m{"typ": "dpop+jwt+wrongyousee"}, nil) }},
	{"13 RS256", refuse, func(e *exam) answer {
		e.key = claimstest.MustKey("RS256")
		e.token = e.bound(e.key)
		return e.with(nil, nil)
	}},
	{"14 alg none", refuse, func(e *exam) answer {
		proof := e.proof(m{"alg": "none"}, nil)
		return e.send(proof[:strings.LastIndexByte(proof, '.')+1])
	}},
	{"15 broken signature", refuse, func(e *exam) answer {
		proof := []byte(e.proof(nil, nil))
		i := strings.LastIndexByte(string(proof), '.') + 5
		proof[i] ^= 'A' ^ 'B'
		if proof[i] == '-'^'A'^'B' || proof[i] == '_'^'A'^'B' {
			proof[i] = 'x'
		}
		return e.send(string(proof))
	}},
	{"16 a private key", refuse, func(e *exam) answer {
		key := e.key.JWK()
		key["d"] = "AAECAw"
		return e.with(m{"jwk": key}, nil)
	}},
	{"17 htm PUT", refuse, func(e *exam) answer { return e.with(nil, m{"htm": "PUT"}) }},
	{"18 htu with query and fragment", accept, func(e *exam) answer {
		return e.with(nil, m{"htu": e.wire.url + "?page=2&x=y#part"})
	}},
	{"19 htu without them", accept, func(e *exam) answer { return e.with(nil, m{"htu": e.wire.url}) }},
	{"20 htu of another URL", refuse, func(e *exam) answer { return e.with(nil, m{"htu": e.wire.url + "/another"}) }},
	{"21 iat in an hour", byNonce, func(e *exam) answer {
		return e.with(nil, m{"iat": time.Now().Add(time.Hour).Unix()})
	}},
	{"22 iat an hour ago", byNonce, func(e *exam) answer {
		return e.with(nil, m{"iat": time.Now().Add(-time.Hour).Unix()})
	}},
	{"23 jti for the first time", accept, func(e *exam) answer { return e.with(nil, m{"jti": "once"}) }},
	{"24 jti again", refuse, func(e *exam) answer {
		require.True(e.t, e.with(nil, m{"jti": "again"}).ok)
		return e.with(nil, m{"jti": "again"})
	}},
	{"25 wrong ath", refuse, func(e *exam) answer {
		return e.with(nil, m{"ath": "fUHyO2r2Z3DZ53EsNrWBb0xWXoaNy59IiKCAqksmQEo"})
	}},
	{"26 signed by another key", refuse, func(e *exam) answer {
		key := e.key.JWK()
		e.key = claimstest.MustKey("ES256")
		return e.with(m{"jwk": key}, nil)
	}},
	{"27 unknown members", accept, func(e *exam) answer {
		return e.with(m{"kid": "x", "nobody": m{"knows": "this"}}, m{"nor": []string{"that"}, "iss": "client"})
	}},
	{"28 scheme and host in capitals", accept, func(e *exam) answer {
		return e.with(nil, m{"htu": strings.Replace(e.wire.url, "https://"+host, "HTTPS://"+strings.ToUpper(host), 1)})
	}},
	{"29 the usual port", accept, func(e *exam) answer {
		return e.with(nil, m{"htu": strings.Replace(e.wire.url, host, host+":443", 1)})
	}},
	{"30 no proof", refuse, func(e *exam) answer { return e.send() }},
	{"31 no proof, as Bearer", refuse, func(e *exam) answer {
		return e.wire.send(e.t, field{"Authorization", "Bearer " + e.token})
	}},
	{"32 a right proof", accept, func(e *exam) answer { return e.with(nil, nil) }},

	// Those of the sibling modules that reach the resource.
	{"AccessTokenTypeHeaderCaseSensitivity", accept, func(e *exam) answer {
		return e.wire.send(e.t, field{"Authorization", "dpOP " + e.token}, field{"DPoP", e.proof(nil, nil)})
	}},
	{"CheckDpopProofNbfExp", accept, func(e *exam) answer {
		return e.with(nil, m{"nbf": time.Now().Unix(), "exp": time.Now().Add(5 * time.Minute).Unix()})
	}},
	{"EnsureDpopProofWithIat10SecondsBeforeSucceeds", accept, func(e *exam) answer {
		return e.with(nil, m{"iat": time.Now().Add(-10 * time.Second).Unix()})
	}},
	{"EnsureDpopProofWithIat10SecondsAfterSucceeds", accept, func(e *exam) answer {
		return e.with(nil, m{"iat": time.Now().Add(10 * time.Second).Unix()})
	}},
	{"MultipleClient, the first's key", refuse, func(e *exam) answer {
		e.token = e.bound(claimstest.MustKey("ES256"))
		return e.with(nil, nil)
	}},
	{"RefreshToken", accept, func(e *exam) answer {
		require.True(e.t, e.with(nil, nil).ok)
		e.token = e.bound(e.key)
		return e.with(nil, nil)
	}},
}

// What the conformance suite demands of a resource holds over each transport,
// without a nonce and with one.
func TestFAPI(t *testing.T) {
	t.Parallel()
	issuer := claimstest.Start(t, claimstest.Config{})
	for _, nonce := range []bool{false, true} {
		verifier, err := claims.NewVerifier(claims.Config{
			Issuer: issuer.URL(), Audiences: []string{claimstest.Audience},
			Confirmers: []claims.Confirmer{newConfirmer(t, dpop.Config{RequireNonce: nonce})},
		})
		require.NoError(t, err)
		for _, wire := range wires(t, verifier) {
			for _, block := range blocks {
				name := wire.name + "/" + block.name
				if nonce {
					name = wire.name + " with a nonce/" + block.name
				}
				t.Run(name, func(t *testing.T) {
					t.Parallel()
					e := &exam{t: t, wire: wire, issuer: issuer, key: claimstest.MustKey("ES256")}
					e.token = e.bound(e.key)
					if nonce {
						first := e.with(nil, nil)
						require.False(t, first.ok)
						require.Len(t, first.challenges, 1)
						scheme, code := schemeOf(first.challenges[0])
						assert.Equal(t, "DPoP", scheme)
						assert.Equal(t, "use_dpop_nonce", code)
						e.nonce = first.nonce
						require.NotEmpty(t, e.nonce)
					}
					got := block.try(e)
					want := block.must == accept || block.must == byNonce && nonce
					assert.Equal(t, want, got.ok, "%s %q", got.code, got.challenges)
					if wire.name == "HTTP" {
						assert.NotEmpty(t, got.fields.Get("Date"))
					}
					if want {
						return
					}
					assert.Contains(t, []string{"Unauthorized", "Unauthenticated"}, got.code)
					assert.Equal(t, []string{"Bearer", "DPoP"}, schemesIn(got.challenges))
					for _, challenge := range got.challenges {
						if scheme, _ := schemeOf(challenge); scheme == "DPoP" {
							assert.Contains(t, challenge, `algs="ES256 EdDSA Ed25519 PS256 ES384 ES512 PS384 PS512"`)
						}
					}
				})
			}
		}
	}
}
