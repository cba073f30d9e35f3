package policy

import (
	"encoding/json"
	"errors"
	"reflect"
	"strings"
	"testing"
)

// checkPrinted prints what was parsed from data, parses that, and demands the same document.
func checkPrinted(t *testing.T, data []byte, kind Kind) {
	t.Helper()
	d, err := Parse(data, kind)
	if err != nil {
		t.Fatal(err)
	}
	printed, err := json.Marshal(d)
	if err != nil {
		t.Fatal(err)
	}
	again, err := Parse(printed, kind)
	if err != nil {
		t.Fatalf("the printed form is refused: %v\n%s", err, printed)
	}
	if !reflect.DeepEqual(d, again) {
		t.Errorf("printed and parsed again it differs:\n%+v\n%+v\n%s", d, again, printed)
	}
}

// allow is an identity statement with further members.
func allow(members string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"` + members + `}]}`
}

func action(v string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":` + v + `,"Resource":"*"}]}`
}

func resourceOf(v string) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:*","Resource":` + v + `}]}`
}

func principal(v string) string { return allow(`,"Principal":` + v) }

func cond(op, key, value string) string {
	return allow(`,"Condition":{"` + op + `":{"` + key + `":` + value + `}}`)
}

// TestRefused has everything that Parse must not let pass, with the place it must name:
// THREATS S-221, S-222, S-223, S-239.
func TestRefused(t *testing.T) {
	tests := []struct{ name, document, path string }{
		{"empty", ``, ""},
		{"space", ` `, ""},
		{"null", `null`, ""},
		{"array", `[]`, ""},
		{"cut", `{"Version":"2012-10-17"`, ""},
		{"no statement", `{"Version":"2012-10-17"}`, ""},
		{"empty statements", `{"Statement":[]}`, "Statement"},
		{"statement string", `{"Statement":"x"}`, "Statement"},
		{"statement null", `{"Statement":[null]}`, "Statement[0]"},
		{"version", `{"Version":"2020-01-01","Statement":[]}`, "Version"},
		{"version number", `{"Version":2012,"Statement":[]}`, "Version"},
		{"unknown element", `{"version":"2012-10-17","Statement":[]}`, "version"},
		{"trailing", allow("") + "x", ""},
		{"trailing document", allow("") + "{}", ""},
		{"duplicate", `{"Version":"2012-10-17","Version":"2012-10-17","Statement":[]}`, "Version"},
		{"duplicate in other case", `{"Id":"a","ID":"a","Statement":[]}`, "ID"},
		{"duplicate in statement", allow(`,"Effect":"Deny"`), "Statement[0].Effect"},
		{"not UTF-8", "{\"Id\":\"\xff\"}", ""},
		{"large", `{"Id":"` + strings.Repeat("x", MaxDocument) + `"}`, ""},
		{"deep", strings.Repeat("[", 100000), ""},
		{"deep statement", `{"Statement":` + strings.Repeat("[", 100000), "Statement[0]"},
		{"deep values", allow(`,"Condition":{"StringEquals":{"s3:prefix":` + strings.Repeat("[", 100000)), "Statement[0].Condition.StringEquals.s3:prefix[0]"},

		{"effect case", `{"Statement":[{"Effect":"allow","Action":"s3:*","Resource":"*"}]}`, "Statement[0].Effect"},
		{"no effect", `{"Statement":[{"Action":"s3:*","Resource":"*"}]}`, "Statement[0]"},
		{"no action", `{"Statement":[{"Effect":"Allow","Resource":"*"}]}`, "Statement[0]"},
		{"both actions", allow(`,"NotAction":"s3:*"`), "Statement[0]"},
		{"both resources", allow(`,"NotResource":"*"`), "Statement[0]"},
		{"no resource", `{"Statement":[{"Effect":"Allow","Action":"s3:*"}]}`, "Statement[0]"},
		{"no resource mixed", `{"Statement":[{"Effect":"Allow","Action":["admin:*","s3:*"]}]}`, "Statement[0]"},
		{"no resource star", `{"Statement":[{"Effect":"Allow","Action":"*"}]}`, "Statement[0]"},
		{"no resource not", `{"Statement":[{"Effect":"Allow","NotAction":"admin:*"}]}`, "Statement[0]"},
		{"unknown member", allow(`,"Conditions":{}`), "Statement[0].Conditions"},
		{"second statement", `{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"*"},{"Effect":"Allow","Action":"s3:*","Resource":"b"}]}`, "Statement[1].Resource"},
		{"same sid", `{"Statement":[{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"},{"Sid":"a","Effect":"Allow","Action":"s3:*","Resource":"*"}]}`, "Statement[1]"},
		{"sid control", allow(`,"Sid":"a\nb"`), "Statement[0].Sid"},
		{"principal in identity", principal(`"*"`), "Statement[0]"},

		{"action empty", action(`""`), "Statement[0].Action"},
		{"action none", action(`[]`), "Statement[0].Action"},
		{"action number", action(`1`), "Statement[0].Action"},
		{"action null", action(`null`), "Statement[0].Action"},
		{"action object", action(`{}`), "Statement[0].Action"},
		{"action no service", action(`"GetObject"`), "Statement[0].Action"},
		{"action service wildcard", action(`"s*:GetObject"`), "Statement[0].Action"},
		{"action unknown service", action(`"ec2:RunInstances"`), "Statement[0].Action"},
		{"action no name", action(`"s3:"`), "Statement[0].Action"},
		{"action space", action(`"s3:GetObject "`), "Statement[0].Action"},
		{"action unknown", action(`"s3:GetObjekt"`), "Statement[0].Action"},
		{"action of the API", action(`["s3:GetObject","s3:ListObjectsV2"]`), "Statement[0].Action[1]"},
		{"action pattern of nothing", action(`"s3:GetObjekt*"`), "Statement[0].Action"},
		{"action pattern of nothing in another service", action(`"sts:GetObject*"`), "Statement[0].Action"},
		{"not action unknown", `{"Statement":[{"Effect":"Allow","NotAction":"s3:DeleteBukket","Resource":"*"}]}`, "Statement[0].NotAction"},
		{"action second", action(`["s3:GetObject","s3:Get Object"]`), "Statement[0].Action[1]"},
		{"action variable", action(`"s3:${aws:username}"`), "Statement[0].Action"},

		{"resource bare", resourceOf(`"bkt"`), "Statement[0].Resource"},
		{"resource no arn", resourceOf(`"s3:::bkt"`), "Statement[0].Resource"},
		{"resource minio", resourceOf(`"arn:minio:s3:::bkt"`), "Statement[0].Resource"},
		{"resource case", resourceOf(`"ARN:aws:s3:::bkt"`), "Statement[0].Resource"},
		{"resource kms of aws", resourceOf(`"arn:aws:kms:::k"`), "Statement[0].Resource"},
		{"resource kms empty", resourceOf(`"arn:minio:kms:::"`), "Statement[0].Resource"},
		{"resource table", resourceOf(`"arn:aws:s3tables:::w"`), "Statement[0].Resource"},
		{"resource service", resourceOf(`"arn:aws:sqs:::q"`), "Statement[0].Resource"},
		{"resource region", resourceOf(`"arn:aws:s3:us-east-1::bkt"`), "Statement[0].Resource"},
		{"resource account", resourceOf(`"arn:aws:s3::111122223333:bkt"`), "Statement[0].Resource"},
		{"resource empty", resourceOf(`"arn:aws:s3:::"`), "Statement[0].Resource"},
		{"resource short", resourceOf(`"arn:aws:s3::bkt"`), "Statement[0].Resource"},
		{"resource leading space", resourceOf(`" arn:aws:s3:::bkt"`), "Statement[0].Resource"},
		{"resource space", resourceOf(`"arn:aws:s3:::bkt "`), "Statement[0].Resource"},
		{"resource newline", resourceOf(`"arn:aws:s3:::bkt/*\n"`), "Statement[0].Resource"},
		{"resource second", resourceOf(`["*","x"]`), "Statement[0].Resource[1]"},
		{"variable open", resourceOf(`"arn:aws:s3:::b/${aws:username"`), "Statement[0].Resource"},
		{"variable empty", resourceOf(`"arn:aws:s3:::b/${}"`), "Statement[0].Resource"},
		{"variable unknown", resourceOf(`"arn:aws:s3:::b/${jwt:}"`), "Statement[0].Resource"},
		{"variable typo", resourceOf(`"arn:aws:s3:::b/${aws:usernam}"`), "Statement[0].Resource"},
		{"key never answered", cond("StringEquals", "aws:SourceVpce", `"vpce-1"`), "Statement[0].Condition.StringEquals.aws:SourceVpce"},
		{"variable default unquoted", resourceOf(`"arn:aws:s3:::b/${aws:username, x}"`), "Statement[0].Resource"},
		{"variable default open", resourceOf(`"arn:aws:s3:::b/${aws:username, 'x}"`), "Statement[0].Resource"},
		{"variable nested", resourceOf(`"arn:aws:s3:::b/${aws:${aws:username}}"`), "Statement[0].Resource"},
		{"variables many", resourceOf(`"arn:aws:s3:::b/${aws:username}` + strings.Repeat("?*", 20) + `"`), "Statement[0].Resource"},
		{"variable in 2008", strings.Replace(resourceOf(`"arn:aws:s3:::b/${aws:username}"`), "2012", "2008", 1), "Statement[0]"},
		{"variable without version", strings.Replace(resourceOf(`"arn:aws:s3:::b/${aws:username}"`), `"Version":"2012-10-17",`, "", 1), "Statement[0]"},
		{"condition variable in 2008", strings.Replace(cond("StringEquals", "s3:prefix", `"${aws:username}"`), "2012", "2008", 1), "Statement[0]"},

		{"operator unknown", cond("StringMatches", "s3:prefix", `"x"`), "Statement[0].Condition.StringMatches"},
		{"operator case", cond("stringEquals", "s3:prefix", `"x"`), "Statement[0].Condition.stringEquals"},
		{"operator quantifier", cond("ForSomeValues:StringEquals", "s3:prefix", `"x"`), "Statement[0].Condition.ForSomeValues:StringEquals"},
		{"operator two quantifiers", cond("ForAllValues:ForAnyValue:StringEquals", "s3:prefix", `"x"`), "Statement[0].Condition"},
		{"operator twice if", cond("StringEqualsIfExistsIfExists", "s3:prefix", `"x"`), "Statement[0].Condition"},
		{"null if exists", cond("NullIfExists", "s3:prefix", `"true"`), "Statement[0].Condition.NullIfExists"},
		{"null quantified", cond("ForAllValues:Null", "s3:prefix", `"true"`), "Statement[0].Condition"},
		{"operator twice", allow(`,"Condition":{"StringEquals":{"s3:prefix":"a"},"StringEquals":{"s3:prefix":"b"}}`), "Statement[0].Condition.StringEquals"},
		{"key twice in other case", allow(`,"Condition":{"StringEquals":{"s3:prefix":"a","S3:Prefix":"b"}}`), "Statement[0].Condition.StringEquals.S3:Prefix"},
		{"operator empty", allow(`,"Condition":{"StringEquals":{}}`), "Statement[0].Condition.StringEquals"},
		{"condition list", allow(`,"Condition":[]`), "Statement[0].Condition"},
		{"key unknown", cond("StringEquals", "aws:MultiFactorAuthAges", `"x"`), "Statement[0].Condition.StringEquals.aws:MultiFactorAuthAges"},
		{"key typo", cond("StringEquals", "s3:prefx", `"x"`), "Statement[0].Condition.StringEquals.s3:prefx"},
		{"key vpc", cond("StringEquals", "aws:SourceVpc", `"x"`), "Statement[0].Condition.StringEquals.aws:SourceVpc"},
		{"key organization", cond("StringEquals", "aws:PrincipalOrgID", `"x"`), "Statement[0].Condition.StringEquals.aws:PrincipalOrgID"},
		{"key bucket tag", cond("StringEquals", "aws:ResourceTag/a", `"x"`), "Statement[0].Condition.StringEquals.aws:ResourceTag/a"},
		{"key access point", cond("StringEquals", "s3:DataAccessPointArn", `"x"`), "Statement[0].Condition"},
		{"key family alone", cond("StringEquals", "aws:RequestTag", `"x"`), "Statement[0].Condition"},
		{"key claim without name", cond("StringEquals", "jwt:", `"x"`), "Statement[0].Condition"},
		{"key tag without name", cond("StringEquals", "s3:ExistingObjectTag/", `"x"`), "Statement[0].Condition"},
		{"values none", cond("StringEquals", "s3:prefix", `[]`), "Statement[0].Condition.StringEquals.s3:prefix"},
		{"values object", cond("StringEquals", "s3:prefix", `{}`), "Statement[0].Condition.StringEquals.s3:prefix"},
		{"values null", cond("StringEquals", "s3:prefix", `[null]`), "Statement[0].Condition.StringEquals.s3:prefix[0]"},
		{"number", cond("NumericEquals", "s3:max-keys", `"ten"`), "Statement[0].Condition.NumericEquals.s3:max-keys"},
		{"number hex", cond("NumericEquals", "s3:max-keys", `"0x10"`), "Statement[0].Condition"},
		{"number huge", cond("NumericEquals", "s3:max-keys", `1e400`), "Statement[0].Condition"},
		{"number NaN", cond("NumericEquals", "s3:max-keys", `"NaN"`), "Statement[0].Condition"},
		{"number variable", cond("NumericEquals", "s3:max-keys", `"${aws:username}"`), "Statement[0].Condition"},
		{"date", cond("DateEquals", "aws:CurrentTime", `"tomorrow"`), "Statement[0].Condition"},
		{"date day", cond("DateEquals", "aws:CurrentTime", `"2026-02-30"`), "Statement[0].Condition"},
		{"bool", cond("Bool", "aws:SecureTransport", `"yes"`), "Statement[0].Condition"},
		{"null value", cond("Null", "s3:prefix", `"1"`), "Statement[0].Condition"},
		{"binary", cond("BinaryEquals", "s3:prefix", `"!"`), "Statement[0].Condition"},
		{"ip", cond("IpAddress", "aws:SourceIp", `"10.0.0.0/33"`), "Statement[0].Condition"},
		{"ip name", cond("IpAddress", "aws:SourceIp", `"localhost"`), "Statement[0].Condition"},
		{"ip short", cond("IpAddress", "aws:SourceIp", `"10.0"`), "Statement[0].Condition"},
		{"ip second", cond("NotIpAddress", "aws:SourceIp", `["10.0.0.0/8","x"]`), "Statement[0].Condition.NotIpAddress.aws:SourceIp[1]"},
		{"arn", cond("ArnLike", "aws:PrincipalArn", `"user/alice"`), "Statement[0].Condition"},
	}
	for _, tt := range tests {
		d, err := Parse([]byte(tt.document), Identity)
		wantSyntaxError(t, tt.name, d, err, tt.path)
	}
}

