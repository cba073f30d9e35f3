package sts

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"encoding/xml"
	"io"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"testing"
	"time"

	provider "github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/objsrv/objsrv/iam"
)

// trust are the authorities of a test's server.
type trust struct {
	certs []*x509.Certificate
	lists []*x509.RevocationList
}

func (tr *trust) authorities() (*x509.CertPool, []*x509.RevocationList) {
	pool := x509.NewCertPool()
	for _, c := range tr.certs {
		pool.AddCert(c)
	}
	return pool, tr.lists
}

// startTLS starts a server that asks clients for certificates.
func startTLS(t *testing.T, c Config) (*server, *httptest.Server) {
	t.Helper()
	s := start(t, c)
	c.IAM, c.Region = s.Service, "us-east-1"
	h := httptest.NewUnstartedServer(New(c))
	h.TLS = &tls.Config{ClientAuth: tls.RequestClientCert}
	h.StartTLS()
	t.Cleanup(h.Close)
	s.url = h.URL
	return s, h
}

// present sends a call with a certificate, also one that the server has not asked for.
func (s *server) present(h *httptest.Server, cert *tls.Certificate, query, body string) answer {
	s.t.Helper()
	tr := h.Client().Transport.(*http.Transport).Clone()
	tr.DisableKeepAlives = true
	if cert != nil {
		tr.TLSClientConfig.GetClientCertificate = func(*tls.CertificateRequestInfo) (*tls.Certificate, error) { return cert, nil }
	}
	resp, err := (&http.Client{Transport: tr}).Post(s.url+"/?"+query, "application/x-www-form-urlencoded", strings.NewReader(body))
	if err != nil {
		s.t.Fatal(err)
	}
	defer resp.Body.Close()
	data, err := io.ReadAll(resp.Body)
	if err != nil {
		s.t.Fatal(err)
	}
	a := answer{status: resp.StatusCode, body: string(data)}
	if err := xml.Unmarshal(data, &a); err != nil {
		s.t.Fatalf("%v: %s", err, data)
	}
	if i := strings.Index(a.body, "<Credentials>"); i > 0 {
		if err := xml.Unmarshal([]byte(a.body[i:strings.Index(a.body, "</Credentials>")]+"</Credentials>"), &a.Creds); err != nil {
			s.t.Fatal(err)
		}
	}
	return a
}

func certForm(pairs ...string) string { return form("AssumeRoleWithCertificate", pairs...) }

