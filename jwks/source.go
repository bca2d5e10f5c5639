package jwks

import (
	"context"
	"errors"
	"time"
)

// Source is where a [Cache] gets a key set from: [NewRemote], [File], a [Set],
// or one's own. A Source serves one Cache.
type Source interface {
	// KeySet returns the key set as it is now, by [Parse] or [NewSet], and for
	// how long it can be taken for current; zero means that the source cannot
	// tell. force means that a key is missing from the last answer: bypass
	// caches on the way.
	//
	// A source that knows that nothing has changed returns the Set that it
	// returned before. The context ends after the time that the cache allows.
	// Calls for one Cache do not overlap, unless one goes on after that. A
	// panic is a failed fetch, with the panic and its stack as the cause.
	KeySet(ctx context.Context, force bool) (set *Set, maxAge time.Duration, err error)
}

// Fault is the kind of an error of a [Source]: a metric label, a log field.
type Fault string

// The faults.
const (
	FaultTimeout   Fault = "timeout"   // no answer in time
	FaultNetwork   Fault = "network"   // no connection, or it broke
	FaultStatus    Fault = "status"    // an HTTP status other than 200
	FaultRedirect  Fault = "redirect"  // to another origin, or too many
	FaultTooLarge  Fault = "too_large" // more bytes than allowed
	FaultMalformed Fault = "malformed" // not a key set, nor a key in another form
	FaultNoKeys    Fault = "no_keys"   // a key set without a usable key
	FaultMetadata  Fault = "metadata"  // issuer metadata that cannot be used
	FaultFile      Fault = "file"      // a file that cannot be read
	FaultSource    Fault = "source"    // whatever else a Source returns
)

// FaultOf returns the kind of an error that [Parse], a [Source] or a [Cache]
// returned, empty for nil.
func FaultOf(err error) Fault {
	var f *fault
	switch {
	case err == nil:
		return ""
	case errors.As(err, &f):
		return f.kind
	case errors.Is(err, context.DeadlineExceeded):
		return FaultTimeout
	}
	return FaultSource
}

// fault is an error that has a kind.
type fault struct {
	kind Fault
	err  error
}

func (f *fault) Error() string { return f.err.Error() }
func (f *fault) Unwrap() error { return f.err }
