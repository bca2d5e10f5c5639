package jwks

import (
	"context"
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// sourceOf is a source of somebody's own.
type sourceOf func() (*Set, error)

func (s sourceOf) KeySet(context.Context, bool) (*Set, time.Duration, error) {
	set, err := s()
	return set, 0, err
}

func TestNewCache_bounds(t *testing.T) {
	t.Parallel()
	const field = "jwks: Config."
	for _, tt := range []struct {
		name   string
		change func(*Config)
		wrong  string // the field, none if all is well
	}{
		{name: "least", change: func(cfg *Config) {
			cfg.Timeout, cfg.DefaultMaxAge, cfg.Cooldown = 1, time.Minute, time.Second
		}},
		{name: "greatest", change: func(cfg *Config) {
			cfg.Timeout, cfg.DefaultMaxAge = time.Minute, 24*time.Hour
			cfg.MaxStale, cfg.Cooldown = 24*time.Hour, time.Hour
		}},
		{name: "never stale", change: func(cfg *Config) { cfg.MaxStale = -1 }},
		{name: "negative timeout", change: func(cfg *Config) { cfg.Timeout = -1 }, wrong: "Timeout"},
		{name: "greater timeout", change: func(cfg *Config) { cfg.Timeout = time.Minute + 1 }, wrong: "Timeout"},
		{name: "negative age", change: func(cfg *Config) { cfg.DefaultMaxAge = -1 }, wrong: "DefaultMaxAge"},
		{name: "less age", change: func(cfg *Config) { cfg.DefaultMaxAge = time.Minute - 1 }, wrong: "DefaultMaxAge"},
		{name: "greater age", change: func(cfg *Config) { cfg.DefaultMaxAge = 24*time.Hour + 1 }, wrong: "DefaultMaxAge"},
		{name: "stale for longer", change: func(cfg *Config) { cfg.MaxStale = 24*time.Hour + 1 }, wrong: "MaxStale"},
		{name: "negative cooldown", change: func(cfg *Config) { cfg.Cooldown = -1 }, wrong: "Cooldown"},
		{name: "less cooldown", change: func(cfg *Config) { cfg.Cooldown = time.Second - 1 }, wrong: "Cooldown"},
		{name: "greater cooldown", change: func(cfg *Config) { cfg.Cooldown = time.Hour + 1 }, wrong: "Cooldown"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			cfg := Config{Issuer: "https://a.example"}
			tt.change(&cfg)
			_, err := NewCache(cfg)
			if tt.wrong == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, field+tt.wrong+" of")
			assert.NotContains(t, err.Error(), "\n", "said once")
		})
	}
}

// Each of the fields that say where keys are contradicts Sources.
func TestNewCache_sourcesAlone(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Config){
		"Issuer":      func(cfg *Config) { cfg.Issuer = "https://a.example" },
		"URL":         func(cfg *Config) { cfg.URL = "https://a.example/jwks" },
		"MetadataURL": func(cfg *Config) { cfg.MetadataURL = "https://a.example/metadata" },
		"Client":      func(cfg *Config) { cfg.Client = http.DefaultClient },
	} {
		cfg := Config{Sources: []Source{File("keys.json")}}
		change(&cfg)
		_, err := NewCache(cfg)
		assert.ErrorContains(t, err, "Sources takes the place", name)
	}
}

// What becomes of the list of sources after NewCache changes nothing.
func TestNewCache_copiesSources(t *testing.T) {
	t.Parallel()
	set, err := Parse([]byte(oneKey))
	require.NoError(t, err)
	sources := []Source{sourceOf(func() (*Set, error) { return set, nil })}
	cache, err := NewCache(Config{Sources: sources})
	require.NoError(t, err)
	sources[0] = nil
	require.NoError(t, cache.Ready(t.Context()))
	assert.Same(t, set, cache.Set())
}
