package harness

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/cors"
	"github.com/minio/minio-go/v7/pkg/lifecycle"
	"github.com/minio/minio-go/v7/pkg/notification"
	"github.com/minio/minio-go/v7/pkg/sse"
)

// Setting is something that a client sets, again and again, and that must be what was acknowledged last after a crash.
type Setting struct {
	Name string
	// Prepare makes what the setting is of, unless it is there.
	Prepare func(ctx context.Context, s *Server) error
	// Set makes it the n-th; n goes up by one from 1 on.
	Set func(ctx context.Context, s *Server, n int) error
	// Is tells whether it is the n-th, and whether the server acts by it where that can be seen.
	Is func(ctx context.Context, s *Server, n int) (bool, error)
}

// The buckets of Settings. The first has object lock and no other user, the second access control lists.
const (
	settingsBucket = "settings"
	listsBucket    = "settings-acl"
)

// far is a time that no test lives to see, from which retentions count on.
var far = time.Date(2090, 1, 1, 0, 0, 0, 0, time.UTC)

// NotifyTarget is the name of the target that the setting "notification" sends events to. The server must know it, as a
// webhook.
const NotifyTarget = "CUT"

// Settings returns those of objects, of buckets, and of the server.
func Settings() []Setting {
	return slices.Concat(lockSettings(), documentSettings(), accessSettings(), serverSettings())
}

func root(s *Server) *minio.Client { return s.Client(Access, Secret) }

// locked is an object with a version that the tests of a setting lock.
func locked(key string) func(context.Context, *Server) error {
	return func(ctx context.Context, s *Server) error {
		if err := bucket(ctx, s, settingsBucket); err != nil {
			return err
		}
		if _, err := version(ctx, s, key); err == nil {
			return nil
		}
		_, err := root(s).PutObject(ctx, settingsBucket, key, strings.NewReader(key), int64(len(key)), minio.PutObjectOptions{})
		return err
	}
}

// bucket makes a bucket with object lock; that of access control lists has none, but these.
func bucket(ctx context.Context, s *Server, name string) error {
	err := root(s).MakeBucket(ctx, name, minio.MakeBucketOptions{ObjectLocking: name != listsBucket})
	if minio.ToErrorResponse(err).Code == "BucketAlreadyOwnedByYou" {
		return nil
	}
	if err == nil && name == listsBucket {
		err = s.Put(ctx, name, "", "ownershipControls", []byte("<OwnershipControls><Rule><ObjectOwnership>ObjectWriter</ObjectOwnership></Rule></OwnershipControls>"))
	}
	return err
}

func prepareBucket(name string) func(context.Context, *Server) error {
	return func(ctx context.Context, s *Server) error { return bucket(ctx, s, name) }
}

func version(ctx context.Context, s *Server, key string) (string, error) {
	o, err := root(s).StatObject(ctx, settingsBucket, key, minio.StatObjectOptions{})
	return o.VersionID, err
}

// kept tells whether a version is refused to who wants to delete it.
func kept(ctx context.Context, s *Server, key string) (bool, error) {
	id, err := version(ctx, s, key)
	if err != nil {
		return false, err
	}
	err = root(s).RemoveObject(ctx, settingsBucket, key, minio.RemoveObjectOptions{VersionID: id})
	if minio.ToErrorResponse(err).Code == "AccessDenied" {
		return true, nil
	}
	return false, err
}

func lockSettings() []Setting {
	until := func(n int) time.Time { return far.Add(time.Duration(n) * time.Minute) }
	mode, unit := minio.Governance, minio.Days
	hold := func(n int) minio.LegalHoldStatus {
		return []minio.LegalHoldStatus{minio.LegalHoldDisabled, minio.LegalHoldEnabled}[n%2]
	}
	days := func(n int) uint { return uint(1 + n%36000) }
	return []Setting{
		{"retention", locked("retained"),
			func(ctx context.Context, s *Server, n int) error {
				t := until(n)
				return root(s).PutObjectRetention(ctx, settingsBucket, "retained", minio.PutObjectRetentionOptions{Mode: &mode, RetainUntilDate: &t})
			},
			func(ctx context.Context, s *Server, n int) (bool, error) {
				_, t, err := root(s).GetObjectRetention(ctx, settingsBucket, "retained", "")
				if err != nil || !t.Equal(until(n)) {
					return false, err
				}
				return kept(ctx, s, "retained")
			}},
		{"legal-hold", locked("held"),
			func(ctx context.Context, s *Server, n int) error {
				status := hold(n)
				return root(s).PutObjectLegalHold(ctx, settingsBucket, "held", minio.PutObjectLegalHoldOptions{Status: &status})
			},
			func(ctx context.Context, s *Server, n int) (bool, error) {
				got, err := root(s).GetObjectLegalHold(ctx, settingsBucket, "held", minio.GetObjectLegalHoldOptions{})
				if err != nil || *got != hold(n) || *got == minio.LegalHoldDisabled {
					return err == nil && *got == hold(n), err
				}
				return kept(ctx, s, "held")
			}},
		{"lock-default", prepareBucket(settingsBucket + "-default"),
			func(ctx context.Context, s *Server, n int) error {
				v := days(n)
				return root(s).SetObjectLockConfig(ctx, settingsBucket+"-default", &mode, &v, &unit)
			},
			func(ctx context.Context, s *Server, n int) (bool, error) {
				_, _, got, _, err := root(s).GetObjectLockConfig(ctx, settingsBucket+"-default")
				return err == nil && got != nil && *got == days(n), err
			}},
	}
}

