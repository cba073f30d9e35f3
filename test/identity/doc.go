// Package identity tests logins with identity providers as they are in the world: Keycloak, panva's
// oidc-provider, Dex and OpenLDAP, with objsrv as a process of its own and the clients that people
// have. run.sh starts or finds what they need; without it the tests say what they lack and are
// skipped. quickstart.sh is docs/quickstart.md as a test. The package holds tests alone, and of ours
// it imports only ldapserver, which starts directories.
package identity
