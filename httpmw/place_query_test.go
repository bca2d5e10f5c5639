package httpmw_test

import (
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/sallyport-go/sallyport/httpmw"
)

var queries = map[string]placeCase{
	"alone":          {"GET /?t=abc", "abc", ""},
	"among others":   {"GET /?a=b&t=a.b.c&&c", "a.b.c", ""},
	"escaped":        {"GET /?%74=a%2Bb", "a+b", ""},
	"none":           {"GET /", "", nothing},
	"empty":          {"GET /?t=", "", nothing},
	"other case":     {"GET /?T=abc", "", nothing},
	"semicolon":      {"GET /?a=b;t=abc", "", nothing},
	"twice":          {"GET /?t=abc&t=abc", "", several},
	"twice, escaped": {"GET /?t=abc&%74=abc", "", several},
	"bad value":      {"GET /?t=%zz", "", broken},
	"with a space":   {"GET /?t=a+b", "", broken},
	"in a form":      {"POST /\nContent-Type: application/x-www-form-urlencoded\n\nt=abc", "", nothing},
	"Bearer as well": {"GET /?t=abc\nAuthorization: Bearer abc", "", several},
}

func TestInsecureFromQuery(t *testing.T) {
	t.Parallel()
	assertPlace(t, httpmw.InsecureFromQuery("t"), queries)
	assert.PanicsWithValue(t, "httpmw: New: Config.From: InsecureFromQuery: the parameter has no name",
		func() { httpmw.New(nobody{}, httpmw.Config{From: httpmw.InsecureFromQuery("")}) })
}

// What is found is what net/url finds, once.
func FuzzInsecureFromQuery(f *testing.F) {
	for _, tt := range queries {
		line, _, _ := strings.Cut(tt.request, "\n")
		_, query, _ := strings.Cut(line, "?")
		f.Add(query)
	}
	f.Fuzz(func(t *testing.T, query string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.URL.RawQuery = query
		tokens, _ := foundIn(t, httpmw.InsecureFromQuery("t"), r)
		if len(tokens) == 0 {
			return
		}
		values, _ := url.ParseQuery(query)
		assert.Equal(t, values["t"], tokens)
	})
}