// TestRefusedResourcePolicy has what concerns principals.
func TestRefusedResourcePolicy(t *testing.T) {
	tests := []struct{ name, document, path string }{
		{"none", allow(""), "Statement[0]"},
		{"both", principal(`"*","NotPrincipal":{"AWS":"111122223333"}`), "Statement[0]"},
		{"text", principal(`"alice"`), "Statement[0].Principal"},
		{"list", principal(`["*"]`), "Statement[0].Principal"},
		{"empty", principal(`{}`), "Statement[0].Principal"},
		{"empty list", principal(`{"AWS":[]}`), "Statement[0].Principal.AWS"},
		{"service", principal(`{"Service":"s3.amazonaws.com"}`), "Statement[0].Principal.Service"},
		{"federated", principal(`{"AWS":"*","Federated":"x"}`), "Statement[0].Principal.Federated"},
		{"user wildcard", principal(`{"AWS":"arn:aws:iam::111122223333:user/*"}`), "Statement[0].Principal.AWS"},
		{"account wildcard", principal(`{"AWS":"arn:aws:iam::*:root"}`), "Statement[0].Principal.AWS"},
		{"short account", principal(`{"AWS":"11112222333"}`), "Statement[0].Principal.AWS"},
		{"role", principal(`{"AWS":["*","arn:aws:iam::111122223333:group/x"]}`), "Statement[0].Principal.AWS[1]"},
		{"allow not principal", allow(`,"NotPrincipal":{"AWS":"111122223333"}`), "Statement[0]"},
		{"not everybody", strings.Replace(allow(`,"NotPrincipal":"*"`), "Allow", "Deny", 1), "Statement[0]"},
		{"no resource", `{"Statement":[{"Effect":"Allow","Principal":"*","Action":"sts:*"}]}`, "Statement[0]"},
	}
	for _, tt := range tests {
		d, err := Parse([]byte(tt.document), Resource)
		wantSyntaxError(t, tt.name, d, err, tt.path)
	}
}

