package dpop_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/claims/dpop"
)

// A proof is for a request if the two URLs are one by RFC 3986 section 6.2,
// whatever their queries, fragments and users.
func TestConfirmer_htu(t *testing.T) {
	t.Parallel()
	const api = "https://api.example"
	for _, tt := range []struct {
		name    string
		request string // api + "/path" if it is empty
		htu     string
		match   bool
		base    string
	}{
		{name: "the same", htu: api + "/path", match: true},
		{name: "query and fragment in the proof", htu: api + "/path?foo=bar#hash", match: true},
		{name: "query in the request", request: api + "/path?x=1", htu: api + "/path", match: true},
		{name: "different queries", request: api + "/path?x=1", htu: api + "/path?x=2", match: true},
		{name: "a fragment alone", htu: api + "/path#part", match: true},
		{name: "a question mark and nothing", htu: api + "/path?", match: true},
		{name: "another path", htu: api + "/other"},
		{name: "a longer path", htu: api + "/path/more"},
		{name: "the beginning of the path", htu: api + "/pat"},
		{name: "path in another case", htu: api + "/Path"},
		{name: "a slash at the end, of the proof", htu: api + "/path/"},
		{name: "a slash at the end, of the request", request: api + "/path/", htu: api + "/path"},
		{name: "a slash at the end, of both", request: api + "/path/?a", htu: api + "/path/", match: true},
		{name: "no path", request: api + "/", htu: api, match: true},
		{name: "no path but a query", request: api + "/", htu: api + "?x=y", match: true},
		{name: "two slashes", request: api + "//double/slash", htu: api + "//double/slash", match: true},
		{name: "two slashes for one", htu: api + "//path"},
		{name: "a URL in the path", request: api + "/https://evil.example/steal", htu: api + "/https://evil.example/steal", match: true},
		{name: "two schemes", htu: "https://https://api.example/path"},

		{name: "scheme in capitals", htu: "HTTPS://api.example/path", match: true},
		{name: "host in capitals", htu: "https://API.Example/path", match: true},
		{name: "another scheme", htu: "http://api.example/path"},
		{name: "another host", htu: "https://evil.example/path"},
		{name: "a host that begins with it", htu: "https://api.example.evil.example/path"},
		{name: "a host that ends with it", htu: "https://evil-api.example/path"},
		{name: "a user", htu: "https://user:pass@api.example/path", match: true},
		{name: "the host as the user", htu: "https://api.example@evil.example/path"},
		{name: "the host as the user, escaped", htu: "https://evil.example%2f@api.example/path", match: true},
		{name: "a final dot", htu: "https://api.example./path", match: true},
		{name: "two final dots", htu: "https://api.example../path"},
		{name: "an underscore", request: "https://an_api.example/x", htu: "https://an_api.example/x", match: true},
		{name: "punycode", request: "https://xn--bcher-kva.example/x", htu: "https://XN--bcher-kva.example/x", match: true},
		{name: "punycode in letters", request: "https://xn--bcher-kva.example/x", htu: "https://bücher.example/x"},
		{name: "a letter that folds into ASCII", request: "https://kapi.example/x", htu: "https://\u212aapi.example/x"},
		{name: "an escaped host", htu: "https://%61pi.example/path"},
		{name: "a space in the host", htu: "https://api .example/path"},

		{name: "the usual port", htu: "https://api.example:443/path", match: true},
		{name: "the usual port of the request", request: "https://api.example:443/path", htu: api + "/path", match: true},
		{name: "the usual port of http", request: "http://api.example/path", htu: "http://api.example:80/path", match: true},
		{name: "the usual port of the other scheme", htu: "https://api.example:80/path"},
		{name: "no port after the colon", htu: "https://api.example:/path", match: true},
		{name: "a port", request: "https://api.example:8443/path", htu: "https://api.example:8443/path?q", match: true},
		{name: "another port", request: "https://api.example:8443/path", htu: api + "/path"},
		{name: "a port with zeros", htu: "https://api.example:0443/path", match: true},
		{name: "a port that is too long", htu: "https://api.example:999999/path"},
		{name: "a port that is one by 65536", htu: "https://api.example:65979/path"},
		{name: "a port that is no number", htu: "https://api.example:44a/path"},
		{name: "a negative port", htu: "https://api.example:-443/path"},
		{name: "localhost", request: "http://localhost:3000/path", htu: "http://localhost:3000/path?debug=true#frag", match: true},
		{name: "IPv4", request: "http://127.0.0.1:4000/x", htu: "http://127.0.0.1:4000/x?foo=bar", match: true},
		{name: "IPv6", request: "http://[::1]/path", htu: "http://[::1]/path?x=1#y", match: true},
		{name: "IPv6 with a port", request: "http://[2001:db8::1]:8080/a", htu: "http://[2001:DB8:0:0::1]:8080/a", match: true},
		{name: "IPv6 of another", request: "http://[2001:db8::1]/a", htu: "http://[2001:db8::2]/a"},
		{name: "IPv6 without its end", request: "http://[2001:db8::1]/a", htu: "http://[2001:db8::1/a"},
		{name: "IPv6 without brackets", request: "http://[2001:db8::1]/a", htu: "http://2001:db8::1/a"},
		{name: "IPv6 with a zone", request: "http://[fe80::1]/a", htu: "http://[fe80::1%25eth0]/a"},
		{name: "IPv4 in IPv6", request: "http://[::ffff:192.0.2.128]:3000/x", htu: "http://[::ffff:c000:280]:3000/x", match: true},
		{name: "IPv4 in brackets", request: "http://192.0.2.1/x", htu: "http://[192.0.2.1]/x"},

		{name: "escapes in lower case", request: api + "/a%2Fb%E2%82%AC", htu: api + "/a%2fb%e2%82%ac", match: true},
		{name: "what need not be escaped", request: api + "/~user/a-b._c", htu: api + "/%7Euser/%61-b%2E_%63", match: true},
		{name: "a slash that is escaped", request: api + "/a%2Fb", htu: api + "/a/b"},
		{name: "escaped twice", request: api + "/a%2Fb", htu: api + "/a%252Fb"},
		{name: "letters that are not ASCII", request: api + "/pr%C3%A9is", htu: api + "/préis", match: true},
		{name: "braces", request: api + "/%7Bid%7D", htu: api + "/{id}", match: true},
		{name: "dot segments", request: api + "/resource/file.txt", htu: api + "/path/../resource/./file.txt", match: true},
		{name: "escaped dot segments", request: api + "/b", htu: api + "/a/%2e%2E/b", match: true},
		{name: "dot segments at the end", request: api + "/a/", htu: api + "/a/b/..", match: true},
		{name: "a dot at the end", request: api + "/a/", htu: api + "/a/.", match: true},
		{name: "above the root", request: api + "/a", htu: api + "/../../a", match: true},
		{name: "dots that are no segment", request: api + "/a..b/.well-known/...", htu: api + "/a..b/.well-known/...", match: true},
		{name: "half an escape", htu: api + "/path%2"},
		{name: "no escape", htu: api + "/%zzpath"},
		{name: "a backslash", htu: `https://api.example\path`},
		{name: "a backslash in the path", request: api + "/a/b", htu: api + `/a\b`},
		{name: "a space", htu: api + "/pa th"},
		{name: "a space before", htu: " " + api + "/path"},
		{name: "a tab inside", htu: api + "/pa\tth"},
		{name: "a path alone", htu: "/path"},
		{name: "no scheme", htu: "//api.example/path"},
		{name: "no host", htu: "https:///path"},
		{name: "no slashes", htu: "https:api.example/path"},
		{name: "another kind of URL", htu: "ftp://api.example/path"},
		{name: "a list of colons", htu: "::::://"},
		{name: "no URL", htu: "ht!tp:/broken-url"},

		{name: "all at once", request: api + "/RESOURCE/file.txt", match: true, htu: "HTTPS://USER:PASS@API.EXAMPLE:443/path/../RESOURCE/./file.txt?query=value#fragment"},

		{name: "base", request: "http://10.0.0.7:8080/path", base: api, htu: api + "/path", match: true},
		{name: "base, as the request arrived", request: "http://10.0.0.7:8080/path", base: api, htu: "http://10.0.0.7:8080/path"},
		{name: "base with a path", request: "http://10.0.0.7/path", base: "https://API.example:443/v1/", htu: api + "/v1/path", match: true},
		{name: "base with a path, without it", request: "http://10.0.0.7/path", base: api + "/v1", htu: api + "/path"},
		{name: "base and a Host of the sender's", request: "http://evil.example/path", base: api, htu: "https://evil.example/path"},
		{name: "a request for no URL", request: "https:///", htu: api + "/path"},
	} {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			c, key := newConfirmer(t, dpop.Config{BaseURL: tt.base}), claimstest.MustKey("EdDSA")
			if tt.request == "" {
				tt.request = api + "/path"
			}
			_, err := ask(t, c, key, tt.request, proofOf(key, claimstest.Proof{Claims: m{"htu": tt.htu}}))
			if tt.match {
				assert.NoError(t, err)
				return
			}
			assertRefused(t, claims.ReasonProofTarget, err)
		})
	}
}

// A path of many segments is no trouble.
func TestConfirmer_htu_manyDots(t *testing.T) {
	t.Parallel()
	c, key := newConfirmer(t, dpop.Config{}), claimstest.MustKey("EdDSA")
	long := "https://api.example/" + strings.Repeat("a/../", 500) + "b"
	_, err := ask(t, c, key, "https://api.example/b", proofOf(key, claimstest.Proof{Claims: m{"htu": long}}))
	assert.NoError(t, err)
}
