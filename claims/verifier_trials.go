package claims

import (
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/jwks"
)

const (
	// freeTrials is with how many keys each token is tried that no key ID tells
	// apart. Each costs a signature check, so more of them, up to maxTrials for
	// a token, come out of a budget that all tokens of a Verifier share: nobody
	// buys more work by inventing tokens without a key ID.
	freeTrials = 4
	maxTrials  = 32

	trialBurst = 128
	trialPause = 10 * time.Millisecond // for which one more is saved
)

// trials are the signature checks of tokens that several keys may have signed.
// Good tokens do not depend on the budget for long: the keys that verified
// lately are tried first.
type trials struct {
	keys  atomic.Pointer[[]*jwks.Key] // that verified lately, at most freeTrials
	spent atomic.Int64                // when the budget is whole again, in Unix ns
}

func (tr *trials) lately() []*jwks.Key {
	if keys := tr.keys.Load(); keys != nil {
		return *keys
	}
	return nil
}

// succeeded takes note of a key that verified. Of several at a time one may get
// lost, which comes again.
func (tr *trials) succeeded(key *jwks.Key) {
	before := tr.lately()
	if hasKey(before, key) {
		return
	}
	keys := append([]*jwks.Key{key}, before[:min(len(before), freeTrials-1)]...)
	tr.keys.Store(&keys)
}

// allow takes a trial out of the budget, if one is left.
func (tr *trials) allow(now time.Time) bool {
	const most = trialBurst * int64(trialPause)
	at := now.UnixNano()
	for {
		spent := tr.spent.Load()
		whole, ok := max(spent, at)+int64(trialPause), true
		if whole > at+most {
			// A clock that was set back does not close the budget for long.
			whole, ok = min(spent, at+most), false
		}
		if whole == spent || tr.spent.CompareAndSwap(spent, whole) {
			return ok
		}
	}
}

func hasKey(keys []*jwks.Key, key *jwks.Key) bool {
	for _, k := range keys {
		if k.Equal(key) {
			return true
		}
	}
	return false
}
