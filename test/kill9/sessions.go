package main

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
	"github.com/objsrv/objsrv/test/internal/harness"
)

// sessionWriters ask for sessions at the same time, so that their commits share syncs.
const sessionWriters = 4

// sessions are temporary credentials that the server has acknowledged. Those of a round belong to
// a user of that round, who is deleted in the next: then none of them may come back.
type sessions struct {
	server *harness.Server
	round  int
	user   string // of this round

	mu    sync.Mutex
	acked []credentials.Value // of user
	gone  []credentials.Value // of users who were deleted, some of each round
	n     int                 // acknowledged in all rounds
}

// prepare deletes the user of the round before, and makes that of the next. The server runs. With
// MinIO it makes none, and there are no sessions: that takes another program.
func (s *sessions) prepare(ctx context.Context) error {
	if s.server.Minio {
		return nil
	}
	if s.user != "" {
		if err := s.server.Admin(ctx, "", "user", "rm", s.user); err != nil {
			return fmt.Errorf("delete the user of round %d: %w", s.round, err)
		}
		s.gone = append(s.gone, s.acked[:min(len(s.acked), 5)]...)
	}
	s.round++
	s.acked, s.user = nil, fmt.Sprintf("sessions-%d", s.round)
	if err := s.server.AddUser(ctx, s.user, "secret-of-"+s.user); err != nil {
		return fmt.Errorf("create the user of round %d: %w", s.round, err)
	}
	return nil
}

// load asks for sessions, in goroutines of wg, until ctx is done or the server is gone.
func (s *sessions) load(ctx context.Context, wg *sync.WaitGroup) {
	if s.user == "" {
		return
	}
	for range sessionWriters {
		sts, err := credentials.NewSTSAssumeRole("http://"+s.server.Addr, credentials.STSAssumeRoleOptions{
			AccessKey: s.user, SecretKey: "secret-of-" + s.user, Location: "us-east-1", DurationSeconds: 3600})
		if err != nil {
			panic(err) // an address that can't be one
		}
		wg.Go(func() {
			for ctx.Err() == nil {
				sts.Expire() // else it gives what it has
				v, err := sts.GetWithContext(nil)
				if err != nil {
					return
				}
				s.mu.Lock()
				s.acked = append(s.acked, v)
				s.n++
				s.mu.Unlock()
			}
		})
	}
}

// report tells what the rounds so far have shown.
func (s *sessions) report(r *harness.Report) {
	if s.server.Minio {
		r.Skip("sessions", "of objsrv only")
		return
	}
	var err error
	if s.n == 0 {
		err = errors.New("none was acknowledged")
	}
	r.Check(fmt.Sprintf("%d rounds, %d sessions acknowledged: all work, and none of %d whose users were deleted", s.round, s.n, len(s.gone)), err)
}

// verify wants each acknowledged session of the round to work, and none of those that were ended.
func (s *sessions) verify(ctx context.Context) error {
	return errors.Join(
		s.each(s.acked, func(c *minio.Client) error {
			_, err := c.ListBuckets(ctx)
			return err
		}),
		s.each(s.gone, func(c *minio.Client) error {
			_, err := c.ListBuckets(ctx)
			switch {
			case err == nil:
				return errors.New("works, though its user was deleted")
			case minio.ToErrorResponse(err).Code != "InvalidToken":
				return err
			}
			return nil
		}))
}

// each calls try with a client of each session, several at a time, and returns the first error.
func (s *sessions) each(all []credentials.Value, try func(*minio.Client) error) error {
	var wg sync.WaitGroup
	errs := make([]error, sessionWriters)
	for w := range sessionWriters {
		wg.Go(func() {
			for i := w; i < len(all) && errs[w] == nil; i += sessionWriters {
				v := all[i]
				c, err := minio.New(s.server.Addr, &minio.Options{Region: "us-east-1", MaxRetries: 1,
					Creds: credentials.NewStaticV4(v.AccessKeyID, v.SecretAccessKey, v.SessionToken)})
				if err == nil {
					err = try(c)
				}
				if err != nil {
					errs[w] = fmt.Errorf("session %d of %d of round %d, %s: %w", i+1, len(all), s.round, v.AccessKeyID, err)
				}
			}
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

// selfTest wants verify to notice a session that is lost, and one that outlives its user.
func (s *sessions) selfTest(ctx context.Context) error {
	if err := s.prepare(ctx); err != nil {
		return err
	}
	var wg sync.WaitGroup
	stop, cancel := context.WithTimeout(ctx, 300*time.Millisecond)
	defer cancel()
	s.load(stop, &wg)
	wg.Wait()
	if len(s.acked) == 0 {
		return errors.New("the load left no session")
	}
	if err := s.verify(ctx); err != nil {
		return fmt.Errorf("before the damage: %w", err)
	}
	s.gone = s.acked[:1]
	if s.verify(ctx) == nil {
		return errors.New("a session outlives its user, and that was not noticed")
	}
	s.gone = nil
	if err := s.server.Admin(ctx, "", "user", "rm", s.user); err != nil {
		return err
	}
	if s.verify(ctx) == nil {
		return errors.New("the sessions were lost, and that was not noticed")
	}
	return nil
}
