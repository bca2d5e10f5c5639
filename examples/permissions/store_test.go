package main_test

import (
	"slices"
	"sync"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	main "github.com/sallyport-go/sallyport/examples/permissions"
)

func TestStore_permissionsOfAPrincipal(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db database) {
		store := openStore(t, db)
		alice := claims.Principal{Issuer: "https://a.example", Subject: "alice", ClientID: "app"}
		for _, g := range []main.Grant{
			{alice.Issuer, "alice", "", "grants:write"},
			{alice.Issuer, "alice", "berlin", "orders:read"},
			{alice.Issuer, "alice", "berlin", "orders:write"},
			{alice.Issuer, "alice", "Berlin", "margins:read"},
			{alice.Issuer, "bob", "paris", "orders:read"},
			{"https://b.example", "alice", "paris", "orders:read"},
		} {
			require.NoError(t, store.Grant(t.Context(), g))
			require.NoError(t, store.Grant(t.Context(), g), "again")
		}
		grants, err := store.Permissions(t.Context(), alice)
		require.NoError(t, err)
		slices.Sort(grants.Workspaces["berlin"])
		assert.Equal(t, claims.Grants{
			Permissions: []string{"grants:write"},
			Workspaces: map[string][]string{
				"berlin": {"orders:read", "orders:write"}, "Berlin": {"margins:read"},
			},
		}, grants)

		for _, stranger := range []string{"", "Alice", "alice ", "alice\x00", "a\xff", "' OR '1'='1"} {
			grants, err := store.Permissions(t.Context(),
				claims.Principal{Issuer: alice.Issuer, Subject: stranger, ClientID: "alice"})
			assert.NoError(t, err, "%q", stranger)
			assert.Empty(t, grants.Permissions, "%q", stranger)
			assert.Empty(t, grants.Workspaces, "%q", stranger)
		}

		first := main.Grant{Issuer: alice.Issuer, Subject: "alice", Permission: "grants:write"}
		require.NoError(t, store.Revoke(t.Context(), first))
		require.NoError(t, store.Revoke(t.Context(), first), "again")
		grants, err = store.Permissions(t.Context(), alice)
		require.NoError(t, err)
		assert.Empty(t, grants.Permissions)
		assert.Len(t, grants.Workspaces, 2)
	})
}

// What a watch relies on: who asks for the orders after the last it saw misses
// none, whoever else is writing.
func TestStore_numbersHaveNoGaps(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db database) {
		one, other := openStore(t, db), openStore(t, db)
		const each = 10
		var writing sync.WaitGroup
		for _, store := range []*main.Store{one, other} {
			for range 2 {
				writing.Go(func() {
					for range each {
						_, err := store.Add(t.Context(), "berlin", main.Order{Item: "tea", Quantity: 1})
						assert.NoError(t, err)
					}
				})
			}
		}
		written := make(chan struct{})
		go func() {
			writing.Wait()
			close(written)
		}()
		var last int32
		for done := false; !done; {
			select {
			case <-written: // what is read after this is all there is
				done = true
			default:
			}
			orders, err := one.Orders(t.Context(), "berlin", last)
			require.NoError(t, err)
			for _, o := range orders {
				require.Equal(t, last+1, o.Number)
				last = o.Number
			}
		}
		assert.Equal(t, int32(4*each), last)
	})
}

func TestStore_pages(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db database) {
		store := openStore(t, db)
		for range 101 {
			_, err := store.Add(t.Context(), "berlin", main.Order{Item: "tea", Quantity: 1})
			require.NoError(t, err)
		}
		orders, err := store.Orders(t.Context(), "berlin", 0)
		require.NoError(t, err)
		assert.Len(t, orders, 100)
		orders, err = store.Orders(t.Context(), "berlin", 100)
		require.NoError(t, err)
		assert.Equal(t, []main.Order{{Number: 101, Item: "tea", Quantity: 1}}, orders)
	})
}

func TestStore_seedBringsNothingBack(t *testing.T) {
	onEachDatabase(t, func(t *testing.T, db database) {
		store := openStore(t, db)
		shop := claims.Principal{Issuer: "https://a.example", Subject: "berlin-shop"}
		require.NoError(t, store.Seed(t.Context(), shop.Issuer))
		require.NoError(t, store.Revoke(t.Context(),
			main.Grant{shop.Issuer, shop.Subject, "berlin", "orders:read"}))
		require.NoError(t, store.Seed(t.Context(), shop.Issuer))
		grants, err := store.Permissions(t.Context(), shop)
		require.NoError(t, err)
		assert.Equal(t, map[string][]string{"berlin": {"orders:write"}}, grants.Workspaces)
		orders, err := store.Orders(t.Context(), "berlin", 0)
		require.NoError(t, err)
		assert.Len(t, orders, 2)
	})
}
