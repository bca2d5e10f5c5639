package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/examples/internal/demo"
	"github.com/sallyport-go/sallyport/httpmw"
)

// realm names the service in its challenges, on both APIs.
const realm = "orders"

const (
	eventTimeout = 10 * time.Second // for one to be written
	readyTimeout = 2 * time.Second
)

// httpAPI is the HTTP API.
type httpAPI struct {
	auth    *httpmw.Middleware
	issuers trusted
	sandbox *sandbox
	orders  *store
}

func newHTTPMux(
	issuers trusted, box *sandbox, orders *store, told *records, ended *news, bound *binding,
) *httpmw.ServeMux {
	auth := httpmw.New(issuers, httpmw.Config{
		Realm: realm, Resource: bound.resource(), Observer: told.observe, Second: box.http(),
		Revocations: ended.revocations(),
	})
	a := &httpAPI{auth, issuers, box, orders}
	mux := httpmw.NewServeMux(a.auth)
	mux.HandleMetadata(httpmw.MetadataConfig{Members: map[string]any{"resource_name": "Orders"}})
	if told.metrics != nil {
		mux.Handle("GET /metrics", claims.Public(), told.metrics)
	}
	mux.HandleFunc("GET /healthz", claims.Public(), a.health)
	mux.HandleFunc("GET /readyz", claims.Public(), a.ready)
	mux.HandleFunc("GET /me", box.needs(claims.Authenticated()), a.me)
	mux.HandleFunc("GET /orders", box.needs(claims.Scopes("orders:read")), a.list)
	mux.HandleFunc("GET /orders/events",
		claims.EndsWithToken(box.needs(claims.Scopes("orders:read"))), a.events)
	mux.HandleFunc("POST /orders", box.needs(ended.needs(claims.Scopes("orders:write"))), a.create)
	mux.HandleFunc("DELETE /orders/{id}",
		box.needs(ended.needs(claims.Scopes("orders:delete"))), a.delete)
	ended.handle(mux)
	return mux
}

func (a *httpAPI) health(w http.ResponseWriter, _ *http.Request) {
	demo.WriteJSON(w, http.StatusOK, map[string]string{"status": "ok"})
}

// ready tells whether tokens can be verified, and fetches the keys if need be.
func (a *httpAPI) ready(w http.ResponseWriter, r *http.Request) {
	ctx, cancel := context.WithTimeout(r.Context(), readyTimeout)
	defer cancel()
	if err := a.sandbox.ready(ctx, a.issuers); err != nil {
		a.auth.Refuse(w, r, err)
		return
	}
	demo.WriteJSON(w, http.StatusOK, map[string]string{"status": "ready"})
}

func (a *httpAPI) me(w http.ResponseWriter, r *http.Request) {
	caller, _ := claims.FromContext(r.Context())
	said := map[string]any{
		"subject":   caller.Subject(),
		"client_id": caller.ClientID(),
		"issuer":    caller.Issuer(),
		"scopes":    caller.Scopes(),
	}
	if end := caller.ExpiresAt(); !end.IsZero() { // a static token may have none
		said["expires_at"] = end.UTC().Format(time.RFC3339)
	}
	if box, ok := claims.SecondFromContext(r.Context(), sandboxName); ok {
		said["sandbox"] = box.Subject()
	}
	demo.WriteJSON(w, http.StatusOK, said)
}

func (a *httpAPI) list(w http.ResponseWriter, _ *http.Request) {
	demo.WriteJSON(w, http.StatusOK, map[string][]order{"orders": a.orders.all()})
}

func (a *httpAPI) create(w http.ResponseWriter, r *http.Request) {
	var in struct {
		Item     string `json:"item"`
		Quantity int32  `json:"quantity"`
	}
	if err := demo.ReadJSON(w, r, &in, errBadBody); err != nil {
		writeProblem(w, err)
		return
	}
	o, err := a.orders.add(in.Item, in.Quantity)
	if err != nil {
		writeProblem(w, err)
		return
	}
	demo.WriteJSON(w, http.StatusCreated, o)
}

func (a *httpAPI) delete(w http.ResponseWriter, r *http.Request) {
	if err := a.orders.remove(r.PathValue("id")); err != nil {
		writeProblem(w, err)
		return
	}
	w.WriteHeader(http.StatusNoContent)
}

// events sends the orders as server-sent events: those there are, or those
// after Last-Event-ID, then each new one. They end when the caller's token
// does.
func (a *httpAPI) events(w http.ResponseWriter, r *http.Request) {
	rc := http.NewResponseController(w)
	// The server's timeouts are for requests that end: here each write has one.
	extend := func() { _ = rc.SetWriteDeadline(time.Now().Add(eventTimeout)) }
	_ = rc.SetReadDeadline(time.Time{})
	extend()
	defer extend() // the end of the body is written after this handler

	w.Header().Set("Content-Type", "text/event-stream")
	w.Header().Set("Cache-Control", "no-store")
	if rc.Flush() != nil {
		return
	}
	last, _ := strconv.ParseUint(r.Header.Get("Last-Event-ID"), 10, 64)
	// Whatever ends it, the client sees the end and can come back.
	_ = a.orders.follow(r.Context(), last, func(o order) error {
		data, err := json.Marshal(o)
		if err != nil {
			return err
		}
		extend()
		if _, err := fmt.Fprintf(w, "id: %s\nevent: order\ndata: %s\n\n", o.ID, data); err != nil {
			return err
		}
		return rc.Flush()
	})
}

// errBadBody is a request body that is not the JSON it should be.
var errBadBody = errors.New(`the body must be a JSON object such as {"item":"tea","quantity":1}`)

// writeProblem answers with what is wrong with a request.
func writeProblem(w http.ResponseWriter, err error) {
	status := http.StatusBadRequest
	switch tooLarge := (*http.MaxBytesError)(nil); {
	case errors.Is(err, errNotFound):
		status = http.StatusNotFound
	case errors.Is(err, errStoreFull):
		status = http.StatusConflict
	case errors.As(err, &tooLarge):
		status = http.StatusRequestEntityTooLarge
	}
	demo.WriteProblem(w, status, err.Error())
}
