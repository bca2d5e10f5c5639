package introspection

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
)

// NewTokenReview returns an Introspector that asks a Kubernetes API server
// about the tokens of its service accounts (TokenReview): unlike a check of
// their signature, it knows that a pod or an account has been deleted.
//
// Endpoint is the URL of the API server: https://kubernetes.default.svc. Client
// is usually [BearerTokenFile] of this pod's own token, whose account needs the
// role system:auth-delegator; HTTP has to trust the cluster's certificate
// authority. Audiences are sent, and the API server says which of
// them a token has. Recognizes nil means JWTs, and SignedBy is not allowed.
//
// A caller's subject is the name of the user, such as
// system:serviceaccount:default:nightly. "groups", "uid" and "extra" are
// claims: PermissionClaims may be ["groups"]. The answer has no end of the
// token.
func NewTokenReview(cfg Config) (*Introspector, error) {
	errs := cfg.validate("NewTokenReview")
	if cfg.SignedBy != nil {
		errs = append(errs, errors.New("introspection: NewTokenReview: Config.SignedBy is set"))
	}
	if cfg.Recognizes == nil {
		cfg.Recognizes = isJWT
	}
	return newIntrospector("NewTokenReview", cfg, errs, &tokenReview{
		url:    strings.TrimRight(cfg.Endpoint, "/") + reviewPath,
		client: cfg.Client, issuer: cfg.Accept.Issuer, audiences: cfg.Accept.Audiences,
		http: newHTTP(cfg.HTTP),
	})
}

// tokenReview is a Kubernetes API server.
type tokenReview struct {
	url       string
	client    Client
	issuer    string
	audiences []string
	http      *http.Client
}

// review is an object of authentication.k8s.io/v1, as far as it counts here.
type review struct {
	APIVersion string `json:"apiVersion"`
	Kind       string `json:"kind"`
	Spec       struct {
		Token     string   `json:"token"`
		Audiences []string `json:"audiences,omitempty"`
	} `json:"spec"`
	Status struct {
		Authenticated bool `json:"authenticated"`
		User          struct {
			Username string              `json:"username"`
			UID      string              `json:"uid"`
			Groups   []string            `json:"groups"`
			Extra    map[string][]string `json:"extra"`
		} `json:"user"`
		Audiences []string `json:"audiences"`
		Error     string   `json:"error"`
	} `json:"status,omitzero"`
}

const (
	reviewVersion = "authentication.k8s.io/v1"
	reviewPath    = "/apis/" + reviewVersion + "/tokenreviews"
	reviewKind    = "TokenReview"
)

var errNotAuthenticated = refused("introspection: the API server does not know the token")

func (e *tokenReview) ask(ctx context.Context, token string) ([]byte, error) {
	asked := review{APIVersion: reviewVersion, Kind: reviewKind}
	asked.Spec.Token, asked.Spec.Audiences = token, e.audiences
	text, err := json.Marshal(asked)
	if err != nil {
		return nil, err
	}
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, e.url, nil)
	if err != nil {
		return nil, err
	}
	if err := e.client.apply(ctx, e.issuer, r, url.Values{}); err != nil {
		return nil, fmt.Errorf("introspection: %w", err)
	}
	setBody(r, typeJSON, string(text))
	r.Header.Set("Accept", typeJSON)
	body, err := send(e.http, r, typeJSON, http.StatusCreated, http.StatusOK)
	if err != nil {
		return nil, err
	}
	var answer review
	if err := json.Unmarshal(body, &answer); err != nil || answer.Kind != reviewKind ||
		answer.APIVersion != reviewVersion {
		return nil, errors.New("introspection: the answer is not a " + reviewKind)
	}
	return answer.claims()
}

// claims are what an answer says of who has the token. The error is a refusal
// if they are nobody.
func (r *review) claims() ([]byte, error) {
	status := &r.Status
	if !status.Authenticated || status.User.Username == "" {
		return nil, errNotAuthenticated
	}
	object := map[string]any{"sub": status.User.Username}
	// Without them the server does not know of audiences, and says nothing.
	if len(status.Audiences) > 0 {
		object["aud"] = status.Audiences
	}
	if status.User.UID != "" {
		object["uid"] = status.User.UID
	}
	if len(status.User.Groups) > 0 {
		object["groups"] = status.User.Groups
	}
	if len(status.User.Extra) > 0 {
		object["extra"] = status.User.Extra
	}
	return json.Marshal(object)
}
