package s3api

import (
	"net/netip"
	"strings"

	"github.com/objsrv/objsrv/iam/policy"
)

// isPublic tells whether a bucket policy allows something to everyone: an Allow whose principal
// is everyone and which no condition ties to fixed callers (S3 user guide, "The meaning of public").
func isPublic(doc *policy.Document) bool {
	for _, s := range doc.Statements {
		if s.Effect != policy.Allow {
			continue
		}
		everyone := s.NotPrincipal != nil || (s.Principal != nil && s.Principal.Everyone)
		if everyone && !tiedToCallers(s.Conditions) {
			return true
		}
	}
	return false
}

// callerKeys are the condition keys by which a statement for everyone is not public, when
// their values are fixed.
var callerKeys = map[string]bool{
	"aws:sourceaccount": true, "aws:sourcearn": true, "aws:sourceip": true, "aws:userid": true, "aws:username": true,
	"aws:principalarn": true, "aws:principalaccount": true, "s3:x-amz-server-side-encryption-aws-kms-key-id": true,
}

// tyingOperators are those that hold for nobody who does not have the key, and for none but the values given. All
// others are no bound: negations, those that hold for absent keys (IfExists, Null, ForAllValues), and orders.
var tyingOperators = map[string]bool{
	"stringequals": true, "stringequalsignorecase": true, "stringlike": true,
	"arnequals": true, "arnlike": true, "ipaddress": true,
}

func tiedToCallers(conds []policy.Condition) bool {
	for _, cond := range conds {
		op, key := strings.ToLower(cond.Operator), strings.ToLower(cond.Key)
		if tyingOperators[strings.TrimPrefix(op, "foranyvalue:")] && callerKeys[key] && !anyOpenValue(key, cond.Values) {
			return true
		}
	}
	return false
}

// anyOpenValue tells values that fix nothing: wildcards, variables, the id and the account of who has not
// signed, and wide networks.
func anyOpenValue(key string, values []string) bool {
	for _, v := range values {
		switch {
		case strings.ContainsAny(v, "*?$"), strings.EqualFold(v, "anonymous"):
			return true
		case key == "aws:sourceip" && wideNetwork(v):
			return true
		}
	}
	return false
}

// wideNetwork tells networks that S3 takes for everyone's: wider than /8, of version 6 than /32. What is no
// network counts as one.
func wideNetwork(v string) bool {
	if a, err := netip.ParseAddr(v); err == nil {
		return a.IsUnspecified()
	}
	p, err := netip.ParsePrefix(v)
	return err != nil || p.Bits() < map[bool]int{true: 8, false: 32}[p.Addr().Is4()]
}
