package awsalb

import (
	"context"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/sallyport-go/sallyport/claims"
	"github.com/sallyport-go/sallyport/claims/internal/jws"
	"github.com/sallyport-go/sallyport/claims/internal/signed"
)

// Scheme is the scheme of [claims.Credentials] that hold an assertion: one of
// its own, as an assertion is no Bearer token.
const Scheme = "AWS-ALB"

const maxSize = 16 << 10 // of an assertion, in bytes

// Config says whose assertions count.
type Config struct {
	// LoadBalancers are the ARNs of the load balancers whose assertions count,
	// all of one region. Required.
	LoadBalancers []string

	// Claims says what the claims must be and mean: its fields count as for a
	// [claims.Examiner]. Issuer is the identity provider, as the load balancer
	// knows it, and required, and so are ClientIDs, the clients of the load
	// balancer there. Audiences must be empty, as an assertion has none.
	Claims claims.Config

	// KeysURL is where keys are, each by its ID behind a slash. Empty means the
	// address that AWS has for the region.
	KeysURL string

	// HTTPClient fetches keys. Nil means one that follows no redirect; a fetch
	// has 5 seconds either way.
	HTTPClient *http.Client
}

// Users is an [claims.Authenticator]. It is safe for concurrent use. [New]
// makes one; the zero value cannot decide.
type Users struct {
	signers, clients []string
	issuer           string
	leeway           time.Duration
	rules            *claims.Examiner
	keys             *keys
}

// New returns the users of load balancers. It does no I/O. The error reports
// everything that is wrong with cfg.
func New(cfg Config) (*Users, error) {
	var errs []error
	report := func(format string, args ...any) {
		errs = append(errs, fmt.Errorf("awsalb: New: Config."+format, args...))
	}
	keysURL := cfg.KeysURL
	if len(cfg.LoadBalancers) == 0 {
		report("LoadBalancers is required: AWS signs for every customer's by the same keys")
	}
	for _, arn := range cfg.LoadBalancers {
		at := keysURLOf(arn)
		switch {
		case at == "":
			report("LoadBalancers: %q is not the ARN of an application load balancer", arn)
		case cfg.KeysURL == "" && keysURL != "" && at != keysURL:
			report("LoadBalancers: %q is in another region than the first", arn)
		case keysURL == "":
			keysURL = at
		}
	}
	if u, err := url.Parse(cfg.KeysURL); cfg.KeysURL != "" &&
		(err != nil || u.Scheme != "https" && u.Hostname() != "127.0.0.1" || u.Host == "") {
		report("KeysURL of %q is not an https URL", cfg.KeysURL)
	}
	if len(cfg.Claims.ClientIDs) == 0 || slices.Contains(cfg.Claims.ClientIDs, "") {
		report("Claims.ClientIDs is required: the clients of the load balancer at the issuer")
	}
	if len(cfg.Claims.Audiences) > 0 {
		report("Claims.Audiences of %q: an assertion has no audience", cfg.Claims.Audiences)
	}
	rules := cfg.Claims
	rules.ClientIDs, rules.Audiences, rules.InsecureSkipAudience = nil, nil, true
	rules.RequiredClaims = append(slices.Clone(rules.RequiredClaims), "exp", "sub")
	examiner, err := claims.NewExaminer(rules)
	if err != nil {
		report("Claims: %w", err)
	}
	if len(errs) > 0 {
		return nil, errors.Join(errs...)
	}
	return &Users{
		signers: slices.Clone(cfg.LoadBalancers), clients: slices.Clone(cfg.Claims.ClientIDs),
		issuer: cfg.Claims.Issuer, leeway: cfg.Claims.Leeway, rules: examiner,
		keys: newKeys(strings.TrimSuffix(keysURL, "/"), cfg.HTTPClient),
	}, nil
}

var arns = regexp.MustCompile(
	`^arn:(aws|aws-cn|aws-us-gov):elasticloadbalancing:([a-z]+(?:-[a-z]+)+-[0-9]+):` +
		`[0-9]{12}:loadbalancer/app/[A-Za-z0-9-]+/[0-9a-f]+$`)

// keysURLOf returns where the keys of a load balancer's region are, empty if
// that is none.
func keysURLOf(arn string) string {
	found := arns.FindStringSubmatch(arn)
	if found == nil {
		return ""
	}
	region := found[2]
	switch found[1] {
	case "aws-cn":
		return "https://public-keys.auth.elb." + region + ".amazonaws.com.cn"
	case "aws-us-gov":
		return "https://s3-" + region + ".amazonaws.com/aws-elb-public-keys-prod-" + region
	}
	return "https://public-keys.auth.elb." + region + ".amazonaws.com"
}

