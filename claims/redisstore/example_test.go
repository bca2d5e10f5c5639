package redisstore_test

import (
	"fmt"

	"github.com/sallyport-go/sallyport/claims/redisstore"
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
