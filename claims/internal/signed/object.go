package signed

import (
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

// Object is a JSON object that was read by the strict rules of a token's
// payload: each member is there once. A zero Object has none.
type Object struct {
	members *strict.Members
	text    string
}

// Text returns the JSON of the object.
func (o Object) Text() string { return o.text }

// ParseObject reads a text that must be one object and nothing else. The error
// matches [ErrMalformed].
func ParseObject(text string) (Object, error) {
	members := new(strict.Members)
	r := strict.NewReader(text)
	for r.Enter('{'); r.Next('}'); {
		name := r.ReadName(members)
		start := r.At()
		r.Skip()
		value, ok := r.Since(start)
		if !ok {
			break
		}
		members.Set(name, value)
	}
	switch {
	case r.End():
		return Object{members, text}, nil
	case r.Fault() == strict.Twice:
		return Object{}, malformed("the member %.64q is there twice", r.Repeated())
	case r.Fault() == strict.TooDeep, r.Fault() == strict.TooMany, r.Fault() == strict.TooLong:
		return Object{}, malformed("it is nested too deep or has too many members")
	}
	return Object{}, malformed("it is not a JSON object")
}

// Has reports whether there is a member of this name, whatever its value.
func (o Object) Has(name string) bool {
	_, ok := o.find(name)
	return ok
}

func (o Object) find(name string) (string, bool) {
	if o.members == nil {
		return "", false
	}
	return o.members.Find(name)
}

// Resembled returns one of the names which a member equals but for its case,
// empty if none does.
func (o Object) Resembled(names *strict.Names) (of string) {
	if o.members != nil {
		o.members.Some(func(name string) bool {
			of = names.Resembled(name)
			return of != ""
		})
	}
	return of
}

// Names returns the names of the members, in alphabetical order.
func (o Object) Names() []string {
	var names []string
	if o.members != nil {
		for name := range o.members.All() {
			names = append(names, name)
		}
	}
	return names
}

// String returns a member that is a string, empty if there is none. The error
// matches [ErrMalformed].
func (o Object) String(name string) (string, error) {
	value, ok := o.find(name)
	if !ok {
		return "", nil
	}
	if !strings.HasPrefix(value, `"`) {
		return "", malformed("%q is not a string", name)
	}
	return strict.Plain(value), nil
}

// Strings returns a member that is a string or an array of strings, nil if
// there is none.
func (o Object) Strings(name string) ([]string, error) {
	value, ok := o.find(name)
	if !ok {
		return nil, nil
	}
	r := strict.NewReader(value)
	list := r.ReadStrings()
	if !r.End() {
		return nil, malformed("%q is neither a string nor an array of strings", name)
	}
	return list, nil
}

// Time returns a member that is a NumericDate (RFC 7519 section 2), zero if
// there is none.
func (o Object) Time(name string) (time.Time, error) {
	value, ok := o.find(name)
	if !ok {
		return time.Time{}, nil
	}
	r := strict.NewReader(value)
	date := r.ReadDate()
	if !r.End() {
		return time.Time{}, malformed("%q is not a time", name)
	}
	return date, nil
}

// Number returns a member that is an integer of at most 18 digits, -1 if there
// is none.
func (o Object) Number(name string) (int64, error) {
	value, ok := o.find(name)
	if !ok {
		return -1, nil
	}
	const digits = 18 // of an int64, whatever they are
	n := int64(0)
	for _, c := range []byte(value) {
		if c < '0' || c > '9' || len(value) > digits {
			return 0, malformed("%q is not a whole number", name)
		}
		n = 10*n + int64(c-'0')
	}
	return n, nil
}

// Object returns a member that is an object, a zero one if there is none.
func (o Object) Object(name string) (Object, error) {
	value, ok := o.find(name)
	if !ok {
		return Object{}, nil
	}
	inner, err := ParseObject(value)
	if err != nil {
		return Object{}, malformed("%q is not an object", name)
	}
	return inner, nil
}

// Objects returns a member that is an array of objects, nil if there is none,
// and at most so many.
func (o Object) Objects(name string, most int) ([]Object, error) {
	value, ok := o.find(name)
	if !ok {
		return nil, nil
	}
	r := strict.NewReader(value)
	var list []Object
	for r.Enter('['); r.Next(']'); {
		if len(list) == most {
			return nil, malformed("%q has more than %d elements", name, most)
		}
		inner, err := ParseObject(r.ReadRaw())
		if err != nil {
			return nil, malformed("%q is not an array of objects", name)
		}
		list = append(list, inner)
	}
	if !r.End() {
		return nil, malformed("%q is not an array", name)
	}
	return list, nil
}
