package httpmw_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

const (
	problemType = "application/problem+json"
	jsonType    = "application/json"
	textType    = "text/plain; charset=utf-8"
)

// accepts are Accept fields and what they choose.
var accepts = map[string]struct {
	accept []string
	want   string
}{
	"none":                   {nil, problemType},
	"empty":                  {[]string{""}, problemType},
	"anything":               {[]string{"*/*"}, problemType},
	"problem":                {[]string{"application/problem+json"}, problemType},
	"JSON":                   {[]string{"application/json"}, jsonType},
	"any case":               {[]string{"Application/JSON"}, jsonType},
	"text":                   {[]string{"text/plain"}, textType},
	"any text":               {[]string{"text/*"}, textType},
	"any application":        {[]string{"application/*"}, problemType},
	"of two the first":       {[]string{"text/plain, application/json"}, jsonType},
	"weights":                {[]string{"application/json;q=0.5, text/plain;q=0.8"}, textType},
	"weights, equal":         {[]string{"text/plain;q=0.8,application/problem+json;q=0.8"}, problemType},
	"weight of a thousandth": {[]string{"application/problem+json;q=0.001, text/plain;q=0.002"}, textType},
	"anything but":           {[]string{"*/*, application/problem+json;q=0"}, jsonType},
	"nothing but":            {[]string{"application/*;q=0, */*;q=0.1"}, textType},
	"the most exact counts":  {[]string{"application/json;q=0.1, application/*;q=0.9, text/plain;q=0.5"}, problemType},
	"order does not matter":  {[]string{"*/*;q=0.9, text/*;q=1, text/plain;q=0.2"}, problemType},
	"two fields":             {[]string{"image/png", "text/plain"}, textType},
	"white space":            {[]string{" \ttext/plain ; q = 0.9 ,\tapplication/json;q=0.1"}, textType},
	"parameters":             {[]string{"application/json; charset=utf-8"}, jsonType},
	"a browser's":            {[]string{"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}, problemType},
	"a gRPC-Web client's":    {[]string{"application/grpc-web-text"}, problemType},
	"nothing that there is":  {[]string{"image/png"}, problemType},
	"nothing at all":         {[]string{"*/*;q=0"}, problemType},
	"garbage":                {[]string{`"; ,,;q=;=,/,*/,*,text`}, problemType},
	"garbage and text":       {[]string{"{}, ;, q=1, text/plain"}, textType},
	"weight of garbage":      {[]string{"text/plain;q=x, application/json;q=0.1"}, jsonType},
	"weight above one":       {[]string{"text/plain;q=1.001, application/json;q=0.1"}, jsonType},
	"weight of two":          {[]string{"text/plain;q=2, application/json;q=0.1"}, jsonType},
	"weight below zero":      {[]string{"text/plain;q=-1, application/json;q=0.1"}, jsonType},
	"weight too exact":       {[]string{"text/plain;q=0.9999, application/json;q=0.1"}, jsonType},
	"weight with a dot":      {[]string{"text/plain;q=1., application/json;q=0.1"}, textType},
	"weight of a slash":      {[]string{"text/plain;q=0./, application/json;q=0.1"}, jsonType},
	"weight of a colon":      {[]string{"text/plain;q=0.:, application/json;q=0.1"}, jsonType},
	"bad weight, any text":   {[]string{"text/plain;q=x, text/*;q=0.5, application/json;q=0.1"}, textType},
	"slash, any text":        {[]string{"text/plain;q=0./, text/*;q=0.5, application/json;q=0.1"}, textType},
	"twice, better later":    {[]string{"text/plain;q=0.1, text/plain;q=0.9, application/json;q=0.5"}, textType},
	"twice, better before":   {[]string{"text/plain;q=0.9, text/plain;q=0.1, application/json;q=0.5"}, textType},
	"weight twice":           {[]string{"text/plain;q=0;q=1, application/json;q=0.1"}, textType},
	"any in an odd place":    {[]string{"*/plain, application/json;q=0.1"}, jsonType},
	"33rd":                   {[]string{strings.Repeat("image/png,", 32) + "text/plain"}, problemType},
	"32nd":                   {[]string{strings.Repeat("image/png,", 31) + "text/plain"}, textType},
	"beyond 2 KiB":           {[]string{strings.Repeat("x", 2<<10), "text/plain"}, problemType},
	"cut at 2 KiB":           {[]string{strings.Repeat("x", 2<<10-1) + ",text/plain"}, problemType},
	"within 2 KiB":           {[]string{strings.Repeat("x", 2<<10-11) + ",text/plain"}, textType},
}

func TestAccept(t *testing.T) {
	t.Parallel()
	_, auth := guard(t)
	for name, tt := range accepts {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			resp := send(t, auth.Wrap(&spy{}), func(r *http.Request) { r.Header["Accept"] = tt.accept })
			assert.Equal(t, http.StatusUnauthorized, resp.StatusCode)
			assert.Equal(t, tt.want, resp.Header.Get("Content-Type"))
			assert.Equal(t, `Bearer realm="api"`, resp.Header.Get("WWW-Authenticate"))
			body, err := io.ReadAll(resp.Body)
			require.NoError(t, err)
			if tt.want == textType {
				assert.Equal(t, "This operation needs an access token.\n", string(body))
				return
			}
			assert.JSONEq(t, `{"title":"Unauthorized","status":401,"reason":"no_token",`+
				`"detail":"This operation needs an access token."}`, string(body))
		})
	}
}

// Whatever a client accepts, it gets one of the three, and the same status and
// challenge.
func FuzzAccept(f *testing.F) {
	for _, tt := range accepts {
		f.Add(strings.Join(tt.accept, "\n"))
	}
	_, auth := guard(f)
	handler := auth.Require(claims.Scopes("a"))(&spy{})
	f.Fuzz(func(t *testing.T, joined string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header["Accept"] = strings.Split(joined, "\n")
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, r)
		assert.Equal(t, http.StatusUnauthorized, w.Code)
		assert.Contains(t, []string{problemType, jsonType, textType}, w.Header().Get("Content-Type"))
		assert.Equal(t, []string{`Bearer realm="api", scope="a"`}, w.Header()["Www-Authenticate"])
		if !strings.Contains(strings.ToLower(joined), "text/") && !strings.Contains(joined, "*/*") {
			assert.NotEqual(t, textType, w.Header().Get("Content-Type"), "%q", joined)
		}
	})
}
