package s3api

import (
	"encoding/xml"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/objsrv/objsrv/s3api/s3xml"
	"github.com/objsrv/objsrv/storage"
)

const (
	docCORS      = "cors"
	maxCORSRules = 100
)

// corsConfiguration is the document of PutBucketCors (S3 user guide, "Elements of a CORS configuration").
type corsConfiguration struct {
	XMLName xml.Name   `xml:"CORSConfiguration"`
	Rules   []corsRule `xml:"CORSRule"`
}

type corsRule struct {
	ID      string   `xml:"ID"`
	Methods []string `xml:"AllowedMethod"`
	Origins []string `xml:"AllowedOrigin"`
	Headers []string `xml:"AllowedHeader"`
	Expose  []string `xml:"ExposeHeader"`
	MaxAge  *int     `xml:"MaxAgeSeconds"`
}

func getBucketCORS(c *call) error { return c.replyDoc(docCORS, "NoSuchCORSConfiguration") }

func putBucketCORS(c *call) error {
	if _, err := c.needBucket(); err != nil {
		return err
	}
	var conf corsConfiguration
	if err := c.readXML(maxXML, false, &conf); err != nil {
		return err
	}
	if len(conf.Rules) == 0 || len(conf.Rules) > maxCORSRules {
		return errorf("MalformedXML", "A CORS configuration has 1 to %d rules.", maxCORSRules)
	}
	var doc s3xml.Writer
	doc.Start("CORSConfiguration", true)
	for i := range conf.Rules {
		if err := conf.Rules[i].check(); err != nil {
			return err
		}
		conf.Rules[i].write(&doc)
	}
	if err := c.setDoc(docCORS, doc.End("CORSConfiguration")); err != nil {
		return err
	}
	return c.reply(http.StatusOK)
}

func (r *corsRule) check() error {
	if len(r.Methods) == 0 || len(r.Origins) == 0 || len(r.ID) > 255 {
		return errMalformedXML()
	}
	for _, m := range r.Methods {
		if !slices.Contains([]string{"GET", "PUT", "POST", "DELETE", "HEAD"}, m) {
			return errorf("InvalidRequest", "Found unsupported HTTP method in CORS config. Unsupported method is %q", m)
		}
	}
	for _, list := range [][]string{r.Origins, r.Headers} {
		for _, v := range list {
			if strings.Count(v, "*") > 1 || !printable(v) {
				return errorf("InvalidRequest", "The value %q can not have more than one wildcard, nor control characters.", v)
			}
		}
	}
	for _, v := range r.Expose {
		// These go into answers as they are.
		if !token(v) {
			return errorf("InvalidRequest", "ExposeHeader %q is not a header name.", v)
		}
	}
	return nil
}

func (r *corsRule) write(doc *s3xml.Writer) {
	doc.Open("CORSRule")
	doc.Opt("ID", r.ID)
	for _, f := range []struct {
		name string
		list []string
	}{{"AllowedMethod", r.Methods}, {"AllowedOrigin", r.Origins}, {"AllowedHeader", r.Headers}, {"ExposeHeader", r.Expose}} {
		for _, v := range f.list {
			doc.Elem(f.name, v)
		}
	}
	if r.MaxAge != nil {
		doc.Int("MaxAgeSeconds", int64(*r.MaxAge))
	}
	doc.Close("CORSRule")
}

func printable(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r <= ' ' || r == 0x7f || r >= 0x80 && r <= 0x9f })
}

// token tells a header's name that is no pattern.
func token(s string) bool { return headerName(s) && !strings.Contains(s, "*") }

// oneStar matches a pattern with at most one wildcard.
func oneStar(pattern, s string) bool {
	before, after, star := strings.Cut(pattern, "*")
	if !star {
		return pattern == s
	}
	return len(s) >= len(before)+len(after) && strings.HasPrefix(s, before) && strings.HasSuffix(s, after)
}

// match returns the origin to answer with when the rule allows the request.
func (r *corsRule) match(origin, method string, headers []string) (string, bool) {
	if !slices.Contains(r.Methods, method) {
		return "", false
	}
	for _, o := range r.Origins {
		if !oneStar(o, origin) {
			continue
		}
		for _, h := range headers {
			if !slices.ContainsFunc(r.Headers, func(p string) bool { return oneStar(strings.ToLower(p), h) }) {
				return "", false
			}
		}
		if o == "*" {
			return "*", true
		}
		return origin, true
	}
	return "", false
}

