package tokencache

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Flights in the same list are told apart by all of their sums.
func TestFlights(t *testing.T) {
	t.Parallel()
	cache := New[string](1)
	var sums [3]Sum // in one list
	var boarded [3]*Flight
	for i := range sums {
		sums[i][1] = byte(i)
		boarded[i] = cache.Board(t.Context(), &sums[i])
		require.NotNil(t, boarded[i])
	}
	list := cache.table.Load().flightsOf(&sums[0])
	remaining := func() (sums []Sum) {
		for f := list.first; f != nil; f = f.next {
			sums = append(sums, f.sum)
		}
		return sums
	}
	cache.Land(boarded[1])
	assert.Equal(t, []Sum{sums[2], sums[0]}, remaining())
	cache.Land(boarded[0])
	assert.Equal(t, []Sum{sums[2]}, remaining())
	again := cache.Board(t.Context(), &sums[0])
	require.NotNil(t, again)
	cache.Land(boarded[2])
	cache.Land(again)
	assert.Empty(t, remaining())
}
