package etcd

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync/atomic"

	"go.etcd.io/etcd/api/v3/v3rpc/rpctypes"
	clientv3 "go.etcd.io/etcd/client/v3"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
)

// session is the login of a user: a credentials.PerRPCCredentials of gRPC. Etcd's client
// could log in by itself, but shows the token of the old session while it does; servers
// up to 3.4 refuse that, and it then logs in again and again without end.
type session struct {
	user, password string
	auth           clientv3.Auth // set before the first call
	turn           chan struct{} // holds one while somebody logs in
	token          atomic.Pointer[string]
}

func newSession(user, password string) *session {
	n := &session{user: user, password: password, turn: make(chan struct{}, 1)}
	n.token.Store(new(string))
	return n
}

// GetRequestMetadata implements credentials.PerRPCCredentials.
func (n *session) GetRequestMetadata(ctx context.Context, _ ...string) (map[string]string, error) {
	token := *n.token.Load()
	info, _ := credentials.RequestInfoFromContext(ctx)
	if token == "" || strings.HasPrefix(info.Method, "/etcdserverpb.Auth/") {
		return nil, nil
	}
	return map[string]string{rpctypes.TokenFieldNameGRPC: token}, nil
}

// RequireTransportSecurity implements credentials.PerRPCCredentials: without TLS the
// password has no secrecy either.
func (n *session) RequireTransportSecurity() bool { return false }

// renew logs in unless somebody has since old was the token.
func (n *session) renew(ctx context.Context, old *string) error {
	if n.user == "" {
		return nil
	}
	select {
	case n.turn <- struct{}{}:
	case <-ctx.Done():
		return ctx.Err()
	}
	defer func() { <-n.turn }()
	if n.token.Load() != old {
		return nil
	}
	resp, err := n.auth.Authenticate(ctx, n.user, n.password)
	switch {
	case errors.Is(err, rpctypes.ErrAuthNotEnabled):
		n.token.Store(new(string))
		return nil
	case err != nil:
		return fmt.Errorf("log in to etcd: %w", err)
	}
	n.token.Store(&resp.Token)
	return nil
}

// openStream is a grpc.StreamClientInterceptor. A watch that begins on another member, or
// on one that has started anew, gets no second chance with the token of an old session.
func (n *session) openStream(ctx context.Context, desc *grpc.StreamDesc, cc *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	if err := n.renew(ctx, n.token.Load()); err != nil {
		return nil, err
	}
	return open(ctx, desc, cc, method, opts...)
}
