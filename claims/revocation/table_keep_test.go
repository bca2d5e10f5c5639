package revocation_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/revocation"
)

// Entries go when no token is left that they could be about, and not before;
// what is said twice is kept once, for as long as the longer.
func TestTable_ends(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		table := newTable(t, revocation.Config{MaxTokenLife: time.Hour})
		alice := token{issuer: here, subject: "alice", issued: time.Now()}.claims(t)
		revoke := func(e revocation.Entry) {
			t.Helper()
			e.Issuer = here
			require.NoError(t, table.Revoke(t.Context(), e))
		}
		revoke(revocation.Entry{Subject: "alice"})
		first := table.Latest()
		revoke(revocation.Entry{Subject: "alice", Before: time.Now().Add(-time.Minute)})
		assert.Same(t, first, table.Latest(), "nothing new")
		assert.Equal(t, 1, table.Stats().Entries)
		time.Sleep(time.Hour + 4*time.Minute)
		assert.Error(t, table.Revoked(alice))
		time.Sleep(2 * time.Minute)
		assert.NoError(t, table.Revoked(alice), "no such token is left")
		revoke(revocation.Entry{Subject: "bob"})
		assert.Equal(t, 1, table.Stats().Entries)
		revoke(revocation.Entry{Subject: "bob", Until: time.Now().Add(100 * time.Hour)})
		time.Sleep(99 * time.Hour)
		assert.Error(t, table.Revoked(token{issuer: here, subject: "bob"}.claims(t)), "one that lives longer")
		assert.Equal(t, 1, table.Stats().Entries)
		revoke(revocation.Entry{Subject: "carol", Before: time.Now().Add(-2 * time.Hour)})
		assert.Equal(t, 1, table.Stats().Entries, "all those have expired")
	})
}

// A full table ends more tokens than were named, never fewer, and says so.
func TestTable_widens(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var logged bytes.Buffer
		table := newTable(t, revocation.Config{MaxEntries: 10, Logger: slog.New(slog.NewTextHandler(&logged, nil))})
		start := time.Now()
		named := func(issuer string, i int) token {
			return token{issuer: issuer, id: fmt.Sprint("t", i), subject: fmt.Sprint("s", i), issued: start}
		}
		require.NoError(t, table.Revoke(t.Context(), revocation.Entry{Issuer: elsewhere, Subject: "s1"}))
		for i := range 100 {
			e := revocation.Entry{Issuer: here, Subject: fmt.Sprint("s", i)}
			if i%2 == 0 {
				e.Subject, e.Token = "", fmt.Sprint("t", i)
			}
			require.NoError(t, table.Revoke(t.Context(), e))
			stats := table.Stats()
			assert.LessOrEqual(t, stats.Entries, 10)
			for past := range i + 1 {
				assert.Error(t, table.Revoked(named(here, past).claims(t)), "%d of %d", past, i)
			}
		}
		assert.Positive(t, table.Stats().Widened)
		assert.Error(t, table.Revoked(token{issuer: here, subject: "nobody named", issued: start}.claims(t)))
		assert.NoError(t, table.Revoked(token{issuer: here, subject: "new", issued: start.Add(time.Minute)}.claims(t)))
		assert.Error(t, table.Revoked(named(elsewhere, 1).claims(t)))
		assert.NoError(t, table.Revoked(named(elsewhere, 2).claims(t)), "it was not that one's news")
		assert.Contains(t, logged.String(), "level=ERROR msg=\"revocation: the table is full")

		few := newTable(t, revocation.Config{MaxEntries: 2})
		for i := range 5 {
			require.NoError(t, few.Revoke(t.Context(), revocation.Entry{Issuer: fmt.Sprint("https://", i), Subject: "s"}))
			for past := range i + 1 {
				assert.Error(t, few.Revoked(token{issuer: fmt.Sprint("https://", past), subject: "s", issued: start}.claims(t)))
			}
		}
		assert.Error(t, few.Revoked(token{issuer: "https://another", issued: start}.claims(t)), "all of them")
	})
}

// One line for each piece of news, whatever is asked about it.
func TestTable_logs(t *testing.T) {
	t.Parallel()
	var logged bytes.Buffer
	table := newTable(t, revocation.Config{Logger: slog.New(slog.NewTextHandler(&logged, nil))})
	for range 3 {
		require.NoError(t, table.Revoke(t.Context(), revocation.Entry{Issuer: here, Token: "t1"}))
		assert.Error(t, table.Revoked(token1.claims(t)))
	}
	assert.Equal(t, 1, strings.Count(logged.String(), "\n"))
	assert.Contains(t, logged.String(), "t1")
	stats := table.Stats()
	assert.EqualValues(t, 1, stats.News)
	assert.False(t, stats.LastNews.IsZero())
	assert.Zero(t, stats.FeedAge)
	err := table.Revoked(token1.claims(t))
	assert.ErrorContains(t, errors.Unwrap(err), `issuer "https://issuer.example", token "t1"`)
	assert.NotContains(t, err.Error(), "t1", "for clients")
}

