package receiver

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/internal/foreign"
	"github.com/sallyport-go/sallyport/claims/internal/signed"
	"github.com/sallyport-go/sallyport/jwks"
)

// Sender is somebody whose news is believed: an issuer, by the keys that it
// signs with.
type Sender struct {
	// Issuer is who signs the news: its "iss" must equal it, byte for byte.
	// Required.
	Issuer string

	// Keys finds the issuer's keys. Nil means that they are discovered from the
	// metadata of Issuer, which then must be an https URL, or http on a
	// loopback address. Share the [*jwks.Cache] of a Verifier where there is
	// one. A transmitter of shared signals that is no authorization server has
	// its metadata elsewhere: [jwks.Config].MetadataURL ends in
	// "/.well-known/ssf-configuration" for it.
	Keys claims.KeySource

	// Audiences are the names by which the sender knows this service, of which
	// the "aud" of its news must have one: for a logout the client ID that was
	// registered with it. Required.
	Audiences []string

	// Algorithms are the signature algorithms that are accepted, out of those
	// of [claims.Config].Algorithms. Empty means all of them, never "none" and
	// never a symmetric one.
	Algorithms []string

	// TokenIssuers are the issuers whose tokens the news may end, as in the
	// "iss" of those. Empty means Issuer. News about the users of another is
	// refused: a sender cannot end what it has no say in.
	TokenIssuers []string
}

// sender is a Sender that has been validated.
type sender struct {
	Sender
	keys claims.KeySource
}

// compileSenders validates those of a Config.
func compileSenders(list []Sender, report func(format string, args ...any)) map[string]*sender {
	if len(list) == 0 {
		report("Config.Senders is required: whose news is believed")
	}
	compiled := make(map[string]*sender, len(list))
	for i, s := range list {
		of := func(format string, args ...any) {
			report("Config.Senders[%d]."+format, append([]any{i}, args...)...)
		}
		if s.Issuer == "" {
			of("Issuer is required")
		} else if compiled[s.Issuer] != nil {
			of("Issuer %q is there twice", s.Issuer)
		}
		if len(s.Audiences) == 0 || slices.Contains(s.Audiences, "") {
			of("Audiences of %q is required, without an empty one: "+
				"the sender's name for this service", s.Audiences)
		}
		if slices.Contains(s.TokenIssuers, "") {
			of("TokenIssuers of %q has an empty one", s.TokenIssuers)
		}
		for _, algorithm := range s.Algorithms {
			if !signed.Accepts(algorithm) {
				of("Algorithms of %q: no public key verifies %q", s.Algorithms, algorithm)
			}
		}
		compiled[s.Issuer] = s.compile(of)
	}
	return compiled
}

func (s Sender) compile(report func(format string, args ...any)) *sender {
	s.Audiences, s.Algorithms = slices.Clone(s.Audiences), slices.Clone(s.Algorithms)
	s.TokenIssuers = slices.Clone(s.TokenIssuers)
	if len(s.TokenIssuers) == 0 {
		s.TokenIssuers = []string{s.Issuer}
	}
	compiled := &sender{s, s.Keys}
	switch {
	case s.Keys == nil && s.Issuer != "":
		cache, err := jwks.NewCache(jwks.Config{Issuer: s.Issuer})
		if err != nil {
			report("Issuer or Keys: %w", err)
		}
		compiled.keys = cache
	case s.Keys != nil && isNil(s.Keys):
		report("Keys of %T is nil, as a constructor returns beside an error", s.Keys)
	}
	return compiled
}

func isNil(v any) bool {
	r := reflect.ValueOf(v)
	return r.Kind() == reflect.Pointer && r.IsNil()
}

// Bounds of what a sender says.
const (
	maxToken = 64 << 10         // bytes of one
	maxText  = 1 << 10          // of an identifier
	leeway   = 30 * time.Second // between the sender's clock and ours
)

// open reads a token and checks what all news has in common: type, issuer,
// audience, time and what the caller checks, and the signature, which costs,
// last. The error is a [*refusal].
func open(
	ctx context.Context, senders map[string]*sender, text string, check func(*signed.Token) error,
) (*news, error) {
	t, err := signed.Parse(text)
	if err != nil {
		return nil, refuse(reasonMalformed, err)
	}
	n := &news{token: t}
	if err := n.read(senders); err != nil {
		return nil, err
	}
	if err := check(t); err != nil {
		return nil, err
	}
	err = foreign.Call(foreign.Name("receiver: Config.Senders.Keys"), func() error {
		return t.Verify(ctx, n.from.Issuer, n.from.keys, n.from.Algorithms)
	})
	var panicked *foreign.PanicError
	switch {
	case err == nil:
		return n, nil
	case errors.Is(err, signed.ErrAlgorithm):
		return nil, refuse(reasonAlgorithm, err)
	case errors.As(err, &panicked), errors.Is(err, jwks.ErrUnavailable):
		return nil, refuse(reasonUnavailable, err)
	}
	return nil, refuse(reasonSignature, err)
}

// news is a token of news.
type news struct {
	token  *signed.Token
	from   *sender
	id     string
	issued time.Time
}

// named are the claims that are acted on: one that differs in case alone is
// refused.
var named = signed.Names(
	"iss", "aud", "iat", "exp", "jti", "sub", "sid", "sub_id", "events", "nonce")

func (n *news) read(senders map[string]*sender) error {
	c := n.token.Claims
	if of := c.Resembled(named); of != "" {
		return refuse(reasonMalformed, fmt.Errorf("a claim differs from %q in case alone", of))
	}
	issuer, err := c.String("iss")
	if err != nil {
		return refuse(reasonMalformed, err)
	}
	if n.from = senders[issuer]; n.from == nil || issuer == "" {
		return refuse(reasonIssuer, fmt.Errorf("the issuer %.200q is none of the senders", issuer))
	}
	audience, err := c.Strings("aud")
	if err != nil {
		return refuse(reasonMalformed, err)
	}
	if !slices.ContainsFunc(audience, func(aud string) bool {
		return slices.Contains(n.from.Audiences, aud)
	}) {
		return refuse(reasonAudience, fmt.Errorf("the audience %.100q is another", audience))
	}
	if n.issued, err = c.Time("iat"); err != nil {
		return refuse(reasonMalformed, err)
	}
	if n.id, err = identifier(c, "jti"); err != nil {
		return err
	}
	switch {
	case n.id == "":
		return refuse(reasonClaims, errors.New("there is no jti"))
	case n.issued.IsZero():
		return refuse(reasonClaims, errors.New("there is no iat"))
	case n.issued.After(time.Now().Add(leeway)):
		return refuse(reasonTime, errors.New("it was issued in the future"))
	}
	return nil
}

// until is when the last of the tokens was issued that news of a time ends: a
// sender's clock may be ahead, and does not end what is issued after now.
func until(t time.Time) time.Time {
	if now := time.Now(); t.After(now) {
		return now
	}
	return t
}