func TestCertificate(t *testing.T) {
	root := newAuthority(t, "root", nil)
	middle := newAuthority(t, "middle", root)
	tr := &trust{certs: []*x509.Certificate{root.cert}}
	s, h := startTLS(t, Config{ClientCertificates: &ClientCertificates{Authorities: tr.authorities}})
	cert := middle.client("readwrite", func(c *x509.Certificate) { c.Subject.Organization = []string{"Example"} }, middle.cert)
	a := s.present(h, &cert, "", certForm("RoleSessionName", "job1", "DurationSeconds", "900", "TokenRevokeType", "jobs"))
	cred := s.credential(a)
	if cred.Identity.Name != "tls:readwrite" || !s.may(cred, "s3:PutObject", "b", "k") || s.may(cred, "admin:CreateUser", "", "") {
		t.Errorf("%+v", cred.Identity)
	}
	if d := time.Until(a.Creds.Expiration); d < 14*time.Minute || d > 15*time.Minute {
		t.Errorf("it lasts %v", d)
	}
	for _, want := range []string{
		`<AssumeRoleWithCertificateResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithCertificateResult>`,
		"<Arn>arn:aws:sts::123456789012:assumed-role/readwrite/job1</Arn>", "<ResponseMetadata><RequestId>",
	} {
		if !strings.Contains(a.body, want) {
			t.Errorf("no %s in %s", want, a.body)
		}
	}
	list := s.Sessions("tls:readwrite")
	if len(list) != 1 || list[0].Name != "job1" || !slices.Equal(list[0].Grants.Policies, []string{"readwrite"}) {
		t.Fatalf("%+v", list)
	}
	claims := list[0].Grants.Claims
	if claims["jwt:sub"][0] != "readwrite" || claims["jwt:iss"][0] != "middle" || claims["jwt:aud"][0] != "Example" {
		t.Errorf("%v", claims)
	}
	if n, err := s.RevokeSessions(t.Context(), "tls:readwrite", "jobs"); n != 1 || err != nil {
		t.Errorf("revoked %d, %v", n, err)
	}
	// In the query, by default for an hour, and by the same user.
	a = s.present(h, &cert, certForm(), "")
	again := s.credential(a)
	if d := time.Until(a.Creds.Expiration); d < 59*time.Minute || d > time.Hour || again.Identity.ID != cred.Identity.ID || len(s.Users()) != 1 {
		t.Errorf("%v, %+v", d, again.Identity)
	}
	// Cut down by a policy, and by managed ones.
	doc := `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":["s3:GetObject","admin:*"],"Resource":"arn:aws:s3:::b/*"}]}`
	cred = s.credential(s.present(h, &cert, "", certForm("Policy", doc)))
	if !s.may(cred, "s3:GetObject", "b", "k") || s.may(cred, "s3:PutObject", "b", "k") || s.may(cred, "admin:CreateUser", "", "") {
		t.Error("Policy does not bound the session")
	}
	cred = s.credential(s.present(h, &cert, "", certForm("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/readonly")))
	if !s.may(cred, "s3:GetObject", "b", "k") || s.may(cred, "s3:PutObject", "b", "k") {
		t.Error("PolicyArns do not bound the session")
	}
	// Never longer than the certificate, also when its end is nearer than the shortest session.
	end := time.Now().Add(5 * time.Minute)
	short := root.client("readwrite", func(c *x509.Certificate) { c.NotAfter = end })
	a = s.present(h, &short, "", certForm("DurationSeconds", "7200"))
	s.credential(a)
	if a.Creds.Expiration.After(end) || a.Creds.Expiration.Before(end.Add(-2*time.Second)) {
		t.Errorf("S-217 duration beyond notAfter: it ends %v, the certificate %v", a.Creds.Expiration, end)
	}
	fixed, fh := startTLS(t, Config{Duration: 365 * 24 * time.Hour, ClientCertificates: &ClientCertificates{Authorities: tr.authorities}})
	if a := fixed.present(fh, &short, "", certForm()); a.Creds.Expiration.After(end) || a.status != 200 {
		t.Errorf("with a fixed duration: %s", a.body)
	}
}

