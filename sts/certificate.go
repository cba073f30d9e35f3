package sts

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/rsa"
	"crypto/x509"
	"encoding/asn1"
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"time"

	"github.com/objsrv/objsrv/iam"
)

// ClientCertificates says whose certificates are taken.
type ClientCertificates struct {
	// Authorities returns where chains must end, never nil, and the lists of what these and the
	// authorities below them have revoked, as they are now.
	Authorities func() (*x509.CertPool, []*x509.RevocationList)
	// SkipVerify takes certificates of any issuer, themselves included. All else is judged still.
	SkipVerify bool
}

// maxIntermediates is how many certificates of authorities a client may send, as in MinIO.
const maxIntermediates = 10

// minRSA is the length of keys that are taken, in bits (NIST SP 800-131A).
const minRSA = 2048

// minCurve likewise, of elliptic curves.
const minCurve = 256

// actionCertificate is how MinIO calls the action in policies.
const actionCertificate = "sts:AssumeRoleWithClientCertificate"

type certificateResponse struct {
	XMLName  xml.Name       `xml:"https://sts.amazonaws.com/doc/2011-06-15/ AssumeRoleWithCertificateResponse"`
	Result   externalResult `xml:"AssumeRoleWithCertificateResult"`
	Metadata metadata       `xml:"ResponseMetadata"`
}

// assumeRoleWithCertificate issues a session to the holder of a client certificate. Its common name
// names the policy that the session has, as in MinIO.
func (c *call) assumeRoleWithCertificate() error {
	if c.ClientCertificates == nil {
		return errDenied("This server does not take client certificates: an administrator switches it on with OBJSRV_IDENTITY_TLS_ENABLE.")
	}
	if err := c.check(); err != nil {
		return err
	}
	n, err := c.externalSession()
	if err != nil {
		return err
	}
	cert, err := c.clientCertificate()
	if err != nil {
		return c.rejected(actionCertificate, err)
	}
	name := cert.Subject.CommonName
	n.External = iam.QualifiedName(iam.SourceTLS, name)
	c.ev.Principal = n.External
	n.NotAfter = cert.NotAfter
	c.lasts = min(n.Duration, n.NotAfter.Sub(c.now()))
	n.Grants = &iam.Grants{Claims: certificateClaims(cert)}
	if n.Grants.Policies, err = c.existing([]string{name}); err != nil {
		return err
	}
	if len(n.Grants.Policies) == 0 {
		return c.rejected(actionCertificate, &Rejection{AccessDenied,
			fmt.Sprintf("The common name of a certificate is the name of a policy, and this server has no policy %s.", printable(name)), ""})
	}
	if err := c.admit(actionCertificate, n.External, n.Grants); err != nil {
		return err
	}
	var out certificateResponse
	if out.Result, err = c.issueExternal(&n, name); err != nil {
		return err
	}
	out.Metadata.RequestID = c.ev.ID
	c.write(http.StatusOK, out)
	return nil
}

// certificateClaims are the claims that MinIO makes of a certificate.
func certificateClaims(cert *x509.Certificate) map[string][]string {
	claims := map[string][]string{"jwt:sub": {cert.Subject.CommonName}}
	if cert.Issuer.CommonName != "" {
		claims["jwt:iss"] = []string{cert.Issuer.CommonName}
	}
	if len(cert.Subject.Organization) > 0 {
		claims["jwt:aud"] = cert.Subject.Organization
	}
	return claims
}

// Codes for certificates, MinIO's.
const (
	insecureConnection = "InsecureConnection"
	missingParameter   = "MissingParameter"
	invalidCertificate = "InvalidClientCertificate"
	tooManyCAs         = "TooManyIntermediateCAs"
)

// clientCertificate returns the certificate that the client has proven to hold, once it is found
// good. The handshake has proven it for the first one alone: which of the others is no authority's
// does not matter, and MinIO, which takes that one, takes what everybody may know for a proof.
func (c *call) clientCertificate() (*x509.Certificate, error) {
	if c.r.TLS == nil {
		return nil, &Rejection{insecureConnection, "A client certificate needs a connection with TLS that ends at this server, and no proxy between.", ""}
	}
	sent := c.r.TLS.PeerCertificates
	if len(sent) == 0 {
		return nil, &Rejection{missingParameter, "The client has shown no certificate of an authority that this server knows.", ""}
	}
	leaf, intermediates, err := splitChain(sent)
	if err != nil {
		return nil, err
	}
	if err := judgeLeaf(leaf, c.now()); err != nil {
		return nil, err
	}
	if c.ClientCertificates.SkipVerify {
		return leaf, nil
	}
	return leaf, c.ClientCertificates.verify(leaf, intermediates, c.now())
}

func badCertificate(format string, a ...any) error {
	return &Rejection{invalidCertificate, fmt.Sprintf("The client certificate is not taken: "+format+".", a...), ""}
}

// splitChain tells the client's own certificate from those of authorities.
func splitChain(sent []*x509.Certificate) (*x509.Certificate, *x509.CertPool, error) {
	leaf, pool := sent[0], x509.NewCertPool()
	if isAuthority(leaf) {
		return nil, nil, badCertificate("it is one of an authority")
	}
	if len(sent)-1 > maxIntermediates {
		return nil, nil, &Rejection{tooManyCAs, fmt.Sprintf("The client has sent more than %d certificates of authorities.", maxIntermediates), ""}
	}
	for _, cert := range sent[1:] {
		if !isAuthority(cert) {
			return nil, nil, badCertificate("the client has sent several that are no authority's")
		}
		pool.AddCert(cert)
	}
	return leaf, pool, nil
}

