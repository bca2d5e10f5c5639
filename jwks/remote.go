package jwks

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"sync"
	"time"
)

const defaultTimeout = 5 * time.Second

// RemoteConfig says where a remote key set is. At least one of Issuer and URL
// is needed.
type RemoteConfig struct {
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

	// InsecureHTTPHosts are hosts that may be asked over http, as
	// [Config].InsecureHTTPHosts has them, with what is said there.
	InsecureHTTPHosts []string

	// Client makes the requests: for a proxy or a private certificate
	// authority. Its transport, cookies and timeout are used; its CheckRedirect
	// is not, as redirects are followed only within an origin. A panic of its
	// transport is a failed fetch. Nil means [http.DefaultTransport] without
	// cookies.
	Client *http.Client

	// Timeout bounds a call of the Source, from the first connection to the end
	// of the last body. Zero means 5 seconds.
	Timeout time.Duration
}

// validate reports everything that is wrong with a RemoteConfig that has an
// Issuer or a URL, in the words of whoever typed it as a part of config.
func (cfg RemoteConfig) validate(config string) []error {
	var errs []error
	insecure := httpHosts(cfg.InsecureHTTPHosts)
	report := func(field, value string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf(
				"jwks: %s.%s of %.100q %w", config, field, shown(value), err))
		}
	}
	switch {
	case cfg.URL != "":
		_, err := checkURL(cfg.URL, insecure, false)
		report("URL", cfg.URL, err)
		if cfg.MetadataURL != "" {
			report("MetadataURL", cfg.MetadataURL,
				errors.New("contradicts URL: with one the other is not needed"))
		}
	case cfg.MetadataURL != "":
		_, err := checkURL(cfg.MetadataURL, insecure, false)
		report("MetadataURL", cfg.MetadataURL, err)
	default:
		_, err := checkIssuer(cfg.Issuer, insecure)
		report("Issuer", cfg.Issuer, err)
	}
	errs = append(errs, insecure.validate(config+".InsecureHTTPHosts")...)
	if cfg.Timeout < 0 {
		errs = append(errs, fmt.Errorf("jwks: %s.Timeout of %v is negative", config, cfg.Timeout))
	}
	return errs
}

// remote is the [Source] of an issuer on the network.
type remote struct {
	cfg      RemoteConfig // with its defaults
	client   *http.Client
	insecure httpHosts
	metadata []string // where the issuer's metadata may be, the best place first
	secure   bool     // keys must come over https

	mu     sync.Mutex // guards the fields below
	known  string     // the key set's URL by the metadata
	doubt  bool       // the last fetch from there failed
	asking []bool     // the places of metadata that have not answered
	last   fetched
}

// fetched is an answer that a later one may refer to (RFC 9110 section 13.1.2).
type fetched struct {
	from   string
	etag   string
	set    *Set
	maxAge time.Duration
}

// NewRemote returns a [Source] that fetches a key set over HTTP. It has fetched
// nothing yet. The error reports everything that is wrong with cfg.
func NewRemote(cfg RemoteConfig) (Source, error) {
	if cfg.Issuer == "" && cfg.URL == "" {
		return nil, errors.New("jwks: one of RemoteConfig.Issuer and RemoteConfig.URL is required")
	}
	if err := errors.Join(cfg.validate("RemoteConfig")...); err != nil {
		return nil, err
	}
	return newRemote(cfg), nil
}

// newRemote makes a remote of a RemoteConfig that is valid.
func newRemote(cfg RemoteConfig) *remote {
	cfg.Timeout = cmp.Or(cfg.Timeout, defaultTimeout)
	cfg.InsecureHTTPHosts = slices.Clone(cfg.InsecureHTTPHosts)
	r := &remote{cfg: cfg, client: &http.Client{}, insecure: cfg.InsecureHTTPHosts}
	switch {
	case cfg.URL != "":
	case cfg.MetadataURL != "":
		r.metadata = []string{cfg.MetadataURL}
	default:
		r.metadata = metadataURLs(cfg.Issuer)
	}
	r.secure = len(r.metadata) > 0 && isHTTPS(r.metadata[0])
	r.asking = make([]bool, len(r.metadata))
	if cfg.Client != nil {
		*r.client = *cfg.Client
	}
	r.client.CheckRedirect = withinOrigin
	return r
}

// same reports whether two remotes are made of the same config.
func (r *remote) same(other *remote) bool {
	a, b := r.cfg, other.cfg
	return a.Issuer == b.Issuer && a.MetadataURL == b.MetadataURL && a.URL == b.URL &&
		a.Client == b.Client && a.Timeout == b.Timeout &&
		slices.Equal(a.InsecureHTTPHosts, b.InsecureHTTPHosts)
}

// KeySet asks where the keys are if that is not known, and for them.
func (r *remote) KeySet(ctx context.Context, force bool) (*Set, time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, r.cfg.Timeout)
	defer cancel()
	if r.cfg.URL != "" {
		return r.fetchSet(ctx, r.cfg.URL, force)
	}
	from, doubt := r.keySetURL()
	asked := from == "" || force || doubt // the keys may have moved with the new key
	if asked {
		found, err := r.discover(ctx, from != "")
		switch {
		case err == nil:
			from = found
		case from == "":
			return nil, 0, err
		}
	}
	set, maxAge, err := r.fetchSet(ctx, from, force)
	if err != nil && !asked {
		if found, again := r.discover(ctx, true); again == nil && found != from {
			from = found
			set, maxAge, err = r.fetchSet(ctx, from, force)
		}
	}
	r.remember(from, err != nil)
	return set, maxAge, err
}

func (r *remote) keySetURL() (from string, doubt bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known, r.doubt
}

func (r *remote) remember(from string, doubt bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.known, r.doubt = from, doubt
}

func (r *remote) fetchSet(
	ctx context.Context, from string, force bool,
) (*Set, time.Duration, error) {
	r.mu.Lock()
	last := r.last
	r.mu.Unlock()
	ask := http.Header{"Accept": {"application/jwk-set+json, application/json"}}
	switch {
	case force:
		ask.Set("Cache-Control", "no-cache")
	case last.from == from && last.etag != "":
		ask.Set("If-None-Match", last.etag)
	}
	body, header, err := r.get(ctx, from, ask)
	if err != nil {
		return nil, 0, err
	}
	maxAge := maxAgeOf(header, time.Now())
	if body == nil { // not modified: what it does not say is as before
		return last.set, cmp.Or(maxAge, last.maxAge), nil
	}
	set, err := Parse(body)
	if err != nil {
		return nil, 0, fmt.Errorf("%w (from %s)", err, withoutQuery(from))
	}
	r.mu.Lock()
	r.last = fetched{from, header.Get("ETag"), set, maxAge}
	r.mu.Unlock()
	return set, maxAge, nil
}
