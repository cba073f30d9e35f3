package webui

// providers are the identity providers that people may choose from.
func (v *visit) providers() []providerView { return []providerView{} }

// readableName is how a person is called in pages: by what the directory or the provider says.
func (v *visit) readableName(provider string, claims map[string][]string, other string) string {
	for _, key := range []string{"ldap:username", "jwt:preferred_username", "jwt:email", "jwt:name"} {
		if values := claims[key]; len(values) > 0 && values[0] != "" {
			return values[0]
		}
	}
	return other
}
