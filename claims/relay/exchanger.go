package relay

import (
	"container/list"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/asked"
	"github.com/sallyport-go/sallyport/claims/internal/clock"
)

const (
	defaultMaxTokens = 10_000
	retryExchange    = time.Second // after a refusal or an outage
)

// exchanger exchanges tokens and remembers what for.
type exchanger struct {
	cfg    Exchange
	client *http.Client
	desk   *asked.Desk[string, *answer]
	line   *asked.Line

	// Guarded by the lock of the desk.
	answers map[sum]*answer
	byUse   *list.List // of *answer, the last used first
}

type sum [sha256.Size]byte

// answer is what a token endpoint has said about a token.
type answer struct {
	of    sum
	token string
	err   error // in its place
	term  asked.Term
	place *list.Element
}

func newExchanger(cfg Exchange, insecure []string, wrong func(string, ...any)) *exchanger {
	cfg.validate(insecure, wrong)
	if cfg.MaxTokens == 0 {
		cfg.MaxTokens = defaultMaxTokens
	}
	client := &http.Client{}
	if cfg.Client != nil {
		*client = *cfg.Client
	}
	client.CheckRedirect = func(*http.Request, []*http.Request) error {
		return http.ErrUseLastResponse
	}
	client.Jar = nil
	e := &exchanger{
		cfg: cfg, client: client, answers: map[sum]*answer{}, byUse: list.New(),
		line: asked.NewLine(asked.Limits{
			Calls: 64, Keys: 1024, Requests: 10_000, Patience: exchangeTimeout,
			Timeout: exchangeTimeout, Total: 2 * exchangeTimeout,
		}),
	}
	e.desk = asked.New("relay: the exchange", e.exchange, e.settle)
	return e
}

// token returns what a token that counts until then is exchanged for.
func (e *exchanger) token(ctx context.Context, subject string, until time.Time) (string, error) {
	if !until.IsZero() && !time.Now().Before(until) {
		return "", errors.New("relay: the caller's token has expired")
	}
	of := sum(sha256.Sum256([]byte(subject)))
	own := func(s string) string { return s }
	a, _, err := e.desk.Answer(ctx, func() (*answer, *asked.Question[*answer], error) {
		kept := e.answers[of]
		var term *asked.Term
		if kept != nil {
			e.byUse.MoveToFront(kept.place)
			term = &kept.term
		}
		return e.desk.Find(subject, own, kept, term, e.line)
	})
	switch {
	case err != nil:
		return "", fmt.Errorf("relay: the exchange: %w", err)
	case a.err != nil:
		return "", a.err
	}
	return a.token, nil
}

// exchange asks the token endpoint. What it refuses is an answer, too.
func (e *exchanger) exchange(ctx context.Context, subject string) (*answer, error) {
	a := &answer{of: sha256.Sum256([]byte(subject))}
	now := clock.Now()
	got, err := e.ask(ctx, subject)
	if err != nil {
		a.err = err
		a.term.Begin(now, retryExchange, retryExchange)
		return a, nil
	}
	// A tenth, and ten seconds at most, are for the way to the other service.
	lasts := got.lasts - min(got.lasts/10, 10*time.Second)
	a.token = got.token
	a.term.Begin(now, lasts-lasts/4, lasts)
	return a, nil
}

// settle keeps an answer. A token whose next one cannot be had is used for as
// long as it lasts.
func (e *exchanger) settle(subject string, a *answer, err error) (*answer, error) {
	if err != nil { // it has taken too long, or panicked
		a = &answer{of: sha256.Sum256([]byte(subject))}
		a.err = fmt.Errorf("relay: the exchange: %w", err)
		a.term.Begin(clock.Now(), retryExchange, retryExchange)
	}
	before := e.answers[a.of]
	if before != nil && a.err != nil && before.err == nil &&
		before.term.State(clock.Now()) != asked.Expired {
		before.term.Failed(clock.Now(), retryExchange)
		return before, nil
	}
	if before != nil {
		e.byUse.Remove(before.place)
	}
	a.place = e.byUse.PushFront(a)
	e.answers[a.of] = a
	for e.byUse.Len() > e.cfg.MaxTokens {
		oldest := e.byUse.Remove(e.byUse.Back()).(*answer)
		delete(e.answers, oldest.of)
	}
	return a, nil
}
