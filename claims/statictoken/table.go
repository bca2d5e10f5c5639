package statictoken

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"

	"github.com/sallyport-go/sallyport/claims/internal/asked"
	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

const (
	version     = "1"
	maxFileSize = 32 << 20
	maxLine     = 16 << 10
	maxTokens   = 100_000
)

// table is what a file says. It is immutable, but for how long it is relied on.
type table struct {
	key    Key
	tokens map[uint64]*entry // by index of the hash
	stamp  stamp
	sum    [32]byte // of the text
	term   asked.Term
}

// find returns the entry of a hash, nil if there is none. The hash is keyed, so
// that the time it takes says nothing of what whoever asks could choose.
func (t *table) find(h hash) *entry {
	if e := t.tokens[h.index()]; e != nil && e.hash.equal(h) {
		return e
	}
	return nil
}

// parse reads a file. The error names the first line that is wrong.
func parse(text []byte, as *meaning) (*table, error) {
	switch {
	case len(text) > maxFileSize:
		return nil, fmt.Errorf("it is longer than %d bytes", maxFileSize)
	case len(text) == 0:
		return nil, errNoKey
	case text[len(text)-1] != '\n':
		return nil, errors.New("its last line does not end: it is still being written, or cut off")
	}
	t := &table{tokens: map[uint64]*entry{}}
	hasKey := false
	number := 0
	for line := range bytes.Lines(text) {
		number++
		if err := t.add(strings.TrimSpace(string(line)), &hasKey, as); err != nil {
			return nil, fmt.Errorf("line %d: %w", number, err)
		}
	}
	if !hasKey {
		return nil, errNoKey
	}
	return t, nil
}

var errNoKey = errors.New(`the first line must be {"statictoken":1,"key":"…"}`)

// add takes one line.
func (t *table) add(line string, hasKey *bool, as *meaning) (err error) {
	switch {
	case line == "", line[0] == '#':
		return nil
	case len(line) > maxLine:
		return fmt.Errorf("it is longer than %d bytes", maxLine)
	case !*hasKey:
		*hasKey = true
		t.key, err = readKey(line)
		return err
	case len(t.tokens) >= maxTokens:
		return fmt.Errorf("there are more than %d tokens", maxTokens)
	}
	token, err := readToken(line)
	if err != nil {
		return err
	}
	e, err := token.compile(as)
	if err != nil {
		return err
	}
	if t.tokens[e.hash.index()] != nil {
		return errors.New("the hash is there twice")
	}
	t.tokens[e.hash.index()] = e
	return nil
}

// readKey reads the first line.
func readKey(line string) (k Key, err error) {
	var seen strict.Members
	var text, number string
	r := strict.NewReader(line)
	for r.Enter('{'); r.Next('}'); {
		switch name := r.ReadName(&seen); {
		case name == "statictoken":
			number = r.ReadNumber()
		case name == "key":
			text = r.ReadString()
		default:
			r.Fail()
		}
	}
	if !r.End() || number == "" {
		return k, errNoKey
	}
	if number != version {
		return k, fmt.Errorf("the version of the format is %s, not %s", number, version)
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(text)
	if err != nil || len(raw) != len(k) {
		return k, errors.New("the key is not 32 bytes in base64url without padding")
	}
	return Key(raw), nil
}
