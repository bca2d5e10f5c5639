package httpmw_test

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw"
)

const post = "POST /\nContent-Type: application/x-www-form-urlencoded\n"

var forms = map[string]placeCase{
	"alone":             {post + "\naccess_token=abc", "abc", ""},
	"among others":      {post + "\na=b&access_token=a.b.c&c=d&", "a.b.c", ""},
	"escaped":           {post + "\n%61ccess_token=a%2Bb", "a+b", ""},
	"with parameters":   {"POST /\nContent-Type: Application/X-WWW-Form-Urlencoded; charset=UTF-8\n\naccess_token=abc", "abc", ""},
	"PUT":               {"PUT /\nContent-Type: application/x-www-form-urlencoded\n\naccess_token=abc", "abc", ""},
	"PATCH":             {"PATCH /\nContent-Type: application/x-www-form-urlencoded\n\naccess_token=abc", "abc", ""},
	"limit":             {post + "\naccess_token=abc&x=" + strings.Repeat("x", 64-len("access_token=abc&x=")), "abc", ""},
	"beyond the limit":  {post + "\naccess_token=abc&x=" + strings.Repeat("x", 65-len("access_token=abc&x=")), "", broken},
	"token too long":    {post + "\naccess_token=" + strings.Repeat("x", 64), "", broken},
	"other parameters":  {post + "\na=b&bad=%zz;x", "", nothing},
	"bad value":         {post + "\naccess_token=%zz", "", broken},
	"with a space":      {post + "\naccess_token=a+b", "", broken},
	"beyond ASCII":      {post + "\naccess_token=%C3%A4", "", broken},
	"semicolon":         {post + "\na=b;access_token=abc", "", nothing},
	"empty":             {post + "\naccess_token=", "", nothing},
	"no body":           {post, "", nothing},
	"twice":             {post + "\naccess_token=abc&access_token=abc", "", several},
	"twice, one empty":  {post + "\naccess_token&access_token=abc", "", several},
	"twice, escaped":    {post + "\naccess_token=abc&access%5Ftoken=abc", "", several},
	"Bearer as well":    {post + "Authorization: Bearer abc\n\naccess_token=abc", "", several},
	"no form":           {"POST /\nContent-Type: text/plain\n\naccess_token=abc", "", nothing},
	"multipart":         {"POST /\nContent-Type: multipart/form-data; boundary=x\n\n--x\nContent-Disposition: form-data; name=\"access_token\"\n\nabc\n--x--\n", "", nothing},
	"no type":           {"POST /\n\naccess_token=abc", "", nothing},
	"bad type":          {"POST /\nContent-Type: application/x-www-form-urlencoded;;=\n\naccess_token=abc", "", nothing},
	"two types":         {post + "Content-Type: text/plain\n\naccess_token=abc", "", nothing},
	"compressed":        {post + "Content-Encoding: gzip\n\naccess_token=abc", "", nothing},
	"GET":               {"GET /\nContent-Type: application/x-www-form-urlencoded\n\naccess_token=abc", "", nothing},
	"DELETE":            {"DELETE /\nContent-Type: application/x-www-form-urlencoded\n\naccess_token=abc", "", nothing},
	"in the query":      {"POST /?access_token=abc\nContent-Type: application/x-www-form-urlencoded\n\na=b", "", nothing},
	"chunks, too long":  {post + "Transfer-Encoding: chunked\n\n41\r\n" + strings.Repeat("x", 65) + "\r\n0\r\n\r\n", "", broken},
	"chunks, malformed": {post + "Transfer-Encoding: chunked\n\nzz\r\naccess_token=abc", "", broken},
}

func TestFromForm(t *testing.T) {
	t.Parallel()
	assertPlace(t, httpmw.FromForm(64), forms)
}

// A request that was refused can be served by somebody else, who finds the body
// whole, whatever it was refused for.
func TestFromForm_bodyOfARefusal(t *testing.T) {
	t.Parallel()
	for name, body := range map[string]string{
		"no token": "a=b", "several": "access_token=a&access_token=b", "too long": strings.Repeat("x", 100),
	} {
		auth := httpmw.New(nobody{}, httpmw.Config{From: httpmw.FromForm(64)})
		r := httptest.NewRequest(http.MethodPost, "/", io.MultiReader(strings.NewReader(body)))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		_, err := auth.Admit(r, claims.Authenticated())
		require.Error(t, err, name)
		got, err := io.ReadAll(r.Body)
		require.NoError(t, err, name)
		assert.Equal(t, body, string(got), name)
		require.NoError(t, r.Body.Close())
	}
}

