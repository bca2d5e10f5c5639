package jwks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"sync"
	"time"
)

const (
	defaultTimeout = 5 * time.Second
	maxBody        = 512 << 10
	maxRedirects   = 5
)

// RemoteConfig says where a remote key set is. At least one of Issuer and URL is
// needed.
type RemoteConfig struct {
	// Issuer is the issuer identifier (RFC 8414 section 2): an https URL, or
	// http on a loopback address, without query and fragment. Where URL is
	// empty, the issuer's metadata says where its keys are.
	Issuer string

	// MetadataURL is where the issuer's metadata is, if it is neither where
	// OpenID Connect Discovery nor where RFC 8414 has it. The issuer that the
	// metadata names must equal Issuer all the same.
	MetadataURL string

	// URL is where the key set is, for issuers without metadata. Empty means
	// that it is discovered.
	URL string

	// Client makes the requests: for a proxy or a private certificate
	// authority. Its transport, cookies and timeout are used; its CheckRedirect
	// is not, as redirects are followed only within an origin. Nil means
	// [http.DefaultTransport] without cookies.
	Client *http.Client

	// Timeout bounds each request, from connecting to the end of the body. Zero
	// means 5 seconds.
	Timeout time.Duration
}

// remote is the [Source] of an issuer on the network.
type remote struct {
	cfg      RemoteConfig // with its defaults
	client   *http.Client
	timeout  time.Duration
	issuer   string
	metadata []string // where the issuer's metadata may be
	secure   bool     // keys must come over https
	url      string   // the key set's, empty if it is discovered
	mu       sync.Mutex
	known    string  // guarded by mu: the key set's URL by the metadata
	last     fetched // guarded by mu
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
func NewRemote(cfg RemoteConfig) (Source, error) { return newRemote(cfg) }

func newRemote(cfg RemoteConfig) (*remote, error) {
	r := &remote{
		cfg: cfg, client: &http.Client{}, timeout: cfg.Timeout, issuer: cfg.Issuer, url: cfg.URL,
	}
	var errs []error
	report := func(field string, err error) {
		if err != nil {
			errs = append(errs, fmt.Errorf("jwks: Config.%s %w", field, err))
		}
	}
	switch {
	case cfg.URL != "":
		_, err := parseURL(cfg.URL)
		report("URL", err)
		if cfg.MetadataURL != "" {
			report("MetadataURL", errors.New("contradicts URL: with one the other is not needed"))
		}
	case cfg.Issuer == "":
		report("Issuer", errors.New("or URL is required"))
	case cfg.MetadataURL != "":
		u, err := parseURL(cfg.MetadataURL)
		report("MetadataURL", err)
		if err == nil {
			r.metadata, r.secure = []string{cfg.MetadataURL}, u.Scheme == "https"
		}
	default:
		u, err := parseIssuer(cfg.Issuer)
		report("Issuer", err)
		if err == nil {
			r.metadata, r.secure = metadataURLs(cfg.Issuer, u), u.Scheme == "https"
		}
	}
	if cfg.Timeout < 0 {
		report("Timeout", errors.New("is negative"))
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	if r.timeout == 0 {
		r.timeout = defaultTimeout
	}
	r.cfg.Timeout = r.timeout
	if cfg.Client != nil {
		*r.client = *cfg.Client
	}
	r.client.CheckRedirect = withinOrigin
	return r, nil
}

// KeySet asks where the keys are if that is not known, and for them.
func (r *remote) KeySet(ctx context.Context, force bool) (*Set, time.Duration, error) {
	if r.url != "" {
		return r.fetchSet(ctx, r.url, force)
	}
	from := r.keySetURL()
	asked := from == "" || force // the keys may have moved with the new key
	if asked {
		found, err := r.discover(ctx)
		switch {
		case err == nil:
			from = found
		case from == "":
			return nil, 0, err
		}
	}
	set, maxAge, err := r.fetchSet(ctx, from, force)
	if err != nil && !asked {
		if found, again := r.discover(ctx); again == nil && found != from {
			return r.fetchSet(ctx, found, force)
		}
	}
	return set, maxAge, err
}

func (r *remote) keySetURL() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.known
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
		return last.set, firstOf(maxAge, last.maxAge), nil
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

// get returns the body of a 200 answer, within the limits of time and size, or
// nil for a 304 to a conditional request.
func (r *remote) get(
	ctx context.Context, from string, ask http.Header,
) (body []byte, header http.Header, err error) {
	ctx, cancel := context.WithTimeout(ctx, r.timeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, nil, &fault{FaultNetwork, errors.New("jwks: not a URL to fetch")}
	}
	req.Header = ask
	// Minutes pass between fetches: an idle connection would only keep its
	// goroutines alive.
	req.Close = true
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, nil, networkFault(from, err)
	}
	defer resp.Body.Close()
	if resp.StatusCode == http.StatusNotModified && ask.Get("If-None-Match") != "" {
		return nil, resp.Header, nil
	}
	if resp.StatusCode != http.StatusOK {
		return nil, nil, &fault{FaultStatus, fmt.Errorf(
			"jwks: %s answered with status %d", withoutQuery(from), resp.StatusCode)}
	}
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, nil, networkFault(from, err)
	}
	if len(body) > maxBody {
		return nil, nil, &fault{FaultTooLarge, fmt.Errorf(
			"jwks: %s answered with more than %d bytes", withoutQuery(from), maxBody)}
	}
	return body, resp.Header, nil
}

func networkFault(from string, err error) error {
	kind := FaultNetwork
	var timeout interface{ Timeout() bool }
	switch {
	case errors.Is(err, errRedirect):
		kind = FaultRedirect
	case errors.As(err, &timeout) && timeout.Timeout(), errors.Is(err, context.DeadlineExceeded):
		kind = FaultTimeout
	}
	for withURL := (*url.Error)(nil); errors.As(err, &withURL); { // its text has the query
		err = withURL.Err
	}
	return &fault{kind, fmt.Errorf("jwks: %s: %w", withoutQuery(from), err)}
}

var errRedirect = errors.New("redirect refused")

// withinOrigin is a CheckRedirect that stays with the first request's origin:
// whoever can redirect elsewhere could choose the keys.
func withinOrigin(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("%w: more than %d redirects", errRedirect, maxRedirects)
	}
	if !sameOrigin(req.URL, via[0].URL) {
		return fmt.Errorf("%w: to another origin", errRedirect)
	}
	return nil
}
