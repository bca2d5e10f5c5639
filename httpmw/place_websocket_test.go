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
	"github.com/sallyport-go/sallyport/httpmw"
)

const handshake = "GET /\nConnection: Upgrade\nUpgrade: websocket\n"

var protocols = map[string]placeCase{
	"alone":            {handshake + "Sec-WebSocket-Protocol: bearer.a.b.c", "a.b.c", ""},
	"among others":     {handshake + "Sec-WebSocket-Protocol: chat.v1, bearer.abc ,chat.v2", "abc", ""},
	"another line":     {handshake + "Sec-WebSocket-Protocol: chat.v1\nSec-WebSocket-Protocol: bearer.abc", "abc", ""},
	"none":             {handshake + "Sec-WebSocket-Protocol: chat.v1", "", nothing},
	"no field":         {handshake, "", nothing},
	"empty field":      {handshake + "Sec-WebSocket-Protocol: , ,", "", nothing},
	"empty":            {handshake + "Sec-WebSocket-Protocol: bearer.", "", nothing},
	"other case":       {handshake + "Sec-WebSocket-Protocol: Bearer.abc", "", nothing},
	"twice":            {handshake + "Sec-WebSocket-Protocol: bearer.abc, bearer.abc", "", several},
	"twice, one empty": {handshake + "Sec-WebSocket-Protocol: bearer., bearer.abc", "", several},
	"twice, two lines": {handshake + "Sec-WebSocket-Protocol: bearer.a\nSec-WebSocket-Protocol: bearer.a", "", several},
	"a space within":   {handshake + "Sec-WebSocket-Protocol: bearer.a b", "", broken},
	"Bearer as well":   {handshake + "Sec-WebSocket-Protocol: bearer.a\nAuthorization: Bearer a", "", several},
	"no handshake":     {"GET /\nSec-WebSocket-Protocol: bearer.abc", "", nothing},
	"other upgrade":    {"GET /\nConnection: Upgrade\nUpgrade: x\nSec-WebSocket-Protocol: bearer.abc", "", nothing},
	"POST":             {"POST /\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Protocol: bearer.abc", "", nothing},
}

func TestFromWebSocketProtocol(t *testing.T) {
	t.Parallel()
	assertPlace(t, httpmw.FromWebSocketProtocol("bearer."), protocols)
}

const kubernetes = "base64url.bearer.authorization.k8s.io."

func TestFromWebSocketProtocol_encoded(t *testing.T) {
	t.Parallel()
	const field = handshake + "Sec-WebSocket-Protocol: " + kubernetes
	assertPlace(t, httpmw.FromWebSocketProtocol(kubernetes), map[string]placeCase{
		"encoded":       {field + "YS9iPT0, v4.channel.k8s.io", "a/b==", ""},
		"padded":        {field + "YS9iPQ==", "", broken},
		"not encoded":   {field + "a.b.c", "", broken},
		"not canonical": {field + "YS9iPR", "", broken},
		"no token":      {field + "YSBi", "", broken},
		"empty":         {field, "", nothing},
	})
}

// The handler negotiates among the others, and a handler that answers with
// whatever was offered first does not send the token back.
func TestFromWebSocketProtocol_isHidden(t *testing.T) {
	t.Parallel()
	for _, from := range []httpmw.Place{
		httpmw.FromWebSocketProtocol("bearer."), httpmw.OneOf(httpmw.Place{}, httpmw.FromWebSocketProtocol("bearer.")),
	} {
		assertHidden(t, from)
	}
}

