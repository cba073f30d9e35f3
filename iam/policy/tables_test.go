package policy

import (
	"slices"
	"strings"
	"testing"
)

// TestKeyTables: the tables of keys are lower-case, and each key has one origin.
func TestKeyTables(t *testing.T) {
	seen := map[string]string{}
	add := func(table, key string) {
		if key != lowerASCII(key) {
			t.Errorf("%s: %s is not lower-case", table, key)
		}
		if other, ok := seen[key]; ok && other != table {
			t.Errorf("%s is of %s and of %s", key, other, table)
		}
		seen[key] = table
		if name := key + "x"; (key[len(key)-1] == '/' || key[len(key)-1] == ':') != (KnownKey(name) && !KnownKey(key)) {
			t.Errorf("%s: %s is known: %v", table, name, KnownKey(name))
		}
	}
	for _, service := range []string{"s3", "sts", "admin", "other"} {
		keys := FaceKeys(service)
		if !slices.IsSorted(keys) || len(keys) < 4 {
			t.Errorf("%s: %q", service, keys)
		}
		for _, k := range keys {
			add("face", k)
		}
	}
	for table, keys := range map[string]map[string]bool{"query": queryKeys, "caller": callerKeys, "absent": absentKeys} {
		for k := range keys {
			add(table, k)
		}
	}
	for _, k := range callerFamilies {
		add("caller", k)
	}
	for k := range queryKeys {
		q := Query{Action: "s3:GetObject", Caller: Caller{ID: "i", Account: "a", Name: "n", ARN: "arn"}, Conditions: tattler{}}
		if v, ok := q.own(k); !ok || v == "" {
			t.Errorf("%s has no value for a user", k)
		}
	}
}

// tattler answers every key.
type tattler struct{}

func (tattler) Values(string) ([]string, bool) { return []string{"false"}, true }

// TestNobodySpeaksForTheCaller is S-036: a face that answers everything is believed in nothing
// that is not its own, and so are credentials.
func TestNobodySpeaksForTheCaller(t *testing.T) {
	for _, key := range []string{"aws:username", "aws:groups", "aws:principaltag/a", "jwt:sub", "ldap:user", "aws:sourceidentity", "aws:calledvia", "aws:sourcearn"} {
		q := &Query{Conditions: tattler{}}
		var buf [1]string
		if v, ok := q.values(key, originOf(key), &buf); ok {
			t.Errorf("%s is %q from the face", key, v)
		}
	}
	for _, key := range []string{"aws:sourceip", "s3:prefix", "aws:requesttag/a", "sts:durationseconds", "aws:calledvia"} {
		q := &Query{Caller: Caller{Attributes: tattler{}}}
		var buf [1]string
		if v, ok := q.values(key, originOf(key), &buf); ok {
			t.Errorf("%s is %q from the caller's credentials", key, v)
		}
	}
}

// TestActions: the list is in order, has MinIO's and AWS's names, and every canned policy is made of it.
func TestActions(t *testing.T) {
	all := Actions()
	if len(all) < 500 || !slices.IsSorted(all) {
		t.Errorf("%d actions", len(all))
	}
	for _, a := range all {
		if !KnownAction(a) || !KnownAction(strings.ToUpper(a)) {
			t.Errorf("%s is not known", a)
		}
	}
	lines := 0
	for line := range strings.Lines(actionsText) {
		if line != "\n" && line[0] != '#' {
			lines++
		}
	}
	if lines != len(all) {
		t.Errorf("%d lines, %d names: one is there twice", lines, len(all))
	}
	for api, name := range apiNames {
		if KnownAction(api) || !KnownAction(name) {
			t.Errorf("%s stands for %s", api, name)
		}
	}
	for a, want := range map[string]bool{"*": true, "s3:*": true, "s3:Get*": true, "s3:?etObject": true, "admin:*": true, "kms:*": true, "sts:*": true,
		"iam:*": true, "s3:GetObjectX": false, "s3:Get?": false, "s3express:CreateSession": true, "s3-object-lambda:*": true, "s3express:": false, "s3x:*": false, "ec2:*": false, "s3:": false, "": false, "admin:CreateUser": true, "s3:ListenNotification": true} {
		if KnownAction(a) != want {
			t.Errorf("%s: known is %v", a, !want)
		}
	}
}
