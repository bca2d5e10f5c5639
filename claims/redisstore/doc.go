// Package redisstore keeps in Redis or Valkey what the replicas of a service
// must know together: which DPoP proofs were used, and whose access has ended.
// It is a module of its own, so that nobody else has the client among their
// dependencies. One process alone needs none of it: dpop.NewMemory and
// revocation.NewTable are enough.
//
//	client, err := redisstore.NewClient("redis://redis.internal:6379/0")
//	replay, err := redisstore.NewReplay(client, redisstore.ReplayConfig{})
//	confirmer, err := dpop.New(dpop.Config{Replay: replay})
//
//	store, err := redisstore.NewRevocations(client, redisstore.RevocationsConfig{})
//	table, err := revocation.NewTable(revocation.Config{Store: store})
//	go store.Run(ctx, table)
//
// The server is Redis 7 or later, or any Valkey. It must not evict keys to make
// room: what it evicts could be used again. [CheckServer] says whether it does.
// It holds no token and no claim but identifiers: whoever can write to it can
// have anybody refused, and whoever can delete from it can have a proof
// accepted twice, so it is for the service alone.
package redisstore
