package revocation_test

import (
	"encoding/json"
	"log/slog"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/revocation"
)

const (
	here      = "https://issuer.example"
	elsewhere = "https://other.example"
)

// newTable returns a table that logs nothing.
func newTable(t testing.TB, cfg revocation.Config) *revocation.Table {
	t.Helper()
	if cfg.Logger == nil {
		cfg.Logger = slog.New(slog.DiscardHandler)
	}
	table, err := revocation.NewTable(cfg)
	require.NoError(t, err)
	return table
}

// token is what a caller shows; claims that are empty are not there.
type token struct {
	issuer, id, session, subject, client string
	issued                               time.Time
}

func (k token) claims(t testing.TB) *claims.Claims {
	t.Helper()
	members := map[string]any{}
	for name, value := range map[string]string{
		"iss": k.issuer, "jti": k.id, "sid": k.session, "sub": k.subject, "client_id": k.client,
	} {
		if value != "" {
			members[name] = value
		}
	}
	if !k.issued.IsZero() {
		members["iat"] = k.issued.Unix()
	}
	text, err := json.Marshal(members)
	require.NoError(t, err)
	caller, err := claims.FromJSON(text, claims.Config{})
	require.NoError(t, err)
	return caller
}