func assertHidden(t *testing.T, from httpmw.Place) {
	t.Helper()
	for offered, want := range map[string]string{
		"bearer.abc, chat.v1":                            "chat.v1",
		"chat.v2, bearer.abc, chat.v1":                   "chat.v2, chat.v1",
		"bearer.abc":                                     "",
		"chat.v1\nSec-WebSocket-Protocol: bearer.abc":    "chat.v1",
		"bearer.abc\nSec-WebSocket-Protocol: a\nX-Y: z":  "a",
		"a,bearer.abc\nSec-WebSocket-Protocol: b ,,\tc,": "a, b, c",
	} {
		var outside http.Header
		auth := httpmw.New(new(witness), httpmw.Config{From: from})
		mux := httpmw.NewServeMux(auth)
		mux.HandleFunc("GET /", claims.Authenticated(), func(w http.ResponseWriter, r *http.Request) {
			w.Header()["Sec-Websocket-Protocol"] = r.Header["Sec-Websocket-Protocol"]
			if _, found := r.Header["Sec-Websocket-Protocol"]; found {
				w.Header().Set("Found", "1")
			}
			w.WriteHeader(http.StatusSwitchingProtocols)
		})
		server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			mux.ServeHTTP(w, r)
			outside = r.Header
		}))
		resp := raw(t, server.Listener.Addr().String(), handshake+"Sec-WebSocket-Protocol: "+offered)
		require.Equal(t, http.StatusSwitchingProtocols, resp.StatusCode)
		assert.Equal(t, want, strings.Join(resp.Header["Sec-Websocket-Protocol"], "|"), offered)
		assert.Equal(t, want != "", resp.Header.Get("Found") != "", offered)
		server.Close()
		assert.Contains(t, strings.Join(outside["Sec-Websocket-Protocol"], ","), "bearer.abc",
			"the request of a middleware outside is as it was")
	}
}

// Over HTTP/2 the handshake is a CONNECT (RFC 8441).
func TestFromWebSocketProtocol_overHTTP2(t *testing.T) {
	t.Parallel()
	for protocol, want := range map[string][]string{"websocket": {"abc"}, "connect-udp": nil, "": nil} {
		r := httptest.NewRequest(http.MethodConnect, "/", nil)
		if protocol != "" {
			r.Header[http.CanonicalHeaderKey(":protocol")] = []string{protocol}
		}
		r.Header.Set("Sec-WebSocket-Protocol", "chat.v1, bearer.abc")
		tokens, _ := foundIn(t, httpmw.FromWebSocketProtocol("bearer."), r)
		assert.Equal(t, want, tokens, protocol)
	}
}

func TestFromWebSocketProtocol_mistakes(t *testing.T) {
	t.Parallel()
	for prefix, want := range map[string]string{
		"":     `httpmw: New: Config.From: FromWebSocketProtocol: the prefix "" must be a token (RFC 6455 section 4.1)`,
		"a, b": `httpmw: New: Config.From: FromWebSocketProtocol: the prefix "a, b" must be a token (RFC 6455 section 4.1)`,
	} {
		assert.PanicsWithValue(t, want, func() {
			httpmw.New(nobody{}, httpmw.Config{From: httpmw.FromWebSocketProtocol(prefix)})
		})
	}
}

// At most one credential is found, and none of it reaches the handler.
func FuzzFromWebSocketProtocol(f *testing.F) {
	for _, tt := range protocols {
		for line := range strings.SplitSeq(tt.request, "\n") {
			if value, found := strings.CutPrefix(line, "Sec-WebSocket-Protocol:"); found {
				f.Add(strings.TrimSpace(value), "")
			}
		}
	}
	f.Fuzz(func(t *testing.T, one, other string) {
		r := httptest.NewRequest(http.MethodGet, "/", nil)
		r.Header.Set("Upgrade", "websocket")
		r.Header["Sec-Websocket-Protocol"] = []string{one, other}
		seen := new(witness)
		auth := httpmw.New(seen, httpmw.Config{From: httpmw.FromWebSocketProtocol("bearer.")})
		w := httptest.NewRecorder()
		auth.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			_, _ = io.WriteString(w, strings.Join(r.Header["Sec-Websocket-Protocol"], ","))
		})).ServeHTTP(w, r)
		assert.LessOrEqual(t, len(seen.tokens()), 1)
		if w.Code == http.StatusOK {
			for left := range strings.SplitSeq(w.Body.String(), ",") {
				assert.False(t, strings.HasPrefix(strings.Trim(left, " \t"), "bearer."), "%q", left)
			}
			assert.Contains(t, one+"\n"+other, "bearer."+seen.tokens()[0])
		}
	})
}