// TestCertificateRefused: each way to be wrong has its code, and leaves nothing written.
func TestCertificateRefused(t *testing.T) {
	root, stranger, careless := newAuthority(t, "root", nil), newAuthority(t, "root", nil), newAuthority(t, "careless", nil)
	middle := newAuthority(t, "middle", root)
	rogue := newAuthority(t, "rogue", root)
	lame := root.client("readwrite", nil)
	revoked, good := root.client("readwrite", nil), root.client("readwrite", nil)
	tr := &trust{certs: []*x509.Certificate{root.cert, careless.cert}, lists: []*x509.RevocationList{
		root.revoke(time.Now().Add(time.Hour), revoked, shownAs(rogue.cert, rogue.key)),
		careless.revoke(time.Now().Add(-time.Hour)), stranger.revoke(time.Now().Add(time.Hour), good),
	}}
	s, h := startTLS(t, Config{ClientCertificates: &ClientCertificates{Authorities: tr.authorities}})
	for name, doc := range map[string]string{
		"no-sessions": `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Deny","Action":"sts:AssumeRoleWithClientCertificate","Resource":"*"}]}`,
		rootUser:      `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"}]}`,
		"short":       `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"sts:*","Resource":"*","Condition":{"NumericGreaterThan":{"sts:DurationSeconds":"1800"}}}]}`,
		"no-example":  `{"Version":"2012-10-17","Statement":[{"Effect":"Deny","Action":"sts:*","Resource":"*","Condition":{"StringEquals":{"jwt:iss":"root"}}}]}`,
	} {
		if _, err := s.SetPolicy(t.Context(), name, []byte(doc)); err != nil {
			t.Fatal(err)
		}
	}
	weak, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		t.Fatal(err)
	}
	small, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	selfTmpl := template("readwrite")
	selfTmpl.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	self := (&authority{t: t, cert: selfTmpl, key: small}).clientWith(small, "readwrite", nil)
	var many []*x509.Certificate
	for range maxIntermediates + 1 {
		many = append(many, middle.cert)
	}
	cn := func(v string) *tls.Certificate { c := root.client(v, nil); return &c }
	with := func(edit func(*x509.Certificate)) *tls.Certificate { c := root.client("readwrite", edit); return &c }
	is := func(c tls.Certificate) *tls.Certificate { return &c }
	for name, tt := range map[string]struct {
		cert *tls.Certificate
		form string
		code string
		says string
	}{
		"no certificate":           {nil, "", "MissingParameter", "no certificate"},
		"self-signed":              {&self, "", "InvalidClientCertificate", "no authority"},
		"unknown CA":               {is(stranger.client("readwrite", nil)), "", "InvalidClientCertificate", "no authority"},
		"intermediate not sent":    {is(middle.client("readwrite", nil)), "", "InvalidClientCertificate", "no authority"},
		"expired":                  {with(func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Second) }), "", "InvalidClientCertificate", "expired"},
		"not yet valid":            {with(func(c *x509.Certificate) { c.NotBefore = time.Now().Add(time.Hour) }), "", "InvalidClientCertificate", "valid from"},
		"without clientAuth":       {with(func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} }), "", "InvalidClientCertificate", "client authentication"},
		"without any EKU":          {with(func(c *x509.Certificate) { c.ExtKeyUsage = nil }), "", "InvalidClientCertificate", "client authentication"},
		"CA certificate":           {with(func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign }), "", "InvalidClientCertificate", "one of an authority"},
		"two peer chains":          {is(shownAs(lame.Leaf, lame.PrivateKey.(*ecdsa.PrivateKey), good.Leaf)), "", "InvalidClientCertificate", "several"},
		"another one's, behind CA": {is(shownAs(middle.cert, middle.key, good.Leaf)), "", "InvalidClientCertificate", "one of an authority"},
		"too many intermediates":   {is(middle.client("readwrite", nil, many...)), "", "TooManyIntermediateCAs", "more than 10"},
		"a chain through a leaf":   {is((&authority{t, lame.Leaf, lame.PrivateKey.(*ecdsa.PrivateKey)}).client("readwrite", nil)), "", "InvalidClientCertificate", "no authority"},
		"CN empty":                 {cn(""), "", "InvalidClientCertificate", "0 common names"},
		"two CNs": {with(func(c *x509.Certificate) {
			c.Subject.ExtraNames = []pkix.AttributeTypeAndValue{{Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "a"}, {Type: asn1.ObjectIdentifier{2, 5, 4, 3}, Value: "readwrite"}}
		}), "", "InvalidClientCertificate", "2 common names"},
		"CN with /":                     {cn("a/readwrite"), "", "InvalidClientCertificate", "name a policy"},
		"CN *":                          {cn("*"), "", "InvalidClientCertificate", "name a policy"},
		"CN with ../":                   {cn("../readwrite"), "", "InvalidClientCertificate", "name a policy"},
		"CN with a comma":               {cn("readwrite,consoleAdmin"), "", "InvalidClientCertificate", "name a policy"},
		"CN with a line":                {cn("readwrite\n"), "", "InvalidClientCertificate", "name a policy"},
		"no such policy":                {cn("nothing"), "", "AccessDenied", "no policy &#34;nothing&#34;"},
		"revoked":                       {&revoked, "", "InvalidClientCertificate", "revoked"},
		"authority revoked":             {is(rogue.client("readwrite", nil, rogue.cert)), "", "InvalidClientCertificate", "revoked"},
		"list out of date":              {is(careless.client("readwrite", nil)), "", "InvalidClientCertificate", "out of date"},
		"RSA 1024":                      {is(root.clientWith(weak, "readwrite", nil)), "", "InvalidClientCertificate", "1024 bits"},
		"root's name":                   {cn(rootUser), "", "AccessDenied", "reserved"},
		"a policy denies":               {cn("no-sessions"), "", "AccessDenied", "sts:AssumeRoleWithClientCertificate"},
		"a policy denies its issuer":    {cn("no-example"), "", "AccessDenied", "sts:AssumeRoleWithClientCertificate"},
		"a policy denies the duration":  {cn("short"), "", "AccessDenied", "sts:AssumeRoleWithClientCertificate"},
		"S-191 899":                     {&good, certForm("DurationSeconds", "899"), "ValidationError", "900"},
		"S-191 366 days":                {&good, certForm("DurationSeconds", "31622400"), "ValidationError", "31536000"},
		"unknown parameter":             {&good, certForm("RoleArn", "arn:aws:iam::123456789012:role/any"), "ValidationError", "RoleArn"},
		"a bad name":                    {&good, certForm("RoleSessionName", ""), "ValidationError", "RoleSessionName"},
		"a bad session policy":          {&good, certForm("Policy", "{}"), "MalformedPolicyDocument", ""},
		"an unknown managed policy":     {&good, certForm("PolicyArns.member.1.arn", "arn:aws:iam::aws:policy/none"), "ValidationError", "none"},
		"S-193 a parameter given twice": {&good, certForm("DurationSeconds", "900", "DurationSeconds", "901"), "ValidationError", "more than once"},
	} {
		if tt.form == "" {
			tt.form = certForm()
		}
		a := s.present(h, tt.cert, "", tt.form)
		if (a.status != 400 && a.status != 403) || a.Code != tt.code || !strings.Contains(a.body, tt.says) {
			t.Errorf("S-217 %s: %d %s", name, a.status, a.body)
		}
		if len(s.Sessions("")) != 0 || len(s.Users()) != 0 {
			t.Fatalf("%s: something was written", name)
		}
	}
	s.credential(s.present(h, &good, "", certForm()))
	s.credential(s.present(h, cn("short"), "", certForm("DurationSeconds", "1800")))
	if !slices.ContainsFunc(s.LastRefusals(100), func(r iam.Refusal) bool {
		return strings.Contains(r.Statement, "unknown authority") && r.Action == actionCertificate
	}) {
		t.Error("administrators don't find why a chain was refused")
	}
}

