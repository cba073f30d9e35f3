package iam

import (
	"errors"
	"strings"
	"testing"
)

// TestNormalDN: S-212, one identity for all spellings of a distinguished name.
func TestNormalDN(t *testing.T) {
	for want, spellings := range map[string][]string{
		"uid=alice,ou=people,dc=example,dc=test": {
			"uid=alice,ou=people,dc=example,dc=test", "UID=Alice,OU=People,DC=Example,DC=Test", " uid = alice , ou=people,  dc=example,dc=test ",
			`uid=\61lice,ou=people,dc=example,dc=test`, `uid=\41\4c\49\43\45,ou=people,dc=example,dc=test`, "userid=alice,organizationalUnitName=people,dc=example,dc=test",
			"0.9.2342.19200300.100.1.1=alice,2.5.4.11=people,0.9.2342.19200300.100.1.25=example,dc=test",
			"uid=#0c05616C696365,ou=people,dc=example,dc=test", "uid=#1305616c696365 ,ou=people,dc=example,dc=test",
		},
		"cn=alice+uid=1,dc=test":             {"uid=1+cn=Alice,dc=test", "CN=alice + UID=1,dc=test"},
		`uid=carol (ext)\, x*,dc=test`:       {`uid=carol (ext)\, x*,dc=test`, `uid=carol \28ext\29\2c x\2a,dc=test`, `UID=Carol (EXT)\, X*,DC=test`},
		"cn=ärger,dc=test":                   {"cn=ÄRGER,dc=test", `cn=\c3\84rger,dc=test`, `cn=\C3\A4rger,dc=test`},
		"cn=σίσυφοσ,dc=test":                 {"cn=ΣΊΣΥΦΟΣ,dc=test", "cn=Σίσυφος,dc=test"},
		"cn=kelvin,dc=test":                  {"cn=\u212aelvin,dc=test"},
		`cn=\ a\ ,dc=test`:                   {`cn=\ a\ ,dc=test`, `cn=\20A\20 ,dc=test`},
		`cn=a  b,dc=test`:                    {`cn=A  b  ,dc=test`},
		`cn=\#x\+\"\<\>\;\\=y`:               {`cn=\#x\+\"\<\>\;\\=y`, `cn=\23x\2b\22\3c\3e\3b\5c\3dy`},
		`cn=a\00b\0a\e2\80\8b\c2\a0\ff`:      {`cn=a\00b\0a\e2\80\8b\c2\a0\ff`},
		"cn=#0500,dc=test":                   {"cn=#0500,dc=test"},
		"cn=istanbul":                        {"cn=ISTANBUL"},
		"cn=İstanbul":                        {"cn=İstanbul"}, // no other letter is taken for it
		"1.3.6.1.4.1.99999.1=x,ou=a,o=b,c=d": {"1.3.6.1.4.1.99999.1=X,OU=a,organizationName=B,C=d"},
	} {
		for _, in := range spellings {
			if got, err := NormalDN(in); err != nil || got != want {
				t.Errorf("%q: %q, %v; want %q", in, got, err, want)
			}
			if got := QualifiedName(SourceLDAP, in); got != "ldap:"+want {
				t.Errorf("%q is qualified as %q", in, got)
			}
		}
	}
	for _, in := range []string{
		"", "alice", "=alice", "uid=", "uid= ,dc=test", "uid=alice,", "uid=alice,,dc=test", "uid=a+,dc=b", `uid=a\`, `uid=a\4`, `uid=a\zz,dc=b`, `uid="a",dc=b`,
		"uid=a;dc=b", "uid=a<b", "uid=a>b", "uid=a\x00b", "u*d=a", "uid=#", "uid=#zz", "uid=#04", "ü=a",
	} {
		if got, err := NormalDN(in); !errors.Is(err, ErrInvalid) {
			t.Errorf("%q: %q, %v", in, got, err)
		}
	}
}

// TestOtherSpellings: S-212, nobody can be made twice.
func TestOtherSpellings(t *testing.T) {
	for _, name := range []string{"ldap:UID=alice,dc=test", "ldap:uid=alice, dc=test", `ldap:uid=\61lice,dc=test`, "ldap:alice", "ldap:uid=a;dc=b"} {
		if err := CheckUserName(name); !errors.Is(err, ErrInvalid) {
			t.Errorf("user %q: %v", name, err)
		}
		if err := CheckGroupName(name); !errors.Is(err, ErrInvalid) {
			t.Errorf("group %q: %v", name, err)
		}
	}
}

func FuzzNormalDN(f *testing.F) {
	for _, s := range []string{"uid=alice,dc=test", `cn=\ a\2c+uid=b, o=#0c0141`, "cn=Ünal\\ff"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, err := NormalDN(in)
		if err != nil {
			return
		}
		if again, err := NormalDN(got); err != nil || again != got {
			t.Errorf("%q becomes %q, and that %q, %v", in, got, again, err)
		}
		if strings.ContainsAny(got, "\x00\n") {
			t.Errorf("%q becomes %q", in, got)
		}
	})
}
