package introspection

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"encoding/asn1"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"math/big"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/foreign"
)

// Client is how this API authenticates to an introspection endpoint. [Basic],
// [Post], [PrivateKeyJWT], [MutualTLS], [BearerToken] and [BearerTokenFile]
// make one; it is immutable.
type Client struct {
	id    string
	fault string
	apply func(ctx context.Context, audience string, r *http.Request, form url.Values) error
}

// String keeps secrets out of logs.
func (c Client) String() string { return "introspection.Client{" + c.id + "}" }

// GoString keeps secrets out of logs.
func (c Client) GoString() string { return c.String() }

// Format keeps secrets out of logs, whatever the verb.
func (c Client) Format(s fmt.State, _ rune) { _, _ = s.Write([]byte(c.String())) }

// Basic returns a Client that sends its ID and secret in the Authorization
// field (client_secret_basic, RFC 6749 section 2.3.1).
func Basic(id, secret string) Client {
	authorization := "Basic " + base64.StdEncoding.EncodeToString(
		[]byte(url.QueryEscape(id)+":"+url.QueryEscape(secret)))
	return Client{id: id, fault: lacking(id, secret), apply: func(
		_ context.Context, _ string, r *http.Request, _ url.Values,
	) error {
		r.Header.Set("Authorization", authorization)
		return nil
	}}
}

// Post returns a Client that sends its ID and secret in the body
// (client_secret_post).
func Post(id, secret string) Client {
	return Client{id: id, fault: lacking(id, secret), apply: func(
		_ context.Context, _ string, _ *http.Request, form url.Values,
	) error {
		form.Set("client_id", id)
		form.Set("client_secret", secret)
		return nil
	}}
}

func lacking(id, secret string) string {
	if id == "" || secret == "" {
		return "needs an ID and a secret"
	}
	return ""
}

// MutualTLS returns a Client that is known by the certificate of its TLS
// connection (tls_client_auth, RFC 8705 section 2), which [Config].HTTP has.
func MutualTLS(id string) Client {
	c := Client{id: id, apply: func(
		_ context.Context, _ string, _ *http.Request, form url.Values,
	) error {
		form.Set("client_id", id)
		return nil
	}}
	if id == "" {
		c.fault = "needs an ID"
	}
	return c
}

// BearerToken returns a Client that has a token of its own, which is asked for
// before each call, as of a golang.org/x/oauth2 TokenSource (RFC 7662 section
// 2.1). It has the time of the call, and must be safe for concurrent use.
func BearerToken(token func(ctx context.Context) (string, error)) Client {
	c := Client{apply: func(
		ctx context.Context, _ string, r *http.Request, _ url.Values,
	) error {
		var text string
		err := foreign.Call(foreign.Name("introspection: Config.Client"), func() (err error) {
			text, err = token(ctx)
			return err
		})
		if err != nil {
			return err
		}
		if text = strings.TrimSpace(text); !isToken68(text) {
			return errors.New("the client's own token is none")
		}
		r.Header.Set("Authorization", "Bearer "+text)
		return nil
	}}
	if token == nil {
		c.fault = "needs a function"
	}
	return c
}

// BearerTokenFile is BearerToken for one that lies in a file, which is read
// before each call: the token of a Kubernetes service account.
func BearerTokenFile(path string) Client {
	return BearerToken(func(context.Context) (string, error) {
		text, err := os.ReadFile(path)
		return string(text), err
	})
}

const assertionLifetime = time.Minute

