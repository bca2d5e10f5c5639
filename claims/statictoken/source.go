package statictoken

import (
	"cmp"
	"context"
	"errors"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/internal/foreign"
	"github.com/sallyport-go/sallyport/claims/internal/inquiry"
)

// Source looks up tokens, such as in a table of a database whose key is the
// hash. It must be safe for concurrent use.
//
// Lookup returns the [Token] that has this Hash, nil if there is none. Any
// error means that it cannot be told, and so does a panic: the decision is
// [claims.ErrUnavailable]. ctx ends after 5 seconds, and a Lookup that does not
// heed it is given up; 64 are made at a time, about one token once, and the
// answer counts for [Config].Refresh. It is asked about tokens alone that were
// minted with [Config].Key.
type Source interface {
	Lookup(ctx context.Context, hash string) (*Token, error)
}

const (
	sourceName       = foreign.Name("statictoken: Config.Source")
	lookupTimeout    = 5 * time.Second
	defaultMaxTokens = 10_000
)

// source is a Source, with what it has said.
type source struct {
	key  Key
	desk *inquiry.Desk[*entry]
}

func newSource(cfg Config, as *meaning) *source {
	most := cmp.Or(cfg.MaxTokens, defaultMaxTokens)
	lookup := func(ctx context.Context, text string) (a inquiry.Answer[*entry], err error) {
		token, err := cfg.Source.Lookup(ctx, text)
		if err != nil {
			return a, err
		}
		a.For = cfg.Refresh
		switch {
		case token == nil:
			a.Err = errUnknown
			return a, nil
		case token.Hash != text:
			return a, errors.New("statictoken: the Source has returned another token")
		}
		a.Value, err = token.compile(as)
		a.Size = entrySize
		for _, list := range [][]string{token.Scopes, token.Permissions} {
			for _, s := range list {
				a.Size += 2 * (len(s) + 16) // in the claims, and in their text
			}
		}
		return a, err
	}
	return &source{cfg.Key, inquiry.New(inquiry.Config[*entry]{
		Name: sourceName, Ask: lookup, Timeout: lookupTimeout, Tokens: most, Refused: most/8 + 1,
	})}
}

// entrySize is about how many bytes an entry takes, beside its lists.
const entrySize = 800

// find returns the entry of a token. The error is a refusal.
func (s *source) find(ctx context.Context, token, prefix string) (*entry, error) {
	h, err := open(&s.key, token, prefix)
	if err != nil {
		return nil, refusedNotMinted
	}
	e, _, err := s.desk.Ask(ctx, h.String())
	var failure *inquiry.Failure
	switch {
	case err == nil:
		return e, nil
	case errors.As(err, &failure):
		return nil, undecided(ctx, failure.Cause)
	case errors.Is(err, inquiry.ErrCrowd):
		return nil, errCrowd
	}
	return nil, err
}

var errCrowd = claims.NewError(claims.ErrInvalidToken, claims.ReasonRejected, inquiry.ErrCrowd)