// TestCertificateWithout: S-217 plain HTTP, with and without a proxy that says otherwise, and servers that take no certificates.
func TestCertificateWithout(t *testing.T) {
	tr := &trust{}
	s := start(t, Config{ClientCertificates: &ClientCertificates{Authorities: tr.authorities}})
	for _, edit := range []func(*http.Request){nil, func(r *http.Request) { r.Header.Set("X-Forwarded-Proto", "https") }} {
		if a := s.do(iam.Credential{}, certForm(), edit); a.status != 400 || a.Code != "InsecureConnection" {
			t.Errorf("plain HTTP: %d %s", a.status, a.body)
		}
	}
	off, h := startTLS(t, Config{})
	cert := newAuthority(t, "root", nil).client("readwrite", nil)
	if a := off.present(h, &cert, "", certForm()); a.status != 403 || a.Code != "AccessDenied" || !strings.Contains(a.body, "OBJSRV_IDENTITY_TLS_ENABLE") {
		t.Errorf("switched off: %d %s", a.status, a.body)
	}
	// Nobody is an authority: above all not those of the system.
	none, h := startTLS(t, Config{ClientCertificates: &ClientCertificates{Authorities: tr.authorities}})
	if a := none.present(h, &cert, "", certForm()); a.Code != "InvalidClientCertificate" {
		t.Errorf("without authorities: %d %s", a.status, a.body)
	}
}

