package adminapi

import (
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/objsrv/objsrv/iam"
	"github.com/objsrv/objsrv/iam/store"
	"github.com/objsrv/objsrv/sigv4"
)

// TestExplain: a refused client learns AccessDenied and the request id, and under that id an
// administrator finds the principal, the action and the statement.
func TestExplain(t *testing.T) {
	s := newServer(t)
	s.user(t, "alice")
	s.userWith(t, "bob", "Deny", ActionListUsers)
	s.key(t, "BOBKEY", "bob", []byte(readPolicy))
	s.key(t, "ROOTKEY", root, nil)
	s.user(t, "lister", ActionListKeys)
	for _, tt := range []struct {
		who, method, path string
		want              iam.Refusal
	}{
		{"alice", "GET", "users", iam.Refusal{Action: ActionListUsers}},
		{"bob", "GET", "users", iam.Refusal{Action: ActionListUsers, Statement: "policy bob statement 0", Explicit: true}},
		{"BOBKEY", "POST", "keys", iam.Refusal{Action: ActionCreateKey, Statement: byRestricted, Explicit: true}},
		{"lister", "GET", "keys?user=objroot", iam.Refusal{Action: ActionListKeys, Statement: byRootOnly, Explicit: true}},
	} {
		w := s.send(tt.who, tt.method, tt.path, "")
		if got, want := w.Body.String(), `{"code":"AccessDenied","message":"Access Denied.","requestId":"id-of-`+tt.who+`"}`+"\n"; got != want || w.Code != 403 {
			t.Errorf("%s %s: %d %s, want %s", tt.method, tt.path, w.Code, got, want)
		}
		s.refused(t, tt.who, "GET", "explain/id-of-"+tt.who, "")
		var out Refusals
		decodeAnswer(t, s.send(root, "GET", "explain/id-of-"+tt.who, ""), 200, &out)
		got := out.Refusals[0]
		c, err := s.svc.Credential(tt.who, "")
		if err != nil {
			t.Fatal(err)
		}
		if d := time.Since(got.Time); d < 0 || d > time.Minute {
			t.Errorf("time %v", got.Time)
		}
		tt.want.Time, tt.want.RequestID, tt.want.Remote = got.Time, "id-of-"+tt.who, "192.0.2.7"
		tt.want.Principal, tt.want.AccessKey = c.Identity.ARN, tt.who
		if tt.want.Statement == "policy bob statement 0" { // its words are iam's
			if !strings.Contains(got.Statement, "bob") {
				t.Errorf("statement %q", got.Statement)
			}
			tt.want.Statement = got.Statement
		}
		if got != tt.want {
			t.Errorf("%s %s: %+v, want %+v", tt.method, tt.path, got, tt.want)
		}
	}
	var last Refusals
	decodeAnswer(t, s.send(root, "GET", "explain?last=1", ""), 200, &last)
	if len(last.Refusals) != 1 || last.Refusals[0].RequestID != "id-of-lister" || last.Refusals[0].Action != ActionExplain {
		t.Errorf("last %+v", last)
	}
	decodeAnswer(t, s.send(root, "GET", "explain", ""), 200, &last)
	if len(last.Refusals) != 8 || last.Refusals[7].Principal == last.Refusals[0].Principal {
		t.Errorf("last %+v", last)
	}
	// Who did not sign is told of as well.
	s.send("", "GET", "users", "")
	decodeAnswer(t, s.send(root, "GET", "explain?last=1", ""), 200, &last)
	if r := last.Refusals[0]; r.Principal != "anonymous" || r.Statement != byUnsigned || r.Action != ActionListUsers {
		t.Errorf("anonymous: %+v", r)
	}
	// What is allowed for want of a Deny leaves no trace of a refusal.
	s.done(t, "alice", "GET", "keys", "")
	decodeAnswer(t, s.send(root, "GET", "explain", ""), 200, &last)
	if len(last.Refusals) != 9 {
		t.Errorf("last %+v", last)
	}
}

