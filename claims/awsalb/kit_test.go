package awsalb_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"maps"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/awsalb"
)

type m = map[string]any

const (
	arn   = "arn:aws:elasticloadbalancing:eu-central-1:123456789012:loadbalancer/app/web/50dc6c495c0c9188"
	keyID = "12345678-90ab-cdef-1234-567890abcdef"
)

// region is what AWS runs in a region: it signs assertions and serves the keys.
type region struct {
	*httptest.Server
	key     *ecdsa.PrivateKey
	fetched atomic.Int32
	status  atomic.Int32 // of answers, unless zero
}

func newRegion(t testing.TB) *region {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	r := &region{key: key}
	der, err := x509.MarshalPKIXPublicKey(key.Public())
	require.NoError(t, err)
	text := pem.EncodeToMemory(&pem.Block{Type: "PUBLIC KEY", Bytes: der})
	r.Server = httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		r.fetched.Add(1)
		if status := r.status.Load(); status != 0 {
			w.WriteHeader(int(status))
			return
		}
		if req.URL.Path != "/"+keyID {
			w.WriteHeader(http.StatusForbidden) // as S3 says that there is nothing
			return
		}
		_, _ = w.Write(text)
	}))
	t.Cleanup(r.Close)
	return r
}

func (r *region) config() awsalb.Config {
	return awsalb.Config{
		LoadBalancers: []string{arn}, KeysURL: r.URL,
		Claims: claims.Config{Issuer: "https://login.example", ClientIDs: []string{"web"}},
	}
}

func (r *region) users(t testing.TB) *awsalb.Users {
	t.Helper()
	users, err := awsalb.New(r.config())
	require.NoError(t, err)
	return users
}

// sign returns an assertion as a load balancer makes it, with these members
// changed; nil leaves one out.
func (r *region) sign(t testing.TB, header, payload m) string {
	t.Helper()
	soon := time.Now().Add(time.Minute).Unix()
	head := segment(t, m{
		"typ": "JWT", "kid": keyID, "alg": "ES256", "iss": "https://login.example", "client": "web",
		"signer": arn, "exp": soon,
	}, header)
	body := segment(t, m{
		"sub": "alice", "email": "alice@example.com", "iss": "https://login.example", "exp": soon,
	}, payload)
	hash := sha256.Sum256([]byte(head + "." + body))
	x, y, err := ecdsa.Sign(rand.Reader, r.key, hash[:])
	require.NoError(t, err)
	signature := make([]byte, 64)
	x.FillBytes(signature[:32])
	y.FillBytes(signature[32:])
	return head + "." + body + "." + base64.URLEncoding.EncodeToString(signature)
}

func segment(t testing.TB, members, changes m) string {
	t.Helper()
	maps.Copy(members, changes)
	maps.DeleteFunc(members, func(_ string, value any) bool { return value == nil })
	text, err := json.Marshal(members)
	require.NoError(t, err)
	for len(text)%3 == 0 { // so that there is padding, as mostly
		text = append(text, ' ')
	}
	encoded := base64.URLEncoding.EncodeToString(text)
	require.True(t, strings.HasSuffix(encoded, "="))
	return encoded
}

func assertion(token string) claims.Credentials {
	return claims.Credentials{Scheme: awsalb.Scheme, Token: token}
}
