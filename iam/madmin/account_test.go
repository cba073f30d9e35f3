package madmin

import (
	"encoding/json"
	"maps"
	"testing"
)

// TestAccountInfo: everybody learns his own rights, and the buckets that he may do something in,
// by his policies and the buckets': a user without any learns of none. What another account has in a bucket is nobody's
// but root's to know, also where the bucket's policy lets everybody in (S-231).
func TestAccountInfo(t *testing.T) {
	s, host := newHostServer(t)
	account := s.svc.Account()
	host.buckets = []Bucket{
		{BucketUsage: BucketUsage{Name: "plain", Objects: 3, Bytes: 30}, Owner: account, Quota: 100, Versioning: true},
		{BucketUsage: BucketUsage{Name: "shared"}, Owner: account, Tagged: true, Policy: []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:PutObject","Resource":"arn:aws:s3:::shared/*"}]}`)},
		{BucketUsage: BucketUsage{Name: "foreign"}, Owner: "999999999999"},
		{BucketUsage: BucketUsage{Name: "open"}, Owner: "999999999999", Policy: []byte(`{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:ListBucket","Resource":"arn:aws:s3:::open"}]}`)},
	}
	s.user("nobody")
	s.user("reader")
	s.attach("reader", "readonly")
	ask := func(as string) map[string]bucketAccess {
		t.Helper()
		var out accountInfo
		if err := json.Unmarshal([]byte(s.want(request{as: as, method: get, path: "accountinfo"}, 200, `"AccountName"`)), &out); err != nil {
			t.Fatal(err)
		}
		if len(out.Server.TotalSets) != 1 || !json.Valid(out.Policy) {
			t.Errorf("%+v", out)
		}
		access := map[string]bucketAccess{}
		for _, b := range out.Buckets {
			access[b.Name] = b.Access
		}
		return access
	}
	for as, want := range map[string]map[string]bucketAccess{
		"nobody":                {"shared": {false, true}},
		"reader":                {"plain": {true, false}, "shared": {true, true}},
		s.key("reader", narrow): {},
		s.key("reader", ""):     {"plain": {true, false}, "shared": {true, true}},
		"objroot":               {"plain": {true, true}, "shared": {true, true}, "foreign": {true, true}, "open": {true, true}},
	} {
		got := ask(as)
		if !maps.Equal(got, want) {
			t.Errorf("%s: %+v, want %+v", as, got, want)
		}
	}
	s.want(request{as: "nobody", method: get, path: "accountinfo", query: "prefix-usage=true"}, 501, "NotImplemented")
	s.want(request{as: "objroot", method: get, path: "accountinfo"}, 200, `"quota":{"quota":100,"size":100`)
}
