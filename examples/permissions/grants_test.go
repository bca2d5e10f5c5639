package main_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/sallyport-go/sallyport/examples/internal/demo/demotest"
	"github.com/sallyport-go/sallyport/examples/permissions/permissionspb"
)

const (
	aliceReads  = "/workspaces/berlin/grants/alice/orders:read"
	aliceWrites = "/workspaces/berlin/grants/alice/orders:write"
	berlin      = "/workspaces/berlin/orders"
)

// change grants alice what the path says, or takes it from her.
func (c *caller) change(t *testing.T, method, path string) {
	t.Helper()
	require.Equal(t, 204, c.send(t, method, path, "").Status)
}

// outcomes are what a caller is answered in the workspace berlin on all APIs,
// in one word for each: allowed, refused, unavailable or what else it was.
func (c *caller) outcomes(t *testing.T) map[string]string {
	t.Helper()
	words := map[int]string{200: "allowed", 201: "allowed", 403: "refused", 503: "unavailable"}
	ctx := demotest.Bounded(t)
	outcomes := map[string]string{}
	for method, name := range map[string]string{"GET": "list", "POST": "create"} {
		got := c.send(t, method, berlin, tea)
		outcomes["REST "+name] = words[got.Status]
		if got.Status == 503 {
			assert.NotEmpty(t, got.Header.Get("Retry-After"), name)
			assertNothingInternal(t, got.Body)
		}
	}
	codes := map[codes.Code]string{
		codes.OK: "allowed", codes.PermissionDenied: "refused", codes.Unavailable: "unavailable",
	}
	for _, method := range methods {
		err := method.call(ctx, c.grpc, "berlin")
		outcomes["gRPC "+method.name] = codes[status.Code(err)]
		assertNothingInternal(t, status.Convert(err).Message())
	}
	got := c.query(t, `{workspace(name: "berlin") {orders {item}}}`)
	assertNothingInternal(t, got.Body)
	switch {
	case strings.Contains(got.Body, `"item"`) && !strings.Contains(got.Body, "errors"):
		outcomes["GraphQL"] = "allowed"
	case strings.Contains(got.Body, `"data":{"workspace":null}`) &&
		strings.Contains(got.Body, `"code":"FORBIDDEN"`):
		outcomes["GraphQL"] = "refused"
	case strings.Contains(got.Body, `"code":"UNAVAILABLE"`) &&
		!strings.Contains(got.Body, `"item"`):
		outcomes["GraphQL"] = "unavailable"
	default:
		outcomes["GraphQL"] = got.Body
	}
	return outcomes
}

func assertNothingInternal(t *testing.T, text string) {
	t.Helper()
	for _, internal := range []string{
		"SQL", "sql", "table", "connect", "127.0.0.1", "dial", "EOF", "panic", "claims",
	} {
		assert.NotContains(t, text, internal)
	}
}

// every is the outcomes where all are alike.
func every(word string) map[string]string {
	return map[string]string{
		"REST list": word, "REST create": word, "GraphQL": word,
		"gRPC ListOrders": word, "gRPC WatchOrders": word, "gRPC ImportOrders": word,
	}
}

func TestGrants_countAtOnceHere(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db database) {
		s := startFor(t, startIssuer(t), db, "-grant-ttl", "1h")
		root, alice := s.caller(t, "root"), s.caller(t, "alice")
		for range 2 {
			require.Equal(t, every("refused"), alice.outcomes(t))
			root.change(t, "PUT", aliceReads)
			root.change(t, "PUT", aliceWrites)
			require.Equal(t, every("allowed"), alice.outcomes(t))
			root.change(t, "DELETE", aliceReads)
			root.change(t, "DELETE", aliceWrites)
		}
		require.Equal(t, every("refused"), alice.outcomes(t))
	})
}

