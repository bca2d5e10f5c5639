package statictoken_test

import (
	"context"
	"encoding/base64"
	"log/slog"
	"net/netip"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/statictoken"
)

func bearer(token string) claims.Credentials {
	return claims.Credentials{Scheme: "Bearer", Token: token}
}

// from are credentials that come from an address.
func from(address, token string) claims.Credentials {
	c := bearer(token)
	c.Proof = peer(address)
	return c
}

type peer string

func (p peer) Prove(context.Context) claims.Proof {
	address, _ := netip.ParseAddr(string(p))
	return claims.Proof{Peer: address}
}

// newPath is where no file is yet.
func newPath(t testing.TB) string { return filepath.Join(t.TempDir(), "tokens") }

// add mints a token into a file.
func add(t testing.TB, path string, of statictoken.Token) string {
	t.Helper()
	if of.Subject == "" {
		of.Subject = "ci"
	}
	token, err := statictoken.AddToFile(path, "", of)
	require.NoError(t, err)
	return token
}

// drop takes the line out of a file that has this in it, the careful way.
func drop(t testing.TB, path, marked string) {
	t.Helper()
	text, err := os.ReadFile(path)
	require.NoError(t, err)
	var kept strings.Builder
	for line := range strings.Lines(string(text)) {
		if !strings.Contains(line, marked) {
			kept.WriteString(line)
		}
	}
	require.NotEqual(t, string(text), kept.String())
	replace(t, path, kept.String())
}

func replace(t testing.TB, path, text string) {
	t.Helper()
	require.NoError(t, os.WriteFile(path+".new", []byte(text), 0o600))
	require.NoError(t, os.Rename(path+".new", path))
}

func newTokens(t testing.TB, cfg statictoken.Config) *statictoken.Tokens {
	t.Helper()
	tokens, err := statictoken.New(cfg)
	require.NoError(t, err)
	return tokens
}

// journal is a log to be read.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

func (j *journal) logger() *slog.Logger { return slog.New(slog.NewTextHandler(j, nil)) }

// encoded is a key as a file has it.
func encoded(key statictoken.Key) string { return base64.RawURLEncoding.EncodeToString(key[:]) }
