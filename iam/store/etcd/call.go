package etcd

import (
	"context"
	"errors"
	"fmt"
	"time"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/objsrv/objsrv/iam/store"
)

const (
	readTries  = 2 // shares of the timeout that a read gets, one member after the other
	loginTries = 3
	pause      = 25 * time.Millisecond
)

var errCompacted = fmt.Errorf("%w: the revision was compacted", store.ErrUnavailable)

// read runs reads as one transaction: they see one moment, and everything that had been
// acknowledged when it began.
func (s *Store) read(ctx context.Context, ops ...clientv3.Op) (resp *clientv3.TxnResponse, err error) {
	before := s.seen.Load()
	err = s.call(ctx, true, func(ctx context.Context) error {
		resp, err = s.client.Txn(ctx).Then(ops...).Commit()
		return err
	})
	if err != nil {
		return nil, err
	}
	s.observe(before, resp.Header.Revision)
	return resp, nil
}

// call runs f with the store's timeout and translates its error. What may be repeated is,
// while the timeout lasts; anything else only when etcd refused the session, which it does
// before it acts.
func (s *Store) call(ctx context.Context, repeatable bool, f func(context.Context) error) error {
	whole, cancel := context.WithTimeout(ctx, s.timeout)
	defer cancel()
	// A store that is closed ends what still runs.
	defer context.AfterFunc(s.life, cancel)()
	share := s.timeout
	if repeatable {
		share /= readTries
	}
	for logins := 1; ; {
		if err := s.dead(ctx); err != nil {
			return err
		}
		one, cancel := context.WithTimeout(whole, share)
		token := s.session.token.Load()
		err := f(one)
		if sessionEnded(err) && logins < loginTries {
			logins++
			if err = s.session.renew(one, token); err == nil {
				cancel()
				continue
			}
		}
		cancel()
		switch {
		case err == nil:
			return nil
		case s.dead(ctx) != nil:
			return s.dead(ctx)
		case repeatable && transient(err) && whole.Err() == nil:
			select {
			case <-time.After(pause):
			case <-whole.Done():
			}
		default:
			return classify(err)
		}
	}
}

// dead returns ErrClosed after Close, or the error of ctx.
func (s *Store) dead(ctx context.Context) error {
	if s.life.Err() != nil {
		return store.ErrClosed
	}
	return ctx.Err()
}

// code is that of an error of the client, which has two forms.
func code(err error) codes.Code {
	var e rpctypes.EtcdError
	if errors.As(err, &e) {
		return e.Code()
	}
	return status.Code(err)
}

func sessionEnded(err error) bool {
	return errors.Is(err, rpctypes.ErrInvalidAuthToken) || errors.Is(err, rpctypes.ErrAuthOldRevision) || errors.Is(err, rpctypes.ErrUserEmpty)
}

func transient(err error) bool {
	return errors.Is(err, context.DeadlineExceeded) || code(err) == codes.Unavailable || code(err) == codes.DeadlineExceeded
}

// reason is a grpc.UnaryClientInterceptor. When time ran out, gRPC says what it was waiting
// for, such as a connection and why there is none; the client would drop that.
func reason(ctx context.Context, method string, req, reply any, cc *grpc.ClientConn, invoke grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	err := invoke(ctx, method, req, reply, cc, opts...)
	if st, ok := status.FromError(err); ok && st.Code() == codes.DeadlineExceeded {
		return status.Error(codes.Unavailable, st.Message())
	}
	return err
}

// classify says an error of etcd in the words of package store. What leaves the outcome
// of a commit open, and whatever is not known here, is ErrUnavailable.
func classify(err error) error {
	switch {
	case errors.Is(err, rpctypes.ErrNoSpace):
		return fmt.Errorf("%w: etcd has reached --quota-backend-bytes, or its alarm NOSPACE is on: %w", store.ErrFull, err)
	case errors.Is(err, rpctypes.ErrTooManyOps):
		return fmt.Errorf("%w: the commit has more records than one transaction of etcd may have (--max-txn-ops): %w", store.ErrInvalid, err)
	case errors.Is(err, rpctypes.ErrTooManyRequests):
		return fmt.Errorf("%w: %w", store.ErrUnavailable, err)
	case errors.Is(err, rpctypes.ErrRequestTooLarge), code(err) == codes.ResourceExhausted:
		return fmt.Errorf("%w: the commit has more bytes than one request to etcd may have (--max-request-bytes): %w", store.ErrInvalid, err)
	case errors.Is(err, rpctypes.ErrCorrupt):
		return fmt.Errorf("%w: etcd's alarm CORRUPT is on: %w", store.ErrDamaged, err)
	case errors.Is(err, rpctypes.ErrCompacted):
		return errCompacted
	case errors.Is(err, rpctypes.ErrAuthFailed):
		return fmt.Errorf("%w: etcd refuses user or password: %w", store.ErrUnavailable, err)
	case errors.Is(err, rpctypes.ErrPermissionDenied):
		return fmt.Errorf("%w: the user's roles in etcd do not cover the prefix: %w", store.ErrUnavailable, err)
	case errors.Is(err, rpctypes.ErrUserEmpty):
		return fmt.Errorf("%w: etcd wants a user and a password, or a client certificate: %w", store.ErrUnavailable, err)
	}
	return fmt.Errorf("%w: etcd: %w", store.ErrUnavailable, err)
}
