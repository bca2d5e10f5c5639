package httpmw_test

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw"
)

func trusting(t testing.TB, origins ...string) *http.CrossOriginProtection {
	t.Helper()
	protection := http.NewCrossOriginProtection()
	for _, origin := range origins {
		require.NoError(t, protection.AddTrustedOrigin(origin))
	}
	return protection
}

const (
	several = claims.ReasonSeveralCredentials
	broken  = claims.ReasonMalformedCredentials
	nothing = claims.ReasonNoToken
	foreign = claims.ReasonCrossOrigin
)

var cookies = map[string]placeCase{
	"alone":                     {"GET /\nCookie: t=abc", "abc", ""},
	"among others":              {"GET /\nCookie: a=b; t=abc; c=d", "abc", ""},
	"without a space":           {"GET /\nCookie: a=b;t=abc;c", "abc", ""},
	"quoted":                    {"GET /\nCookie: t=\"abc\"", "abc", ""},
	"another line":              {"GET /\nCookie: a=b\nCookie: t=abc", "abc", ""},
	"padding":                   {"GET /\nCookie: t=abc==", "abc==", ""},
	"none":                      {"GET /", "", nothing},
	"empty":                     {"GET /\nCookie: t=", "", nothing},
	"no value":                  {"GET /\nCookie: t", "", nothing},
	"empty field":               {"GET /\nCookie:", "", nothing},
	"other case":                {"GET /\nCookie: T=abc", "", nothing},
	"longer name":               {"GET /\nCookie: xt=abc; tx=abc", "", nothing},
	"value of another":          {"GET /\nCookie: a=t=abc", "", nothing},
	"twice":                     {"GET /\nCookie: t=abc; t=abc", "", several},
	"twice, one empty":          {"GET /\nCookie: t=; t=abc", "", several},
	"twice, two lines":          {"GET /\nCookie: t=abc\nCookie: t=def", "", several},
	"comma":                     {"GET /\nCookie: t=abc,t=def", "", broken},
	"a space within":            {"GET /\nCookie: t=abc def", "", broken},
	"with a scheme":             {"GET /\nCookie: t=Bearer abc", "", broken},
	"last quotation mark":       {"GET /\nCookie: t=abc\"", "", broken},
	"quotation marks alone":     {"GET /\nCookie: t=\"\"", "", nothing},
	"space before":              {"GET /\nCookie: t= abc", "", broken},
	"space after":               {"GET /\nCookie: t=abc ; a=b", "abc", ""},
	"one quotation mark":        {"GET /\nCookie: t=\"abc", "", broken},
	"percent-encoded":           {"GET /\nCookie: t=a%2Eb", "", broken},
	"Bearer as well":            {"GET /\nCookie: t=abc\nAuthorization: bearer abc", "", several},
	"DPoP as well":              {"GET /\nCookie: t=abc\nAuthorization: DPoP abc", "", several},
	"Basic as well":             {"GET /\nCookie: t=abc\nAuthorization: Basic abc", "abc", ""},
	"Bearer alone":              {"GET /\nAuthorization: Bearer abc", "", nothing},
	"POST, no browser":          {"POST /\nCookie: t=abc", "abc", ""},
	"POST, same origin":         {"POST /\nCookie: t=abc\nOrigin: http://api.example\nSec-Fetch-Site: same-origin", "abc", ""},
	"POST, trusted":             {"POST /\nCookie: t=abc\nOrigin: https://app.example\nSec-Fetch-Site: same-site", "abc", ""},
	"POST, same site":           {"POST /\nCookie: t=abc\nOrigin: https://x.example\nSec-Fetch-Site: same-site", "", foreign},
	"POST, cross-site":          {"POST /\nCookie: t=abc\nOrigin: https://evil.example\nSec-Fetch-Site: cross-site", "", foreign},
	"POST, cross-origin":        {"POST /\nCookie: t=abc\nOrigin: https://evil.example", "", foreign},
	"POST, opaque origin":       {"POST /\nCookie: t=abc\nOrigin: null", "", foreign},
	"POST, cross-site, none":    {"POST /\nOrigin: https://evil.example", "", nothing},
	"GET, cross-site":           {"GET /\nCookie: t=abc\nSec-Fetch-Site: cross-site", "abc", ""},
	"WebSocket, no browser":     {"GET /\nCookie: t=abc\nConnection: Upgrade\nUpgrade: websocket", "abc", ""},
	"WebSocket, same origin":    {"GET /\nCookie: t=abc\nConnection: Upgrade\nUpgrade: websocket\nOrigin: http://api.example", "abc", ""},
	"WebSocket, trusted":        {"GET /\nCookie: t=abc\nConnection: Upgrade\nUpgrade: websocket\nOrigin: https://app.example", "abc", ""},
	"WebSocket, cross-origin":   {"GET /\nCookie: t=abc\nConnection: Upgrade\nUpgrade: websocket\nOrigin: https://evil.example", "", foreign},
	"other upgrade, cross-site": {"GET /\nCookie: t=abc\nConnection: Upgrade\nUpgrade: x\nSec-Fetch-Site: cross-site", "", foreign},
	"body":                      {"POST /\nCookie: t=abc\n\nwhatever", "abc", ""},
}

func TestFromCookie(t *testing.T) {
	t.Parallel()
	assertPlace(t, httpmw.FromCookie("t", trusting(t, "https://app.example")), cookies)
}

func TestFromCookie_mistakes(t *testing.T) {
	t.Parallel()
	const here = "httpmw: New: Config.From: FromCookie: "
	assert.PanicsWithValue(t, here+`the name "a b" must be a token (RFC 6265 section 4.1.1)`+"\n"+here+
		"origins is nil: any page could have a browser send the cookie (try http.NewCrossOriginProtection())",
		func() { httpmw.New(nobody{}, httpmw.Config{From: httpmw.FromCookie("a b", nil)}) })
}

// What is found is what net/http finds, once.
func FuzzFromCookie(f *testing.F) {
	for _, tt := range cookies {
		for line := range strings.SplitSeq(tt.request, "\n") {
			if value, found := strings.CutPrefix(line, "Cookie:"); found {
				f.Add(strings.TrimSpace(value), "")
			}
		}
	}
	f.Add("t=a", "t=b")
	f.Fuzz(func(t *testing.T, one, other string) {
		from := httpmw.FromCookie("t", http.NewCrossOriginProtection())
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Cookie"] = []string{one, other}
		tokens, _ := foundIn(t, from, r)
		if len(tokens) == 0 {
			return
		}
		named := r.CookiesNamed("t")
		require.Len(t, named, 1, "%q", r.Header["Cookie"])
		assert.Equal(t, named[0].Value, tokens[0])
	})
}
