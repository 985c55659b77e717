package etcd

import (
	"context"
	"crypto/tls"
	"fmt"
	"net/url"
	"time"

	"go.etcd.io/etcd/api/v3/etcdserverpb"
	clientv3 "go.etcd.io/etcd/client/v3"
	"go.uber.org/zap"
	"google.golang.org/grpc"
)

// defaultTimeout bounds a call whose context has no earlier deadline. etcd
// itself gives up after 5 s and two election timeouts (ReqTimeout in
// server/config/config.go), later than a hook wants to wait.
const defaultTimeout = 5 * time.Second

// Client talks to an etcd cluster. The zero value speaks plain http.
//
// Each call dials, asks and closes. A call ends when its context does, or
// after Timeout if that is earlier; no call waits for one silent endpoint as
// long as another could answer. A call that takes no endpoints at all is
// ErrUnavailable. Proxies in the environment are not used: members are
// addressed directly, and a Juju model's proxy settings rarely exempt them.
type Client struct {
	TLS     *tls.Config   // for https endpoints; nil trusts the machine's own CAs
	Timeout time.Duration // of one call; zero means 5 s
}

// conn is one endpoint's services.
type conn struct {
	cluster     clientv3.Cluster
	kv          clientv3.KV
	maintenance clientv3.Maintenance
}

// on runs ask over a connection to one endpoint and closes it.
//
// The services are built on the client's connection instead of being taken
// from the client: those of the client wait for an endpoint that refuses
// until the deadline (WaitForReady in client/v3/options.go) and repeat
// requests up to 100 times, while here a refusal is an answer at once.
func (c Client) on(ctx context.Context, endpoint string, ask func(context.Context, conn) error) error {
	if u, err := url.Parse(endpoint); err != nil || (u.Scheme != "http" && u.Scheme != "https") || u.Host == "" {
		return fmt.Errorf("cannot use endpoint %q: want http://host:port or https://host:port", endpoint)
	}
	client, err := clientv3.New(clientv3.Config{
		Context:     ctx,
		Endpoints:   []string{endpoint},
		TLS:         c.TLS,
		Logger:      zap.NewNop(), // the default one writes JSON to stderr
		DialOptions: []grpc.DialOption{grpc.WithNoProxy()},
	})
	if err != nil {
		return asError(err)
	}
	defer client.Close() // its only error is the context's, which the request has met itself

	wire := client.ActiveConnection()
	return asError(ask(ctx, conn{
		cluster:     clientv3.NewClusterFromClusterClient(etcdserverpb.NewClusterClient(wire), nil),
		kv:          clientv3.NewKVFromKVClient(etcdserverpb.NewKVClient(wire), nil),
		maintenance: clientv3.NewMaintenanceFromMaintenanceClient(etcdserverpb.NewMaintenanceClient(wire), nil),
	}))
}

// bounded gives a call its deadline.
func (c Client) bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	if c.Timeout > 0 {
		return context.WithTimeout(ctx, c.Timeout)
	}
	return context.WithTimeout(ctx, defaultTimeout)
}
