package redisstore_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/redisstore/redistest"
	"github.com/sallyport-go/sallyport/claims/revocation"
)

// The server is stopped, restarted, emptied and frozen while replicas revoke,
// come and go: no replica that has refused a token ever accepts it again, none
// says that its news is fresh while the server is away, and in the end all
// refuse all.
func TestRevocations_chaos(t *testing.T) {
	t.Parallel()
	server := redistest.Start(t)
	replicas := []*replica{
		startReplica(t, server.URL(), fast), startReplica(t, server.URL(), fast), startReplica(t, server.URL(), fast),
	}
	confirmed(t, replicas...)
	random := rand.New(rand.NewPCG(uint64(time.Now().UnixNano()), 1))
	var all []string
	refused := map[*replica]map[string]bool{}
	look := func(what string) {
		for i, r := range replicas {
			if refused[r] == nil {
				refused[r] = map[string]bool{}
			}
			for _, subject := range all {
				err := r.Revoked(callerOf(t, subject))
				if err != nil {
					refused[r][subject] = true
				} else {
					require.False(t, refused[r][subject], "%s: replica %d accepts %s again", what, i, subject)
				}
			}
		}
	}
	revoke := func() {
		subject := fmt.Sprint("user", len(all))
		all = append(all, subject)
		// An error says that it counts on this replica for now.
		_ = replicas[random.IntN(len(replicas))].Revoke(t.Context(),
			revocation.Entry{Issuer: issuer, Subject: subject})
	}
	events := map[string]func(){
		"stopped": func() {
			server.Stop()
			stopped := time.Now()
			for range 3 {
				revoke()
				look("stopped")
			}
			for _, r := range replicas {
				assert.False(t, r.Heard().After(stopped), "nothing is confirmed without a server")
			}
			server.Restart()
		},
		"emptied": func() {
			_ = replicas[0].client.FlushAll(t.Context()).Err()
		},
		"frozen": func() {
			server.Freeze()
			look("frozen")
			server.Thaw()
		},
		"cut": func() {
			_ = replicas[0].client.Do(t.Context(), "CLIENT", "KILL", "TYPE", "pubsub").Err()
		},
		"replaced": func() {
			// What only the one that goes has known is gone with it.
			confirmed(t, replicas...)
			replicas[2].stop()
			replicas[2] = startReplica(t, server.URL(), fast)
		},
	}
	for range 3 {
		for what, happens := range events { // in another order each time
			revoke()
			happens()
			revoke()
			look(what)
		}
	}
	confirmed(t, replicas...)
	eventually(t, replicas, all...)
	look("in the end")
	t.Logf("%d revocations", len(all))
}

// callerOf returns the claims of a token that was issued a moment ago.
func callerOf(t testing.TB, subject string) *claims.Claims {
	t.Helper()
	caller, err := claims.FromJSON(fmt.Appendf(nil, `{"iss":%q,"sub":%q,"iat":%d}`,
		issuer, subject, time.Now().Add(-time.Hour).Unix()), claims.Config{})
	require.NoError(t, err)
	return caller
}
