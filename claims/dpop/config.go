package dpop

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/jws"
)

// Config says which proofs a [Confirmer] accepts. The zero value is useful.
type Config struct {
	// BaseURL is where clients see this server, if that is not where requests
	// reach it: scheme, host, port and the beginning of the path that a proxy
	// takes away, such as "https://api.example/v1". A proof's "htu" must be it
	// and the path of the request. Empty means the scheme, the Host and the
	// path of the request: behind a proxy that keeps the Host and ends TLS,
	// that is http where clients see https.
	BaseURL string

	// Algorithms are those that proofs may be signed with, out of ES256, ES384,
	// ES512, PS256, PS384, PS512, EdDSA and its newer name Ed25519. Challenges
	// list them. Empty means all. RSASSA-PKCS1-v1_5 (RS256) is not among them
	// (FAPI 2.0 section 5.4.1).
	Algorithms []string

	// Window is how far the time at which a proof was made ("iat") may be from
	// now, to either side. Zero means one minute; at most 5 minutes. It does
	// not count where RequireNonce is set.
	Window time.Duration

	// RequireNonce demands a nonce of this server's in each proof (RFC 9449
	// section 9). A client gets one by its first request, which is refused, and
	// a new one with a response before the old one ends. The nonce says then
	// that a proof was made lately, and clocks of clients do not count.
	RequireNonce bool

	// NonceLifetime is how long a nonce is accepted. Zero means 5 minutes; from
	// a second to an hour.
	NonceLifetime time.Duration

	// NonceSecrets are what nonces are made with, 32 bytes or more each: by the
	// first, and those of all are accepted, so that secrets can be changed.
	// Replicas must have the same. Nil means a random one, for a server of one
	// process: its nonces end with it.
	NonceSecrets [][]byte

	// Replays remembers which proofs were used. Nil means a [Memory] of a
	// million. What several replicas serve, or several Confirmers, needs one
	// that they share, or a proof is accepted by each of them once.
	Replays ReplayStore

	// InsecureSkipReplays accepts a proof however often it comes, and remembers
	// none: for a gate in front of a server that checks the same proof again
	// and does remember it. On its own whoever sees a request can send it
	// again, as long as its proof counts.
	InsecureSkipReplays bool
}

const (
	defaultWindow        = time.Minute
	maxWindow            = 5 * time.Minute
	defaultNonceLifetime = 5 * time.Minute
	maxNonceLifetime     = time.Hour
	minSecret            = 32
)

// algorithms are those of proofs, in the order of a challenge.
var algorithms = []string{
	"ES256", "EdDSA", "Ed25519", "PS256", "ES384", "ES512", "PS384", "PS512",
}

// New returns a Confirmer. The error reports everything that is wrong with cfg.
func New(cfg Config) (*Confirmer, error) {
	var errs []error
	wrong := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("dpop: New: Config."+format, args...))
	}
	base, err := parseBase(cfg.BaseURL)
	if err != nil {
		wrong("BaseURL of %q %w", cfg.BaseURL, err)
	}
	for _, algorithm := range cfg.Algorithms {
		if !slices.Contains(algorithms, algorithm) {
			wrong("Algorithms: %q is none of %q", algorithm, algorithms)
		}
	}
	if cfg.Window < 0 || cfg.Window > maxWindow {
		wrong("Window of %s is not between 0 and %s", cfg.Window, maxWindow)
	}
	if n := cfg.NonceLifetime; n != 0 && (n < time.Second || n > maxNonceLifetime) {
		wrong("NonceLifetime of %s is not between 1s and %s", n, maxNonceLifetime)
	}
	for i, secret := range cfg.NonceSecrets {
		if len(secret) < minSecret {
			wrong("NonceSecrets[%d] has %d bytes, and needs %d", i, len(secret), minSecret)
		}
	}
	if !cfg.RequireNonce && (len(cfg.NonceSecrets) > 0 || cfg.NonceLifetime != 0) {
		wrong("RequireNonce is not set, and NonceSecrets or NonceLifetime is")
	}
	if cfg.Replays != nil && cfg.InsecureSkipReplays {
		wrong("Replays would remember what InsecureSkipReplays says not to")
	}
	if v := reflect.ValueOf(cfg.Replays); v.Kind() == reflect.Pointer && v.IsNil() {
		wrong("Replays is a nil %T", cfg.Replays)
	} else if store, ok := cfg.Replays.(*Memory); ok && !store.isMade() {
		wrong("Replays was not made by NewMemory")
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return newConfirmer(cfg, base), nil
}

func newConfirmer(cfg Config, base *target) *Confirmer {
	c := &Confirmer{
		base: base, algorithms: algorithms, accepted: jws.Algorithms{},
		window: cmp.Or(cfg.Window, defaultWindow), keys: newKeyring(),
	}
	if len(cfg.Algorithms) > 0 {
		c.algorithms = slices.Clone(cfg.Algorithms)
	}
	for _, algorithm := range c.algorithms {
		c.accepted[algorithm] = jws.Asymmetric[algorithm]
	}
	if cfg.RequireNonce {
		c.nonces = &nonces{lifetime: cmp.Or(cfg.NonceLifetime, defaultNonceLifetime)}
		for _, secret := range cfg.NonceSecrets {
			c.nonces.secrets = append(c.nonces.secrets, slices.Clone(secret))
		}
		if len(c.nonces.secrets) == 0 {
			secret := make([]byte, minSecret)
			_, _ = rand.Read(secret) // never fails
			c.nonces.secrets = append(c.nonces.secrets, secret)
		}
	}
	switch {
	case cfg.InsecureSkipReplays:
	case cfg.Replays == nil:
		c.replays = newReplays(NewMemory(0))
	default:
		c.replays = newReplays(cfg.Replays)
	}
	return c
}