func wantSyntaxError(t *testing.T, name string, d *Document, err error, path string) {
	t.Helper()
	var syntax *SyntaxError
	switch {
	case err == nil:
		t.Errorf("%s: accepted", name)
	case d != nil:
		t.Errorf("%s: a document and an error", name)
	case !errors.As(err, &syntax):
		t.Errorf("%s: %v is no SyntaxError", name, err)
	case !strings.HasPrefix(syntax.Path, path) || path == "" && syntax.Path != "":
		t.Errorf("%s: the path is %q, want %q", name, syntax.Path, path)
	case syntax.Line < 1 || syntax.Column < 1:
		t.Errorf("%s: place %d:%d", name, syntax.Line, syntax.Column)
	}
}

// TestMessages: a refusal says what to do instead, where that is known.
func TestMessages(t *testing.T) {
	for document, want := range map[string]string{
		action(`"s3:HeadObject"`):                            "needs s3:GetObject",
		action(`"s3:Gett*"`):                                 "matches none",
		cond("StringEquals", "aws:SourceVpce", `"x"`):        "use aws:SourceIp",
		cond("StringEquals", "aws:PrincipalOrgID", `"x"`):    "use aws:PrincipalAccount",
		resourceOf(`"arn:aws:s3:::b/${aws:SourceVpc}"`):      "use aws:SourceIp",
		cond("NumericEquals", "s3:max-keys", `"${a:b}"`):     "takes no policy variables",
		`{"Statement":[{"Effect":"Allow","Action":"s3:*"}]}`: "Resource is missing",
	} {
		if _, err := Parse([]byte(document), Identity); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v, want %q", document, err, want)
		}
	}
}

