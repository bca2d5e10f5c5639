package jwks

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"sync"
	"time"
)

// fileAge is how long what a file said is taken for current: to read it again
// costs next to nothing.
const fileAge = time.Minute

// File returns a [Source] that reads a file in any form that [Parse] knows: a
// key set for machines without a network, a certificate, a key in a mounted
// secret. It is read again within a minute of its use, and at once for a key
// that it did not have. It may be replaced while in use; a file that is half
// written or gone counts as an outage, and the keys read before go on serving.
func File(path string) Source { return &file{path: path} }

type file struct {
	path string

	mu   sync.Mutex // guards what was read last
	data []byte
	set  *Set
}

func (f *file) KeySet(context.Context, bool) (*Set, time.Duration, error) {
	data, err := readBounded(f.path)
	if err != nil {
		return nil, 0, err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.set != nil && bytes.Equal(data, f.data) {
		return f.set, fileAge, nil
	}
	set, err := Parse(data)
	if err != nil {
		return nil, 0, fmt.Errorf("%w (in %s)", err, f.path)
	}
	f.data, f.set = data, set
	return set, fileAge, nil
}

func readBounded(path string) ([]byte, error) {
	info, err := os.Stat(path)
	if err == nil && !info.Mode().IsRegular() { // a pipe could block for ever when opened
		err = &fs.PathError{Op: "read", Path: path, Err: errors.New("not a regular file")}
	}
	if err != nil {
		return nil, &fault{FaultFile, fmt.Errorf("jwks: %w", err)}
	}
	opened, err := os.Open(path)
	if err != nil {
		return nil, &fault{FaultFile, fmt.Errorf("jwks: %w", err)}
	}
	defer opened.Close()
	data, err := io.ReadAll(io.LimitReader(opened, maxBody+1))
	switch {
	case err != nil:
		return nil, &fault{FaultFile, fmt.Errorf("jwks: %w", err)}
	case len(data) > maxBody:
		return nil, &fault{FaultTooLarge, fmt.Errorf(
			"jwks: %s has more than %d bytes", path, maxBody)}
	}
	return data, nil
}