// setCORS adds the headers of the first rule that allows the request to its answer.
// A preflight names the method and headers that will follow.
func (c *call) setCORS(rules []corsRule, origin string) bool {
	method := c.r.Header.Get("Access-Control-Request-Method")
	if method == "" {
		method = c.r.Method
	}
	var asked []string
	if c.r.Method == http.MethodOptions {
		for _, h := range strings.Split(c.r.Header.Get("Access-Control-Request-Headers"), ",") {
			if h = strings.ToLower(strings.TrimSpace(h)); h != "" {
				asked = append(asked, h)
			}
		}
	}
	h := c.w.Header()
	h.Add("Vary", "Origin, Access-Control-Request-Headers, Access-Control-Request-Method")
	for i := range rules {
		r := &rules[i]
		allowed, ok := r.match(origin, method, asked)
		if !ok {
			continue
		}
		h.Set("Access-Control-Allow-Origin", allowed)
		h.Set("Access-Control-Allow-Methods", strings.Join(r.Methods, ", "))
		if allowed != "*" {
			h.Set("Access-Control-Allow-Credentials", "true")
		}
		if len(asked) > 0 {
			h.Set("Access-Control-Allow-Headers", strings.Join(asked, ", "))
		}
		if len(r.Expose) > 0 {
			h.Set("Access-Control-Expose-Headers", strings.Join(r.Expose, ", "))
		}
		if r.MaxAge != nil {
			h.Set("Access-Control-Max-Age", itoa(*r.MaxAge))
		}
		return true
	}
	return false
}

// cors adds CORS headers to the answer of a request that a browser's page made, whatever
// the answer is, so that the page can read it.
func (c *call) cors() {
	origin := c.r.Header.Get("Origin")
	if origin == "" || c.level == serviceLevel || c.r.Method == http.MethodOptions {
		return
	}
	b, err := c.s.Backend.Bucket(c.ctx, c.bucket)
	if err != nil {
		return
	}
	if rules := c.s.corsRules(b); len(rules) > 0 {
		c.setCORS(rules, origin)
	}
}

// corsRules are those of the bucket's configuration, or of the server's where there is none.
func (s *Server) corsRules(b *storage.Bucket) []corsRule {
	if b.Docs[docCORS] != nil {
		return s.settings(b).cors
	}
	return s.cors
}

// defaultCORS lets pages of the origins do what an S3 client does.
func defaultCORS(origins []string) corsRule {
	return corsRule{
		Methods: []string{"GET", "PUT", "POST", "DELETE", "HEAD"}, Origins: origins, Headers: []string{"*"},
		Expose: []string{"ETag", "Content-Range", "Accept-Ranges", "x-amz-request-id", "x-amz-version-id", "x-amz-delete-marker", "x-amz-mp-parts-count",
			"x-amz-checksum-crc32", "x-amz-checksum-crc32c", "x-amz-checksum-crc64nvme", "x-amz-checksum-sha1", "x-amz-checksum-sha256", "x-amz-checksum-type"},
	}
}

// CheckOrigin tells whether v is "*" or an origin, scheme://host[:port], with at most one wildcard.
func CheckOrigin(v string) error {
	if v == "*" {
		return nil
	}
	scheme, host, ok := strings.Cut(v, "://")
	if !ok || scheme == "" || host == "" || strings.ContainsAny(host, `/\?#@,`) || strings.Count(v, "*") > 1 || !printable(v) {
		return fmt.Errorf("%q is neither * nor an origin such as https://app.example.com, with at most one *", v)
	}
	return nil
}

// preflight answers a CORS preflight, which browsers send unsigned.
func preflight(c *call) error {
	origin := c.r.Header.Get("Origin")
	if origin == "" {
		return errorf("BadRequest", "Insufficient information. Origin request header needed.")
	}
	if c.r.Header.Get("Access-Control-Request-Method") == "" {
		return errorf("BadRequest", "Invalid Access-Control-Request-Method: null")
	}
	if b, err := c.s.Backend.Bucket(c.ctx, c.bucket); err == nil {
		if c.setCORS(c.s.corsRules(b), origin) {
			return c.reply(http.StatusOK)
		}
	}
	// The text, its spelling included, is what S3 answers and clients compare.
	return errorf("AccessForbidden", "CORSResponse: This CORS request is not allowed. This is usually because the evalution of Origin, request method / Access-Control-Request-Method or Access-Control-Request-Headers are not whitelisted by the resource's CORS spec.")
}