// TestStored: what was accepted before stays readable, an unknown action harmless.
func TestStored(t *testing.T) {
	document := `{"Version":"2012-10-17","Statement":[
 {"Effect":"Allow","Action":["s3:GetObject","s3:OfTomorrow"],"Resource":"*"},
 {"Effect":"Deny","Action":"s3:Nothing*","Resource":"*"}]}`
	if _, err := Parse([]byte(document), Identity); err == nil {
		t.Error("an unknown action is accepted in a new document")
	}
	p, err := Compile("p", []byte(document), Identity)
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]Effect{"s3:GetObject": Allow, "s3:OfTomorrow": Allow, "s3:NothingAtAll": Deny, "s3:PutObject": NoEffect} {
		if got := p.Evaluate(&Query{Action: name, Bucket: "b", Key: "k"}).Effect; got != want {
			t.Errorf("%s: %v, want %v", name, got, want)
		}
	}
	for _, bad := range []string{action(`"ec2:RunInstances"`), cond("StringEquals", "s3:prefx", `"x"`), allow(`,"Effect":"Deny"`)} {
		if _, err := ParseStored([]byte(bad), Identity); err == nil {
			t.Errorf("stored: %s is accepted", bad)
		}
	}
}

// TestSizes is S-239: the limits in bytes, to the byte.
func TestSizes(t *testing.T) {
	document := func(n int) []byte {
		d := principal(`"*"`)
		return []byte(d + strings.Repeat(" ", n-len(d)))
	}
	identity := func(n int) []byte { return []byte(allow("") + strings.Repeat(" ", n-len(allow("")))) }
	for _, c := range []struct {
		name string
		data []byte
		kind Kind
		ok   bool
	}{
		{"bucket", document(MaxBucketDocument), Resource, true},
		{"bucket large", document(MaxBucketDocument + 1), Resource, false},
		{"identity", identity(MaxDocument), Identity, true},
		{"identity large", identity(MaxDocument + 1), Identity, false},
	} {
		if _, err := Parse(c.data, c.kind); (err == nil) != c.ok {
			t.Errorf("%s: %v", c.name, err)
		}
	}
}

