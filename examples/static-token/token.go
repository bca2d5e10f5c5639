package main

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"time"
)

// token is one that lasts. There is nothing to fetch and nothing to refresh:
// when it is refused, somebody has to give the client another.
type token string

var errNoToken = errors.New("ORDERS_TOKEN is empty: the token is given by whoever runs the API")

// String keeps the token out of logs.
func (token) String() string { return "[redacted]" }

// httpClient returns a client that sends the token to this API alone: not to
// where a redirect leads.
func (t token) httpClient(api string) (*http.Client, error) {
	u, err := url.Parse(api)
	if err != nil {
		return nil, err
	}
	if u.Scheme != "https" && !isLoopback(u.Host) {
		return nil, fmt.Errorf("%s is not https: whoever reads the token can use it", api)
	}
	return &http.Client{
		Transport: &presenting{string(t), u.Scheme, u.Host, http.DefaultTransport},
		Timeout:   30 * time.Second,
	}, nil
}

// presenting is a RoundTripper that presents a token.
type presenting struct {
	token, scheme, host string
	next                http.RoundTripper
}

func (p *presenting) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.URL.Scheme != p.scheme || r.URL.Host != p.host {
		return p.next.RoundTrip(r)
	}
	r = r.Clone(r.Context()) // a RoundTripper must not change the request
	r.Header.Set("Authorization", "Bearer "+p.token)
	return p.next.RoundTrip(r)
}

// GetRequestMetadata implements [credentials.PerRPCCredentials].
func (t token) GetRequestMetadata(
	_ context.Context, uri ...string,
) (map[string]string, error) {
	for _, at := range uri {
		u, err := url.Parse(at)
		if err != nil || u.Scheme != "https" && !isLoopback(u.Host) {
			return nil, errors.New("the connection has no TLS: whoever reads the token can use it")
		}
	}
	return map[string]string{"authorization": "Bearer " + string(t)}, nil
}

// RequireTransportSecurity is false for the sake of loopback addresses alone,
// which GetRequestMetadata sees to.
func (token) RequireTransportSecurity() bool { return false }

func isLoopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