// PrivateKeyJWT returns a Client that signs an assertion for each call
// (private_key_jwt, RFC 7523 section 2.2), whose audience is the issuer. The
// key is one of RSA, which signs by RS256 or, if that is the algorithm, PS256;
// of ECDSA, by ES256, ES384 or ES512, as its curve is; or of Ed25519, by EdDSA.
// An empty algorithm means the first that is named here. keyID is the "kid" by
// which the issuer knows the key, and may be empty.
func PrivateKeyJWT(id string, key crypto.Signer, keyID, algorithm string) Client {
	c := Client{id: id}
	if id == "" {
		c.fault = "needs an ID"
		return c
	}
	algorithm, sign, err := signerOf(key, algorithm)
	if err != nil {
		c.fault = err.Error()
		return c
	}
	header := map[string]string{"alg": algorithm, "typ": "JWT"}
	if keyID != "" {
		header["kid"] = keyID
	}
	c.apply = func(_ context.Context, audience string, _ *http.Request, form url.Values) error {
		now := time.Now()
		input := encode(header) + "." + encode(map[string]any{
			"iss": id, "sub": id, "aud": audience, "jti": rand.Text(),
			"iat": now.Unix(), "exp": now.Add(assertionLifetime).Unix(),
		})
		signature, err := sign([]byte(input))
		if err != nil {
			return fmt.Errorf("the client's assertion cannot be signed: %w", err)
		}
		form.Set("client_id", id)
		form.Set("client_assertion_type", "urn:ietf:params:oauth:client-assertion-type:jwt-bearer")
		form.Set("client_assertion", input+"."+base64.RawURLEncoding.EncodeToString(signature))
		return nil
	}
	return c
}

func encode(v any) string {
	text, err := json.Marshal(v)
	if err != nil { // strings and numbers
		panic(err)
	}
	return base64.RawURLEncoding.EncodeToString(text)
}

// signerOf returns what signs with a key (RFC 7518 section 3, RFC 8037).
func signerOf(key crypto.Signer, algorithm string) (
	name string, sign func(input []byte) ([]byte, error), err error,
) {
	if key == nil {
		return "", nil, errors.New("needs a key")
	}
	hashed := func(hash crypto.Hash, opts crypto.SignerOpts) func([]byte) ([]byte, error) {
		return func(input []byte) ([]byte, error) {
			h := hash.New()
			h.Write(input)
			return key.Sign(rand.Reader, h.Sum(nil), opts)
		}
	}
	algorithms := map[string]func([]byte) ([]byte, error){}
	first := ""
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		first = "RS256"
		algorithms["RS256"] = hashed(crypto.SHA256, crypto.SHA256)
		algorithms["PS256"] = hashed(crypto.SHA256,
			&rsa.PSSOptions{SaltLength: rsa.PSSSaltLengthEqualsHash, Hash: crypto.SHA256})
	case *ecdsa.PublicKey:
		hash := crypto.SHA256
		switch public.Curve {
		case elliptic.P256():
			first = "ES256"
		case elliptic.P384():
			first, hash = "ES384", crypto.SHA384
		case elliptic.P521():
			first, hash = "ES512", crypto.SHA512
		}
		size := (public.Curve.Params().BitSize + 7) / 8
		algorithms[first] = func(input []byte) ([]byte, error) {
			der, err := hashed(hash, hash)(input)
			if err != nil {
				return nil, err
			}
			return concatenated(der, size)
		}
	case ed25519.PublicKey:
		first = "EdDSA"
		algorithms["EdDSA"] = func(input []byte) ([]byte, error) {
			return key.Sign(rand.Reader, input, crypto.Hash(0))
		}
	}
	if algorithm == "" {
		algorithm = first
	}
	sign = algorithms[algorithm]
	if sign == nil || algorithm == "" {
		return "", nil, fmt.Errorf(
			"has a key of a %T, which does not sign by %q", key.Public(), algorithm)
	}
	return algorithm, sign, nil
}

// concatenated returns an ECDSA signature as JWS has it: R and S, each as long
// as the curve's order (RFC 7518 section 3.4).
func concatenated(der []byte, size int) ([]byte, error) {
	var parts struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(der, &parts); err != nil || len(rest) > 0 {
		return nil, errors.New("the key has made no ECDSA signature")
	}
	signature := make([]byte, 2*size)
	parts.R.FillBytes(signature[:size])
	parts.S.FillBytes(signature[size:])
	return signature, nil
}
