package main

import (
	"crypto/tls"
	"errors"
	"flag"
	"fmt"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/dpop"
	"github.com/sallyport-go/sallyport/claims/httpauth"
	"github.com/sallyport-go/sallyport/claims/mtls"
	"github.com/sallyport-go/sallyport/claims/redisstore"
)

// binding is how the service is reached, and how tokens are proven that are
// bound to a key. The zero value is plain HTTP, and refuses them.
type binding struct {
	certFile, keyFile string
	mtls              bool
	dpop, dpopNonce   bool
	baseURL           string

	tls        *tls.Config // nil for none
	confirmers []claims.Confirmer
}

func (b *binding) register(fs *flag.FlagSet) {
	fs.StringVar(&b.certFile, "tls-cert", "", "")
	fs.StringVar(&b.keyFile, "tls-key", "", "")
	fs.BoolVar(&b.mtls, "mtls", false, "")
	fs.BoolVar(&b.dpop, "dpop", false, "")
	fs.BoolVar(&b.dpopNonce, "dpop-nonce", false, "")
	fs.StringVar(&b.baseURL, "base-url", "", "")
}

// open reads the certificate and makes the confirmers. redis is the URL of the
// store that replicas share, if there is one.
func (b *binding) open(redis string) error {
	var errs []error
	if b.baseURL != "" {
		if _, err := httpauth.ResourceMetadataURL(b.baseURL); err != nil {
			errs = append(errs, fmt.Errorf("-base-url %q %w", redacted(b.baseURL), err))
		}
	}
	errs = append(errs, b.openTLS())
	if b.mtls {
		b.confirmers = append(b.confirmers, mtls.New())
	}
	if (b.dpop || b.dpopNonce) && errors.Join(errs...) == nil {
		proofs, err := b.proofs(redis)
		if err != nil {
			errs = append(errs, fmt.Errorf("-dpop: %w", err))
		} else {
			b.confirmers = append(b.confirmers, proofs)
		}
	}
	return errors.Join(errs...)
}

func (b *binding) openTLS() error {
	if b.certFile == "" && b.keyFile == "" {
		if b.mtls {
			return errors.New("-mtls needs -tls-cert and -tls-key")
		}
		return nil
	}
	if b.certFile == "" || b.keyFile == "" {
		return errors.New("-tls-cert and -tls-key need each other")
	}
	certificate, err := tls.LoadX509KeyPair(b.certFile, b.keyFile)
	if err != nil {
		return fmt.Errorf("-tls-cert %q, -tls-key %q: %w", b.certFile, b.keyFile, err)
	}
	b.tls = &tls.Config{Certificates: []tls.Certificate{certificate}}
	if b.mtls {
		// Of any issuer: a token says which certificate goes with it.
		b.tls.ClientAuth = tls.RequestClientCert
	}
	return nil
}

func (b *binding) proofs(redis string) (*dpop.Confirmer, error) {
	cfg := dpop.Config{BaseURL: b.baseURL, RequireNonce: b.dpopNonce}
	if redis != "" {
		client, err := redisstore.NewClient(redis)
		if err != nil {
			return nil, errors.New("-redis is no URL of a server")
		}
		cfg.Replays, err = redisstore.NewReplay(client, redisstore.ReplayConfig{})
		if err != nil {
			return nil, err
		}
	}
	return dpop.New(cfg)
}

// resource is what the HTTP API says that it is to clients.
func (b *binding) resource() string {
	if b.baseURL == "" {
		return "/"
	}
	return b.baseURL
}

// grpcOptions are those of the gRPC server.
func (b *binding) grpcOptions() []grpc.ServerOption {
	if b.tls == nil {
		return nil
	}
	return []grpc.ServerOption{grpc.Creds(credentials.NewTLS(b.tls))}
}
