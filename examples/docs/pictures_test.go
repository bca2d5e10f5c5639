package docs_test

import (
	"fmt"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
	"github.com/sallyport-go/sallyport/jwks"
)

// minute is what was seen in one minute of the day.
type minute struct {
	state     jwks.State
	usableFor time.Duration
	age       time.Duration
	status    int
	fetches   int
}

const (
	rotates = 8 * 60
	down    = 12 * 60
	back    = 14 * 60
	day     = 24 * 60
)

// aDay asks the service once a minute, but for a quiet night: until 6:00 and
// from 22:00 nobody does.
func aDay(t *testing.T) []minute {
	t.Helper()
	var seen []minute
	synctest.Test(t, func(t *testing.T) {
		issuer, err := claimstest.New(claimstest.Config{
			URL: "https://issuer.example", Lifetime: 48 * time.Hour,
		})
		require.NoError(t, err)
		verifier := newVerifier(t, issuer)
		service := newService(verifier)
		token := issuer.Mint(claimstest.Token{Scope: "orders:read"})
		require.Equal(t, 200, get(service, "/orders", token).Code)
		for n := range day {
			time.Sleep(time.Minute)
			switch n {
			case rotates:
				old := issuer.Key()
				issuer.Rotate("")
				issuer.Revoke(old)
				token = issuer.Mint(claimstest.Token{Scope: "orders:read"})
			case down:
				issuer.Fail(http.StatusBadGateway)
			case back:
				issuer.Intercept(nil)
			}
			m := minute{}
			if n >= 6*60 && n < 22*60 {
				m.status = get(service, "/orders", token).Code
				synctest.Wait()
			}
			stats := verifier.KeyStats()
			m.state, m.usableFor, m.age = stats.State, stats.UsableFor, stats.Age
			m.fetches = issuer.KeySetRequests()
			seen = append(seen, m)
		}
	})
	return seen
}

// The picture of a day shows what a run has given; SALLYPORT_UPDATE=1 draws it
// anew. When a fetch falls due is drawn by lot, so the run is not the same each
// time.
func TestPicture_keysDay(t *testing.T) {
	seen := aDay(t)
	require.Len(t, seen, day)
	assert.Equal(t, jwks.StateIdle, seen[5*60].state, "nobody asks at night")
	assert.Equal(t, jwks.StateFresh, seen[7*60].state)
	assert.Equal(t, 200, seen[rotates].status, "in the request that shows it")
	assert.Equal(t, 200, seen[down+45].status)
	assert.Equal(t, jwks.StateStale, seen[down+45].state)
	assert.Equal(t, 503, seen[down+90].status)
	assert.Equal(t, jwks.StateUnavailable, seen[down+90].state)
	assert.Equal(t, 200, seen[back+2].status)
	assert.Equal(t, jwks.StateFresh, seen[back+2].state)
	if os.Getenv("SALLYPORT_UPDATE") != "" {
		require.NoError(t, os.WriteFile("pictures/keys-day.svg", []byte(drawDay(seen)), 0o644))
	}
	drawn, err := os.ReadFile("pictures/keys-day.svg")
	require.NoError(t, err)
	for _, state := range []jwks.State{
		jwks.StateFresh, jwks.StateIdle, jwks.StateFailing, jwks.StateStale, jwks.StateUnavailable,
	} {
		assert.Contains(t, string(drawn), `class="`+string(state)+`"`)
		assert.Contains(t, string(drawn), ">"+string(state)+"</text>")
	}
}

