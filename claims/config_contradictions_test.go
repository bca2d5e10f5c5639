package claims

import (
	"testing"

	"github.com/stretchr/testify/assert"
)

func TestNewVerifier_contradictions(t *testing.T) {
	t.Parallel()
	for name, cfg := range map[string]Config{
		"the profile forbids it":  {Profile: Auth0, RequiredClaims: []string{"sid"}},
		"it is always forbidden":  {RequiredClaims: []string{"at_hash"}},
		"the profile requires it": {Profile: RFC9068, ForbiddenClaims: []string{"sub"}},
		"all alternatives":        {RequiredClaims: []string{"a|b"}, ForbiddenClaims: []string{"a", "b"}},
		"its value":               {ClaimValues: map[string][]string{"a": {"b"}}, ForbiddenClaims: []string{"a"}},
	} {
		cfg.Issuer, cfg.Audiences = "https://issuer.example", []string{"x"}
		_, err := NewVerifier(cfg)
		assert.ErrorContains(t, err, "Config.ForbiddenClaims", name)
	}
	_, err := NewVerifier(Config{
		Issuer: "https://issuer.example", Audiences: []string{"x"}, RequiredClaims: []string{"a|b"},
		ForbiddenClaims: []string{"a"},
	})
	assert.NoError(t, err, "one alternative is left")
}