func isAuthority(cert *x509.Certificate) bool { return cert.BasicConstraintsValid && cert.IsCA }

// judgeLeaf is about what the certificate says of itself.
func judgeLeaf(cert *x509.Certificate, now time.Time) error {
	switch {
	case now.Before(cert.NotBefore):
		return badCertificate("it is valid from %s on", cert.NotBefore.UTC().Format(time.RFC3339))
	case !now.Before(cert.NotAfter):
		return badCertificate("it has expired at %s", cert.NotAfter.UTC().Format(time.RFC3339))
	case !slices.ContainsFunc(cert.ExtKeyUsage, func(u x509.ExtKeyUsage) bool {
		return u == x509.ExtKeyUsageClientAuth || u == x509.ExtKeyUsageAny
	}):
		return badCertificate("its extended key usage is not client authentication")
	case commonNames(cert) != 1:
		return badCertificate("its subject has %d common names, and one of them must name a policy", commonNames(cert))
	}
	if err := iam.CheckPolicyName(cert.Subject.CommonName); err != nil {
		return badCertificate("its common name %s can't name a policy, which has 1 to 128 letters, digits and _ . @ + = -", printable(cert.Subject.CommonName))
	}
	return checkKey(cert)
}

// commonNames counts those that are not empty: of several ones, programs differ in which is meant.
func commonNames(cert *x509.Certificate) (n int) {
	oid := asn1.ObjectIdentifier{2, 5, 4, 3}
	for _, a := range cert.Subject.Names {
		if a.Type.Equal(oid) && a.Value != "" {
			n++
		}
	}
	return n
}

// checkKey refuses keys that others may have found.
func checkKey(cert *x509.Certificate) error {
	switch key := cert.PublicKey.(type) {
	case *rsa.PublicKey:
		if bits := key.N.BitLen(); bits < minRSA {
			return badCertificate("the RSA key of %s has %d bits, and %d are needed", printable(cert.Subject.String()), bits, minRSA)
		}
		return nil
	case *ecdsa.PublicKey:
		if bits := key.Curve.Params().BitSize; bits < minCurve {
			return badCertificate("the curve of the key of %s has %d bits, and %d are needed", printable(cert.Subject.String()), bits, minCurve)
		}
		return nil
	case ed25519.PublicKey:
		return nil
	}
	return badCertificate("the key of %s is of no kind that is known here", printable(cert.Subject.String()))
}

// verify finds a chain to an authority in which nothing is weak or revoked.
func (cc *ClientCertificates) verify(leaf *x509.Certificate, intermediates *x509.CertPool, now time.Time) error {
	roots, lists := cc.Authorities()
	chains, err := leaf.Verify(x509.VerifyOptions{
		Roots: roots, Intermediates: intermediates, CurrentTime: now, KeyUsages: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth},
	})
	if err != nil {
		return &Rejection{invalidCertificate, "The client certificate is not taken: no authority that this server knows vouches for it.", err.Error()}
	}
	for _, chain := range chains {
		if err = checkChain(chain, lists, now); err == nil {
			return nil
		}
	}
	return err
}

// checkChain judges all but the authority at the end of a chain, which an administrator has chosen.
func checkChain(chain []*x509.Certificate, lists []*x509.RevocationList, now time.Time) error {
	for i := range len(chain) - 1 {
		if err := checkKey(chain[i]); err != nil {
			return err
		}
		if err := checkRevoked(chain[i], chain[i+1], lists, now); err != nil {
			return err
		}
	}
	return nil
}

// checkRevoked looks a certificate up in the lists of its issuer. An issuer with a list that is out
// of date can't vouch for anybody (RFC 5280, section 6.3.3); one without a list revokes nothing.
func checkRevoked(cert, issuer *x509.Certificate, lists []*x509.RevocationList, now time.Time) error {
	for _, list := range lists {
		if !isListOf(list, issuer) {
			continue
		}
		if err := list.CheckSignatureFrom(issuer); err != nil {
			return badCertificate("the revocation list of its issuer is not signed by it")
		}
		if !list.NextUpdate.IsZero() && now.After(list.NextUpdate) {
			return badCertificate("the revocation list of its issuer is out of date since %s", list.NextUpdate.UTC().Format(time.RFC3339))
		}
		for _, entry := range list.RevokedCertificateEntries {
			if entry.SerialNumber.Cmp(cert.SerialNumber) == 0 {
				return badCertificate("it is revoked, or an authority above it is")
			}
		}
	}
	return nil
}

// isListOf goes by names and, where both have one, by the identifier of the key: an authority that
// has a new key may keep its name.
func isListOf(list *x509.RevocationList, issuer *x509.Certificate) bool {
	return bytes.Equal(list.RawIssuer, issuer.RawSubject) &&
		(len(list.AuthorityKeyId) == 0 || len(issuer.SubjectKeyId) == 0 || bytes.Equal(list.AuthorityKeyId, issuer.SubjectKeyId))
}
