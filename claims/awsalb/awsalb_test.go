package awsalb_test

import (
	"context"
	"errors"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/awsalb"
	"github.com/sallyport-go/sallyport/httpmw"
)

// What is not as it should be is refused, and before a key is fetched if it can
// be told by the header.
func TestUsers_Authenticate(t *testing.T) {
	t.Parallel()
	past := time.Now().Add(-time.Hour).Unix()
	for name, tt := range map[string]struct {
		header, payload m
		change          func(token string) string
		scheme          string
		reason          claims.Reason // empty if accepted
		fetches         int32
	}{
		"good":                     {fetches: 1},
		"unpadded":                 {change: func(s string) string { return strings.ReplaceAll(s, "=", "") }, reason: claims.ReasonSignature, fetches: 1},
		"another load balancer":    {header: m{"signer": arn[:len(arn)-1] + "9"}, reason: claims.ReasonIssuer},
		"another account":          {header: m{"signer": strings.Replace(arn, "1234", "4321", 1)}, reason: claims.ReasonIssuer},
		"no signer":                {header: m{"signer": nil}, reason: claims.ReasonIssuer},
		"signer in the claims":     {header: m{"signer": nil}, payload: m{"signer": arn}, reason: claims.ReasonIssuer},
		"list of signers":          {header: m{"signer": []string{arn}}, reason: claims.ReasonMalformed},
		"another client":           {header: m{"client": "other"}, reason: claims.ReasonClient},
		"another issuer":           {header: m{"iss": "https://evil.example"}, reason: claims.ReasonIssuer},
		"another issuer within":    {payload: m{"iss": "https://evil.example"}, reason: claims.ReasonIssuer, fetches: 1},
		"over":                     {header: m{"exp": past}, reason: claims.ReasonExpired},
		"over within":              {payload: m{"exp": past}, reason: claims.ReasonExpired, fetches: 1},
		"no end":                   {header: m{"exp": nil}, reason: claims.ReasonExpired},
		"no end within":            {payload: m{"exp": nil}, reason: claims.ReasonClaims, fetches: 1},
		"no subject":               {payload: m{"sub": nil}, reason: claims.ReasonClaims, fetches: 1},
		"algorithm none":           {header: m{"alg": "none"}, reason: claims.ReasonAlgorithm},
		"symmetric":                {header: m{"alg": "HS256"}, reason: claims.ReasonAlgorithm},
		"crit":                     {header: m{"crit": []string{"signer"}}, reason: claims.ReasonCritical},
		"no key ID":                {header: m{"kid": nil}, reason: claims.ReasonMalformed},
		"key ID with a path":       {header: m{"kid": "../../" + keyID}, reason: claims.ReasonMalformed},
		"key ID with a query":      {header: m{"kid": keyID + "?x"}, reason: claims.ReasonMalformed},
		"key ID made up":           {header: m{"kid": "00000000-0000-0000-0000-000000000000"}, reason: claims.ReasonUnknownKey, fetches: 1},
		"other claims":             {change: func(s string) string { return swap(s, 1) }, reason: claims.ReasonSignature, fetches: 1},
		"no signature":             {change: func(s string) string { return s[:strings.LastIndex(s, ".")+1] }, reason: claims.ReasonMalformed},
		"two segments":             {change: func(s string) string { return s[:strings.LastIndex(s, ".")] }, reason: claims.ReasonMalformed},
		"four segments":            {change: func(s string) string { return s + ".YQ==" }, reason: claims.ReasonMalformed},
		"a line break":             {change: func(s string) string { return s[:8] + "\n" + s[8:] }, reason: claims.ReasonMalformed},
		"too much padding":         {change: func(s string) string { return s + "=" }, reason: claims.ReasonMalformed},
		"too large":                {change: func(s string) string { return s + strings.Repeat("a", 16<<10) }, reason: claims.ReasonTooLarge},
		"under Bearer":             {scheme: "Bearer", reason: claims.ReasonUnsupportedScheme},
		"bound to a key elsewhere": {payload: m{"cnf": m{"jkt": "x"}}, reason: claims.ReasonBinding, fetches: 1},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			aws := newRegion(t)
			credentials := assertion(aws.sign(t, tt.header, tt.payload))
			if tt.change != nil {
				credentials.Token = tt.change(credentials.Token)
			}
			if tt.scheme != "" {
				credentials.Scheme = tt.scheme
			}
			caller, err := aws.users(t).Authenticate(t.Context(), credentials)
			assert.Equal(t, tt.fetches, aws.fetched.Load(), "fetches")
			if tt.reason != "" {
				require.Error(t, err)
				assert.Nil(t, caller)
				assert.Equal(t, tt.reason, claims.AsError(err).Reason(), "%v", errors.Unwrap(err))
				assert.NotErrorIs(t, err, claims.ErrUnavailable)
				return
			}
			require.NoError(t, err)
			assert.Equal(t, "alice", caller.Subject())
			assert.Equal(t, "https://login.example", caller.Issuer())
			assert.False(t, caller.ValidUntil().IsZero())
		})
	}
}