// drawDay returns the picture: a band of states, how long the keys last, and
// what was answered.
func drawDay(seen []minute) string {
	const left, width, top = 90.0, 780.0, 46.0
	x := func(n int) float64 { return left + width*float64(n)/day }
	var b strings.Builder
	b.WriteString(`<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 900 330" role="img"` +
		` aria-labelledby="t d" font-family="system-ui, sans-serif" font-size="12">
<title id="t">The states of a key set over a day</title>
<desc id="d">From a run: requests each minute from 6:00 to 22:00, a rotation at 8:00, the issuer
down from 12:00 to 14:00. The band has the state of the key set, the curve how long its keys may
still be used, the lower band what requests were answered with.</desc>
<style>
text { fill: #1f2328 } .faint { fill: #59636e } .axis { stroke: #59636e; stroke-width: 1 }
.grid { stroke: #d1d9e0; stroke-width: 1 } .curve { stroke: #0969da; stroke-width: 1.5; fill: none }
.fresh, .ok { fill: #2da44e } .idle { fill: #8c959f } .failing { fill: #bf8700 }
.stale { fill: #d4631a } .unavailable, .refused { fill: #cf222e }
.mark { stroke: #1f2328; stroke-width: 1; stroke-dasharray: 3 3 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 } .faint { fill: #9198a1 } .axis { stroke: #9198a1 } .grid { stroke: #3d444d }
.curve { stroke: #58a6ff } .mark { stroke: #e6edf3 }
.fresh, .ok { fill: #3fb950 } .idle { fill: #768390 } .failing { fill: #d29922 }
.stale { fill: #f0883e } .unavailable, .refused { fill: #f85149 }
}
</style>
`)
	band := func(y, height float64, class func(minute) string) {
		for n := 0; n < len(seen); {
			end := n
			for end < len(seen) && class(seen[end]) == class(seen[n]) {
				end++
			}
			if c := class(seen[n]); c != "" {
				fmt.Fprintf(&b, `<rect class="%s" x="%.1f" y="%.0f" width="%.1f" height="%.0f"/>`+"\n",
					c, x(n), y, x(end)-x(n), height)
			}
			n = end
		}
	}
	b.WriteString(`<text x="8" y="62">state</text>` + "\n")
	band(top, 24, func(m minute) string { return string(m.state) })

	const curveTop, curveHeight, most = 96.0, 110.0, 80.0 // minutes
	y := func(d time.Duration) float64 { return curveTop + curveHeight*(1-d.Minutes()/most) }
	for _, minutes := range []int{0, 20, 40, 60} {
		at := y(time.Duration(minutes) * time.Minute)
		fmt.Fprintf(&b, `<line class="grid" x1="%.0f" x2="%.0f" y1="%.1f" y2="%.1f"/>`+
			`<text class="faint" x="82" y="%.1f" text-anchor="end">%d min</text>`+"\n",
			left, left+width, at, at, at+4, minutes)
	}
	b.WriteString(`<text x="8" y="92">keys last for</text>` + "\n" + `<polyline class="curve" points="`)
	for n, m := range seen {
		if n%2 == 0 {
			fmt.Fprintf(&b, "%.1f,%.1f ", x(n), y(m.usableFor))
		}
	}
	b.WriteString("\"/>\n" + `<text x="8" y="236">answers</text>` + "\n")
	band(222, 20, func(m minute) string {
		switch m.status {
		case 200:
			return "ok"
		case 503:
			return "refused"
		}
		return ""
	})
	for hour := 0; hour <= 24; hour += 2 {
		fmt.Fprintf(&b, `<line class="axis" x1="%.1f" x2="%.1f" y1="246" y2="251"/>`+
			`<text class="faint" x="%.1f" y="264" text-anchor="middle">%d:00</text>`+"\n",
			x(hour*60), x(hour*60), x(hour*60), hour)
	}
	for _, mark := range []struct {
		at     int
		text   string
		anchor string
	}{
		{rotates, "the issuer rotates its key", "middle"}, {down, "down", "end"}, {back, "back", "start"},
	} {
		fmt.Fprintf(&b, `<line class="mark" x1="%.1f" x2="%.1f" y1="32" y2="246"/>`+
			`<text x="%.1f" y="26" text-anchor="%s">%s</text>`+"\n",
			x(mark.at), x(mark.at), x(mark.at), mark.anchor, mark.text)
	}
	legend(&b)
	b.WriteString("</svg>\n")
	return b.String()
}

func legend(b *strings.Builder) {
	for i, entry := range [][2]string{
		{"idle", "idle"}, {"fresh", "fresh"}, {"failing", "failing"}, {"stale", "stale"},
		{"unavailable", "unavailable"}, {"ok", "200"}, {"refused", "503, Retry-After"},
	} {
		x := 90 + 110*i
		fmt.Fprintf(b, `<rect class="%s" x="%d" y="290" width="14" height="14"/>`+
			`<text x="%d" y="302">%s</text>`+"\n", entry[0], x, x+20, entry[1])
	}
}

// The picture of a request's path has the checks that the code makes, in their
// order, and the outcomes of the errors' table.
func TestPicture_requestPath(t *testing.T) {
	drawn, err := os.ReadFile("pictures/request-path.svg")
	require.NoError(t, err)
	issuer, err := claimstest.New(claimstest.Config{URL: "https://issuer.example"})
	require.NoError(t, err)
	explanation := newVerifier(t, issuer).Explain(t.Context(), issuer.Mint(claimstest.Token{}))
	require.NoError(t, explanation.Err)
	var inCode []string
	for _, m := range regexp.MustCompile(`(?m)^(\w+) +(?:passed|skipped|refused)`).
		FindAllStringSubmatch(explanation.String(), -1) {
		inCode = append(inCode, m[1])
	}
	require.Greater(t, len(inCode), 10, explanation.String())
	var inPicture []string
	for _, m := range regexp.MustCompile(`<text class="check"[^>]*>(\w+)</text>`).
		FindAllStringSubmatch(string(drawn), -1) {
		inPicture = append(inPicture, m[1])
	}
	assert.Equal(t, inCode, inPicture)
	for _, refusal := range claims.Refusals() {
		if refusal.Class() == claims.ErrUnavailable {
			continue
		}
		outcome := claims.Decision{Err: refusal}.Outcome()
		assert.Contains(t, string(drawn), ">"+outcome+"</text>")
	}
}

// Text in the pictures is text, and there are colours for a dark page.
func TestPictures(t *testing.T) {
	for _, name := range []string{"keys-day", "request-path", "revocation"} {
		drawn, err := os.ReadFile("pictures/" + name + ".svg")
		require.NoError(t, err)
		assert.Contains(t, string(drawn), "prefers-color-scheme: dark", name)
		assert.Contains(t, string(drawn), "<title", name)
		assert.GreaterOrEqual(t, strings.Count(string(drawn), "<text"), 10, name)
		assert.NotContains(t, string(drawn), "<image", name)
	}
}
