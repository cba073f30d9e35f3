package policy

import "testing"

// usualPolicies are what the speed of Evaluate is measured with.
var usualPolicies = map[string]string{
	"home": `{"Version":"2012-10-17","Statement":[
 {"Effect":"Allow","Action":["s3:GetObject","s3:PutObject"],"Resource":"arn:aws:s3:::data/${aws:username}/*"},
 {"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"Bool":{"aws:SecureTransport":"false"}}}]}`,
	"conditions": `{"Version":"2012-10-17","Statement":[
 {"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::data/*"},
 {"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"NotIpAddress":{"aws:SourceIp":["10.0.0.0/8","2001:db8::/32"]}}},
 {"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"DateGreaterThan":{"aws:CurrentTime":"2036-01-01T00:00:00Z"}}},
 {"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"NumericLessThan":{"s3:TlsVersion":"1.2"}}},
 {"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"ForAnyValue:StringLike":{"aws:groups":["out*","gone"]}}},
 {"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"ArnNotLike":{"aws:PrincipalArn":"arn:aws:iam::111122223333:user/*"}}},
 {"Effect":"Deny","Action":"s3:*","Resource":"*","Condition":{"StringNotEquals":{"aws:PrincipalTag/team":"${aws:username}"}}}]}`,
}

func usual(tb testing.TB, name string) (*Policy, *Query) {
	tb.Helper()
	document, ok := cannedDocument("canned:" + name)
	if !ok {
		document = usualPolicies[name]
	}
	p, err := Compile(name, []byte(document), Identity)
	if err != nil {
		tb.Fatal(err)
	}
	q, err := parseQuery("s3:GetObject data/alice/some/key/of/usual/length.txt aws:securetransport=true aws:sourceip=10.1.2.3 s3:tlsversion=1.3 " +
		"caller:aws:groups=a caller:aws:groups=b caller:aws:principaltag/team=alice")
	if err != nil {
		tb.Fatal(err)
	}
	return p, q
}

var usualNames = []string{"readwrite", "readonly", "home", "conditions"}

// TestNoAllocation: a decision allocates nothing, whatever kinds of conditions it looks at.
func TestNoAllocation(t *testing.T) {
	for _, name := range usualNames {
		p, q := usual(t, name)
		n := testing.AllocsPerRun(100, func() {
			if p.Evaluate(q).Effect != Allow {
				t.Fatal(name, "denied")
			}
		})
		if n > 0 {
			t.Errorf("%s: %v allocations", name, n)
		}
	}
}

func BenchmarkEvaluate(b *testing.B) {
	for _, name := range usualNames {
		b.Run(name, func(b *testing.B) {
			p, q := usual(b, name)
			b.ReportAllocs()
			for b.Loop() {
				p.Evaluate(q)
			}
		})
	}
}
