package introspection_test

import (
	"encoding/json"
	"errors"
	"net/http"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/introspection"
)

// Whatever an endpoint answers, a token is accepted only if another reader of
// JSON finds it active, too, and for this API; and nothing but the outcomes
// that there are comes of it.
func FuzzAnswer(f *testing.F) {
	for _, seed := range []string{
		`{"active":true,"aud":"` + audience + `","sub":"alice"}`, `{"active":false}`, `{"active":true}`, ``, `null`, `[]`,
		`{"active":true,"active":false}`, `{"active":true,"aud":["x","` + audience + `"],"exp":4102444800,"cnf":{"jkt":"x"}}`,
		`{"active":true,"iss":"` + issuer + `","aud":"` + audience + `","token_type":"DPoP"}`, `{"active":true,"Active":false,"aud":"` + audience + `"}`,
		`{"active":true,"aud":"` + audience + `","exp":1}`, `{"active":true,"aud":"` + audience + `","token_use":"refresh_token"}`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		a := http.HandlerFunc(text(200, "application/json", string(body)))
		in := newIntrospector(t, "https://issuer.example/introspect", within(a, func(cfg *introspection.Config) {
			cfg.Client = introspection.MutualTLS("orders")
		}))
		caller, err := in.Authenticate(t.Context(), bearer("opaque"))
		if err != nil {
			require.Nil(t, caller)
			require.True(t, errors.Is(err, claims.ErrInvalidToken) || errors.Is(err, claims.ErrUnavailable))
			return
		}
		var read map[string]any
		require.NoError(t, json.Unmarshal(body, &read))
		require.Equal(t, true, read["active"])
		require.NotContains(t, read, "cnf")
		require.Contains(t, caller.Audience(), audience)
		require.Equal(t, issuer, caller.Issuer())
		if iss, ok := read["iss"]; ok {
			require.Equal(t, issuer, iss)
		}
	})
}
