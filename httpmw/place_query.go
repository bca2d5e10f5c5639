package httpmw

import (
	"fmt"
	"net/http"

	"github.com/sallyport-go/sallyport/claims"
)

const inQuery spotKind = "the query parameter"

// InsecureFromQuery returns the place that is a parameter of the query, such as
// access_token (RFC 6750 section 2.3). Do not use it: URLs are logged by
// servers, proxies and clients, kept in histories, and sent to other sites as
// the Referer, all as if they were public, and OAuth 2.1 and RFC 9700 section
// 4.3.2 forbid it. If links that already exist leave no choice, let their
// tokens live for minutes and allow one thing.
//
// A token in Authorization as well is refused, as [FromCookie] has it.
func InsecureFromQuery(parameter string) Place { return Place{&queryWay{parameter}} }

type queryWay struct{ parameter string }

func (q *queryWay) spots() []spot { return []spot{{inQuery, q.parameter}} }

func (q *queryWay) validate() error {
	if q.parameter == "" {
		return fmt.Errorf("InsecureFromQuery: the parameter has no name")
	}
	return nil
}

func (q *queryWay) take(r *http.Request) (claims.Credentials, error) {
	var only lone
	if err := parameter(r.URL.RawQuery, q.parameter, &only); err != nil {
		return claims.Credentials{}, err
	}
	token, err := only.value()
	if err != nil {
		return claims.Credentials{}, err
	}
	return claims.Credentials{Scheme: "Bearer", Token: token}, nil
}
