package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log/slog"
	"time"

	"github.com/redis/go-redis/v9"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/redisstore"
	"github.com/sallyport-go/sallyport/claims/revocation"
	"github.com/sallyport-go/sallyport/claims/revocation/receiver"
	"github.com/sallyport-go/sallyport/httpmw"
)

// newsFlags are the flags that end tokens before they expire.
type newsFlags struct {
	logout       bool
	logoutClient string
	events       string
	adminToken   string
	redis        string
	fresh        time.Duration
}

func (f *newsFlags) register(fs *flag.FlagSet) {
	fs.BoolVar(&f.logout, "logout", false, "")
	fs.StringVar(&f.logoutClient, "logout-client", "orders", "")
	fs.StringVar(&f.events, "events", "", "")
	fs.StringVar(&f.adminToken, "admin-token", "", "")
	fs.StringVar(&f.redis, "redis", "", "")
}

func (f *newsFlags) check() error {
	var errs []error
	if f.logoutClient == "" {
		errs = append(errs, errors.New("-logout-client must not be empty"))
	}
	if f.fresh < 0 {
		errs = append(errs, fmt.Errorf("-fresh %s: must not be negative", f.fresh))
	}
	if f.redis != "" {
		client, err := redisstore.NewClient(f.redis)
		if err != nil { // it may hold a password
			errs = append(errs, errors.New("-redis must be a URL such as redis://127.0.0.1:6379"))
		} else {
			_ = client.Close()
		}
	}
	return errors.Join(errs...)
}

func (f *newsFlags) any() bool {
	return f.logout || f.events != "" || f.adminToken != "" || f.redis != "" || f.fresh > 0
}

// news is what ends tokens before they expire, and what brings it. The zero
// value ends nothing.
type news struct {
	flags  newsFlags
	table  *revocation.Table // nil without any of the flags
	store  *redisstore.Revocations
	client *redis.Client // nil without -redis

	logout *receiver.Logout // nil without -logout
	events *receiver.Events // nil without -events
}

// newNews returns the news by the flags, from these issuers.
func newNews(f newsFlags, issuers []receiver.Sender, log *slog.Logger) (*news, error) {
	n := &news{flags: f}
	if !f.any() {
		return n, nil
	}
	cfg := revocation.Config{Logger: log}
	var err error
	if f.redis != "" {
		if n.client, err = redisstore.NewClient(f.redis); err != nil {
			return nil, err
		}
		n.store, err = redisstore.NewRevocations(n.client, redisstore.RevocationsConfig{
			Prefix: "orders:", Heartbeat: heartbeat(f.fresh), Logger: log,
		})
		if err != nil {
			return nil, err
		}
		cfg.Store = n.store
	}
	if n.table, err = revocation.NewTable(cfg); err != nil {
		return nil, err
	}
	return n, n.receive(issuers, log)
}

// heartbeat is how often the feed is asked about: some times within what is
// fresh.
func heartbeat(fresh time.Duration) time.Duration {
	const usual, shortest = time.Second, 50 * time.Millisecond
	if fresh == 0 {
		return usual
	}
	return max(min(fresh/4, usual), shortest)
}

// receive makes the receivers.
func (n *news) receive(issuers []receiver.Sender, log *slog.Logger) (err error) {
	as := func(audience string) []receiver.Sender {
		var senders []receiver.Sender
		for _, sender := range issuers {
			sender.Audiences = []string{audience}
			senders = append(senders, sender)
		}
		return senders
	}
	if n.flags.logout {
		n.logout, err = receiver.NewLogout(n.table, receiver.LogoutConfig{
			Senders: as(n.flags.logoutClient), Logger: log,
		})
		if err != nil {
			return err
		}
	}
	if n.flags.events != "" {
		n.events, err = receiver.NewEvents(n.table, receiver.EventsConfig{
			Senders: as(n.flags.events), Logger: log,
		})
	}
	return err
}

// revocations are for the guards of both APIs, nil if there are none.
func (n *news) revocations() claims.Revocations {
	if n.table == nil {
		return nil
	}
	return n.table
}

// handle adds the routes of the flags. Whoever sends news proves who they are
// in it, and the administrator by the token.
func (n *news) handle(mux *httpmw.ServeMux) {
	if n.logout != nil {
		mux.Handle("POST /backchannel-logout", claims.Public(), n.logout)
	}
	if n.events != nil {
		mux.Handle("POST /events", claims.Public(), n.events)
	}
	if n.flags.adminToken != "" {
		mux.HandleFunc("POST /revocations", claims.Public(), n.revoke)
	}
}

// follow hears what other replicas revoke until ctx ends, and then returns.
func (n *news) follow(ctx context.Context) {
	if n.store == nil {
		return
	}
	n.store.Run(ctx, n.table)
	_ = n.client.Close()
}

// heardTimeout is how long a service waits to be up to date before it says that
// it is ready, where an operation needs that.
const heardTimeout = 5 * time.Second

// await waits until all news is known, where operations need it, but not for
// ever: without Redis the others are served.
func (n *news) await(ctx context.Context) {
	if n.store == nil || n.flags.fresh == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, heardTimeout)
	defer cancel()
	for n.table.Heard().IsZero() && ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-time.After(10 * time.Millisecond):
		}
	}
}