func documentSettings() []Setting {
	encryption := func(n int) *sse.Configuration {
		if n%2 == 0 {
			return sse.NewConfigurationSSES3()
		}
		return sse.NewConfigurationSSEKMS("objsrv-default")
	}
	return []Setting{
		{"encryption", prepareBucket(settingsBucket),
			func(ctx context.Context, s *Server, n int) error {
				return root(s).SetBucketEncryption(ctx, settingsBucket, encryption(n))
			},
			func(ctx context.Context, s *Server, n int) (bool, error) {
				got, err := root(s).GetBucketEncryption(ctx, settingsBucket)
				return err == nil && len(got.Rules) == 1 && got.Rules[0].Apply.SSEAlgorithm == encryption(n).Rules[0].Apply.SSEAlgorithm, err
			}},
		{"notification", prepareBucket(settingsBucket),
			func(ctx context.Context, s *Server, n int) error {
				queue := notification.NewConfig(notification.NewArn("minio", "sqs", "", NotifyTarget, "webhook"))
				queue.AddEvents(notification.ObjectCreatedAll)
				queue.AddFilterPrefix(strconv.Itoa(n) + "/")
				var c notification.Configuration
				c.AddQueue(queue)
				return root(s).SetBucketNotification(ctx, settingsBucket, c)
			},
			func(ctx context.Context, s *Server, n int) (bool, error) {
				got, err := root(s).GetBucketNotification(ctx, settingsBucket)
				if err != nil || len(got.QueueConfigs) != 1 || got.QueueConfigs[0].Filter == nil || len(got.QueueConfigs[0].Filter.S3Key.FilterRules) != 1 {
					return false, err
				}
				return got.QueueConfigs[0].Filter.S3Key.FilterRules[0].Value == strconv.Itoa(n)+"/", nil
			}},
		{"cors", prepareBucket(settingsBucket),
			func(ctx context.Context, s *Server, n int) error {
				return root(s).SetBucketCors(ctx, settingsBucket, cors.NewConfig([]cors.Rule{{AllowedMethod: []string{"GET"}, AllowedOrigin: []string{"https://example.com"}, MaxAgeSeconds: n}}))
			},
			func(ctx context.Context, s *Server, n int) (bool, error) {
				got, err := root(s).GetBucketCors(ctx, settingsBucket)
				return err == nil && got != nil && len(got.CORSRules) == 1 && got.CORSRules[0].MaxAgeSeconds == n, err
			}},
		{"lifecycle", prepareBucket(settingsBucket),
			func(ctx context.Context, s *Server, n int) error {
				c := lifecycle.NewConfiguration()
				c.Rules = []lifecycle.Rule{{ID: "none", Status: "Enabled", RuleFilter: lifecycle.Filter{Prefix: "none/"}, Expiration: lifecycle.Expiration{Days: lifecycle.ExpirationDays(n)}}}
				return root(s).SetBucketLifecycle(ctx, settingsBucket, c)
			},
			func(ctx context.Context, s *Server, n int) (bool, error) {
				got, err := root(s).GetBucketLifecycle(ctx, settingsBucket)
				return err == nil && len(got.Rules) == 1 && got.Rules[0].Expiration.Days == lifecycle.ExpirationDays(n), err
			}},
	}
}

