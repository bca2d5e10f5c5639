package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/jwks"
)

const (
	maxDocument = 1 << 20
	wellKnown   = "/.well-known/openid-configuration"
	maxTimes    = 100
)

// linter looks at an issuer and collects what it finds.
type linter struct {
	client         *http.Client
	times          int
	pause          time.Duration
	stdout, stderr io.Writer
	faults         int
}

// lint says what is wrong with what is at a URL or in a file: an issuer, its
// metadata or a key set.
func lint(ctx context.Context, args []string, stdout, stderr io.Writer) int {
	l := &linter{stdout: stdout, stderr: stderr}
	flags := flag.NewFlagSet("sallyport lint", flag.ContinueOnError)
	flags.SetOutput(stderr)
	flags.IntVar(&l.times, "times", 1,
		"how often to ask for the key set, which shows servers that differ")
	flags.DurationVar(&l.pause, "pause", time.Second, "between two of those")
	timeout := flags.Duration("timeout", 10*time.Second, "for one answer")
	flags.Usage = func() {
		fmt.Fprintln(stderr, "usage: sallyport lint [flags] URL|FILE")
		flags.PrintDefaults()
	}
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return exitGood
		}
		return exitUsage
	}
	if flags.NArg() != 1 || l.times < 1 || l.times > maxTimes {
		fmt.Fprintf(stderr,
			"sallyport lint: give one URL or file, and -times from 1 to %d\n", maxTimes)
		return exitUsage
	}
	l.client = &http.Client{Timeout: *timeout}
	if err := l.look(ctx, flags.Arg(0)); err != nil {
		fmt.Fprintln(stderr, "sallyport lint:", err)
		return exitUndecided
	}
	if l.faults > 0 {
		fmt.Fprintf(stdout, "\n%d faults\n", l.faults)
		return exitBad
	}
	fmt.Fprintln(stdout, "\nno faults")
	return exitGood
}

func (l *linter) good(format string, args ...any) { l.say("ok    ", format, args) }
func (l *linter) note(format string, args ...any) { l.say("note  ", format, args) }

func (l *linter) fault(format string, args ...any) {
	l.faults++
	l.say("FAULT ", format, args)
}

func (l *linter) say(rank, format string, args []any) {
	fmt.Fprintf(l.stdout, "  "+rank+format+"\n", args...)
}

// look finds out what is there.
func (l *linter) look(ctx context.Context, where string) error {
	if !strings.HasPrefix(where, "http://") && !strings.HasPrefix(where, "https://") {
		data, err := os.ReadFile(where)
		if err != nil {
			return err
		}
		fmt.Fprintln(l.stdout, "key set", where)
		l.keySet(answer{body: data})
		return nil
	}
	if strings.Contains(where, "/.well-known/") {
		return l.metadata(ctx, where, issuerOf(where))
	}
	first, err := l.get(ctx, where)
	if err == nil && first.has("keys") {
		return l.keySets(ctx, jwks.RemoteConfig{URL: where}, where, first)
	}
	if err == nil && first.has("jwks_uri") {
		return l.metadataOf(ctx, where, "", first)
	}
	return l.metadata(ctx, strings.TrimSuffix(where, "/")+wellKnown, where)
}

// issuerOf returns the issuer whose metadata is at a well-known place.
func issuerOf(metadata string) string {
	before, after, _ := strings.Cut(metadata, "/.well-known/")
	if _, path, inserted := strings.Cut(after, "/"); inserted { // RFC 8414 section 3.1
		return before + "/" + path
	}
	return before
}

// answer is a document and how it came.
type answer struct {
	body   []byte
	header http.Header
}

func (a answer) has(member string) bool {
	var object map[string]json.RawMessage
	return json.Unmarshal(a.body, &object) == nil && object[member] != nil
}

func (l *linter) get(ctx context.Context, url string) (answer, error) {
	defer waiting(l.stderr, patience, "waiting for "+url)()
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return answer{}, err
	}
	response, err := l.client.Do(r)
	if err != nil {
		return answer{}, err
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, maxDocument))
	if err == nil && response.StatusCode != http.StatusOK {
		err = fmt.Errorf("GET %s: %s", url, response.Status)
	}
	return answer{body, response.Header}, err
}

func (l *linter) metadata(ctx context.Context, where, issuer string) error {
	found, err := l.get(ctx, where)
	if err != nil {
		return err
	}
	return l.metadataOf(ctx, where, issuer, found)
}

// metadataOf looks at metadata, and at the key set that it names.
func (l *linter) metadataOf(ctx context.Context, where, issuer string, found answer) error {
	fmt.Fprintln(l.stdout, "metadata", where)
	var members struct {
		Issuer string `json:"issuer"`
		Keys   string `json:"jwks_uri"`
	}
	if err := json.Unmarshal(found.body, &members); err != nil {
		l.fault("it is not a JSON object with \"issuer\" and \"jwks_uri\": %v", err)
		return nil
	}
	switch {
	case members.Issuer == "":
		l.fault("it has no \"issuer\"")
	case issuer == "" || members.Issuer == issuer:
		l.good("the issuer is %q: copy it into Config.Issuer", members.Issuer)
	case strings.TrimSuffix(members.Issuer, "/") == strings.TrimSuffix(issuer, "/"):
		l.note("the issuer is %q, with another final slash than was asked: "+
			"copy it into Config.Issuer as it is", members.Issuer)
	default:
		l.fault("the issuer is %q, and %q was asked: its tokens will be refused, or its metadata",
			members.Issuer, issuer)
	}
	if members.Keys == "" {
		l.fault("it has no \"jwks_uri\"")
		return nil
	}
	if _, err := jwks.NewCache(jwks.Config{URL: members.Keys}); err != nil {
		l.fault("\"jwks_uri\" %q cannot be used: %v", members.Keys, err)
		return nil
	}
	first, err := l.get(ctx, members.Keys)
	if err != nil {
		return err
	}
	cfg := jwks.RemoteConfig{Issuer: members.Issuer, MetadataURL: where}
	return l.keySets(ctx, cfg, members.Keys, first)
}

// keySets looks at a key set as often as was asked.
func (l *linter) keySets(
	ctx context.Context, cfg jwks.RemoteConfig, where string, first answer,
) error {
	fmt.Fprintln(l.stdout, "key set", where)
	l.keySet(first)
	l.asService(ctx, cfg, first)
	seen := map[string]int{thumbprint(first): 1}
	for n := 1; n < l.times; n++ {
		fmt.Fprintf(l.stderr, "… asked %d of %d times\n", n, l.times)
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(l.pause):
		}
		again, err := l.get(ctx, where)
		if err != nil {
			l.fault("answer %d of %d: %v", n+1, l.times, err)
			continue
		}
		seen[thumbprint(again)]++
	}
	if len(seen) > 1 {
		l.fault("%d different key sets in %d answers: tokens will be refused now and then, "+
			"by which server was asked", len(seen), l.times)
	} else if l.times > 1 {
		l.good("the same key set in %d answers", l.times)
	}
	return nil
}

func thumbprint(a answer) string {
	set, err := jwks.Parse(a.body)
	if err != nil {
		return "unusable"
	}
	return set.Thumbprint()
}