// swap flips a bit of a segment.
func swap(token string, segment int) string {
	parts := strings.Split(token, ".")
	b := []byte(parts[segment])
	if b[1] = 'A'; parts[segment][1] == 'A' {
		b[1] = 'B'
	}
	parts[segment] = string(b)
	return strings.Join(parts, ".")
}

// From the request to the handler.
func TestUsers_overHTTP(t *testing.T) {
	t.Parallel()
	aws := newRegion(t)
	auth := httpmw.New(aws.users(t), httpmw.Config{From: httpmw.FromAWSALB()})
	for name, tt := range map[string]struct {
		set  func(h http.Header, assertion string)
		want int
	}{
		"assertion":        {func(h http.Header, a string) { h.Set("X-Amzn-Oidc-Data", a) }, 200},
		"none":             {func(http.Header, string) {}, 401},
		"twice":            {func(h http.Header, a string) { h["X-Amzn-Oidc-Data"] = []string{a, a} }, 400},
		"as Bearer":        {func(h http.Header, a string) { h.Set("Authorization", "Bearer "+a) }, 401},
		"with the scheme":  {func(h http.Header, a string) { h.Set("X-Amzn-Oidc-Data", "AWS-ALB "+a) }, 401},
		"by Authorization": {func(h http.Header, a string) { h.Set("Authorization", "AWS-ALB "+a) }, 401},
	} {
		r, err := http.NewRequest(http.MethodGet, "/", nil)
		require.NoError(t, err)
		tt.set(r.Header, aws.sign(t, nil, nil))
		w := newRecorder()
		auth.Wrap(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {})).ServeHTTP(w, r)
		assert.Equal(t, tt.want, w.Code, name)
	}
}

// Beside tokens of another kind each is verified by its own.
func TestUsers_FirstOf(t *testing.T) {
	t.Parallel()
	aws := newRegion(t)
	verifier, err := claims.NewVerifier(claims.Config{
		Issuer: "https://issuer.example", Audiences: []string{"https://api.example"},
	})
	require.NoError(t, err)
	for _, both := range []claims.Authenticator{
		claims.FirstOf(verifier, aws.users(t)), claims.FirstOf(aws.users(t), verifier),
	} {
		caller, err := both.Authenticate(t.Context(), assertion(aws.sign(t, nil, nil)))
		require.NoError(t, err)
		assert.Equal(t, "alice", caller.Subject())
		_, err = both.Authenticate(t.Context(), claims.Credentials{Scheme: "Bearer", Token: "a.b.c"})
		assert.ErrorIs(t, err, claims.ErrInvalidToken)
	}
}

func TestNew_reportsEverything(t *testing.T) {
	t.Parallel()
	_, err := awsalb.New(awsalb.Config{})
	require.Error(t, err)
	for _, want := range []string{
		"awsalb: New: Config.LoadBalancers is required", "awsalb: New: Config.Claims.ClientIDs is required", "Issuer",
	} {
		assert.ErrorContains(t, err, want)
	}
	_, err = awsalb.New(awsalb.Config{
		LoadBalancers: []string{arn, "arn:aws:s3:::bucket", strings.Replace(arn, "eu-central-1", "us-east-1", 1)},
		KeysURL:       "http://keys.example",
		Claims:        claims.Config{Issuer: "https://login.example", ClientIDs: []string{""}, Audiences: []string{"x"}},
	})
	for _, want := range []string{
		`Config.LoadBalancers: "arn:aws:s3:::bucket" is not the ARN`, `Config.KeysURL of "http://keys.example" is not`,
		"Config.Claims.ClientIDs is required", `Config.Claims.Audiences of ["x"]`,
	} {
		assert.ErrorContains(t, err, want)
	}
	_, err = awsalb.New(awsalb.Config{
		LoadBalancers: []string{arn, strings.Replace(arn, "eu-central-1", "us-east-1", 1)},
		Claims:        claims.Config{Issuer: "https://login.example", ClientIDs: []string{"web"}},
	})
	assert.ErrorContains(t, err, "is in another region than the first")
	for _, users := range []*awsalb.Users{nil, {}} {
		_, err := users.Authenticate(context.Background(), assertion("a.b.c"))
		assert.ErrorIs(t, err, claims.ErrUnavailable)
	}
}