func TestErrorPlace(t *testing.T) {
	_, err := Parse([]byte("{\n \"Statement\": [\n  {\"Effect\": \"allow\"}\n ]\n}"), Identity)
	var syntax *SyntaxError
	if !errors.As(err, &syntax) || syntax.Line != 3 || syntax.Path != "Statement[0].Effect" {
		t.Errorf("%v", err)
	}
}

func TestCannedPoliciesParse(t *testing.T) {
	for _, c := range CannedPolicies() {
		checkPrinted(t, []byte(c.Document), Identity)
	}
}

// TestDecisionNamesStatement checks what a decision says about its origin.
func TestDecisionNamesStatement(t *testing.T) {
	p, err := Compile("p", []byte(`{"Statement":[
 {"Effect":"Allow","Action":"s3:Get*","Resource":"*"},
 {"Sid":"Stop","Effect":"Deny","Action":"s3:GetObject","Resource":"arn:aws:s3:::b/*"}]}`), Identity)
	if err != nil {
		t.Fatal(err)
	}
	for key, want := range map[string]string{"b": "p[1] Stop", "c": "p[0]"} {
		if got := p.Evaluate(&Query{Action: "s3:GetObject", Bucket: key, Key: "k"}).Statement; got != want {
			t.Errorf("bucket %s: statement %q, want %q", key, got, want)
		}
	}
	if got := p.Evaluate(&Query{Action: "s3:PutObject", Bucket: "b", Key: "k"}).Statement; got != "" {
		t.Errorf("no statement matches, but %q decided", got)
	}
}
