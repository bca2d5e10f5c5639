package httpmw_test

import (
	"context"
	"encoding/json"
	"log"
	"log/slog"
	"net/http"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/httpmw"
)

type Order struct{ ID, Workspace, Owner string }

type Grants struct{}

// Permissions asks a database, once for all workspaces.
func (g *Grants) Permissions(ctx context.Context, who claims.Principal) (claims.Grants, error) {
	rows, err := g.rows(ctx, who.Issuer, who.ClientID)
	if err != nil {
		return claims.Grants{}, err // cannot decide: 503
	}
	answer := claims.Grants{Workspaces: map[string][]string{}}
	for _, row := range rows {
		answer.Workspaces[row.workspace] = append(answer.Workspaces[row.workspace], row.permission)
	}
	return answer, nil
}

type grant struct{ workspace, permission string }

func (*Grants) rows(context.Context, string, string) ([]grant, error) { return nil, nil }

var (
	database             *Grants
	refundOrder, archive = http.NotFoundHandler(), http.NotFoundHandler()
	find                 func(*http.Request) []Order
	count                = func(labels ...string) {}
)

// Permissions that the server keeps, for each of several workspaces.
func ExampleConfig_permissions() {
	grants, err := claims.NewPermissionCache(database, claims.PermissionCacheConfig{
		TTL: 30 * time.Second, // a change takes effect by then, or at once by grants.Forget
	})
	if err != nil {
		log.Fatal(err)
	}
	auth := httpmw.New(verifier, httpmw.Config{Permissions: grants})
	mux := httpmw.NewServeMux(auth)

	in := func(needs claims.Requirement) claims.Requirement {
		return claims.InWorkspaceOf("path", func(r *http.Request) string {
			return r.PathValue("workspace")
		}, needs)
	}
	mux.Handle("GET /workspaces/{workspace}/orders", in(claims.Permissions("orders:read")), listOrders)
	mux.Handle("POST /workspaces/{workspace}/orders", in(claims.Permissions("orders:write")), createOrder)
}

// What the token must say of the user's authentication, and what it is compared
// with.
func ExampleServeMux_Handle() {
	mux := httpmw.NewServeMux(auth)
	mux.Handle("POST /orders/{id}/refund", claims.All(
		claims.Scopes("orders:write"),
		claims.ACR("urn:example:mfa"),
		claims.MaxAge(5*time.Minute),
	), refundOrder)

	sameTenant := claims.RequestFunc("caller's tenant",
		func(_ context.Context, caller *claims.Claims, r *http.Request) (bool, error) {
			var own struct {
				Tenant string `json:"tenant"`
			}
			if err := caller.Decode(&own); err != nil {
				return false, claims.ErrForbidden
			}
			return own.Tenant != "" && own.Tenant == r.PathValue("tenant"), nil
		})
	mux.Handle("GET /tenants/{tenant}/orders", claims.All(claims.Scopes("orders:read"), sameTenant), listOrders)
}

// A requirement that is tried before it is enforced, and the record of every
// decision.
func ExampleConfig_observer() {
	log := claims.LogDecisions(slog.Default())
	auth := httpmw.New(verifier, httpmw.Config{
		Observer: func(ctx context.Context, d claims.Decision) {
			count(d.Operation, d.Outcome())        // a metric
			if d.Err != nil || d.Reported != nil { // and no record of what was allowed
				log(ctx, d)
			}
		},
	})
	mux := httpmw.NewServeMux(auth)
	mux.Handle("POST /archive", claims.All(
		claims.Scopes("orders:write"),
		claims.ReportOnly(claims.Permissions("orders:archive")),
	), archive)
}

// The items and fields of an answer that the caller may see.
func ExampleMiddleware_Require_part() {
	_ = func(w http.ResponseWriter, r *http.Request) {
		orders, err := claims.Filter(r.Context(), find(r), func(o Order) claims.Requirement {
			return claims.InWorkspace(o.Workspace, claims.Permissions("orders:read"))
		})
		if err != nil { // some cannot be decided
			auth.Refuse(w, r, err)
			return
		}
		if claims.Allowed(r.Context(), claims.Permissions("orders:owner")) != nil {
			for i := range orders {
				orders[i].Owner = ""
			}
		}
		_ = json.NewEncoder(w).Encode(orders)
	}
}