var (
	errScheme = claims.NewError(claims.ErrNoToken, claims.ReasonUnsupportedScheme,
		claims.ErrUnrecognized)
	errTooLarge  = claims.NewError(claims.ErrInvalidToken, claims.ReasonTooLarge, nil)
	errAlgorithm = claims.NewError(claims.ErrInvalidToken, claims.ReasonAlgorithm, nil)
	errCritical  = claims.NewError(claims.ErrInvalidToken, claims.ReasonCritical, nil)
	errClient    = claims.NewError(claims.ErrInvalidToken, claims.ReasonClient, nil)
	errIssuer    = claims.NewError(claims.ErrInvalidToken, claims.ReasonIssuer, nil)
	errExpired   = claims.NewError(claims.ErrInvalidToken, claims.ReasonExpired, nil)
	errSignature = claims.NewError(claims.ErrInvalidToken, claims.ReasonSignature, nil)
	errSigner    = claims.NewError(claims.ErrInvalidToken, claims.ReasonIssuer,
		errors.New("awsalb: the assertion is of another load balancer"))
	errNotMade = claims.NewError(claims.ErrUnavailable, claims.ReasonUndecided,
		errors.New("awsalb: the Users were not made by New"))
)

func malformed(format string, args ...any) error {
	return claims.NewError(claims.ErrInvalidToken, claims.ReasonMalformed,
		fmt.Errorf("awsalb: "+format, args...))
}

// Authenticate says who an assertion is of. The error is an [*claims.Error].
func (u *Users) Authenticate(ctx context.Context, c claims.Credentials) (*claims.Claims, error) {
	switch {
	case u == nil || u.rules == nil:
		return nil, errNotMade
	case c.Scheme != Scheme:
		return nil, errScheme
	case len(c.Token) > maxSize:
		return nil, errTooLarge
	}
	segments := strings.Split(c.Token, ".")
	if len(segments) != 3 {
		return nil, malformed("not three segments with dots between them")
	}
	var decoded [3][]byte
	for i, segment := range segments {
		var ok bool
		if decoded[i], ok = decode(segment); !ok {
			return nil, malformed("segment %d is not base64url", i+1)
		}
	}
	kid, err := u.readHeader(string(decoded[0]))
	if err != nil {
		return nil, err
	}
	key, err := u.keys.lookup(ctx, kid)
	if err != nil {
		return nil, err
	}
	input := []byte(segments[0] + "." + segments[1])
	if !jws.Asymmetric.Verify("ES256", key, input, decoded[2]) {
		return nil, errSignature
	}
	caller, err := u.rules.Examine(ctx, decoded[1])
	if err == nil {
		err = u.rules.Admit(ctx, caller, claims.Credentials{Scheme: "Bearer", Proof: c.Proof})
	}
	if err != nil {
		return nil, err
	}
	return caller, nil
}

// decode returns what a segment has, which is padded or not.
func decode(segment string) ([]byte, bool) {
	encoding := base64.RawURLEncoding
	if strings.HasSuffix(segment, "=") {
		encoding = base64.URLEncoding
	}
	if segment == "" || strings.ContainsAny(segment, "\r\n") { // which encoding/base64 skips
		return nil, false
	}
	decoded, err := encoding.Strict().DecodeString(segment)
	return decoded, err == nil
}

var keyIDs = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// readHeader returns the key ID of an assertion whose header says that it is
// one for this service.
func (u *Users) readHeader(text string) (keyID string, err error) {
	header, err := signed.ParseObject(text)
	if err != nil {
		return "", malformed("the header: %w", err)
	}
	member := func(name string) string {
		value, fault := header.String(name)
		if fault != nil && err == nil {
			err = malformed("the header: %w", fault)
		}
		return value
	}
	algorithm, signer, client := member("alg"), member("signer"), member("client")
	issuer, keyID := member("iss"), member("kid")
	expires, fault := header.Time("exp")
	if err == nil && fault != nil {
		err = malformed("the header: %w", fault)
	}
	switch {
	case err != nil:
		return "", err
	case algorithm != "ES256":
		return "", errAlgorithm
	case header.Has("crit"):
		return "", errCritical
	case !slices.Contains(u.signers, signer):
		return "", errSigner
	case !slices.Contains(u.clients, client):
		return "", errClient
	case issuer != u.issuer:
		return "", errIssuer
	case !keyIDs.MatchString(keyID):
		return "", malformed("the key ID is none of AWS")
	case expires.IsZero() || !time.Now().Before(expires.Add(u.leeway)):
		return "", errExpired
	}
	return keyID, nil
}