// TestCertificateSkipVerify: any issuer will do, but all else is judged.
func TestCertificateSkipVerify(t *testing.T) {
	s, h := startTLS(t, Config{ClientCertificates: &ClientCertificates{Authorities: (&trust{}).authorities, SkipVerify: true}})
	stranger := newAuthority(t, "stranger", nil)
	cert := stranger.client("readonly", nil)
	if cred := s.credential(s.present(h, &cert, "", certForm())); !s.may(cred, "s3:GetObject", "b", "k") || s.may(cred, "s3:PutObject", "b", "k") {
		t.Error("the wrong rights")
	}
	for name, edit := range map[string]func(*x509.Certificate){
		"expired":   func(c *x509.Certificate) { c.NotAfter = time.Now().Add(-time.Second) },
		"other use": func(c *x509.Certificate) { c.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth} },
		"CA":        func(c *x509.Certificate) { c.IsCA, c.KeyUsage = true, x509.KeyUsageCertSign },
		"CN":        func(c *x509.Certificate) { c.Subject.CommonName = "*" },
	} {
		cert := stranger.client("readonly", edit)
		if a := s.present(h, &cert, "", certForm()); a.Code != "InvalidClientCertificate" {
			t.Errorf("%s: %d %s", name, a.status, a.body)
		}
	}
	if len(s.Sessions("")) != 1 {
		t.Error("a refused one got a session")
	}
}

// TestCertificateUser: an administrator locks the holder out, or gives more.
func TestCertificateUser(t *testing.T) {
	root := newAuthority(t, "root", nil)
	tr := &trust{certs: []*x509.Certificate{root.cert}}
	s, h := startTLS(t, Config{ClientCertificates: &ClientCertificates{Authorities: tr.authorities}})
	cert := root.client("readonly", nil)
	cred := s.credential(s.present(h, &cert, "", certForm()))
	if _, err := s.AttachPolicy(t.Context(), "tls:readonly", "writeonly"); err != nil {
		t.Fatal(err)
	}
	if !s.may(cred, "s3:PutObject", "b", "k") {
		t.Error("an attached policy does not count")
	}
	if _, err := s.SetStatus(t.Context(), "tls:readonly", false); err != nil {
		t.Fatal(err)
	}
	if a := s.present(h, &cert, "", certForm()); a.status != 403 || a.Code != "AccessDenied" {
		t.Errorf("S-217 revoked, by disabling the user: %s", a.body)
	}
	if len(s.Sessions("tls:readonly")) != 0 || s.may(cred, "s3:GetObject", "b", "k") {
		t.Error("the session of a disabled user lives, or there is another one")
	}
	// A local user of the policy's name is somebody else.
	s.user("readwrite")
	other := root.client("readwrite", nil)
	if cred := s.credential(s.present(h, &other, "", certForm())); cred.Identity.Name != "tls:readwrite" {
		t.Errorf("%+v", cred.Identity)
	}
	// What an authority revokes later is refused from then on.
	tr.lists = append(tr.lists, root.revoke(time.Now().Add(time.Hour), other))
	if a := s.present(h, &other, "", certForm()); a.Code != "InvalidClientCertificate" {
		t.Errorf("S-217 revoked: %s", a.body)
	}
}

// TestCertificateProvider: the provider of minio-go gets credentials.
func TestCertificateProvider(t *testing.T) {
	root := newAuthority(t, "root", nil)
	s, h := startTLS(t, Config{ClientCertificates: &ClientCertificates{Authorities: (&trust{certs: []*x509.Certificate{root.cert}}).authorities}})
	p, err := provider.NewSTSCertificateIdentity(s.url, root.client("readwrite", nil),
		provider.CertificateIdentityWithTransport(h.Client().Transport), provider.CertificateIdentityWithExpiry(20*time.Minute))
	if err != nil {
		t.Fatal(err)
	}
	v, err := p.GetWithContext(nil)
	if err != nil {
		t.Fatal(err)
	}
	cred, err := s.Credential(v.AccessKeyID, v.SessionToken)
	if d := time.Until(v.Expiration); err != nil || cred.Secret != v.SecretAccessKey || cred.Identity.Name != "tls:readwrite" || d < 19*time.Minute || d > 20*time.Minute {
		t.Errorf("%+v, %v, %v", cred, err, v)
	}
	p, err = provider.NewSTSCertificateIdentity(s.url, root.client("nothing", nil), provider.CertificateIdentityWithTransport(h.Client().Transport))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := p.GetWithContext(nil); err == nil || !strings.Contains(err.Error(), "no policy") {
		t.Errorf("refused: %v", err)
	}
}
