package neighbours

import (
	"net/http"
	"net/http/httputil"
	"net/url"
)

// NewProxy returns a proxy to a server that trusts it, to stand behind a guard:
// what the caller has shown to this API is not shown to another.
func NewProxy(to *url.URL) http.Handler {
	return &httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.SetURL(to)
		r.Out.Header.Del("Authorization")
		r.Out.Header.Del("DPoP")
	}}
}
