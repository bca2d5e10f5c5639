// Command soak drives a guarded HTTP and gRPC service with good and bad tokens
// while its issuer rotates its keys and has outages, checks the outcome of
// every request, and prints what came of it. Then it opens thousands of
// streams, has one piece of news end some and the end of their tokens the rest.
// It exits with 1 if an outcome was wrong, or if memory or goroutines grew.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"
)

func main() {
	length := flag.Duration("for", 2*time.Minute, "how long to run")
	workers := flag.Int("workers", 8, "clients at a time, for each transport")
	streams := flag.Int("streams", 10000, "streams that are open at a time, zero for none")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	err := run(ctx, *length, *workers)
	if err == nil && *streams > 0 {
		err = lasting(ctx, os.Stdout, *streams)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "soak:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, length time.Duration, workers int) error {
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	world, err := newWorld()
	if err != nil {
		return err
	}
	defer world.close()
	result := newTally()
	weather := make(chan struct{})
	go func() {
		defer close(weather)
		world.weather(ctx)
	}()
	memory := measure(ctx, length, func() { drive(ctx, world, workers, result) })
	<-weather
	return result.print(os.Stdout, world, memory)
}
