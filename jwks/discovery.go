package jwks

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"
)

// metadataURLs returns where the metadata of a valid issuer may be, the best
// place first: OpenID Connect Discovery 1.0 section 4 appends to the issuer's
// path, RFC 8414 section 3.1 inserts before it, and its section 5 knows of
// issuers that insert what OpenID Connect appends.
func metadataURLs(issuer string) []string {
	u, _ := url.Parse(issuer)
	origin := u.Scheme + "://" + u.Host
	path := strings.TrimSuffix(u.EscapedPath(), "/")
	places := []string{
		strings.TrimSuffix(issuer, "/") + "/.well-known/openid-configuration",
		origin + "/.well-known/oauth-authorization-server" + path,
		origin + "/.well-known/openid-configuration" + path,
	}
	if path == "" { // the first and the last are one
		places = places[:2]
	}
	return places
}

func isHTTPS(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Scheme == "https"
}

// found is what a place says of where the keys are.
type found struct {
	place int
	keys  string
	err   error
}

// discover asks the issuer's metadata where its keys are, at all places at
// once. The best place that answers counts: it is waited for for half of the
// time that ctx leaves, so that one that hangs leaves time for the keys. Past
// that any answer counts, or, where there is an alternative, none.
func (r *remote) discover(ctx context.Context, alternative bool) (string, error) {
	answers := make(chan found, len(r.metadata))
	for place := range r.metadata {
		r.askPlace(ctx, place, answers)
	}
	end, _ := ctx.Deadline()
	half := time.NewTimer(time.Until(end) / 2)
	defer half.Stop()
	places := make([]*found, len(r.metadata))
	late := false
	for {
		select {
		case answer := <-answers:
			places[answer.place] = &answer
		case <-half.C:
			late = true
		case <-ctx.Done():
			return "", r.noMetadata(places)
		}
		best := slices.IndexFunc(places, func(f *found) bool {
			return f == nil && !late || f != nil && f.err == nil
		})
		switch {
		case best >= 0 && places[best] != nil:
			return places[best].keys, nil
		case late && alternative, !slices.Contains(places, nil):
			return "", r.noMetadata(places)
		}
	}
}

// askPlace reads the metadata at a place, unless the last request there has not
// returned yet: a transport that does not heed its context is to pile up
// nothing.
func (r *remote) askPlace(ctx context.Context, place int, answers chan<- found) {
	from := r.metadata[place]
	if !r.begin(place) {
		answers <- found{place, "", &fault{FaultTimeout, fmt.Errorf(
			"jwks: the last request to %s has not returned yet", withoutQuery(from))}}
		return
	}
	end, _ := ctx.Deadline()
	go func() {
		// It goes on when another place has answered: a connection that is
		// given up while it is made would idle.
		ctx, cancel := context.WithDeadline(context.WithoutCancel(ctx), end)
		defer cancel()
		answer := found{place, "", &fault{FaultSource, fmt.Errorf(
			"jwks: the request to %s did not return", withoutQuery(from))}}
		defer func() {
			if p := recover(); p != nil {
				answer.err = panicked("the request to "+withoutQuery(from), p)
			}
			r.end(place)
			answers <- answer
		}()
		answer.keys, answer.err = r.readMetadata(ctx, from)
	}()
}

func (r *remote) begin(place int) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.asking[place] {
		return false
	}
	r.asking[place] = true
	return true
}

func (r *remote) end(place int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.asking[place] = false
}

// noMetadata returns why no place has helped: first those that say most.
func (r *remote) noMetadata(places []*found) error {
	var said, rest []error
	for place, f := range places {
		switch {
		case f == nil:
			rest = append(rest, &fault{FaultTimeout, fmt.Errorf(
				"jwks: %s has not answered in time", withoutQuery(r.metadata[place]))})
		case FaultOf(f.err) == FaultMetadata:
			said = append(said, f.err)
		default:
			rest = append(rest, f.err)
		}
	}
	return errors.Join(append(said, rest...)...)
}

func (r *remote) readMetadata(ctx context.Context, from string) (string, error) {
	body, _, err := r.get(ctx, from, http.Header{"Accept": {"application/json"}})
	if err != nil {
		return "", err
	}
	unusable := func(format string, args ...any) error {
		return &fault{FaultMetadata,
			fmt.Errorf("jwks: %s %w", withoutQuery(from), fmt.Errorf(format, args...))}
	}
	var metadata members
	if err := json.Unmarshal(body, &metadata); err != nil {
		return "", unusable("is not issuer metadata")
	}
	issuer, ok1 := metadata.text("issuer")
	keys, ok2 := metadata.text("jwks_uri")
	if !ok1 || !ok2 {
		return "", unusable("is not issuer metadata")
	}
	// RFC 8414 section 3.3: else one issuer could speak for another.
	if issuer != r.cfg.Issuer {
		return "", unusable("speaks for issuer %.200q, not %q", issuer, r.cfg.Issuer)
	}
	u, err := checkURL(keys, r.insecure, false)
	switch {
	case keys == "":
		return "", unusable("has no jwks_uri")
	case err != nil:
		return "", unusable("has a jwks_uri of %.100q that %w", shown(keys), err)
	case r.secure && u.Scheme != "https" && !r.insecure.allow(u):
		return "", unusable("has a jwks_uri of %.100q that must be https", shown(keys))
	}
	return keys, nil
}
