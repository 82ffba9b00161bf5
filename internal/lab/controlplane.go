package lab

import (
	"context"
	"fmt"
	"net"
	"strings"
)

// startEtcd starts the one etcd. It listens on Unix sockets in the lab's
// directory, which only this user can enter: no port, and no TLS to pay for.
func (l *Lab) startEtcd(ctx context.Context) error {
	// Of a peer's URL etcd takes the host as the socket's name, in the
	// directory that it works in.
	socket, peer := l.path("etcd.sock"), "unix://peer:0"
	// The shortest limit of the systems that this runs on is 104 bytes.
	if len(socket) > 100 {
		return fmt.Errorf("the path %s is too long for a Unix socket: use a shorter directory", socket)
	}
	p, err := l.run("etcd", "etcd.log", l.sets.Etcd,
		"--data-dir="+l.path("etcd"),
		"--unsafe-no-fsync",
		"--listen-client-urls=unix://"+socket,
		"--advertise-client-urls=unix://"+socket,
		"--listen-peer-urls="+peer,
		"--initial-advertise-peer-urls="+peer,
		"--initial-cluster=default="+peer,
		"--log-level=warn",
	)
	if err != nil {
		return err
	}
	l.etcd = p
	err = poll(ctx, p, func(ctx context.Context) error {
		conn, err := (&net.Dialer{}).DialContext(ctx, "unix", socket)
		if err != nil {
			return err
		}
		return conn.Close()
	})
	if err != nil {
		return err
	}
	l.watch(p)
	return nil
}

// startAPIServer starts the kube-apiserver of a cluster on a port that was free
// a moment ago, and on another one if somebody was quicker.
func (l *Lab) startAPIServer(ctx context.Context, c *cluster) error {
	for attempt := 1; ; attempt++ {
		port, err := freePort()
		if err != nil {
			return err
		}
		taken, err := l.startAPIServerAt(ctx, c, port)
		if !taken || attempt == 5 {
			return err
		}
	}
}

// startAPIServerAt also reports whether the port was somebody else's.
func (l *Lab) startAPIServerAt(ctx context.Context, c *cluster, port int) (taken bool, err error) {
	p, err := l.run("kube-apiserver of "+c.name, c.name+"-apiserver.log", l.sets.APIServer, c.apiServerFlags(l.path("etcd.sock"), port)...)
	if err != nil {
		return false, err
	}
	if err = c.connect(port); err == nil {
		err = poll(ctx, p, c.ready)
	}
	if err == nil {
		l.mu.Lock()
		l.apiservers[c.name] = p
		l.mu.Unlock()
		l.watch(p)
		return false, nil
	}
	taken = p.Err() != nil && strings.Contains(p.Tail(), "address already in use")
	_ = p.Stop(0)
	_ = l.guard.Forget(p)
	return taken, err
}

func (c *cluster) apiServerFlags(etcdSocket string, port int) []string {
	return []string{
		"--etcd-servers=unix://" + etcdSocket,
		"--etcd-prefix=/" + c.name,
		"--bind-address=127.0.0.1",
		"--advertise-address=127.0.0.1",
		fmt.Sprintf("--secure-port=%d", port),
		"--endpoint-reconciler-type=none",
		"--cert-dir=" + c.dir,
		"--tls-cert-file=" + c.file("server.crt"),
		"--tls-private-key-file=" + c.file("server.key"),
		"--client-ca-file=" + c.file("ca.crt"),
		"--authorization-mode=RBAC",
		"--service-account-issuer=https://kubernetes.default.svc",
		"--service-account-key-file=" + c.file("service-account.pub"),
		"--service-account-signing-key-file=" + c.file("service-account.key"),
		"--service-cluster-ip-range=10.0.0.0/24",
		"--profiling=false",
	}
}

// controllers are those whose absence a client of the API would notice although
// there are no nodes.
var controllers = []string{
	"namespace-controller",
	"serviceaccount-controller",
	"serviceaccount-token-controller",
	"root-ca-certificate-publisher-controller",
	"garbage-collector-controller",
	"clusterrole-aggregation-controller",
}

func (l *Lab) startControllerManager(c *cluster) error {
	p, err := l.run("kube-controller-manager of "+c.name, c.name+"-controller-manager.log", l.sets.ControllerManager,
		"--kubeconfig="+c.kubeconfig(),
		"--controllers="+strings.Join(controllers, ","),
		"--leader-elect=false",
		"--secure-port=0",
		"--cert-dir="+c.dir,
		"--root-ca-file="+c.file("ca.crt"),
		"--service-account-private-key-file="+c.file("service-account.key"),
		"--kube-api-qps=200",
		"--kube-api-burst=400",
		"--profiling=false",
	)
	if err != nil {
		return err
	}
	l.mu.Lock()
	l.managers[c.name] = p
	l.mu.Unlock()
	l.watch(p)
	return nil
}
