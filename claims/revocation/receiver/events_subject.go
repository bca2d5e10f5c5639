package receiver

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/sallyport-go/sallyport/claims/internal/signed"
	"github.com/sallyport-go/sallyport/claims/revocation"
)

const (
	maxAliases     = 32
	resolveTimeout = 5 * time.Second
)

// subjects turns the subject of one event into entries.
type subjects struct {
	events *Events
	news   *news
	uri    string
	before time.Time // the last of the tokens that end was issued
}

// entries returns those of a subject identifier (RFC 9493, SSF section 3).
func (s *subjects) entries(
	ctx context.Context, id signed.Object, alias bool,
) ([]revocation.Entry, error) {
	format, err := id.String("format")
	if err != nil {
		return nil, refuse(reasonSubject, err)
	}
	switch format {
	case "":
		return nil, refuse(reasonSubject, errors.New("there is no subject, or it has no format"))
	case "complex":
		if alias {
			return nil, refuse(reasonSubject, errors.New("a complex subject among aliases"))
		}
		return s.complex(ctx, id)
	case "aliases":
		if alias { // RFC 9493 section 3.2.8
			return nil, refuse(reasonSubject, errors.New("aliases among aliases"))
		}
		return s.aliases(ctx, id)
	case "jwt_id":
		issuer, token, err := s.pair(id, "jti")
		if err != nil {
			return nil, err
		}
		return []revocation.Entry{{Issuer: issuer, Token: token}}, nil
	case "opaque":
		return s.opaque(id)
	}
	return s.user(ctx, id, "")
}

// pair returns the issuer that an identifier has, which the sender must speak
// for, and its other member.
func (s *subjects) pair(id signed.Object, name string) (issuer, value string, err error) {
	if issuer, err = required(id, "iss"); err != nil {
		return "", "", err
	}
	if value, err = required(id, name); err != nil {
		return "", "", err
	}
	if !slices.Contains(s.news.from.TokenIssuers, issuer) {
		return "", "", refuse(reasonDenied,
			fmt.Errorf("%.200q has no say in the tokens of %.200q", s.news.from.Issuer, issuer))
	}
	return issuer, value, nil
}

func required(o signed.Object, name string) (string, error) {
	value, err := identifier(o, name)
	if err == nil && value == "" {
		err = fmt.Errorf("the subject has no %q", name)
	}
	if err != nil {
		return "", refuse(reasonSubject, err)
	}
	return value, nil
}

// each returns an entry for each issuer that the sender speaks for.
func (s *subjects) each(entry revocation.Entry) []revocation.Entry {
	var entries []revocation.Entry
	for _, issuer := range s.news.from.TokenIssuers {
		entry.Issuer = issuer
		entries = append(entries, entry)
	}
	return entries
}

// opaque is a user; of a session that was revoked, by the examples of CAEP
// section 3.1, a session. Which of both is not said, so both end.
func (s *subjects) opaque(id signed.Object) ([]revocation.Entry, error) {
	value, err := required(id, "id")
	if err != nil {
		return nil, err
	}
	entries := s.each(revocation.Entry{Subject: value, Before: s.before})
	if s.uri == sessionRevoked {
		entries = append(entries, s.each(revocation.Entry{Session: value})...)
	}
	return entries, nil
}

// aliases are all names of one user, of whom some may not be known here.
func (s *subjects) aliases(ctx context.Context, id signed.Object) ([]revocation.Entry, error) {
	list, err := id.Objects("identifiers", maxAliases)
	if err != nil {
		return nil, refuse(reasonSubject, err)
	}
	var entries []revocation.Entry
	understood := false
	var errs []error
	for _, one := range list {
		own, err := s.entries(ctx, one, true)
		var refused *refusal
		if errors.As(err, &refused) && refused.name != reasonSubject.name {
			return nil, err
		}
		if err != nil {
			errs = append(errs, err)
			continue
		}
		understood = true
		entries = append(entries, own...)
	}
	if !understood {
		return nil, refuse(reasonSubject,
			errors.Join(append(errs, errors.New("no alias is understood"))...))
	}
	return entries, nil
}

// complex is a session, a user, or an application, by what is the narrowest
// that is known here.
func (s *subjects) complex(ctx context.Context, id signed.Object) ([]revocation.Entry, error) {
	session, err := s.value(id, "session")
	if err != nil {
		return nil, err
	}
	client, err := s.value(id, "application")
	if err != nil {
		return nil, err
	}
	var entries []revocation.Entry
	if session != "" {
		entries = s.each(revocation.Entry{Session: session})
	}
	switch {
	case id.Has("user"):
		user, err := id.Object("user")
		if err != nil {
			return nil, refuse(reasonSubject, err)
		}
		own, err := s.user(ctx, user, client)
		for i := range own {
			own[i].Sessionless = session != ""
		}
		return append(entries, own...), err
	case session != "":
		return entries, nil
	case client != "":
		return s.each(revocation.Entry{ClientID: client, Before: s.before}), nil
	}
	return nil, refuse(reasonSubject,
		errors.New("the complex subject has no session, user or application"))
}

// value returns what names a member of a complex subject, empty if there is
// none.
func (s *subjects) value(id signed.Object, name string) (string, error) {
	if !id.Has(name) {
		return "", nil
	}
	inner, err := id.Object(name)
	if err != nil {
		return "", refuse(reasonSubject, err)
	}
	format, _ := inner.String("format")
	switch format {
	case "opaque":
		return required(inner, "id")
	case "iss_sub":
		_, value, err := s.pair(inner, "sub")
		return value, err
	}
	return "", refuse(reasonSubject, fmt.Errorf("%q of the format %.100q", name, format))
}

// members are where the formats of RFC 9493 have their value.
var members = map[string]string{
	"account": "uri", "email": "email", "phone_number": "phone_number", "did": "url", "uri": "uri",
}

// user returns the entries of a user, of one client if that is given.
func (s *subjects) user(
	ctx context.Context, id signed.Object, client string,
) ([]revocation.Entry, error) {
	entry := revocation.Entry{ClientID: client, Before: s.before}
	format, err := id.String("format")
	if err != nil {
		return nil, refuse(reasonSubject, err)
	}
	switch format {
	case "iss_sub":
		if entry.Issuer, entry.Subject, err = s.pair(id, "sub"); err != nil {
			return nil, err
		}
		return []revocation.Entry{entry}, nil
	case "opaque":
		if entry.Subject, err = required(id, "id"); err != nil {
			return nil, err
		}
		return s.each(entry), nil
	}
	value := id.Text()
	if name, ok := members[format]; ok {
		if value, err = required(id, name); err != nil {
			return nil, err
		}
	}
	if entry.Subject, err = resolve(ctx,
		"receiver: EventsConfig.Resolve", s.events.resolve, format, value); err != nil || entry.Subject == "" {
		return nil, err
	}
	return s.each(entry), nil
}
