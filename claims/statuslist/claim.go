package statuslist

import (
	"errors"
	"fmt"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/internal/signed"
	"github.com/sallyport-go/sallyport/claims/internal/strict"
)

// place is where a token has its status.
type place struct {
	uri   string
	index int64
}

// finder finds a member of the claims without reading the others twice.
type finder struct{ status string }

// UnmarshalJSON is given the claims, which are well-formed by now.
func (f *finder) UnmarshalJSON(object []byte) error {
	r := strict.NewChecked(string(object))
	for r.Enter(); r.Next(); {
		name, start := r.ReadName(), r.At()
		r.Skip()
		if name == "status" {
			f.status = r.Since(start)
		}
	}
	return nil
}

const maxURI = 2048

// placeOf returns where a token has its status, nil if it has none (section
// 6.2). Other mechanisms in "status" are none.
func placeOf(caller *claims.Claims) (*place, error) {
	var f finder
	if err := caller.Decode(&f); err != nil {
		return nil, fmt.Errorf("statuslist: %w", err)
	}
	if f.status == "" {
		return nil, nil
	}
	status, err := signed.ParseObject(f.status)
	if err != nil {
		return nil, fmt.Errorf("statuslist: status: %w", err)
	}
	if !status.Has("status_list") {
		return nil, nil
	}
	in, err := status.Object("status_list")
	if err != nil {
		return nil, fmt.Errorf("statuslist: %w", err)
	}
	uri, err := in.String("uri")
	if err != nil {
		return nil, fmt.Errorf("statuslist: %w", err)
	}
	index, err := in.Number("idx")
	if err != nil {
		return nil, fmt.Errorf("statuslist: %w", err)
	}
	if uri == "" || len(uri) > maxURI || index < 0 {
		return nil, errors.New("statuslist: status_list has no uri, a long one, or no idx")
	}
	return &place{uri, index}, nil
}
