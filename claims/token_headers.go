package claims

import (
	"sync"
	"sync/atomic"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/persistent"
)

const (
	maxHeaders       = 64      // of an issuer, and of all if they are few
	headersPerIssuer = 2       // of all, if they are many: keys are rotated
	maxHeaderSize    = 1 << 10 // encoded
	meanHeaderSize   = 2 << 10 // with what is made of it
	headersMinAge    = time.Minute
)

// headers remembers what the header segments of verified tokens say: an issuer
// writes the same one into nearly all of its tokens. It holds pure results of
// parsing, so it never has to forget. Of an issuer whose headers differ from
// token to token it starts anew, at most once a minute, and so does it of all
// issuers once there is no room for more.
type headers struct {
	known   atomic.Pointer[persistent.Map[header]] // by segment
	issuers atomic.Int64                           // how many there may be

	mu     sync.Mutex               // held while known is replaced
	shares map[uint64]*headersShare // by the id of who verified them
	size   int                      // of known, in bytes
	since  time.Time
}

// headersShare is what is remembered of one issuer.
type headersShare struct {
	segments []string
	since    time.Time
}

// expect makes room for that many issuers.
func (m *headers) expect(issuers int) { m.issuers.Store(int64(issuers)) }

// find costs no allocation.
func (m *headers) find(segment []byte) (h header, ok bool) {
	known := m.known.Load()
	if known == nil {
		return header{}, false
	}
	return known.GetBytes(segment)
}

// add takes the header of a token that an issuer has verified, by its id: what
// others send is not remembered.
func (m *headers) add(segment []byte, h header, verifier uint64, now time.Time) {
	if len(segment) > maxHeaderSize {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	var known persistent.Map[header]
	if before := m.known.Load(); before != nil {
		known = *before
	}
	if _, ok := known.GetBytes(segment); ok {
		return // by a token that came at the same time
	}
	if m.shares == nil || m.isFull(known.Len(), sizeOfHeader(segment)) {
		if m.shares != nil && now.Sub(m.since) < headersMinAge {
			return
		}
		known, m.shares = persistent.Map[header]{}, map[uint64]*headersShare{}
		m.size, m.since = 0, now
	}
	share := m.shares[verifier]
	if share == nil {
		share = &headersShare{since: now}
		m.shares[verifier] = share
	}
	if len(share.segments) >= maxHeaders {
		if now.Sub(share.since) < headersMinAge {
			return
		}
		for _, s := range share.segments {
			known = known.Without(s)
			m.size -= sizeOfHeader(s)
		}
		share.segments, share.since = nil, now
	}
	key := string(segment)
	share.segments = append(share.segments, key)
	m.size += sizeOfHeader(key)
	known = known.With(key, h)
	m.known.Store(&known)
}

// isFull reports whether there is no room for one more of a size.
func (m *headers) isFull(n, size int) bool {
	most := max(maxHeaders, headersPerIssuer*int(m.issuers.Load()))
	return n >= most || m.size+size > most*meanHeaderSize
}

// sizeOfHeader is about how many bytes a header takes: its segment, the text
// that its fields are parts of, and these.
func sizeOfHeader[T string | []byte](segment T) int {
	const overhead = 256
	return 2*len(segment) + overhead
}