// accessSettings are lists of access: who has no credentials may read, or list, every other time.
func accessSettings() []Setting {
	canned := func(n int) string { return []string{"private", "public-read"}[n%2] }
	open := func(ctx context.Context, s *Server, n int, path string) (bool, error) {
		r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.Addr+path, nil)
		if err != nil {
			return false, err
		}
		resp, err := http.DefaultClient.Do(r)
		if err != nil {
			return false, err
		}
		resp.Body.Close()
		return resp.StatusCode == []int{http.StatusForbidden, http.StatusOK}[n%2], nil
	}
	return []Setting{
		{"bucket-acl", prepareBucket(listsBucket),
			func(ctx context.Context, s *Server, n int) error {
				return s.Put(ctx, listsBucket, "", "acl", nil, "X-Amz-Acl", canned(n))
			},
			func(ctx context.Context, s *Server, n int) (bool, error) { return open(ctx, s, n, "/"+listsBucket) }},
		{"object-acl",
			func(ctx context.Context, s *Server) error {
				if err := bucket(ctx, s, listsBucket); err != nil {
					return err
				}
				if _, err := root(s).StatObject(ctx, listsBucket, "k", minio.StatObjectOptions{}); err == nil {
					return nil
				}
				_, err := root(s).PutObject(ctx, listsBucket, "k", bytes.NewReader([]byte("x")), 1, minio.PutObjectOptions{})
				return err
			},
			func(ctx context.Context, s *Server, n int) error {
				return s.Put(ctx, listsBucket, "k", "acl", nil, "X-Amz-Acl", canned(n))
			},
			func(ctx context.Context, s *Server, n int) (bool, error) {
				return open(ctx, s, n, "/"+listsBucket+"/k")
			}},
	}
}

// serverSettings are what `objsrv admin` sets. Of accounts and keys one more is made each time.
func serverSettings() []Setting {
	nothing := func(context.Context, *Server) error { return nil }
	return []Setting{
		{"quota", prepareBucket(settingsBucket),
			func(ctx context.Context, s *Server, n int) error {
				return s.Admin(ctx, "", "quota", "set", settingsBucket, fmt.Sprint(n, "GiB"), "--objects", strconv.Itoa(1_000_000+n))
			},
			func(ctx context.Context, s *Server, n int) (bool, error) {
				var q struct{ Quota, Objects int64 }
				err := s.AdminJSON(ctx, &q, "quota", "get", settingsBucket)
				return err == nil && q.Quota == int64(n)<<30 && q.Objects == int64(1_000_000+n), err
			}},
		{"account", nothing,
			func(ctx context.Context, s *Server, n int) error {
				return s.Admin(ctx, "secret-of-account\n", "account", "add", fmt.Sprint("account-", n), "--secret-stdin")
			},
			// its root user's key works, and the next account's is not there
			func(ctx context.Context, s *Server, n int) (bool, error) {
				for i := n; i <= n+1; i++ {
					_, err := s.Client(fmt.Sprint("account-", i), "secret-of-account").ListBuckets(ctx)
					if code := minio.ToErrorResponse(err).Code; err != nil && code != "InvalidAccessKeyId" {
						return false, err
					}
					if (err == nil) != (i == n) {
						return false, nil
					}
				}
				return true, nil
			}},
		{"encryption-key", nothing,
			func(ctx context.Context, s *Server, n int) error {
				return s.Admin(ctx, "", "encryption", "key", "add", fmt.Sprint("key-", n))
			},
			func(ctx context.Context, s *Server, n int) (bool, error) {
				var list struct{ Keys []struct{ Name string } }
				err := s.AdminJSON(ctx, &list, "encryption", "key", "list")
				has := func(n int) bool {
					return slices.ContainsFunc(list.Keys, func(k struct{ Name string }) bool { return k.Name == fmt.Sprint("key-", n) })
				}
				return err == nil && has(n) && !has(n+1), err
			}},
	}
}

// Put sends a PUT of root's for a sub-resource of a bucket, or of an object, with a header if one is given.
func (s *Server) Put(ctx context.Context, bucket, key, sub string, body []byte, header ...string) error {
	if len(header)%2 != 0 {
		return errors.New("a header without its value")
	}
	if len(body) > 0 { // documents are refused without
		sum := sha256.Sum256(body)
		header = append(header, "X-Amz-Checksum-Sha256", base64.StdEncoding.EncodeToString(sum[:]))
	}
	path := "/" + bucket
	if key != "" {
		path += "/" + key
	}
	return s.put(ctx, url.URL{Path: path, RawQuery: sub + "="}, body, header...)
}
