package statuslist

import (
	"bytes"
	"compress/zlib"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/signed"
	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

// statuses is a status list, or why there is none. It is immutable.
type statuses struct {
	bits    int
	bytes   []byte
	ttl     time.Duration // zero if the list does not say
	expires time.Time     // zero if the list does not say
	err     error
}

var errOutOfRange = errors.New("statuslist: the list has no such index")

// at returns the status of a token (section 4.1).
func (l *statuses) at(index int64) (byte, error) {
	perByte := int64(8 / l.bits)
	if index < 0 || index/perByte >= int64(len(l.bytes)) {
		return 0, errOutOfRange
	}
	shift := index % perByte * int64(l.bits)
	return l.bytes[index/perByte] >> shift & (1<<l.bits - 1), nil
}

// readList reads the claims of a list's token (section 5.1), but for those that
// all tokens have.
func readList(claims signed.Object, most int64) (*statuses, error) {
	status, err := claims.Object("status_list")
	if err != nil {
		return nil, err
	}
	l := new(statuses)
	if l.expires, err = claims.Time("exp"); err != nil {
		return nil, err
	}
	if claims.Has("ttl") {
		seconds, err := claims.Number("ttl")
		const longest = 1 << 32 // of seconds, far below what a Duration has
		if err != nil || seconds <= 0 || seconds > longest {
			return nil, errors.New("its ttl is not a positive number")
		}
		l.ttl = time.Duration(seconds) * time.Second
	}
	bits, err := status.Number("bits")
	if err != nil || bits != 1 && bits != 2 && bits != 4 && bits != 8 {
		return nil, errors.New("its bits are not 1, 2, 4 or 8")
	}
	l.bits = int(bits)
	text, err := status.String("lst")
	if err != nil {
		return nil, err
	}
	compressed, ok := strict.Decode(nil, []byte(text))
	if !ok {
		return nil, errors.New("its lst is not base64url")
	}
	l.bytes, err = inflate(compressed, most)
	return l, err
}

// inflate undoes ZLIB (RFC 1950), to that many bytes at most: a few kilobytes
// can stand for a gigabyte.
func inflate(compressed []byte, most int64) ([]byte, error) {
	from := bytes.NewReader(compressed)
	r, err := zlib.NewReader(from)
	if err != nil {
		return nil, fmt.Errorf("its lst is not compressed by ZLIB: %w", err)
	}
	statuses, err := io.ReadAll(io.LimitReader(r, most+1))
	switch {
	case int64(len(statuses)) > most:
		return nil, fmt.Errorf("its list is longer than %d bytes", most)
	case err != nil:
		return nil, fmt.Errorf("its lst is not compressed by ZLIB: %w", err)
	case from.Len() > 0:
		return nil, errors.New("its lst goes on behind the list")
	case len(statuses) == 0:
		return nil, errors.New("its list is empty")
	}
	return statuses, nil
}
