package revocation

import (
	"time"

	"github.com/sallyport-go/sallyport/claims"
)

// unmade is the news of a table that was not made, of which each token has to
// be asked about.
var unmade = new(claims.News)

var errUndecided = claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided, errNotMade)

// Latest returns the last piece of news, nil if there was none.
func (t *Table) Latest() *claims.News {
	if latest := t.latest.Load(); latest != nil || t.isMade() {
		return latest
	}
	return unmade
}

// Revoked returns nil unless the token that the claims are of has ended. The
// error is a [*claims.Error] with [claims.ReasonRevoked], whose cause says
// which [Entry] it was. It takes no lock and allocates nothing.
func (t *Table) Revoked(caller *claims.Claims) error {
	if !t.isMade() {
		return errUndecided
	}
	s := *t.shelf.Load()
	issuer := t.hasher.issuer(caller.Issuer())
	for k := range kinds {
		if t.used[k].Load() == 0 {
			continue
		}
		of, value := issuer, ""
		switch k {
		case ofToken:
			value = caller.ID()
		case ofSession:
			value = caller.SessionID()
		case ofSubject:
			value = caller.Subject()
		case ofClient:
			value = caller.ClientID()
		case ofAll:
			of = t.hasher.issuer("")
		}
		if value == "" && k < ofIssuer {
			continue
		}
		hash := t.hasher.of(k, of, value)
		for l := s.at(hash).Load(); l != nil; l = l.next {
			if l.hash == hash && t.hasEnded(caller, l.kept) {
				return l.refusal
			}
		}
	}
	return nil
}

// hasEnded reports whether a token has ended by an entry.
func (t *Table) hasEnded(caller *claims.Claims, k *kept) bool {
	return k.has(caller) && k.reaches(caller.IssuedAt(), t.config.Leeway) &&
		time.Now().Before(k.Until)
}

// Stats are what a [Table] has, and has heard.
type Stats struct {
	Entries int // that have not ended, or only since the last piece of news

	News     uint64    // pieces of news, of this process
	LastNews time.Time // when the last of them came, zero for never
	Widened  uint64    // how often the table was full

	// FeedAge is how long ago all news was known: zero without a Store, and
	// negative if it never was.
	FeedAge time.Duration
}

// Stats returns what the table has now.
func (t *Table) Stats() Stats {
	if !t.isMade() {
		return Stats{FeedAge: -1}
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	stats := t.stats
	stats.Entries = len(t.ends)
	if t.config.Store != nil {
		stats.FeedAge = -1
		if at := t.heard.Load(); at != nil {
			stats.FeedAge = max(time.Since(*at), 0)
		}
	}
	return stats
}
