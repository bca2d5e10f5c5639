package jwks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"
)

const (
	fetchTimeout = 5 * time.Second
	maxBody      = 512 << 10
	maxRedirects = 5
	defaultLife  = 10 * time.Minute
	minLife      = time.Minute
	maxLife      = 24 * time.Hour
)

// remote fetches the key set of one issuer. It is used by one fetch at a time.
type remote struct {
	client     *http.Client
	issuer     string
	issuerURL  *url.URL // nil where url is given
	url        string   // the key set's, empty if it is discovered
	discovered string   // the key set's by the issuer's metadata, empty if unknown
}

func newRemote(cfg Config) (*remote, error) {
	r := &remote{client: &http.Client{}, issuer: cfg.Issuer, url: cfg.URL}
	var err error
	switch {
	case cfg.URL != "":
		if _, err = parseURL(cfg.URL); err != nil {
			return nil, fmt.Errorf("jwks: Config.URL %w", err)
		}
	case cfg.Issuer != "":
		if r.issuerURL, err = parseIssuer(cfg.Issuer); err != nil {
			return nil, fmt.Errorf("jwks: Config.Issuer %w", err)
		}
	default:
		return nil, errors.New("jwks: Config needs an Issuer or a URL")
	}
	if cfg.Client != nil {
		*r.client = *cfg.Client
	}
	r.client.CheckRedirect = withinOrigin
	return r, nil
}

// fetch returns the issuer's key set and for how long it is fresh.
func (r *remote) fetch(ctx context.Context) (*Set, time.Duration, error) {
	from := r.url
	if from == "" {
		if r.discovered == "" {
			found, err := r.discover(ctx)
			if err != nil {
				return nil, 0, err
			}
			r.discovered = found
		}
		from = r.discovered
	}
	set, life, err := r.fetchSet(ctx, from)
	if err != nil {
		// The keys may have moved: ask the issuer again where they are.
		r.discovered = ""
	}
	return set, life, err
}

func (r *remote) fetchSet(ctx context.Context, from string) (*Set, time.Duration, error) {
	body, header, err := r.get(ctx, from, "application/jwk-set+json, application/json")
	if err != nil {
		return nil, 0, err
	}
	set, err := Parse(body)
	if err != nil {
		return nil, 0, fmt.Errorf("%w (from %s)", err, from)
	}
	return set, freshLife(header), nil
}

// get returns the body of a 200 answer, within the limits of time and size.
func (r *remote) get(
	ctx context.Context, from, accept string,
) (body []byte, header http.Header, err error) {
	ctx, cancel := context.WithTimeout(ctx, fetchTimeout)
	defer cancel()
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, from, nil)
	if err != nil {
		return nil, nil, fmt.Errorf("jwks: %w", err)
	}
	req.Header.Set("Accept", accept)
	// Minutes pass between fetches: an idle connection would only keep its
	// goroutines alive.
	req.Close = true
	resp, err := r.client.Do(req)
	if err != nil {
		return nil, nil, fmt.Errorf("jwks: %w", err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return nil, nil, fmt.Errorf("jwks: %s answered with status %d", from, resp.StatusCode)
	}
	body, err = io.ReadAll(io.LimitReader(resp.Body, maxBody+1))
	if err != nil {
		return nil, nil, fmt.Errorf("jwks: reading %s: %w", from, err)
	}
	if len(body) > maxBody {
		return nil, nil, fmt.Errorf("jwks: %s answered with more than %d bytes", from, maxBody)
	}
	return body, resp.Header, nil
}

// withinOrigin is a CheckRedirect that stays with the first request's scheme
// and host: whoever can redirect elsewhere could choose the keys.
func withinOrigin(req *http.Request, via []*http.Request) error {
	if len(via) > maxRedirects {
		return fmt.Errorf("more than %d redirects", maxRedirects)
	}
	if first := via[0].URL; req.URL.Scheme != first.Scheme || req.URL.Host != first.Host {
		return errors.New("redirect to another origin refused")
	}
	return nil
}

// freshLife is the max-age of the answer within bounds, or the default.
func freshLife(header http.Header) time.Duration {
	for _, field := range header.Values("Cache-Control") {
		for directive := range strings.SplitSeq(field, ",") {
			name, value, _ := strings.Cut(strings.TrimSpace(directive), "=")
			if !strings.EqualFold(name, "max-age") {
				continue
			}
			seconds, err := strconv.ParseUint(strings.Trim(value, `"`), 10, 31)
			if err != nil {
				continue
			}
			return min(max(time.Duration(seconds)*time.Second, minLife), maxLife)
		}
	}
	return defaultLife
}

// parseIssuer takes an issuer identifier that metadata can be found under.
func parseIssuer(s string) (*url.URL, error) {
	u, err := parseURL(s)
	if err == nil && (u.RawQuery != "" || u.ForceQuery) { // RFC 8414 section 2
		return nil, errors.New("must not have a query")
	}
	return u, err
}

// parseURL takes an absolute https URL, or http on a loopback address, without
// user information and fragment. Its errors do not repeat s, which may hold a
// password.
func parseURL(s string) (*url.URL, error) {
	u, err := url.Parse(s)
	switch {
	case err != nil:
		return nil, errors.New("is not a URL")
	case u.Host == "" || u.Opaque != "":
		return nil, errors.New("must be an absolute URL with a host")
	case u.Scheme == "http" && !isLoopback(u.Hostname()):
		return nil, errors.New("must be https (http is for loopback addresses only)")
	case u.Scheme != "https" && u.Scheme != "http":
		return nil, errors.New("must be an https URL")
	case u.User != nil:
		return nil, errors.New("must not have user information")
	case strings.Contains(s, "#"):
		return nil, errors.New("must not have a fragment")
	}
	return u, nil
}

func isLoopback(host string) bool {
	if strings.EqualFold(host, "localhost") {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}
