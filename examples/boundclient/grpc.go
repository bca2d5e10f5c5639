package boundclient

import (
	"context"
	"errors"
	"fmt"
	"net/url"

	"golang.org/x/oauth2"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/metadata"
	"google.golang.org/grpc/status"
)

// Calls proves each call of a gRPC connection by DPoP: "htm" is POST and "htu"
// the URL of the method. It is [credentials.PerRPCCredentials], and safe for
// concurrent use once it is set up. [Calls.DialOptions] install it.
type Calls struct {
	// Key is what tokens are bound to. Required.
	Key *Key

	// Source has the tokens, each bound to Key. Required.
	Source oauth2.TokenSource

	// InsecureWithoutTLS sends tokens over connections that anybody can read:
	// for tests on a loopback address.
	InsecureWithoutTLS bool

	nonces nonces
}

// DialOptions install the credentials, and what answers a server that wants a
// nonce.
func (c *Calls) DialOptions() []grpc.DialOption {
	return []grpc.DialOption{
		grpc.WithPerRPCCredentials(c),
		grpc.WithChainUnaryInterceptor(c.unary), grpc.WithChainStreamInterceptor(c.stream),
	}
}

// RequireTransportSecurity reports whether the connection must be over TLS.
func (c *Calls) RequireTransportSecurity() bool { return !c.InsecureWithoutTLS }

// GetRequestMetadata returns the token and the proof of one call.
func (c *Calls) GetRequestMetadata(
	ctx context.Context, service ...string,
) (map[string]string, error) {
	call, ok := credentials.RequestInfoFromContext(ctx)
	if !ok || len(service) == 0 {
		return nil, errors.New("boundclient: no call to prove")
	}
	target, err := url.Parse(service[0]) // scheme://authority/package.Service
	if err != nil {
		return nil, fmt.Errorf("boundclient: %w", err)
	}
	if c.InsecureWithoutTLS && call.AuthInfo != nil && call.AuthInfo.AuthType() == "insecure" {
		target.Scheme = "http"
	}
	target.Path = call.Method
	token, err := c.Source.Token()
	if err != nil {
		return nil, err
	}
	proof, err := c.Key.Prove("POST", target, token.AccessToken, c.nonces.of(""))
	if err != nil {
		return nil, err
	}
	return map[string]string{"authorization": "DPoP " + token.AccessToken, "dpop": proof}, nil
}

// learn takes note of the nonce that came with an answer, and reports whether
// the call is worth a second try.
func (c *Calls) learn(header metadata.MD, err error) (again bool) {
	nonce := ""
	if values := header["dpop-nonce"]; len(values) == 1 {
		nonce = c.nonces.learn("", values[0])
	}
	return status.Code(err) == codes.Unauthenticated && nonce != "" &&
		asksForNonce(header["www-authenticate"])
}

// unary calls a second time if the server wants a nonce, and never a third.
func (c *Calls) unary(
	ctx context.Context, method string, request, reply any, conn *grpc.ClientConn,
	invoke grpc.UnaryInvoker, opts ...grpc.CallOption,
) error {
	var header metadata.MD
	opts = append(opts, grpc.Header(&header))
	err := invoke(ctx, method, request, reply, conn, opts...)
	if c.learn(header, err) {
		header = nil
		err = invoke(ctx, method, request, reply, conn, opts...)
		c.learn(header, err)
	}
	return err
}

// stream learns the nonce of a stream that was refused, so that it passes when
// it is opened again. That is for its caller: what was sent on it is lost.
func (c *Calls) stream(
	ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string,
	open grpc.Streamer, opts ...grpc.CallOption,
) (grpc.ClientStream, error) {
	s, err := open(ctx, desc, conn, method, opts...)
	if err != nil {
		return nil, err
	}
	return &learning{s, c}, nil
}

// learning is a stream from whose answer a nonce is learned.
type learning struct {
	grpc.ClientStream
	by *Calls
}

func (l *learning) RecvMsg(m any) error {
	err := l.ClientStream.RecvMsg(m)
	if err != nil {
		if header, headerErr := l.Header(); headerErr == nil {
			l.by.learn(header, err)
		}
	}
	return err
}
