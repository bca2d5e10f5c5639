package main

import (
	"context"
	"encoding/json"
	"time"

	"go.etcd.io/bbolt"
)

// store keeps tokens in a database, for the next run of the program. Whoever
// reads the file can use them: it is readable by its owner alone.
type store struct{ db *bbolt.DB }

var bucket = []byte("tokens")

func openStore(path string) (*store, error) {
	db, err := bbolt.Open(path, 0o600, &bbolt.Options{Timeout: 5 * time.Second})
	if err != nil {
		return nil, err
	}
	err = db.Update(func(tx *bbolt.Tx) error {
		_, err := tx.CreateBucketIfNotExists(bucket)
		return err
	})
	return &store{db}, err
}

// load returns the token of a client, a zero one if there is none.
func (s *store) load(client string) (token Token, err error) {
	err = s.db.View(func(tx *bbolt.Tx) error {
		stored := tx.Bucket(bucket).Get([]byte(client))
		if stored == nil {
			return nil
		}
		return json.Unmarshal(stored, &token)
	})
	return token, err
}

func (s *store) save(client string, token Token) error {
	encoded, err := json.Marshal(token)
	if err != nil {
		return err
	}
	return s.db.Update(func(tx *bbolt.Tx) error {
		return tx.Bucket(bucket).Put([]byte(client), encoded)
	})
}

// provider is a TokenProvider: the stored token, or a new one.
func (s *store) provider(client string) func(context.Context, Token, *AuthManager) (Token, error) {
	return func(ctx context.Context, last Token, auth *AuthManager) (Token, error) {
		stored, err := s.load(client)
		if err == nil && stored.lasts() && stored.AccessToken != last.AccessToken {
			return stored, nil
		}
		return auth.FetchToken(ctx) // also where the database fails
	}
}

// update is an OnTokenUpdate.
func (s *store) update(client string) func(context.Context, Token) error {
	return func(_ context.Context, token Token) error { return s.save(client, token) }
}
