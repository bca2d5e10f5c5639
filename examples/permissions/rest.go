package main

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
	"github.com/sallyport-go/sallyport/httpmw"
)

// restAPI is the REST API.
type restAPI struct {
	store *store
	cache *claims.PermissionCache
	log   *slog.Logger
}

func (a *restAPI) register(mux *httpmw.ServeMux) {
	mux.HandleFunc("GET /healthz", claims.Public(), a.health)
	mux.HandleFunc("GET /workspaces/{workspace}/orders", inPath(readOrders), a.list)
	mux.HandleFunc("POST /workspaces/{workspace}/orders", inPath(writeOrders), a.create)
	const grants = "/workspaces/{workspace}/grants/{subject}/{permission}"
	mux.HandleFunc("PUT "+grants, inPath(writeGrants), a.grant)
	mux.HandleFunc("DELETE "+grants, inPath(writeGrants), a.revoke)
}

// orderJSON is an order as REST clients see it.
type orderJSON struct {
	Number      int32  `json:"number"`
	Item        string `json:"item"`
	Quantity    int32  `json:"quantity"`
	PriceCents  int32  `json:"price_cents"`
	MarginCents *int32 `json:"margin_cents,omitempty"` // for those who may see it
}

func newOrderJSON(o order, margin bool) orderJSON {
	out := orderJSON{o.Number, o.Item, o.Quantity, o.PriceCents, nil}
	if margin {
		out.MarginCents = &o.MarginCents
	}
	return out
}

func (a *restAPI) health(w http.ResponseWriter, _ *http.Request) {
	demo.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

func (a *restAPI) list(w http.ResponseWriter, r *http.Request) {
	after := int64(0)
	if text := r.URL.Query().Get("after"); text != "" {
		var err error
		if after, err = strconv.ParseInt(text, 10, 32); err != nil {
			writeProblem(w, r, a.log, errBadAfter)
			return
		}
	}
	workspace := r.PathValue("workspace")
	orders, err := a.store.orders(r.Context(), workspace, int32(after))
	if err != nil {
		writeProblem(w, r, a.log, err)
		return
	}
	margins, err := seesMargins(r.Context(), workspace)
	if err != nil {
		writeProblem(w, r, a.log, err)
		return
	}
	out := make([]orderJSON, len(orders))
	for i, o := range orders {
		out[i] = newOrderJSON(o, margins)
	}
	demo.WriteJSON(w, http.StatusOK, map[string]any{"orders": out})
}

func (a *restAPI) create(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Item        string `json:"item"`
		Quantity    int32  `json:"quantity"`
		PriceCents  int32  `json:"price_cents"`
		MarginCents int32  `json:"margin_cents"`
	}
	if err := demo.ReadJSON(w, r, &in, errBadBody); err != nil {
		writeProblem(w, r, a.log, err)
		return
	}
	o, err := a.store.add(r.Context(), r.PathValue("workspace"), order{
		Item: in.Item, Quantity: in.Quantity,
		PriceCents: in.PriceCents, MarginCents: in.MarginCents,
	})
	if err != nil {
		writeProblem(w, r, a.log, err)
		return
	}
	demo.WriteJSON(w, http.StatusCreated, newOrderJSON(o, true)) // the caller has just said it
}

func (a *restAPI) grant(w http.ResponseWriter, r *http.Request) {
	a.changeGrant(w, r, a.store.grant)
}

func (a *restAPI) revoke(w http.ResponseWriter, r *http.Request) {
	a.changeGrant(w, r, a.store.revoke)
}

// changeGrant grants to, or takes from, a subject of the caller's own issuer.
func (a *restAPI) changeGrant(
	w http.ResponseWriter, r *http.Request, change func(context.Context, grant) error,
) {
	caller, _ := claims.FromContext(r.Context())
	g := grant{
		Issuer:     caller.Issuer(),
		Subject:    r.PathValue("subject"),
		Workspace:  r.PathValue("workspace"),
		Permission: r.PathValue("permission"),
	}
	err := change(r.Context(), g)
	// After an error too: the change may have been made all the same.
	a.cache.Forget(claims.Principal{Issuer: g.Issuer, Subject: g.Subject})
	if err != nil {
		writeProblem(w, r, a.log, err)
		return
	}
	a.log.Info("grant changed", "by", caller.Subject(), "how", r.Method, "subject", g.Subject,
		"workspace", g.Workspace, "permission", g.Permission)
	w.WriteHeader(http.StatusNoContent)
}
