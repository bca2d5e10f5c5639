package claims_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

const (
	flapTTL     = 2 * time.Second
	flapTimeout = time.Second
	flapRun     = 40 * time.Second
	flappers    = 200
)

// flapper is a principal whose permission comes and goes.
type flapper struct {
	guards []*claims.Guard // two tokens of theirs

	mu        sync.Mutex
	held      bool
	until     time.Time // when it was taken from them last
	forgotten time.Time // when the answer about them was, last
	asking    int       // calls under way
	asked     time.Time // when the last one began
}

func (f *flapper) set(held bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.held && !held {
		f.until = time.Now()
	}
	f.held = held
}

// heldSince reports whether there was an instant from then on at which they had
// it.
func (f *flapper) heldSince(then time.Time) bool {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.held || !f.until.IsZero() && !f.until.Before(then)
}

// flapping is a source in trouble, and what it has seen.
type flapping struct {
	t          *testing.T
	people     map[string]*flapper
	forgetting atomic.Int32
	now, most  atomic.Int32
	failing    atomic.Bool
}

func (s *flapping) Permissions(ctx context.Context, who claims.Principal) (claims.Grants, error) {
	n := s.now.Add(1)
	defer s.now.Add(-1)
	for most := s.most.Load(); n > most && !s.most.CompareAndSwap(most, n); most = s.most.Load() {
	}
	f := s.people[who.Subject]
	f.mu.Lock()
	// They may have been forgotten while they were asked about, or waited for a
	// turn.
	if f.asking > 0 && s.forgetting.Load() == 0 && f.forgotten.Before(f.asked.Add(-flapTimeout)) {
		s.t.Errorf("%s is asked about twice at a time", who.Subject)
	}
	f.asking++
	f.asked = time.Now()
	held := f.held
	f.mu.Unlock()
	defer func() {
		f.mu.Lock()
		defer f.mu.Unlock()
		f.asking--
	}()
	grants := claims.Grants{}
	if held {
		grants = everywhere("p")
	}
	chance := rand.IntN(100)
	switch {
	case chance < 5 || s.failing.Load():
		return grants, errDown
	case chance < 8:
		panic(errDown)
	case chance < 11:
		<-ctx.Done()
		return grants, nil
	}
	select {
	case <-time.After(rand.N(300 * time.Millisecond)):
		return grants, nil
	case <-ctx.Done():
		return claims.Grants{}, ctx.Err()
	}
}

func (s *flapping) forget(cache *claims.PermissionCache, who claims.Principal) {
	s.forgetting.Add(1)
	begun := time.Now()
	cache.Forget(who)
	for name, f := range s.people {
		if who.Subject == "" || who.Subject == name {
			f.mu.Lock()
			f.forgotten = begun
			f.mu.Unlock()
		}
	}
	s.forgetting.Add(-1)
}

// Whatever the source does and whatever is forgotten, nobody is let in who did
// not have the permission within the TTL, or since they were forgotten; nobody
// is refused who always had it; and the source is not asked more than it may
// be.
func TestPermissionCache_flapping(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		s := &flapping{t: t, people: map[string]*flapper{}}
		cache := cacheOf(t, s, claims.PermissionCacheConfig{TTL: flapTTL, Timeout: flapTimeout, Max: 150})
		var names []string
		for i := range flappers {
			name := fmt.Sprint(i)
			f := &flapper{held: i%4 == 0}
			for range 2 {
				f.guards = append(f.guards, guardOf(t, says(t, m{"sub": name}), claims.GuardConfig{Permissions: cache}))
			}
			s.people[name], names = f, append(names, name)
		}
		always := func(i int) bool { return i%4 == 0 }
		never := func(i int) bool { return i%4 == 1 }
		end := time.Now().Add(flapRun)
		var all sync.WaitGroup
		all.Go(func() { // grants come and go, and there is an outage
			for time.Now().Before(end) {
				time.Sleep(10 * time.Millisecond)
				if i := rand.IntN(flappers); !always(i) && !never(i) {
					s.people[names[i]].set(rand.IntN(2) == 0)
				}
				s.failing.Store(time.Until(end) > 10*time.Second && time.Until(end) < 15*time.Second)
			}
		})
		all.Go(func() {
			for time.Now().Before(end) {
				time.Sleep(rand.N(100 * time.Millisecond))
				switch i := rand.IntN(flappers); rand.IntN(50) {
				case 0:
					s.forget(cache, claims.Principal{})
				default:
					if !always(i) {
						s.people[names[i]].set(false)
					}
					s.forget(cache, claims.Principal{Subject: names[i]})
				}
			}
		})
		var outcomes [3]atomic.Int32
		for range 60 {
			all.Go(func() {
				for time.Now().Before(end) {
					i := rand.IntN(flappers)
					f := s.people[names[i]]
					f.mu.Lock()
					forgotten := f.forgotten
					f.mu.Unlock()
					ctx, cancel := context.WithTimeout(t.Context(), rand.N(3*time.Second))
					start := time.Now()
					_, err := ask(ctx, f.guards[rand.IntN(2)], claims.Permissions("p"), nil)
					cancel()
					outcome := truthOf(err)
					outcomes[outcome].Add(1)
					since := start.Add(-flapTTL)
					if since.Before(forgotten) {
						since = forgotten
					}
					if outcome == allowed && !f.heldSince(since) {
						t.Errorf("%d is let in at %v, and had it until %v", i, time.Now(), f.until)
					}
					if outcome == refused && always(i) {
						t.Errorf("%d is refused, who always had it", i)
					}
					assert.LessOrEqual(t, time.Since(start), 3*time.Second)
					time.Sleep(rand.N(100 * time.Millisecond))
				}
			})
		}
		all.Wait()
		time.Sleep(2 * flapTimeout)
		synctest.Wait()
		assert.Zero(t, s.now.Load(), "calls left")
		assert.LessOrEqual(t, s.most.Load(), int32(64))
		assert.LessOrEqual(t, cache.Len(), 150)
		for outcome := range outcomes {
			require.Greater(t, outcomes[outcome].Load(), int32(500), "too few of outcome %d to tell", outcome)
		}
	})
}
