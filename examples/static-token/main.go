// Static-token is a client that has a token which lasts, in its environment: it
// reads the orders over HTTP and one of them over gRPC. The token may be a
// static one, as `orders -mint-token` makes, or an opaque one of an issuer: a
// client sees no difference.
//
//	ORDERS_TOKEN=sallyport_... static-token -http http://127.0.0.1:8080 -grpc 127.0.0.1:8081
package main

import (
	"context"
	"flag"
	"fmt"
	"io"
	"os"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/sallyport-go/sallyport/examples/orders/orderspb"
)

func main() {
	api := flag.String("http", "http://127.0.0.1:8080", "URL of the HTTP API")
	target := flag.String("grpc", "127.0.0.1:8081", "address of the gRPC API")
	flag.Parse()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := run(ctx, *api, *target, token(os.Getenv("ORDERS_TOKEN")), os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "static-token:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, api, target string, t token, out io.Writer) error {
	if t == "" {
		return errNoToken
	}
	client, err := t.httpClient(api)
	if err != nil {
		return err
	}
	response, err := client.Get(api + "/orders")
	if err != nil {
		return err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, 1<<20))
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "HTTP %d %s\n", response.StatusCode, body)

	// On a loopback address; anywhere else give it TLS.
	conn, err := grpc.NewClient(target, grpc.WithPerRPCCredentials(t),
		grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		return err
	}
	defer conn.Close()
	order, err := orderspb.NewOrdersClient(conn).GetOrder(ctx, &orderspb.GetOrderRequest{Id: "1"})
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "gRPC %s\n", order.GetOrder().GetItem())
	return nil
}
