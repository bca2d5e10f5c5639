package main

import (
	"context"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"encoding/json"
	"fmt"
	"mime"
	"strconv"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/jwks"
)

// leftOut says why a key is left out, by [jwks.Skipped].Reason.
var leftOut = map[string]string{
	"malformed":             "it is malformed",
	"unsupported_type":      "its type is not one that signs tokens",
	"unsupported_curve":     "its curve is not supported",
	"unsupported_algorithm": "its \"alg\" is not one that signs tokens, or not of its type",
	"use":                   "its \"use\" is not \"sig\": it is for encryption, or blank",
	"key_ops":               "its \"key_ops\" has no \"verify\"",
	"key_size":              "it is too small: RSA keys need 2,048 bits",
	"chain":                 "it is the certificate of an authority",
	"too_many":              "the set has too many keys",
}

// keySet looks at one answer.
func (l *linter) keySet(a answer) {
	set, err := jwks.Parse(a.body)
	if err != nil {
		l.fault("%v", err)
		return
	}
	ids := map[string]int{}
	for _, key := range set.Keys() {
		ids[key.ID()]++
		l.good("%s: %s, for %s",
			quoted(key.ID()), kindOf(key), strings.Join(key.Algorithms(), ", "))
	}
	for _, s := range set.Skipped() {
		key := fmt.Sprintf("key %d, %s,", s.Index, quoted(s.KeyID))
		switch s.Reason {
		case "private":
			l.fault("%s is a PRIVATE key: whoever read it can sign tokens", key)
		case "use", "chain":
			l.note("%s is left out: %s", key, leftOut[s.Reason])
		default:
			l.fault("%s is left out: %s", key, leftOut[s.Reason])
		}
	}
	for id, n := range ids {
		switch {
		case id == "" && len(set.Keys()) > 1:
			l.fault("%d of %d keys have no \"kid\": each token is tried with several",
				n, len(set.Keys()))
		case id != "" && n > 1:
			l.fault("%d keys are called %s: each token is tried with all of them", n, quoted(id))
		}
	}
	if unnamed := withoutAlgorithm(a.body); unnamed > 0 {
		l.note("%d keys have no \"alg\": they are used with each algorithm of their type", unnamed)
	}
}

func quoted(id string) string {
	if id == "" {
		return "a key without \"kid\""
	}
	return strconv.Quote(id)
}

func kindOf(key *jwks.Key) string {
	switch public := key.Public().(type) {
	case *rsa.PublicKey:
		return fmt.Sprintf("RSA of %d bits", public.N.BitLen())
	case *ecdsa.PublicKey:
		return public.Curve.Params().Name
	case ed25519.PublicKey:
		return "Ed25519"
	}
	return "a key"
}

func withoutAlgorithm(body []byte) (n int) {
	var set struct {
		Keys []map[string]any `json:"keys"`
	}
	if json.Unmarshal(body, &set) != nil {
		return 0
	}
	for _, key := range set.Keys {
		if key["alg"] == nil {
			n++
		}
	}
	return n
}

// asService fetches the key set as a service would, and looks at how long it
// holds.
func (l *linter) asService(ctx context.Context, cfg jwks.RemoteConfig, a answer) {
	cfg.Client = l.client
	source, err := jwks.NewRemote(cfg)
	var holds time.Duration
	if err == nil {
		_, holds, err = source.KeySet(ctx, false)
	}
	switch seconds := int(holds.Seconds()); {
	case err != nil:
		l.fault("a service cannot have it: %v", err)
	case holds == 0:
		l.note("it does not say how long it holds: 10 minutes are taken")
	case holds > 24*time.Hour:
		l.note("it holds for %d s: no more than a day is taken", seconds)
	case holds < time.Minute:
		l.note("it holds for %d s: no less than a minute is taken", seconds)
	default:
		l.good("it holds for %d s, and in an outage for an hour more: so long a key that was "+
			"withdrawn is believed", seconds)
	}
	mediaType, _, _ := mime.ParseMediaType(a.header.Get("Content-Type"))
	if mediaType != "application/json" && mediaType != "application/jwk-set+json" {
		l.note("its Content-Type is %q, not application/jwk-set+json", mediaType)
	}
}
