package main

import (
	"context"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/claimstest"
)

// The clients of the development issuer. Their secrets are in the source of a
// public repository and printed at every start. Their tokens have no scope.
var (
	devShop   = claimstest.Client{ID: "berlin-shop", Secret: "shop-secret"}
	devOffice = claimstest.Client{ID: "head-office", Secret: "office-secret"}
)

// seed puts something into the database for the clients of the development
// issuer to see: the shop may read and write in one workspace, the office may
// do everything in all. It leaves alone what is there, as a grant that was
// withdrawn must not come back.
func (s *store) seed(ctx context.Context, issuer string) error {
	for _, id := range []string{devShop.ID, devOffice.ID} {
		found, err := s.Permissions(ctx, claims.Principal{Issuer: issuer, Subject: id})
		if err != nil {
			return err
		}
		if len(found.Permissions)+len(found.Workspaces) > 0 {
			return nil
		}
	}
	for _, permission := range []string{readOrders, writeOrders} {
		err := s.grant(ctx, grant{issuer, devShop.ID, "berlin", permission})
		if err != nil {
			return err
		}
	}
	if err := s.grantAll(ctx, issuer, devOffice.ID); err != nil {
		return err
	}
	workspaces, err := s.workspaces(ctx)
	if err != nil || len(workspaces) > 0 {
		return err
	}
	for _, workspace := range []string{"berlin", "paris"} {
		for _, item := range []string{"tea", "coffee"} {
			o := order{Item: item, Quantity: 1, PriceCents: 500, MarginCents: 120}
			if _, err := s.add(ctx, workspace, o); err != nil {
				return err
			}
		}
	}
	return nil
}

// grantAll grants every permission, everywhere.
func (s *store) grantAll(ctx context.Context, issuer, subject string) error {
	for _, permission := range permissions {
		if err := s.grant(ctx, grant{issuer, subject, "", permission}); err != nil {
			return err
		}
	}
	return nil
}
