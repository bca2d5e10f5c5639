package claims

// Principal is who a [PermissionSource] is asked about: all that its answer may
// depend on. It can be compared with ==.
type Principal struct {
	Issuer   string
	Subject  string // the user, or the client where it acts for itself
	ClientID string
}

func (p Principal) matches(other Principal) bool {
	return (p.Issuer == "" || p.Issuer == other.Issuer) &&
		(p.Subject == "" || p.Subject == other.Subject) &&
		(p.ClientID == "" || p.ClientID == other.ClientID)
}
