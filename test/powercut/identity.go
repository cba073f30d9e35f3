//go:build linux

package main

import (
	"context"
	"errors"
	"fmt"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

// identityOperations are changes of identities and rights: what was granted is there after the
// cut, and what was taken away is not.
func identityOperations() []operation {
	newUser := func(ctx context.Context, r *run) error {
		return r.server.AddUser(ctx, userName(r.key), "secret-of-"+userName(r.key))
	}
	user := func(r *run) *minio.Client {
		return r.server.Client(userName(r.key), "secret-of-"+userName(r.key))
	}
	return []operation{
		{name: "assume-role", setup: newUser,
			do: func(ctx context.Context, r *run) error {
				sts, err := credentials.NewSTSAssumeRole("http://"+r.server.Addr, credentials.STSAssumeRoleOptions{
					AccessKey: userName(r.key), SecretKey: "secret-of-" + userName(r.key), Location: "us-east-1", DurationSeconds: 3600})
				if err != nil {
					return err
				}
				r.session, err = sts.GetWithContext(nil)
				return err
			},
			check: func(ctx context.Context, r *run) error {
				c, err := minio.New(r.server.Addr, &minio.Options{Region: "us-east-1", MaxRetries: 1,
					Creds: credentials.NewStaticV4(r.session.AccessKeyID, r.session.SecretAccessKey, r.session.SessionToken)})
				if err != nil {
					return err
				}
				_, err = c.ListBuckets(ctx)
				return err
			}},
		{name: "detach-policy", setup: newUser,
			do: func(ctx context.Context, r *run) error {
				return r.server.Admin(ctx, "", "user", "detach", userName(r.key), "readwrite")
			},
			check: func(ctx context.Context, r *run) error { return refused(user(r).ListBuckets(ctx)) }},
		{name: "delete-user", setup: newUser,
			do:    func(ctx context.Context, r *run) error { return r.server.Admin(ctx, "", "user", "rm", userName(r.key)) },
			check: func(ctx context.Context, r *run) error { return refused(user(r).ListBuckets(ctx)) }},
		{name: "bucket-policy",
			do: func(ctx context.Context, r *run) error { return r.SetBucketPolicy(ctx, r.bucket, policyOf(r)) },
			check: func(ctx context.Context, r *run) error {
				got, err := r.GetBucketPolicy(ctx, r.bucket)
				if err == nil && got != policyOf(r) {
					err = fmt.Errorf("the policy is %q", got)
				}
				return err
			}},
	}
}

// refused wants an answer of 403.
func refused(_ []minio.BucketInfo, err error) error {
	switch {
	case err == nil:
		return errors.New("the old rights are back")
	case minio.ToErrorResponse(err).StatusCode != 403:
		return err
	}
	return nil
}

// policyOf is a policy that differs in each round.
func policyOf(r *run) string {
	return `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Principal":"*","Action":"s3:GetObject","Resource":"arn:aws:s3:::` + r.bucket + "/" + r.key + `"}]}`
}
