package claimstest

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/url"
)

// Client returns an HTTP client that reaches the issuer, and nobody else, by
// calling its handler in this process: no network, no listener.
func (i *Issuer) Client() *http.Client { return &http.Client{Transport: direct{i}} }

// direct is an [http.RoundTripper].
type direct struct{ issuer *Issuer }

func (d direct) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil { // what a RoundTripper must do, whatever comes of it
		defer r.Body.Close()
	}
	u, err := url.Parse(d.issuer.URL())
	if err != nil || u.Scheme != r.URL.Scheme || u.Host != r.URL.Host {
		return nil, fmt.Errorf("claimstest: no route to %s://%s", r.URL.Scheme, r.URL.Host)
	}
	served := r.Clone(r.Context())
	served.RequestURI = r.URL.RequestURI()
	served.Host = r.URL.Host
	if served.Body == nil {
		served.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	done := make(chan any, 1)
	go func() {
		// A server drops the connection if a handler panics, as it may to say
		// so.
		defer func() { done <- recover() }()
		d.issuer.ServeHTTP(recorder, served)
	}()
	select {
	case panicked := <-done:
		if panicked != nil {
			return nil, fmt.Errorf("claimstest: the handler panicked: %v", panicked)
		}
		response := recorder.Result()
		response.Request = r
		return response, nil
	case <-r.Context().Done(): // a handler that stalls sees it as well
		return nil, r.Context().Err()
	}
}
