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
	if u, err := url.Parse(d.issuer.URL()); err != nil || u.Host != r.URL.Host {
		return nil, fmt.Errorf("claimstest: no route to host %s", r.URL.Host)
	}
	served := r.Clone(r.Context())
	served.RequestURI = r.URL.RequestURI()
	served.Host = r.URL.Host
	if served.Body == nil {
		served.Body = http.NoBody
	}
	recorder := httptest.NewRecorder()
	done := make(chan struct{})
	go func() {
		defer close(done)
		d.issuer.ServeHTTP(recorder, served)
	}()
	select {
	case <-done:
		response := recorder.Result()
		response.Request = r
		return response, nil
	case <-r.Context().Done(): // a handler that stalls sees it as well
		return nil, r.Context().Err()
	}
}
