// Package stsclient asks a Security Token Service for temporary credentials and shows what they
// open: the commands of objsrv that log people in, and their tests, use it. It imports sigv4
// alone of this module. The protocol is that of the STS API reference (version 2011-06-15), with
// MinIO's further actions.
package stsclient

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
	"unicode"

	"github.com/objsrv/objsrv/sigv4"
)

// version of the API, which requests name.
const version = "2011-06-15"

// maxAnswer bounds what is read of an answer.
const maxAnswer = 8 << 20

// Client asks one server, which answers STS and S3 under one address.
type Client struct {
	Endpoint string // URL without a path
	Region   string // that signatures name
	HTTP     *http.Client
}

// Credentials are temporary ones. They are secrets.
type Credentials struct {
	AccessKeyID     string
	SecretAccessKey string
	SessionToken    string
	Expiration      time.Time
}

// Error is a server's refusal. Its texts came over the network; Error shows them without control
// characters.
type Error struct {
	Status    string // of HTTP
	Code      string // "" when the answer was none of STS or S3
	Message   string
	RequestID string
}

// Error implements error.
func (e *Error) Error() string {
	if e.Code == "" {
		return "the server answers " + printable(e.Status) + ": is it an S3 server with STS?"
	}
	s := printable(e.Code) + ": " + printable(e.Message)
	if e.RequestID != "" {
		s += " (request id " + printable(e.RequestID) + ")"
	}
	return s
}

func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return unicode.ReplacementChar
		}
		return r
	}, s)
}

// Assume calls an action that issues credentials, signed by by, or unsigned when that is nil. The
// parameters travel in the body, never in the URL, which ends up in logs.
func (c *Client) Assume(ctx context.Context, action string, params url.Values, by *sigv4.Signer) (*Credentials, error) {
	form := url.Values{"Action": {action}, "Version": {version}}
	for name, values := range params {
		form[name] = values
	}
	body := form.Encode()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, c.Endpoint+"/", strings.NewReader(body))
	if err != nil {
		return nil, err
	}
	r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	if by != nil {
		s := *by
		s.Region, s.Service = c.Region, "sts"
		sum := sha256.Sum256([]byte(body))
		s.SignHeader(r, hex.EncodeToString(sum[:]), time.Now())
	}
	answer, err := c.do(r)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", action, err)
	}
	cred, err := readCredentials(answer, action)
	if err != nil {
		return nil, fmt.Errorf("%s: read answer: %w", action, err)
	}
	return cred, nil
}

// Buckets lists the names of the buckets that the credentials' holder may see.
func (c *Client) Buckets(ctx context.Context, cred *Credentials) ([]string, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, c.Endpoint+"/", nil)
	if err != nil {
		return nil, err
	}
	s := sigv4.Signer{AccessKey: cred.AccessKeyID, Secret: cred.SecretAccessKey, SessionToken: cred.SessionToken, Region: c.Region, Service: "s3"}
	s.SignHeader(r, "", time.Now())
	answer, err := c.do(r)
	if err != nil {
		return nil, fmt.Errorf("list buckets: %w", err)
	}
	var list struct {
		XMLName xml.Name `xml:"ListAllMyBucketsResult"`
		Names   []string `xml:"Buckets>Bucket>Name"`
	}
	if err := xml.Unmarshal(answer, &list); err != nil {
		return nil, fmt.Errorf("list buckets: read answer: %w", err)
	}
	return append([]string{}, list.Names...), nil
}

func (c *Client) do(r *http.Request) ([]byte, error) {
	resp, err := c.HTTP.Do(r)
	if err != nil {
		return nil, fmt.Errorf("reach the server: %w", err)
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer))
	if err != nil {
		return nil, fmt.Errorf("read answer: %w", err)
	}
	if resp.StatusCode != http.StatusOK {
		return nil, refusal(resp.Status, answer)
	}
	return answer, nil
}

// refusal reads an error of STS, or of S3, which has it at the root.
func refusal(status string, body []byte) error {
	var doc struct {
		STS struct {
			Code, Message string
		} `xml:"Error"`
		Code, Message string
		RequestID     string `xml:"RequestId"`
	}
	e := &Error{Status: status}
	if xml.Unmarshal(body, &doc) == nil {
		e.Code, e.Message, e.RequestID = doc.Code, doc.Message, doc.RequestID
		if doc.STS.Code != "" {
			e.Code, e.Message = doc.STS.Code, doc.STS.Message
		}
	}
	return e
}

// readCredentials reads the answer of any action: their documents differ in the names of their
// outer elements.
func readCredentials(body []byte, action string) (*Credentials, error) {
	var doc struct {
		XMLName xml.Name
		Results []struct {
			XMLName     xml.Name
			Credentials *struct {
				AccessKeyID     string `xml:"AccessKeyId"`
				SecretAccessKey string
				SessionToken    string
				Expiration      time.Time
			}
		} `xml:",any"`
	}
	if err := xml.Unmarshal(body, &doc); err != nil {
		return nil, err
	}
	if doc.XMLName.Local != action+"Response" {
		return nil, errors.New("it is not the answer of this action")
	}
	for _, r := range doc.Results {
		if r.Credentials == nil || !strings.HasSuffix(r.XMLName.Local, "Result") {
			continue
		}
		c := Credentials(*r.Credentials)
		switch {
		case c.AccessKeyID == "" || c.SecretAccessKey == "" || c.SessionToken == "":
			return nil, errors.New("its credentials are incomplete")
		case !time.Now().Before(c.Expiration):
			return nil, errors.New("its credentials have expired already: do the clocks agree?")
		}
		return &c, nil
	}
	return nil, errors.New("it has no credentials")
}