// failing is a body that breaks off.
type failing struct {
	rest io.Reader
	err  error
}

func (f *failing) Read(p []byte) (int, error) {
	n, err := f.rest.Read(p)
	if err == io.EOF {
		err = f.err
	}
	return n, err
}

// A body that breaks off is the client's fault, unless it has gone, and breaks
// off for whoever reads it again.
func TestFromForm_broken(t *testing.T) {
	t.Parallel()
	auth := httpmw.New(nobody{}, httpmw.Config{From: httpmw.FromForm(64)})
	gone, leave := context.WithCancel(t.Context())
	leave()
	cause := errors.New("reset")
	for want, ctx := range map[claims.Reason]context.Context{
		broken: t.Context(), claims.ReasonCanceled: gone,
	} {
		r := httptest.NewRequest(http.MethodPost, "/", &failing{strings.NewReader("a=b"), cause}).WithContext(ctx)
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		_, err := auth.Admit(r, claims.Authenticated())
		require.Error(t, err)
		assert.Equal(t, want, claims.AsError(err).Reason())
		got, err := io.ReadAll(r.Body)
		require.ErrorIs(t, err, cause)
		assert.Equal(t, "a=b", string(got))
	}
}

// What says that it is too long is not read, and what has no body is no form.
func TestFromForm_unread(t *testing.T) {
	t.Parallel()
	auth := httpmw.New(nobody{}, httpmw.Config{From: httpmw.FromForm(64)})
	body := strings.NewReader(strings.Repeat("x", 65))
	r := httptest.NewRequest(http.MethodPost, "/", body)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, err := auth.Admit(r, claims.Authenticated())
	assert.Equal(t, broken, claims.AsError(err).Reason())
	assert.Equal(t, 65, body.Len())

	r, err = http.NewRequestWithContext(t.Context(), http.MethodPost, "/", nil)
	require.NoError(t, err)
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	_, err = auth.Admit(r, claims.Authenticated())
	assert.Equal(t, nothing, claims.AsError(err).Reason())
}

// A middleware outside may have read the form before.
func TestFromForm_alreadyRead(t *testing.T) {
	t.Parallel()
	r := httptest.NewRequest(http.MethodPost, "/?access_token=query", strings.NewReader("access_token=body"))
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	require.NoError(t, r.ParseForm())
	tokens, _ := foundIn(t, httpmw.FromForm(0), r)
	assert.Equal(t, []string{"body"}, tokens)
}

func TestFromForm_mistakes(t *testing.T) {
	t.Parallel()
	for _, size := range []int64{-1, 10<<20 + 1} {
		assert.Panics(t, func() {
			httpmw.New(nobody{}, httpmw.Config{From: httpmw.FromForm(size)})
		})
	}
	assert.PanicsWithValue(t, "httpmw: New: Config.From: FromForm: maxBody of -1 is not between 0 and 10485760",
		func() { httpmw.New(nobody{}, httpmw.Config{From: httpmw.FromForm(-1)}) })
	httpmw.New(nobody{}, httpmw.Config{From: httpmw.FromForm(10 << 20)})
}

// What is found is what net/url finds, once, within the limit, and the handler
// reads what was sent.
func FuzzFromForm(f *testing.F) {
	for _, tt := range forms {
		_, body, _ := strings.Cut(tt.request, "\n\n")
		f.Add(body)
	}
	f.Fuzz(func(t *testing.T, body string) {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(body))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		tokens, read := foundIn(t, httpmw.FromForm(64), r)
		if len(tokens) == 0 {
			return
		}
		values, _ := url.ParseQuery(body)
		assert.Equal(t, values["access_token"], tokens)
		assert.LessOrEqual(t, len(tokens[0]), 64)
		assert.Equal(t, body, read)
	})
}
