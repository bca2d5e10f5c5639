package jwks

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func requestTo(t *testing.T, to string) *http.Request {
	t.Helper()
	u, err := url.Parse(to)
	require.NoError(t, err)
	return &http.Request{URL: u}
}

// Five redirects are followed, within the origin of the first request.
func TestWithinOrigin(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		name      string
		from, to  string
		redirects int // this one included
		refused   bool
	}{
		{name: "same origin", from: "https://a.example/x", to: "https://a.example/y", redirects: 1},
		{name: "in capitals", from: "https://a.example", to: "https://A.EXAMPLE", redirects: 1},
		{name: "default port", from: "https://a.example", to: "https://a.example:443", redirects: 1},
		{name: "fifth", from: "https://a.example", to: "https://a.example", redirects: 5},
		{name: "sixth", from: "https://a.example", to: "https://a.example", redirects: 6, refused: true},
		{name: "another host", from: "https://a.example", to: "https://b.example", redirects: 1, refused: true},
		{name: "another port", from: "https://a.example", to: "https://a.example:80", redirects: 1, refused: true},
		{
			name: "another scheme, same port", redirects: 1, refused: true,
			from: "https://a.example:8443", to: "http://a.example:8443",
		},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			via := make([]*http.Request, tt.redirects)
			for i := range via {
				via[i] = requestTo(t, tt.from)
			}
			err := withinOrigin(requestTo(t, tt.to), via)
			assert.Equal(t, tt.refused, errors.Is(err, errRedirect), "%v", err)
		})
	}
}

// slowNetwork is an error of the net package.
type slowNetwork struct{ timeout bool }

func (slowNetwork) Error() string { return "slow" }

func (s slowNetwork) Timeout() bool { return s.timeout }

func TestNetworkFault(t *testing.T) {
	t.Parallel()
	const secret = "https://a.example/jwks?secret"
	for _, tt := range []struct {
		name string
		err  error
		want Fault
	}{
		{name: "no connection", err: errors.New("refused"), want: FaultNetwork},
		{name: "redirect", err: fmt.Errorf("x: %w", errRedirect), want: FaultRedirect},
		{name: "timeout", err: slowNetwork{true}, want: FaultTimeout},
		{name: "no timeout", err: slowNetwork{false}, want: FaultNetwork},
		{name: "deadline of the context", err: fmt.Errorf("x: %w", context.DeadlineExceeded), want: FaultTimeout},
		{name: "deadline of a connection", err: os.ErrDeadlineExceeded, want: FaultTimeout},
		{name: "canceled", err: context.Canceled, want: FaultNetwork},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			for _, err := range []error{tt.err, &url.Error{Op: "Get", URL: secret, Err: tt.err}} {
				fault := networkFault(secret, err)
				assert.Equal(t, tt.want, FaultOf(fault))
				assert.ErrorIs(t, fault, tt.err)
				assert.NotContains(t, fault.Error(), "secret")
			}
		})
	}
}