// store shares what it is told.
type store struct {
	mu     sync.Mutex
	shared []revocation.Entry
	err    error
}

func (s *store) Share(_ context.Context, e revocation.Entry) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shared = append(s.shared, e)
	return s.err
}

// What is revoked is shared with its times, and what others bring is not; the
// feed is as old as what was confirmed last.
func TestTable_Store(t *testing.T) {
	t.Parallel()
	s := &store{}
	one, other := newTable(t, revocation.Config{Store: s}), newTable(t, revocation.Config{})
	assert.True(t, one.Heard().IsZero())
	assert.Negative(t, one.Stats().FeedAge)
	require.NoError(t, one.Revoke(t.Context(), revocation.Entry{Issuer: here, Subject: "alice"}))
	require.Len(t, s.shared, 1)
	assert.False(t, s.shared[0].Before.IsZero())
	assert.False(t, s.shared[0].Until.IsZero())
	require.NoError(t, other.Apply(s.shared[0]))
	assert.Error(t, other.Revoked(token{issuer: here, subject: "alice"}.claims(t)))
	assert.Len(t, s.shared, 1)
	for e := range other.Entries() {
		assert.Equal(t, s.shared[0], e)
		latest := one.Latest()
		require.NoError(t, one.Apply(e))
		assert.Same(t, latest, one.Latest(), "its own news")
	}
	at := time.Now().Add(-time.Minute)
	one.Confirm(at)
	one.Confirm(at.Add(-time.Hour))
	assert.True(t, one.Heard().Equal(at))
	assert.GreaterOrEqual(t, one.Stats().FeedAge, time.Minute)
	s.err = errors.New("down")
	err := one.Revoke(t.Context(), revocation.Entry{Issuer: here, Subject: "bob"})
	assert.ErrorIs(t, err, s.err)
	assert.ErrorIs(t, err, revocation.ErrNotShared)
	assert.Error(t, one.Revoked(token{issuer: here, subject: "bob"}.claims(t)), "here it is")
}

func TestTable_Revoke_mistakes(t *testing.T) {
	t.Parallel()
	table := newTable(t, revocation.Config{})
	for want, e := range map[string]revocation.Entry{
		"Entry.Issuer is empty":              {Subject: "alice"},
		"Before is required":                 {Issuer: here},
		"is in the future":                   {Issuer: here, Before: time.Now().Add(time.Hour)},
		"bytes is longer than":               {Issuer: here, Subject: strings.Repeat("x", 17<<10)},
		"Entry.Issuer is empty\nEntry.Befor": {Subject: "alice", Before: time.Now().Add(time.Hour)},
	} {
		assert.ErrorContains(t, table.Revoke(t.Context(), e), want)
		assert.ErrorContains(t, table.Apply(e), want)
	}
	assert.Nil(t, table.Latest())
}

func TestNewTable_mistakes(t *testing.T) {
	t.Parallel()
	_, err := revocation.NewTable(revocation.Config{MaxTokenLife: -1, MaxEntries: 1, Leeway: time.Hour})
	for _, field := range []string{"MaxTokenLife", "MaxEntries", "Leeway"} {
		assert.ErrorContains(t, err, "revocation: NewTable: Config."+field+" of ")
	}
	var zero revocation.Table
	assert.ErrorIs(t, zero.Revoked(token1.claims(t)), claims.ErrUnavailable)
	assert.NotNil(t, zero.Latest(), "each token is asked about")
	assert.Error(t, zero.Revoke(t.Context(), revocation.Entry{Issuer: here, Subject: "x"}))
	assert.True(t, zero.Heard().IsZero())
	for range zero.Entries() {
		assert.Fail(t, "it has none")
	}
	zero.Subscribe(func() {})()
	zero.Stats()
}

// Many may ask while it changes: nobody who was told misses an entry.
func TestTable_concurrent(t *testing.T) {
	t.Parallel()
	table := newTable(t, revocation.Config{MaxEntries: 500})
	var all sync.WaitGroup
	for w := range 4 {
		all.Go(func() {
			for i := range 500 {
				k := token{issuer: here, subject: fmt.Sprint(w, "-", i), issued: time.Now()}
				assert.NoError(t, table.Apply(revocation.Entry{Issuer: here, Subject: k.subject}))
				assert.Error(t, table.Revoked(k.claims(t)))
			}
		})
	}
	all.Wait()
	assert.LessOrEqual(t, table.Stats().Entries, 500)
}
