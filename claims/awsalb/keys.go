package awsalb

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"sync"
	"time"

	"github.com/sallyport-go/sallyport/claims"
)

const (
	fetchTimeout = 5 * time.Second
	maxKeyBody   = 4 << 10
	maxKeys      = 16              // that are kept; a region has a few at a time
	burst        = 5               // fetches at once
	every        = 5 * time.Second // and one more after that
	maxMissing   = 256             // key IDs that are known to be none
	missingFor   = time.Minute
)

var errUnknownKey = claims.NewError(claims.ErrInvalidToken, claims.ReasonUnknownKey, nil)

// keys are the keys of a region. They are safe for concurrent use.
type keys struct {
	url    string
	client *http.Client

	mu       sync.Mutex // guards the fields below
	known    map[string]*ecdsa.PublicKey
	order    []string // of known, the oldest first
	missing  map[string]time.Time
	fetching map[string]*fetch
	spent    time.Time // up to which the fetches made so far are paid for
	outage   error     // of the last fetch, nil if that was answered
}

// fetch is one that is under way.
type fetch struct {
	done chan struct{} // closed when key and err are there
	key  *ecdsa.PublicKey
	err  error
}

func newKeys(url string, client *http.Client) *keys {
	if client == nil {
		client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error {
			return http.ErrUseLastResponse
		}}
	}
	return &keys{
		url: url, client: client, known: map[string]*ecdsa.PublicKey{},
		missing: map[string]time.Time{}, fetching: map[string]*fetch{},
	}
}

// lookup returns the key of an ID, which has the form of one. The error is a
// refusal.
func (k *keys) lookup(ctx context.Context, keyID string) (*ecdsa.PublicKey, error) {
	k.mu.Lock()
	key, f, err := k.find(keyID)
	k.mu.Unlock()
	if f == nil {
		return key, err
	}
	select {
	case <-f.done:
		return f.key, f.err
	case <-ctx.Done():
		return nil, claims.NewError(claims.ErrUnavailable, claims.ReasonCanceled, ctx.Err())
	}
}

// find returns a key, the fetch that brings it, or why there is neither. It is
// called with the lock held.
func (k *keys) find(keyID string) (*ecdsa.PublicKey, *fetch, error) {
	if key := k.known[keyID]; key != nil {
		return key, nil, nil
	}
	if f := k.fetching[keyID]; f != nil {
		return nil, f, nil
	}
	now := time.Now()
	if until, ok := k.missing[keyID]; ok && now.Before(until) {
		return nil, nil, errUnknownKey
	}
	if earliest := now.Add(-burst * every); k.spent.Before(earliest) {
		k.spent = earliest
	}
	if k.spent.Add(every).After(now) { // whoever makes up key IDs does not choose more
		if k.outage != nil {
			return nil, nil, unavailable(k.outage)
		}
		return nil, nil, errUnknownKey
	}
	k.spent = k.spent.Add(every)
	f := &fetch{done: make(chan struct{})}
	k.fetching[keyID] = f
	go k.run(keyID, f)
	return nil, f, nil
}

// run fetches a key for whoever waits for it.
func (k *keys) run(keyID string, f *fetch) {
	key, err := k.get(keyID)
	k.mu.Lock()
	defer k.mu.Unlock()
	defer close(f.done)
	delete(k.fetching, keyID)
	k.outage = nil
	switch {
	case err == nil:
		f.key = key
		k.keep(keyID, key)
	case errors.Is(err, errUnknownKey):
		f.err = errUnknownKey
		if len(k.missing) >= maxMissing {
			clear(k.missing)
		}
		k.missing[keyID] = time.Now().Add(missingFor)
	default:
		f.err, k.outage = unavailable(err), err
	}
}

func (k *keys) keep(keyID string, key *ecdsa.PublicKey) {
	if len(k.order) >= maxKeys {
		delete(k.known, k.order[0])
		k.order = k.order[1:]
	}
	k.known[keyID] = key
	k.order = append(k.order, keyID)
}

func unavailable(cause error) error {
	return claims.NewError(claims.ErrUnavailable, claims.ReasonKeysUnavailable, cause)
}

// get fetches a key. The error matches errUnknownKey if there is none.
func (k *keys) get(keyID string) (key *ecdsa.PublicKey, err error) {
	defer func() { // of the user's HTTPClient
		if p := recover(); p != nil {
			err = fmt.Errorf("awsalb: Config.HTTPClient panicked: %v", p)
		}
	}()
	ctx, cancel := context.WithTimeout(context.Background(), fetchTimeout)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, k.url+"/"+keyID, nil)
	if err != nil {
		return nil, err
	}
	resp, err := k.client.Do(r)
	if err != nil {
		return nil, err
	}
	defer func() { _ = resp.Body.Close() }()
	switch resp.StatusCode {
	case http.StatusOK:
	case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound:
		return nil, errUnknownKey
	default:
		return nil, fmt.Errorf("awsalb: keys: status %d", resp.StatusCode)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxKeyBody))
	if err != nil {
		return nil, err
	}
	return parseKey(body)
}

func parseKey(body []byte) (*ecdsa.PublicKey, error) {
	block, _ := pem.Decode(body)
	if block == nil {
		return nil, errors.New("awsalb: keys: not PEM")
	}
	parsed, err := x509.ParsePKIXPublicKey(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("awsalb: keys: %w", err)
	}
	key, ok := parsed.(*ecdsa.PublicKey)
	if !ok || key.Curve != elliptic.P256() {
		return nil, errors.New("awsalb: keys: not a key of P-256")
	}
	return key, nil
}
