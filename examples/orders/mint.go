package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/netip"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims/statictoken"
)

// minter adds a token to the file of -static-tokens, prints it and is done.
type minter struct {
	file  string
	token statictoken.Token
	out   io.Writer
}

func (*minter) Greeting() string { return "" }

func (m *minter) Serve(context.Context) error {
	token, err := statictoken.AddToFile(m.file, "", m.token)
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(m.out, token)
	return err
}

// parseToken reads the value of -mint-token: pairs with spaces between them.
func parseToken(text string, now time.Time) (t statictoken.Token, err error) {
	var errs []error
	seen := map[string]bool{}
	for _, pair := range strings.Fields(text) {
		name, value, ok := strings.Cut(pair, "=")
		if !ok || value == "" {
			errs = append(errs, fmt.Errorf("%q must be NAME=VALUE", pair))
			continue
		}
		if seen[name] {
			errs = append(errs, fmt.Errorf("%q is there twice", name))
		}
		seen[name] = true
		if err := setToken(&t, name, value, now); err != nil {
			errs = append(errs, err)
		}
	}
	if t.Subject == "" {
		errs = append(errs, errors.New("subject is required"))
	}
	if err := errors.Join(errs...); err != nil {
		return t, fmt.Errorf("-mint-token %q: %w", text, err)
	}
	return t, nil
}

func setToken(t *statictoken.Token, name, value string, now time.Time) error {
	list := strings.Split(value, ",")
	switch name {
	case "subject":
		t.Subject = value
	case "client":
		t.Client = value
	case "scope":
		t.Scopes = list
	case "permission":
		t.Permissions = list
	case "note":
		t.Note = value
	case "expires":
		lifetime, err := time.ParseDuration(value)
		if err != nil || lifetime <= 0 {
			return fmt.Errorf("expires=%s must be a time such as 24h", value)
		}
		t.Expires = now.Add(lifetime)
	case "network":
		for _, text := range list {
			network, err := netip.ParsePrefix(text)
			if err != nil {
				return fmt.Errorf("network=%s must be one such as 10.0.0.0/8", text)
			}
			t.Networks = append(t.Networks, network)
		}
	default:
		return fmt.Errorf(
			"%q is none of subject, client, scope, permission, expires, network and note", name)
	}
	return nil
}
