package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/jwks"
)

// maxInput is more than any token that is accepted, so that an oversize one is
// seen as that.
const maxInput = 1 << 20

// explain says why a token on standard input is accepted or refused. The token
// goes to nobody: only the issuer's metadata and keys are asked for. The output
// shows the claims that are compared, and never the signature.
func explain(ctx context.Context, args []string, stdin io.Reader, stdout, stderr io.Writer) int {
	verifier, timeout, err := parseExplain(args, stderr)
	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitGood
	case err != nil:
		fmt.Fprintln(stderr, "sallyport explain:", err)
		return exitUsage
	}
	input, err := io.ReadAll(io.LimitReader(stdin, maxInput))
	if err != nil {
		fmt.Fprintln(stderr, "sallyport explain: standard input:", err)
		return exitUsage
	}
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	defer waiting(stderr, patience, "waiting for the issuer")()
	explanation := verifier.Explain(ctx, token(string(input)))
	fmt.Fprint(stdout, explanation)
	return report(stdout, stderr, explanation.Err)
}

// token takes what people paste: a token, or the header field that carried it.
func token(input string) string {
	fields := strings.Fields(input)
	if len(fields) > 1 && strings.EqualFold(fields[0], "Authorization:") {
		fields = fields[1:]
	}
	if len(fields) > 1 && strings.EqualFold(fields[0], "Bearer") {
		fields = fields[1:]
	}
	return strings.Join(fields, " ")
}

func report(stdout, stderr io.Writer, err error) int {
	if err == nil {
		fmt.Fprintln(stdout, "\naccepted")
		return exitGood
	}
	refusal := claims.AsError(err)
	fmt.Fprintf(stdout, "\nrefused: %s\n", refusal.Text())
	if refusal.Class() != claims.ErrUnavailable {
		return exitBad
	}
	fmt.Fprintln(stderr, "sallyport explain:", refusal.Unwrap())
	return exitUndecided
}

// list is a flag that may be repeated.
type list []string

func (l *list) String() string     { return strings.Join(*l, ",") }
func (l *list) Set(s string) error { *l = append(*l, s); return nil }

func parseExplain(args []string, stderr io.Writer) (*claims.Verifier, time.Duration, error) {
	var (
		cfg                        claims.Config
		audiences, clients, types  list
		metadata, keySet, keysFile string
	)
	flags := flag.NewFlagSet("sallyport explain", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.StringVar(&cfg.Issuer, "issuer", "", "trusted issuer `URL`")
	flags.Var(&audiences, "audience", "accepted `audience`, repeatable; none accepts any")
	flags.Var(&clients, "client", "accepted `client`, repeatable; none accepts all")
	flags.Var(&types, "typ", "accepted `type` of token, repeatable; none means the usual ones")
	flags.TextVar(&cfg.Profile, "profile", cfg.Profile,
		"kind of issuer, such as Cognito or Keycloak")
	flags.StringVar(&metadata, "metadata", "", "metadata `URL`, where it is not the issuer's own")
	flags.StringVar(&keySet, "jwks-url", "", "key set `URL`, skipping discovery")
	flags.StringVar(&keysFile, "jwks-file", "", "key set `file`, for use without a network")
	timeout := flags.Duration("timeout", 10*time.Second, "for the issuer to answer")
	if err := flags.Parse(args); err != nil {
		return nil, 0, err
	}
	if flags.NArg() > 0 {
		return nil, 0, errors.New(
			"the token is read from standard input, where no other process sees it")
	}
	cfg.Audiences, cfg.ClientIDs, cfg.Types = audiences, clients, types
	cfg.InsecureSkipAudience = len(audiences) == 0
	source := jwks.Config{
		Issuer: cfg.Issuer, MetadataURL: metadata, URL: keySet, Timeout: *timeout,
		Logger: slog.New(slog.DiscardHandler), // a fault shows in the exit and on standard error
	}
	if keysFile != "" {
		source.Issuer, source.Sources = "", []jwks.Source{jwks.File(keysFile)}
	}
	keys, err := jwks.NewCache(source)
	if err != nil {
		return nil, 0, err
	}
	cfg.Keys = keys
	verifier, err := claims.NewVerifier(cfg)
	return verifier, *timeout, err
}
