package httpmw_test

import (
	"net/http"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw"
)

// A cookie for browsers, Authorization for programs.
func TestOneOf(t *testing.T) {
	t.Parallel()
	from := httpmw.OneOf(httpmw.Place{}, httpmw.FromCookie("t", trusting(t)),
		httpmw.FromWebSocketProtocol("bearer."), httpmw.FromForm(64), httpmw.FromHeader("X-Token", ""))
	assertPlace(t, from, map[string]placeCase{
		"none":                    {"GET /", "", nothing},
		"Authorization":           {"GET /\nAuthorization: Bearer abc", "abc", ""},
		"cookie":                  {"GET /\nCookie: t=abc", "abc", ""},
		"header":                  {"GET /\nX-Token: abc", "abc", ""},
		"form":                    {post + "\naccess_token=abc", "abc", ""},
		"subprotocol":             {handshake + "Sec-WebSocket-Protocol: bearer.abc", "abc", ""},
		"query":                   {"GET /?access_token=abc", "", nothing},
		"scheme alone and cookie": {"GET /\nAuthorization: Bearer\nCookie: t=abc", "abc", ""},
		"Authorization, cookie":   {"GET /\nAuthorization: Bearer abc\nCookie: t=abc", "", several},
		"Basic, cookie":           {"GET /\nAuthorization: Basic abc\nCookie: t=abc", "", several},
		"Authorization, header":   {"GET /\nAuthorization: Bearer abc\nX-Token: abc", "", several},
		"cookie, form":            {post + "Cookie: t=abc\n\naccess_token=abc", "", several},
		"cookie, subprotocol":     {handshake + "Cookie: t=abc\nSec-WebSocket-Protocol: bearer.abc", "", several},
		"malformed, cookie":       {"GET /\nAuthorization: a.b.c\nCookie: t=abc", "", broken},
		"two cookies":             {"GET /\nCookie: t=abc; t=abc", "", several},
		"cross-site":              {"POST /\nCookie: t=abc\nSec-Fetch-Site: cross-site", "", foreign},
		"cross-site, header":      {"POST /\nX-Token: abc\nSec-Fetch-Site: cross-site", "abc", ""},
	})
	assertPlace(t, httpmw.OneOf(httpmw.FromHeader("X-One", "Token"), httpmw.FromHeader("X-Two", "")),
		map[string]placeCase{
			"other scheme": {"GET /\nX-One: Bearer abc", "", claims.ReasonUnsupportedScheme},
			"Bearer":       {"GET /\nX-Two: abc\nAuthorization: Bearer abc", "abc", ""},
		})
	assertPlace(t, httpmw.OneOf(httpmw.FromHeader("X-Two", ""), httpmw.FromHeader("X-One", "Token")),
		map[string]placeCase{
			"other scheme, later": {"GET /\nX-One: Bearer abc", "", claims.ReasonUnsupportedScheme},
			"none of both":        {"GET /", "", nothing},
		})
}

func TestOneOf_mistakes(t *testing.T) {
	t.Parallel()
	const here = "httpmw: New: Config.From: OneOf"
	origins := http.NewCrossOriginProtection()
	for want, places := range map[string][]httpmw.Place{
		here + " of no Place": nil,
		here + ": places 0 and 1 both look at the field Authorization": {
			{}, httpmw.FromHeader("authorization", ""),
		},
		here + ": places 0 and 2 both look at the cookie t": {
			httpmw.FromCookie("t", origins), {}, httpmw.FromCookie("t", trusting(t)),
		},
		here + ": places 0 and 1 both look at the WebSocket subprotocol bearer.x.": {
			httpmw.FromWebSocketProtocol("bearer."), httpmw.FromWebSocketProtocol("bearer.x."),
		},
		here + ": places 0 and 1 both look at the form parameter access_token": {
			httpmw.FromForm(0), httpmw.FromForm(1),
		},
		here + ": places 0 and 1 both look at the query parameter t": {
			httpmw.InsecureFromQuery("t"), httpmw.OneOf(httpmw.InsecureFromQuery("t")),
		},
		"httpmw: New: Config.From: FromForm: maxBody of -1 is not between 0 and 10485760\n" + here + ": places 0 and 1 both look at the field Authorization": {
			{}, httpmw.OneOf(httpmw.FromForm(-1), httpmw.Place{}),
		},
	} {
		assert.PanicsWithValue(t, want, func() {
			httpmw.New(nobody{}, httpmw.Config{From: httpmw.OneOf(places...)})
		})
	}
}

// Places that are not the same are no mistake.
func TestOneOf_apart(t *testing.T) {
	t.Parallel()
	origins := http.NewCrossOriginProtection()
	for name, places := range map[string][]httpmw.Place{
		"two prefixes":      {httpmw.FromWebSocketProtocol("a."), httpmw.FromWebSocketProtocol("b.")},
		"prefix and cookie": {httpmw.FromWebSocketProtocol("a"), httpmw.FromCookie("ab", origins)},
		"cookie and prefix": {httpmw.FromCookie("ab", origins), httpmw.FromWebSocketProtocol("a")},
		"two cookies":       {httpmw.FromCookie("a", origins), httpmw.FromCookie("ab", origins)},
		"form and query":    {httpmw.FromForm(0), httpmw.InsecureFromQuery("access_token")},
	} {
		assert.NotPanics(t, func() { httpmw.New(nobody{}, httpmw.Config{From: httpmw.OneOf(places...)}) }, name)
	}
	assert.Panics(t, func() {
		httpmw.New(nobody{}, httpmw.Config{From: httpmw.OneOf(
			httpmw.FromWebSocketProtocol("bearer.x."), httpmw.FromWebSocketProtocol("bearer."))})
	})
}
