package claims

import (
	"maps"
	"sync"
	"sync/atomic"
	"time"
)

const (
	maxHeaders    = 64
	maxHeaderSize = 1 << 10
	headersMinAge = time.Minute
)

// headers remembers what the header segments of verified tokens say: an issuer
// writes the same one into nearly all of its tokens. It holds pure results of
// parsing, so it never has to forget; of an issuer whose headers differ from
// token to token it starts anew, at most once a minute.
type headers struct {
	known atomic.Pointer[headerTable] // replaced as a whole
	mu    sync.Mutex                  // held while known is replaced
}

type headerTable struct {
	bySegment map[string]header
	since     time.Time
}

func (m *headers) find(segment []byte) (h header, ok bool) {
	table := m.known.Load()
	if table == nil {
		return header{}, false
	}
	h, ok = table.bySegment[string(segment)]
	return h, ok
}

// add takes the header of a verified token: what others send is not remembered.
func (m *headers) add(segment []byte, h header, now time.Time) {
	if len(segment) > maxHeaderSize {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	old := m.known.Load()
	fresh := &headerTable{since: now}
	switch {
	case old == nil:
		fresh.bySegment = map[string]header{}
	case len(old.bySegment) < maxHeaders:
		fresh.bySegment, fresh.since = maps.Clone(old.bySegment), old.since
	case now.Sub(old.since) < headersMinAge:
		return
	default:
		fresh.bySegment = map[string]header{}
	}
	fresh.bySegment[string(segment)] = h
	m.known.Store(fresh)
}
