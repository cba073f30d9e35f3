package s3api

import "testing"

// TestPublicPolicy is what counts as public (S3 user guide, "The meaning of public"), as the policy's status says and
// the public access block enforces.
func TestPublicPolicy(t *testing.T) {
	const everyone, account = `"Principal":"*"`, `"Principal":{"AWS":"` + otherAccount + `"}`
	rows := []struct {
		effect, principal, condition string
		public                       bool
	}{
		{"Allow", everyone, "", true},
		{"Allow", `"Principal":{"AWS":"*"}`, "", true},
		{"Allow", `"Principal":{"AWS":["` + otherAccount + `","*"]}`, "", true},
		{"Allow", account, "", false},
		{"Deny", everyone, "", false},

		{"Allow", everyone, `{"IpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`, false},
		{"Allow", everyone, `{"IpAddress":{"AWS:sourceip":["192.0.2.7","2001:db8::/32","10.0.0.0/8"]}}`, false},
		{"Allow", everyone, `{"IpAddress":{"aws:SourceIp":["192.0.2.7","0.0.0.0/0"]}}`, true},
		{"Allow", everyone, `{"IpAddress":{"aws:SourceIp":"0.0.0.0/1"}}`, true},
		{"Allow", everyone, `{"IpAddress":{"aws:SourceIp":"::/0"}}`, true},
		{"Allow", everyone, `{"IpAddress":{"aws:SourceIp":"2000::/3"}}`, true},
		{"Allow", everyone, `{"NotIpAddress":{"aws:SourceIp":"192.0.2.0/24"}}`, true},
		{"Allow", everyone, `{"IpAddressIfExists":{"aws:SourceIp":"192.0.2.0/24"}}`, true},

		{"Allow", everyone, `{"StringEquals":{"aws:PrincipalAccount":"` + otherAccount + `"}}`, false},
		{"Allow", everyone, `{"StringEquals":{"aws:PrincipalAccount":"anonymous"}}`, true},
		{"Allow", everyone, `{"StringEquals":{"aws:userid":["AIDAABCDEFGHIJKLMNOPQ","Anonymous"]}}`, true},
		{"Allow", everyone, `{"StringEquals":{"aws:userid":"AIDAABCDEFGHIJKLMNOPQ"}}`, false},
		{"Allow", everyone, `{"StringLike":{"aws:userid":"*"}}`, true},
		{"Allow", everyone, `{"StringLike":{"aws:username":"a?"}}`, true},
		{"Allow", everyone, `{"StringEquals":{"aws:username":"${aws:username}"}}`, true},
		{"Allow", everyone, `{"ForAllValues:StringEquals":{"aws:username":"a"}}`, true}, // holds for who has no name
		{"Allow", everyone, `{"ForAnyValue:StringEquals":{"aws:username":"a"}}`, false},
		{"Allow", everyone, `{"StringNotEquals":{"aws:username":"a"}}`, true},
		{"Allow", everyone, `{"StringEqualsIfExists":{"aws:username":"a"}}`, true},
		{"Allow", everyone, `{"Null":{"aws:username":"true"}}`, true},
		{"Allow", everyone, `{"NumericLessThan":{"aws:userid":"5"}}`, true},
		{"Allow", everyone, `{"ArnLike":{"aws:PrincipalArn":"arn:aws:iam::` + otherAccount + `:user/*"}}`, true},
		{"Allow", everyone, `{"ArnEquals":{"aws:PrincipalArn":"arn:aws:iam::` + otherAccount + `:user/a"}}`, false},
		{"Allow", everyone, `{"StringEquals":{"aws:Referer":"https://here.test/"}}`, true},
		{"Allow", everyone, `{"Bool":{"aws:SecureTransport":"true"}}`, true},
		{"Allow", everyone, `{"Bool":{"aws:SecureTransport":"true"},"IpAddress":{"aws:SourceIp":"192.0.2.7/32"}}`, false},
	}
	a := newAccounts(t, "")
	open, blocked := a.newBucket(), a.newBucket()
	a.wants(200, "", "owner", "PUT", blocked+"?publicAccessBlock", blockDoc("BlockPublicPolicy"))
	for _, row := range rows {
		doc := func(path string) string {
			condition := ""
			if row.condition != "" {
				condition = `,"Condition":` + row.condition
			}
			return `{"Version":"2012-10-17","Statement":[{"Effect":"` + row.effect + `",` + row.principal + `,"Action":"s3:GetObject","Resource":"arn:aws:s3:::` + path[1:] + `/*"` + condition + `}]}`
		}
		a.wants(204, "", "owner", "PUT", open+"?policy", doc(open))
		got := a.wants(200, "", "owner", "GET", open+"?policyStatus", "").element("IsPublic")
		if want := map[bool]string{true: "true", false: "false"}[row.public]; got != want {
			t.Errorf("%+v: public is %s, want %s", row, got, want)
		}
		status := a.as("owner", "PUT", blocked+"?policy", doc(blocked)).status
		if want := map[bool]int{true: 403, false: 204}[row.public]; status != want {
			t.Errorf("%+v: with the block %d, want %d", row, status, want)
		}
	}
}
