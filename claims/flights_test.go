package claims

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Flights in the same list are told apart by all of their sums.
func TestFlights(t *testing.T) {
	t.Parallel()
	cache := &tokenCache{tokens: 1}
	var sums [3]tokenSum // in one list
	var boarded [3]*flight
	for i := range sums {
		sums[i][0] = byte(i)
		boarded[i] = cache.board(t.Context(), &sums[i])
		require.NotNil(t, boarded[i])
	}
	list := cache.table.Load().flightsOf(&sums[0])
	remaining := func() (sums []tokenSum) {
		for f := list.first; f != nil; f = f.next {
			sums = append(sums, f.sum)
		}
		return sums
	}
	cache.land(boarded[1])
	assert.Equal(t, []tokenSum{sums[2], sums[0]}, remaining())
	cache.land(boarded[0])
	assert.Equal(t, []tokenSum{sums[2]}, remaining())
	again := cache.board(t.Context(), &sums[0])
	require.NotNil(t, again)
	cache.land(boarded[2])
	cache.land(again)
	assert.Empty(t, remaining())
}
