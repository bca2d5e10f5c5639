package jwks

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
)

const (
	maxBody      = 512 << 10
	maxRedirects = 5
)

// get returns the body of a 200 answer, within the limit of size, or nil for a
// 304 to a conditional request.
func (r *remote) get(
	ctx context.Context, from string, ask http.Header,
) (body []byte, header http.Header, err error) {
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
	// So may that of a transport of the user's.
	if _, query, _ := strings.Cut(from, "?"); query != "" && strings.Contains(err.Error(), query) {
		err = &redacted{strings.ReplaceAll(err.Error(), query, "…"), err}
	}
	return &fault{kind, fmt.Errorf("jwks: %s: %w", withoutQuery(from), err)}
}

// redacted is an error whose own text would say too much.
type redacted struct {
	text string
	err  error
}

func (r *redacted) Error() string { return r.text }
func (r *redacted) Unwrap() error { return r.err }

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
