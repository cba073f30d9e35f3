// Package identity tests logins with identity providers as they are in the world: Keycloak and panva's
// oidc-provider, started by run.sh, with objsrv as a process of its own and the clients that people
// have. It holds tests alone, and imports nothing of ours. Without run.sh its tests say what they
// lack and are skipped.
package identity
