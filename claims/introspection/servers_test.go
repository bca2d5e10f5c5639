package introspection_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/introspection"
)

func TestIntrospector_AuthorizationServers(t *testing.T) {
	t.Parallel()
	in, err := introspection.New(introspection.Config{
		Endpoint: "https://issuer.example/introspect", Client: introspection.Basic("api", "secret"),
		Accept: claims.Config{Issuer: "https://issuer.example", Audiences: []string{"https://api.example"}},
	})
	require.NoError(t, err)
	servers, all := claims.AuthorizationServers(in)
	assert.Equal(t, []string{"https://issuer.example"}, servers)
	assert.True(t, all)
	assert.Empty(t, (*introspection.Introspector)(nil).AuthorizationServers())
}
