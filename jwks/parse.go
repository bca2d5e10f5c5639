package jwks

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
)

const (
	maxKeys    = 1000 // that are taken; the sizes of documents bound the others
	maxSkipped = 1000 // that are listed
	maxReasons = 10   // that an error lists
)

// Parse reads public keys from a document, in whatever of these forms it is:
//
//   - a JSON Web Key Set (RFC 7517 section 5), or one JWK; a key without
//     members of its own is read from the first certificate of its "x5c";
//   - a JSON object of certificates or public keys in PEM by their key IDs, as
//     Google and Firebase publish;
//   - PEM (RFC 7468), one or several of PUBLIC KEY, RSA PUBLIC KEY and
//     CERTIFICATE;
//   - DER, one of the same.
//
// Keys of the last two have no IDs. Of a certificate the key alone counts:
// whether it has expired, and who signed it, is not looked at.
//
// Keys that cannot check the signature of a token are left out and listed by
// [Set.Skipped]: other types and curves, RSA below 2048 or above 8192 bits, a
// "use" other than "sig", an empty one included, "key_ops" without "verify", an
// "alg" that is not a signature algorithm of the key's type, private and
// malformed keys. At most 1,000 keys are taken.
//
// It is an error if data is in no such form, which a byte order mark suffices
// for, if it has no key that can be used, or has a private key in PEM or DER.
// The error does not quote the document, but for key IDs.
func Parse(data []byte) (*Set, error) {
	text := bytes.TrimLeft(data, " \t\r\n")
	switch {
	case hasByteOrderMark(data) || hasByteOrderMark(text):
		return nil, malformed("the document begins with a byte order mark: save it without one")
	case bytes.HasPrefix(text, []byte("{")):
		return parseJSON(text)
	case isPEM(text):
		keys, err := parsePEM(text)
		if err != nil {
			return nil, err
		}
		return collect(len(keys), func(i int) (*Key, string) { return keys[i].key("") })
	case bytes.HasPrefix(data, []byte{0x30}): // a SEQUENCE
		key, err := parseDER(data)
		if err != nil {
			return nil, err
		}
		return collect(1, func(int) (*Key, string) { return key.key("") })
	}
	return nil, errNoForm
}

var errNoForm = malformed("neither a JSON Web Key Set nor a key in another form")

func malformed(text string) error { return &fault{FaultMalformed, errors.New("jwks: " + text)} }

func hasByteOrderMark(data []byte) bool {
	return bytes.HasPrefix(data, []byte("\xef\xbb\xbf")) ||
		bytes.HasPrefix(data, []byte("\xfe\xff")) || bytes.HasPrefix(data, []byte("\xff\xfe"))
}

// parseJSON reads a JSON object. The decoder's own errors would quote it.
func parseJSON(data []byte) (*Set, error) {
	var document members
	if json.Unmarshal(data, &document) != nil {
		return nil, errNoForm
	}
	if raw, there := document["keys"]; there {
		var raws []json.RawMessage
		if json.Unmarshal(raw, &raws) != nil || raws == nil {
			return nil, malformed(`not a JSON Web Key Set: "keys" is no array`)
		}
		return collect(len(raws), func(i int) (*Key, string) { return parseJWK(raws[i]) })
	}
	if document.has("kty") || document.has("x5c") {
		return collect(1, func(int) (*Key, string) { return parseJWK(data) })
	}
	return parseByID(document)
}

// parseByID reads an object of keys in PEM by their IDs. Of a chain, the first
// certificate has the key.
func parseByID(document members) (*Set, error) {
	ids := slices.Sorted(maps.Keys(document))
	texts := make([]string, len(ids))
	for i, id := range ids {
		if json.Unmarshal(document[id], &texts[i]) != nil || !isPEM([]byte(texts[i])) {
			return nil, errNoForm
		}
	}
	if len(ids) == 0 {
		return nil, errNoForm
	}
	keys := make([]publicKey, len(ids))
	for i, text := range texts {
		found, err := parsePEM([]byte(text))
		switch {
		case errors.Is(err, errPrivate):
			return nil, err
		case err != nil:
			keys[i].reason = "malformed"
		default:
			keys[i] = found[0]
		}
	}
	return collect(len(ids), func(i int) (*Key, string) { return keys[i].key(ids[i]) })
}

// key makes a key with an ID of it, as parseJWK does.
func (p publicKey) key(id string) (*Key, string) {
	if p.reason != "" {
		return &Key{id: id}, p.reason
	}
	key, reason := newKey(p.public)
	if reason != "" {
		return &Key{id: id}, reason
	}
	key.id = id
	return key, ""
}

// collect makes a set of a document's n keys, as far as they can be used.
func collect(n int, at func(i int) (*Key, string)) (*Set, error) {
	var keys []*Key
	var skipped []Skipped
	for i := range n {
		key, reason := at(i)
		switch {
		case reason == "" && len(keys) == maxKeys:
			return newSet(keys, append(skipped, Skipped{i, shortID(key.id), reasonTooMany})), nil
		case reason == "":
			keys = append(keys, key)
		case len(skipped) < maxSkipped:
			skipped = append(skipped, Skipped{i, shortID(key.id), reason})
		}
	}
	if len(keys) == 0 {
		return nil, &fault{FaultNoKeys, fmt.Errorf(
			"jwks: no usable key among %d%s", n, reasons(skipped))}
	}
	return newSet(keys, skipped), nil
}

const reasonTooMany = "too_many"

// reasons lists why keys were left out, the first of them.
func reasons(skipped []Skipped) string {
	var b strings.Builder
	for i, s := range skipped[:min(len(skipped), maxReasons)] {
		b.WriteString([]string{": ", "; "}[min(i, 1)])
		fmt.Fprintf(&b, "key %d", s.Index)
		if s.KeyID != "" {
			fmt.Fprintf(&b, " (%q)", s.KeyID)
		}
		b.WriteString(" " + s.Reason)
	}
	if len(skipped) > maxReasons {
		b.WriteString("; …")
	}
	return b.String()
}
