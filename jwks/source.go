package jwks

import (
	"context"
	"errors"
	"time"
)

// Source is where a [Cache] gets a key set from: [NewRemote], [File], or one's
// own. A Source serves one Cache.
type Source interface {
	// KeySet returns the key set as it is now, by [Parse], and for how long it
	// can be taken for current; zero means that the source can not tell. Where
	// force is set, a key was asked for that the last answer did not have, so
	// no cache on the way should answer.
	//
	// A source that knows that nothing has changed returns the Set that it
	// returned before. The context ends after the time that the cache allows.
	// Calls for one Cache do not overlap, unless one goes on after that.
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
	FaultTooLarge  Fault = "too_large" // more bytes or keys than allowed
	FaultMalformed Fault = "malformed" // not a key set
	FaultNoKeys    Fault = "no_keys"   // a key set without a usable key
	FaultMetadata  Fault = "metadata"  // issuer metadata that can not be used
	FaultFile      Fault = "file"      // a file that can not be read
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