// TestSimulate decides without a request, with the stored bucket policy, a given one or none.
func TestSimulate(t *testing.T) {
	s := newServer(t)
	ctx := t.Context()
	for name, doc := range map[string]string{
		"home":  `{"Version":"2012-10-17","Statement":[{"Sid":"own","Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::home/${aws:username}/*"}]}`,
		"inner": `{"Statement":[{"Effect":"Allow","Action":"s3:PutObject","Resource":"*","Condition":{"IpAddress":{"aws:SourceIp":"10.0.0.0/8"}}}]}`,
	} {
		if _, err := s.svc.SetPolicy(ctx, name, []byte(doc)); err != nil {
			t.Fatal(err)
		}
	}
	for _, n := range []iam.NewUser{{Name: "alice", Secret: secret, Policies: []string{"home"}}, {Name: "bob", Secret: secret}, {Name: "off", Secret: secret, Policies: []string{"home"}, Disabled: true}} {
		if _, _, err := s.svc.CreateUser(ctx, n); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := s.svc.CreateGroup(ctx, iam.NewGroup{Name: "inside", Policies: []string{"inner"}}); err != nil {
		t.Fatal(err)
	}
	if err := s.svc.AddMembers(ctx, "inside", "bob"); err != nil {
		t.Fatal(err)
	}
	s.key(t, "NARROW", "alice", []byte(readPolicy))
	deny := `{"Statement":[{"Sid":"no","Effect":"Deny","Principal":"*","Action":"*","Resource":["arn:aws:s3:::public","arn:aws:s3:::public/*"]}]}`
	before, kept := s.state(t), len(s.svc.LastRefusals(10))
	for _, tt := range []struct {
		body           string
		allowed, deny  bool
		bucket, decide string // which bucket policy; a part of the statement
	}{
		{`"principal":"alice","action":"s3:GetObject","resource":"home/alice/x"`, true, false, "none", "own"},
		{`"principal":"alice","action":"s3:GetObject","resource":"arn:aws:s3:::home/alice/x"`, true, false, "none", "own"},
		{`"principal":"alice","action":"s3:GetObject","resource":"home/bob/x"`, false, false, "none", ""},
		{`"principal":"alice","action":"s3:ListBucket","resource":"home"`, false, false, "none", ""},
		{`"principal":"NARROW","action":"s3:GetObject","resource":"home/alice/x"`, true, false, "none", "own"},
		{`"principal":"NARROW","action":"s3:PutObject","resource":"home/alice/x"`, false, false, "none", ""},
		{`"principal":"off","action":"s3:GetObject","resource":"home/off/x"`, false, false, "none", "disabled"},
		{`"principal":"bob","action":"s3:PutObject","resource":"b/k","context":{"aws:SourceIp":["10.1.2.3"]}`, true, false, "none", "inner"},
		{`"principal":"bob","action":"s3:PutObject","resource":"b/k","context":{"aws:sourceip":["11.1.2.3"]}`, false, false, "none", ""},
		{`"principal":"bob","action":"s3:PutObject","resource":"b/k"`, false, false, "none", ""},
		{`"principal":"","action":"s3:GetObject","resource":"public/k"`, true, false, "stored", "all"},
		{`"principal":"","action":"s3:GetObject","resource":"public/k","bucketPolicy":null`, false, false, "none", ""},
		{`"principal":"","action":"s3:GetObject","resource":"public/k","bucketPolicy":` + deny, false, true, "given", "no"},
		{`"principal":"","action":"s3:GetObject","resource":"other/k","bucketPolicy":` + strings.ReplaceAll(bucketPolicy, "public", "other"), true, false, "given", "all"},
		{`"principal":"objroot","action":"s3:GetObject","resource":"public/k","bucketPolicy":` + deny, true, false, "given", "root"},
		{`"principal":"objroot","action":"admin:ServerInfo","resource":""`, true, false, "none", "root"},
		{`"principal":"alice","action":"admin:ServerInfo","resource":""`, false, false, "none", ""},
	} {
		var got Simulation
		decodeAnswer(t, s.send(root, "POST", "simulate", "{"+tt.body+"}"), 200, &got)
		if got.Allowed != tt.allowed || got.Explicit != tt.deny || got.BucketPolicy != tt.bucket || !strings.Contains(got.Statement, tt.decide) {
			t.Errorf("%s: %+v", tt.body, got)
		}
	}
	var traced Simulation
	decodeAnswer(t, s.send(root, "POST", "simulate", `{"principal":"bob","action":"s3:PutObject","resource":"public/k","trace":true}`), 200, &traced)
	want := []TraceStep{
		{Of: "group inside", Effect: "Allow", Failed: "Condition", Operator: "IpAddress", Key: "aws:SourceIp", Absent: true},
		{Of: "bucket", Effect: "Allow", Failed: "Action"},
	}
	for i := range traced.Trace {
		traced.Trace[i].Statement = "" // its words are the language's
	}
	if !slices.Equal(traced.Trace, want) {
		t.Errorf("trace %+v", traced.Trace)
	}
	if s.state(t) != before || len(s.svc.LastRefusals(10)) != kept {
		t.Error("a simulation leaves something behind")
	}
}

// TestValidate answers with the place of what is wrong, and so does setting a policy.
func TestValidate(t *testing.T) {
	s := newServer(t)
	bad := "{\"Statement\":[\n {\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"*\",\n  \"Condition\":{\"StringLikes\":{\"s3:prefix\":\"a\"}}}]}"
	for _, tt := range []struct {
		query, body string
		valid       bool
		path        string
	}{
		{"", readPolicy, true, ""},
		{"?kind=user", readPolicy, true, ""},
		{"?kind=bucket", bucketPolicy, true, ""},
		{"?kind=bucket", readPolicy, false, "Statement[0]"},
		{"", bucketPolicy, false, "Statement[0]"},
		{"", bad, false, "Statement[0].Condition.StringLikes"},
		{"", "", false, ""},
		{"", "\xff", false, ""},
	} {
		var v Validation
		decodeAnswer(t, s.send(root, "POST", "policies/validate"+tt.query, tt.body), 200, &v)
		if v.Valid != tt.valid || (v.Error == nil) != tt.valid || tt.valid != (v.Statements == 1) {
			t.Errorf("%s %.60q: %+v", tt.query, tt.body, v)
		}
		if v.Error != nil && (v.Error.Path != tt.path || v.Error.Line < 1 || v.Error.Column < 1 || v.Error.Reason == "") {
			t.Errorf("%s %.60q: %+v", tt.query, tt.body, v.Error)
		}
	}
	w := s.send(root, "PUT", "policies/p", bad)
	var e Error
	if err := json.Unmarshal(w.Body.Bytes(), &e); err != nil || e.Place == nil || e.Place.Path != "Statement[0].Condition.StringLikes" || e.Place.Line != 3 {
		t.Errorf("%d %s", w.Code, w.Body)
	}
}

// TestErrors: what went wrong inside is not told, and a limit is told apart from a full disk.
func TestErrors(t *testing.T) {
	for _, tt := range []struct {
		err    error
		status int
		code   string
		told   string // a part of the message
	}{
		{fmt.Errorf("create: %w: the user has 7 access keys", iam.ErrFull), 409, "LimitExceeded", "7 access keys"},
		{fmt.Errorf("create: %w: %w: /secret/path", iam.ErrFull, store.ErrFull), 507, "InsufficientStorage", "No space"},
		{fmt.Errorf("create: %w: /secret/path", iam.ErrUnavailable), 503, "ServiceUnavailable", "can't be changed"},
		{fmt.Errorf("get: %w: /secret/path", iam.ErrDamaged), 500, "InternalError", "damaged"},
		{errors.New("/secret/path"), 500, "InternalError", "internal error"},
		{&sigv4.Error{Code: "XAmzContentSHA256Mismatch", Message: "m"}, 400, "XAmzContentSHA256Mismatch", "m"},
		{&sigv4.Error{Code: "RequestTimeTooSkewed", Message: "m"}, 403, "RequestTimeTooSkewed", "m"},
		{authRefusal(iam.ErrExpired), 403, "ExpiredToken", "expired"},
		{authRefusal(iam.ErrInvalidToken), 403, "InvalidToken", "not valid"},
		{authRefusal(errors.New("/secret/path")), 403, "AccessDenied", "Access Denied"},
	} {
		got := asRefusal(tt.err)
		if got.Status != tt.status || got.Code != tt.code || !strings.Contains(got.Message, tt.told) || strings.Contains(got.Message, "/secret") {
			t.Errorf("%v: %+v", tt.err, got)
		}
	}
}
