package claims_test

import (
	"errors"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/sallyport-go/sallyport/claims"
)

// sentinels are the outcomes, with the reason that an error has for which no
// other is known.
var sentinels = []struct {
	class  error
	reason claims.Reason
}{
	{claims.ErrNoToken, claims.ReasonNoToken},
	{claims.ErrInvalidRequest, claims.ReasonMalformedCredentials},
	{claims.ErrInvalidToken, claims.ReasonRejected},
	{claims.ErrInsufficientAuthentication, claims.ReasonAuthentication},
	{claims.ErrInsufficientScope, claims.ReasonScope},
	{claims.ErrForbidden, claims.ReasonPermission},
	{claims.ErrUnavailable, claims.ReasonUndecided},
}

// reasons reads the constants from the source, so that none is forgotten.
func reasons(t testing.TB) map[string]claims.Reason {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "reasons.go", nil, parser.SkipObjectResolution)
	require.NoError(t, err)
	found := map[string]claims.Reason{}
	ast.Inspect(file, func(n ast.Node) bool {
		spec, ok := n.(*ast.ValueSpec)
		if !ok {
			return true
		}
		if kind, ok := spec.Type.(*ast.Ident); !ok || kind.Name != "Reason" {
			return true
		}
		require.Equal(t, len(spec.Names), len(spec.Values))
		for i, name := range spec.Names {
			literal, ok := spec.Values[i].(*ast.BasicLit)
			require.True(t, ok, name.Name)
			value, err := strconv.Unquote(literal.Value)
			require.NoError(t, err)
			found[name.Name] = claims.Reason(value)
		}
		return true
	})
	require.Contains(t, found, "ReasonNoToken")
	require.GreaterOrEqual(t, len(found), 23)
	return found
}

func TestRefusals(t *testing.T) {
	t.Parallel()
	all := map[claims.Reason]bool{}
	for _, reason := range reasons(t) {
		all[reason] = true
	}
	for _, refusal := range claims.Refusals() {
		assert.True(t, all[refusal.Reason()], "%s is there twice, or no reason", refusal.Reason())
		delete(all, refusal.Reason())
		assert.ErrorIs(t, refusal, refusal.Class())
	}
	assert.Empty(t, all)
}

func TestError_Text(t *testing.T) {
	t.Parallel()
	names := map[claims.Reason]string{}
	texts := map[string]string{}
	for name, reason := range reasons(t) {
		assert.Regexp(t, `^[a-z]+(_[a-z]+)*$`, string(reason), name)
		assert.Empty(t, names[reason], "%s has the value of another", name)
		names[reason] = name

		text := claims.NewError(claims.ErrForbidden, reason, nil).Text()
		// The text of a class depends on the class, that of a reason does not.
		assert.Equal(t, text, claims.NewError(claims.ErrUnavailable, reason, nil).Text(),
			"%s has no text of its own", name)
		assert.Empty(t, texts[text], "%s has the text of another", name)
		texts[text] = name
		assertText(t, text)
	}
}

// assertText asserts that text can stand in an error_description as it is (RFC
// 6750 section 3) and reads as a sentence.
func assertText(t testing.TB, text string) {
	t.Helper()
	for _, c := range []byte(text) {
		assert.True(t, 0x20 <= c && c <= 0x7e && c != '"' && c != '\\', "%q in %q", c, text)
	}
	assert.True(t, strings.HasSuffix(text, "."), text)
	assert.NotContains(t, text, "%")
}

// A reason that this package does not know has the text of its class.
func TestError_Text_otherReason(t *testing.T) {
	t.Parallel()
	for _, tt := range sentinels {
		for _, reason := range []claims.Reason{"undone", "", `"\`, "<script>"} {
			refusal := claims.NewError(tt.class, reason, nil)
			assert.Equal(t, claims.NewError(tt.class, tt.reason, nil).Text(), refusal.Text())
			assert.Equal(t, reason, refusal.Reason())
			assertText(t, refusal.Text())
		}
	}
}

func TestNewError(t *testing.T) {
	t.Parallel()
	cause := errors.New("dial https://user:hunter2@db.example: refused")
	for _, tt := range sentinels {
		for _, class := range []error{tt.class, fmt.Errorf("x: %w", tt.class)} {
			refusal := claims.NewError(class, "revoked", cause)
			assert.Equal(t, tt.class, refusal.Class())
			assert.Equal(t, claims.Reason("revoked"), refusal.Reason())
			assert.Equal(t, cause, errors.Unwrap(refusal))
			assert.ErrorIs(t, refusal, cause)
			assert.ErrorIs(t, fmt.Errorf("x: %w", refusal), tt.class)
			for _, other := range sentinels {
				assert.Equal(t, other.class == tt.class, errors.Is(refusal, other.class))
			}
			assert.Equal(t, tt.class.Error()+" (revoked)", refusal.Error())
			assert.Equal(t, refusal.Error(), fmt.Sprintf("%+v", refusal))
			assert.NotContains(t, refusal.Text(), "hunter2")
			assert.Empty(t, refusal.Scope())
			assert.Zero(t, refusal.RetryAfter())
		}
	}
	for _, class := range []error{nil, cause, errors.New("claims: forbidden")} {
		refusal := claims.NewError(class, claims.ReasonRejected, nil)
		assert.Equal(t, claims.ErrInvalidToken, refusal.Class())
		assert.NoError(t, errors.Unwrap(refusal))
	}
}

func TestAsError(t *testing.T) {
	t.Parallel()
	own := claims.NewError(claims.ErrForbidden, claims.ReasonUnlisted, nil)
	for _, err := range []error{own, fmt.Errorf("x: %w", own), errors.Join(errors.New("x"), own)} {
		assert.Same(t, own, claims.AsError(err))
	}
	cause := errors.New("hunter2")
	for _, tt := range sentinels {
		for _, err := range []error{
			tt.class, fmt.Errorf("hunter2: %w", tt.class), errors.Join(cause, tt.class),
		} {
			refusal := claims.AsError(err)
			assert.Equal(t, tt.class, refusal.Class())
			assert.Equal(t, tt.reason, refusal.Reason())
			assert.Equal(t, err, errors.Unwrap(refusal))
			assert.NotContains(t, refusal.Error(), "hunter2")
			assert.NotContains(t, refusal.Text(), "hunter2")
		}
	}
	// Not ErrUnavailable: a caller could choose it.
	refusal := claims.AsError(cause)
	assert.Equal(t, claims.ErrInvalidToken, refusal.Class())
	assert.Equal(t, claims.ReasonRejected, refusal.Reason())
	assert.ErrorIs(t, refusal, cause)
	assert.NotContains(t, refusal.Error(), "hunter2")
}
