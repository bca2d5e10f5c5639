package jwks

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"reflect"
	"time"
)

const (
	defaultMaxAge   = 10 * time.Minute
	minAge          = time.Minute
	maxAge          = 24 * time.Hour
	defaultMaxStale = time.Hour
	defaultCooldown = 30 * time.Second
	maxCooldown     = time.Hour
)

// Config says where a [Cache] finds its keys and how long it relies on them.
// One of Issuer, URL and Sources is needed; the rest has safe defaults.
type Config struct {
	// Issuer is the issuer identifier (RFC 8414 section 2): an https URL, or
	// http on a loopback address, without query and fragment. Where URL is
	// empty, the issuer's metadata says where its keys are.
	Issuer string

	// MetadataURL is where the issuer's metadata is, if it is at none of the
	// well-known places. The issuer that the metadata names must equal Issuer
	// all the same.
	MetadataURL string

	// URL is where the key set is, for issuers without metadata. Empty means
	// that it is discovered. What it answers is read by [Parse].
	URL string

	// InsecureHTTPHosts are hosts that may be asked over http, beside loopback
	// addresses: "keycloak" is that host at any port, "keycloak:8080" at this
	// port alone. It holds for Issuer, MetadataURL, URL and the key set URL
	// that metadata names; there are no wildcards. Whoever can change the
	// traffic to such a host chooses the keys, and so who is let in: name none
	// that is reached over a network you do not trust. Empty means none.
	InsecureHTTPHosts []string

	// Client makes the requests: for a proxy or a private certificate
	// authority. Its transport, cookies and timeout are used; its CheckRedirect
	// is not, as redirects are followed only within an origin. A panic of its
	// transport is a failed fetch. Nil means [http.DefaultTransport] without
	// cookies.
	Client *http.Client

	// Sources are where the keys come from instead. The first one's are used
	// while they are fresh; only past that, or where there are none, are the
	// others asked in turn if it fails, and it is asked again within a minute.
	// With Sources, the fields above must be empty; [NewRemote] makes a Source
	// of them.
	Sources []Source

	// Timeout bounds a fetch: metadata, key set and all Sources together. So
	// no look-up waits longer for keys. Zero means 5 seconds; at most 1 minute.
	Timeout time.Duration

	// DefaultMaxAge is for how long a key set is fresh whose source does not
	// say: from 1 minute to 24 hours. Zero means 10 minutes.
	DefaultMaxAge time.Duration

	// MaxStale is for how long after that the keys go on serving while no fetch
	// succeeds, or until the fetch ends that the first look-up after a quiet
	// time starts: the longer, the longer an outage of the issuer is survived,
	// and the longer a key that was withdrawn in that time is believed. Zero
	// means 1 hour, a negative value not at all; at most 24 hours.
	MaxStale time.Duration

	// Cooldown is the least time between two fetches that tokens can cause: by
	// a key ID that is unknown, or a signature that no key verifies. So it is
	// how long a rotation without notice may take to be seen while somebody
	// sends invented tokens. A key ID that a fetch did not bring causes no
	// other for twice as long. Zero means 30 seconds; from 1 second to 1 hour.
	Cooldown time.Duration

	// Observer is told of each [Event], nil if nobody is. It is called by the
	// goroutine that the event happens on, and must be quick and safe for
	// concurrent use. The context is the request's for [EventRefusal], else
	// one without values. A panic is recovered and logged, once a minute at
	// most.
	Observer func(ctx context.Context, e Event)

	// Logger gets a line for each change of state or of the reason why fetching
	// fails, and for each rotation; none per request. Nil means [slog.Default];
	// slog.New(slog.DiscardHandler) is silence.
	Logger *slog.Logger
}

func (cfg Config) validate() []error {
	var errs []error
	report := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("jwks: Config."+format, args...))
	}
	if len(cfg.Sources) > 0 && cfg.hasRemote() {
		report("Sources takes the place of Issuer, MetadataURL, URL, InsecureHTTPHosts and Client")
	}
	for i, source := range cfg.Sources {
		if isNil(source) {
			report("Sources[%d] is nil", i)
		}
	}
	if cfg.Timeout < 0 || cfg.Timeout > time.Minute {
		report("Timeout of %v is not between 0 and %v", cfg.Timeout, time.Minute)
	}
	if d := cfg.DefaultMaxAge; d != 0 && (d < minAge || d > maxAge) {
		report("DefaultMaxAge of %v is not between %v and %v", d, minAge, maxAge)
	}
	if cfg.MaxStale > 24*time.Hour {
		report("MaxStale of %v is more than %v", cfg.MaxStale, 24*time.Hour)
	}
	if d := cfg.Cooldown; d != 0 && (d < time.Second || d > maxCooldown) {
		report("Cooldown of %v is not between %v and %v", d, time.Second, maxCooldown)
	}
	if len(cfg.Sources) > 0 {
		return errs
	}
	if cfg.Issuer == "" && cfg.URL == "" {
		return append(errs, errors.New(
			"jwks: one of Config.Issuer, Config.URL and Config.Sources is required"))
	}
	return append(errs, cfg.remote().validate("Config")...)
}

func (cfg Config) hasRemote() bool {
	return cfg.Issuer != "" || cfg.URL != "" || cfg.MetadataURL != "" || cfg.Client != nil ||
		len(cfg.InsecureHTTPHosts) > 0
}

// remote returns the part of a Config that NewRemote takes.
func (cfg Config) remote() RemoteConfig {
	return RemoteConfig{
		Issuer: cfg.Issuer, MetadataURL: cfg.MetadataURL, URL: cfg.URL,
		InsecureHTTPHosts: cfg.InsecureHTTPHosts, Client: cfg.Client,
		Timeout: max(cfg.Timeout, 0), // a negative one is reported already
	}
}

// isNil reports whether a Source is nil, or a nil pointer as a constructor
// returns beside an error.
func isNil(source Source) bool {
	if source == nil {
		return true
	}
	v := reflect.ValueOf(source)
	switch v.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Map:
		return v.IsNil()
	}
	return false
}
