package redisstore_test

import (
	"context"
	"fmt"

	"github.com/sallyport-go/sallyport/claims/redisstore"
	"github.com/sallyport-go/sallyport/claims/revocation"
)

func ExampleNewReplay() {
	client, err := redisstore.NewClient("redis://redis.internal:6379/0")
	if err != nil {
		panic(err)
	}
	replay, err := redisstore.NewReplay(client, redisstore.ReplayConfig{Prefix: "orders:"})
	fmt.Println(replay != nil, err)
	// Output: true <nil>
}

func ExampleNewRevocations() {
	client, err := redisstore.NewClient("redis://redis.internal:6379/0")
	if err != nil {
		panic(err)
	}
	store, err := redisstore.NewRevocations(client, redisstore.RevocationsConfig{Prefix: "orders:"})
	if err != nil {
		panic(err)
	}
	table, err := revocation.NewTable(revocation.Config{Store: store})
	if err != nil {
		panic(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	stop() // a service lets it run until it ends
	store.Run(ctx, table)
	fmt.Println("heard:", table.Stats().FeedAge >= 0)
	// Output: heard: false
}