func TestGrants_countElsewhereWithinTheTTL(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db database) {
		issuer := startIssuer(t)
		here := startFor(t, issuer, db)
		elsewhere := startFor(t, issuer, db, "-grant-ttl", "100ms")
		root, alice := here.caller(t, "root"), elsewhere.caller(t, "alice")
		answers := func(status int) func() bool {
			return func() bool { return alice.get(t, berlin).Status == status }
		}
		require.True(t, answers(403)())
		root.change(t, "PUT", aliceReads)
		assert.Eventually(t, answers(200), demotest.Timeout, tick)
		root.change(t, "DELETE", aliceReads)
		assert.Eventually(t, answers(403), demotest.Timeout, tick)
		root.change(t, "PUT", aliceReads)
		root.change(t, "PUT", aliceWrites)
		assert.Eventually(t, answers(200), demotest.Timeout, tick)
		assert.Equal(t, every("allowed"), alice.outcomes(t))
	})
}

// Whoever may grant in one workspace grants in no other.
func TestGrants_areOfTheirWorkspace(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db database) {
		s := startFor(t, startIssuer(t), db)
		root, alice := s.caller(t, "root"), s.caller(t, "alice")
		root.change(t, "PUT", "/workspaces/berlin/grants/alice/grants:write")
		alice.change(t, "PUT", aliceReads)
		for _, workspace := range []string{"paris", "Berlin", "%20"} {
			path := "/workspaces/" + workspace + "/grants/alice/orders:read"
			assert.Equal(t, 403, alice.send(t, "PUT", path, "").Status, workspace)
		}
		assert.Equal(t, 200, alice.get(t, berlin).Status)
		assert.Equal(t, 403, alice.get(t, "/workspaces/paris/orders").Status)
	})
}

func TestGrants_watchEndsWithItsGrant(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db database) {
		s := startFor(t, startIssuer(t), db, "-grant-ttl", "1h")
		root, alice := s.caller(t, "root"), s.caller(t, "alice")
		root.change(t, "PUT", aliceReads)
		require.Equal(t, 201, root.send(t, "POST", berlin, tea).Status)
		watch, err := alice.grpc.WatchOrders(demotest.Bounded(t),
			&permissionspb.WatchOrdersRequest{Workspace: "berlin"})
		require.NoError(t, err)
		_, err = watch.Recv()
		require.NoError(t, err)
		root.change(t, "DELETE", aliceReads)
		_, err = watch.Recv()
		assertRefused(t, err, codes.PermissionDenied, "PERMISSION")
	})
}

func TestGrants_databaseGone(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db database) {
		s := startFor(t, startIssuer(t), db, "-grant-ttl", "1h")
		root, alice := s.caller(t, "root"), s.caller(t, "alice")
		require.Equal(t, every("allowed"), root.outcomes(t))
		watch, err := root.grpc.WatchOrders(demotest.Bounded(t),
			&permissionspb.WatchOrdersRequest{Workspace: "berlin"})
		require.NoError(t, err)
		_, err = watch.Recv()
		require.NoError(t, err)

		db.cut()
		// What root may do is known, and what it asked for cannot be had; of
		// alice nothing is known.
		assert.Equal(t, every("unavailable"), root.outcomes(t))
		assert.Equal(t, every("unavailable"), alice.outcomes(t))
		got := root.send(t, "PUT", aliceReads, "")
		assert.Equal(t, 503, got.Status)
		assertNothingInternal(t, got.Body)
		got = alice.query(t, `{workspaces {name}}`)
		assert.Contains(t, got.Body, `"code":"UNAVAILABLE"`)
		for err == nil {
			_, err = watch.Recv()
		}
		assert.Equal(t, codes.Unavailable, status.Code(err))
		// What a caller sends does not choose this outcome.
		stranger := *alice
		stranger.http = noCredentials
		assert.Equal(t, 401, stranger.get(t, berlin).Status)
		assert.Equal(t, 200, stranger.get(t, "/healthz").Status)

		db.mend()
		assert.Eventually(t, func() bool { return root.get(t, berlin).Status == 200 }, demotest.Timeout, tick)
		assert.Equal(t, every("allowed"), root.outcomes(t))
		assert.Eventually(t, func() bool { return alice.get(t, berlin).Status == 403 }, demotest.Timeout, tick)
		assert.Equal(t, every("refused"), alice.outcomes(t))
	})
}
