package simulation

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"etcd-charm/internal/etcd"
	"etcd-charm/internal/etcd/etcdtest"
	"etcd-charm/internal/host"
	"etcd-charm/internal/model"
	"etcd-charm/internal/options"
	"etcd-charm/internal/render"
)

// bed is a cluster that membership operations are tried on: the model or real
// processes. Members go by number; 0 has founded the cluster. Every call
// returns when what it began has settled.
type bed interface {
	// ops are the operations, and where they are asked.
	ops() operations
	endpoints() []string
	clientURL(n int) string
	peerURL(n int) string
	start(n int, list []etcd.Member)
	kill(n int)
	// rest lets the time pass that etcd takes to trust a connection.
	rest()
	// settle waits until the members that run have a raft leader, if they can.
	settle(running int)
}

type operations interface {
	Members(ctx context.Context, endpoints []string, linearizable bool) (etcd.Membership, error)
	AddLearner(ctx context.Context, endpoints []string, peerURL string) (etcd.Member, etcd.Membership, error)
	Promote(ctx context.Context, endpoints []string, id uint64) error
	Remove(ctx context.Context, endpoints []string, id uint64) error
	UpdatePeer(ctx context.Context, endpoints []string, id uint64, peerURLs []string) error
	MoveRaftLeader(ctx context.Context, endpoint string, to uint64) error
}

// TestMembership runs one table of operations against the model and against
// real etcd. Answers, kinds of error and the list after each have to be equal.
// ETCD_CHARM_TEST_BINS names folders with more versions of etcd, separated by
// colons.
func TestMembership(t *testing.T) {
	scripts := map[string]string{
		"growing": "add 1; promote 1; add 2; add 1; start 1; promote 1; promote 1; add 2; rest; add 2; remove 2; remove 2; promote 2",
		"three":   "add 1; start 1; promote 1; rest; add 2; start 2; promote 2; rest; move 1; move 0; kill 2; settle; remove 2; remove 1; remove 0",
		"a dead learner that had caught up is promoted": "add 1; start 1; kill 1; promote 1; settle; add 2; promote 1; remove 1",
		"updates":   "add 1; update 1 to 5; start 1; promote 1; update 1 to 0; update 7 to 6; update 1 to 5; remove 1",
		"no quorum": "add 1; start 1; promote 1; kill 1; settle; add 2; remove 1; promote 1",
	}
	folders := []string{""}
	if more := os.Getenv("ETCD_CHARM_TEST_BINS"); more != "" {
		folders = append(folders, filepath.SplitList(more)...)
	}
	for name, script := range scripts {
		t.Run(strings.ReplaceAll(name, " ", "_"), func(t *testing.T) {
			model := try(newModelBed(t), script)
			for _, folder := range folders {
				if folder != "" {
					t.Setenv("ETCD_CHARM_TEST_BIN", folder)
				}
				require.Equal(t, try(newRealBed(t), script), model, "real etcd %s first, the model second", folder)
			}
		})
	}
}

// try runs a script and writes down what came of each operation.
func try(b bed, script string) (log []string) {
	ctx := context.Background()
	ids := map[int]uint64{}
	for _, step := range strings.Split(script, "; ") {
		var op string
		var n, to int
		_, _ = fmt.Sscanf(step, "%s %d to %d", &op, &n, &to)
		list, _ := b.ops().Members(ctx, b.endpoints(), false) // nobody may answer yet
		var err error
		for _, m := range list.Members {
			for i := range 8 {
				if len(m.PeerURLs) > 0 && m.PeerURLs[0] == b.peerURL(i) && ids[i] == 0 {
					ids[i] = m.ID
				}
			}
		}
		id := ids[n]
		if id == 0 {
			id = 4711
		}
		err = nil
		switch op {
		case "add":
			var added etcd.Member
			added, _, err = b.ops().AddLearner(ctx, b.endpoints(), b.peerURL(n))
			if err == nil {
				ids[n] = added.ID
			}
		case "promote":
			err = b.ops().Promote(ctx, b.endpoints(), id)
		case "remove":
			err = b.ops().Remove(ctx, b.endpoints(), id)
		case "update":
			err = b.ops().UpdatePeer(ctx, b.endpoints(), id, []string{b.peerURL(to)})
		case "move":
			err = b.ops().MoveRaftLeader(ctx, b.clientURL(0), id)
		case "start":
			b.start(n, list.Members)
		case "kill":
			b.kill(n)
		case "rest":
			b.rest()
		case "settle":
			b.settle(1)
		}
		log = append(log, fmt.Sprintf("%s: %s: %s", step, kindOfError(err), describeList(b)))
	}
	return log
}

func kindOfError(err error) string {
	for _, kind := range []error{
		etcd.ErrTooManyLearners, etcd.ErrUnhealthy, etcd.ErrNotEnoughStarted, etcd.ErrLearnerNotReady, etcd.ErrNotLearner,
		etcd.ErrLearner, etcd.ErrMemberNotFound, etcd.ErrMemberExists, etcd.ErrPeerURLExists, etcd.ErrRemovedJustNow,
		etcd.ErrNotRaftLeader, etcd.ErrNoRaftLeader, etcd.ErrUnavailable,
	} {
		if errors.Is(err, kind) {
			return kind.Error()
		}
	}
	if err != nil {
		return "another error"
	}
	return "ok"
}

// describeList is the member list as the members that answer have it.
func describeList(b bed) string {
	list, err := b.ops().Members(context.Background(), b.endpoints(), false)
	if err != nil {
		return "no list"
	}
	var members []string
	for _, m := range list.Members {
		for n := range 8 {
			if m.PeerURLs[0] == b.peerURL(n) {
				members = append(members, fmt.Sprintf("%d(%s learner=%v)", n, m.Name, m.Learner))
			}
		}
	}
	return strings.Join(members, " ")
}

// realBed runs processes.
type realBed struct {
	t       *testing.T
	members []*etcdtest.Member
}

func newRealBed(t *testing.T) *realBed {
	b := &realBed{t: t}
	for n := range 8 {
		b.members = append(b.members, etcdtest.New(t, fmt.Sprintf("etcd-%d", n)))
	}
	b.members[0].Start(t, "new", etcdtest.InitialCluster(b.members[0]))
	b.members[0].WaitServes(t)
	return b
}

func (b *realBed) ops() operations        { return etcd.Client{Timeout: 7 * time.Second} }
func (b *realBed) clientURL(n int) string { return b.members[n].ClientURL }
func (b *realBed) peerURL(n int) string   { return b.members[n].PeerURL }

func (b *realBed) endpoints() []string {
	return []string{b.clientURL(0), b.clientURL(1), b.clientURL(2)}
}

func (b *realBed) start(n int, list []etcd.Member) {
	var peers []string
	for i, m := range b.members {
		for _, listed := range list {
			if listed.PeerURLs[0] == m.PeerURL {
				peers = append(peers, fmt.Sprintf("etcd-%d=%s", i, m.PeerURL))
			}
		}
	}
	b.members[n].Start(b.t, "existing", strings.Join(peers, ","))
	etcdtest.Eventually(b.t, "a member that has caught up", func() error {
		own, err := etcd.Client{}.Status(context.Background(), b.clientURL(n))
		if err != nil {
			return err
		}
		first, err := etcd.Client{}.Status(context.Background(), b.clientURL(0))
		if err == nil && own.RaftApplied < first.RaftApplied {
			return errors.New("behind")
		}
		return err
	})
}

func (b *realBed) kill(n int) { b.members[n].Kill(b.t) }
func (b *realBed) rest()      { time.Sleep(healthInterval + time.Second) }

// settle waits for two election timeouts: members that have lost their raft
// leader know it by then.
func (b *realBed) settle(int) { time.Sleep(3 * time.Second) }

// modelBed is the model without Juju.
type modelBed struct {
	t     *testing.T
	world *World
}

func newModelBed(t *testing.T) *modelBed {
	w := newWorld(1, model.Juju4, nil, newWALFolders(t.TempDir()))
	b := &modelBed{t, w}
	for n := range 8 {
		h := newNode(w, fmt.Sprintf("etcd/%d", n), w.newAddress())
		h.permit, h.staged = true, []string{"3.6.16"}
		w.hosts = append(w.hosts, h)
	}
	b.configure(0, render.StateNew, []int{0})
	b.world.hosts[0].start()
	b.world.run(3 * time.Second)
	return b
}

func (b *modelBed) configure(n int, state string, list []int) {
	h := b.world.hosts[n]
	defaults, err := options.Parse(nil)
	require.NoError(b.t, err)
	c := render.Config{
		Version: "3.6.16", Name: render.MemberName(h.unit), DataDir: host.DataDir, PeerURL: b.peerURL(n), ClientURL: b.clientURL(n),
		InitialState: state, InitialToken: "token", Options: defaults,
	}
	for _, i := range list {
		c.InitialCluster = append(c.InitialCluster, render.Peer{Name: fmt.Sprintf("etcd-%d", i), URL: b.peerURL(i)})
	}
	u := render.UnitFile{
		Program: host.ProgramPath("3.6.16", "etcd"), ConfigFile: host.ConfigFile, DataDir: host.DataDir,
		Permit: host.PermitFile, Fingerprint: "00",
	}
	h.files[configFile], err = render.Etcd(c)
	require.NoError(b.t, err)
	h.files[unitFile], err = render.Unit(u)
	require.NoError(b.t, err)
}

func (b *modelBed) ops() operations {
	pass := func(d time.Duration) { b.world.run(d) }
	return client{host: b.world.hosts[7], pass: pass, lost: func() bool { return false }}
}

func (b *modelBed) clientURL(n int) string { return render.ClientURL(b.world.hosts[n].addr, 2379) }
func (b *modelBed) peerURL(n int) string   { return render.PeerURL(b.world.hosts[n].addr, 2380) }

func (b *modelBed) endpoints() []string {
	return []string{b.clientURL(0), b.clientURL(1), b.clientURL(2)}
}

func (b *modelBed) start(n int, list []etcd.Member) {
	var peers []int
	for i := range 8 {
		for _, m := range list {
			if m.PeerURLs[0] == b.peerURL(i) {
				peers = append(peers, i)
			}
		}
	}
	b.configure(n, render.StateExisting, peers)
	b.world.hosts[n].start()
	b.world.run(2 * time.Second)
	require.True(b.t, b.world.hosts[n].proc != nil && b.world.hosts[n].proc.serves)
}

func (b *modelBed) kill(n int) { b.world.hosts[n].stop() }
func (b *modelBed) rest()      { b.world.run(healthInterval + time.Second) }
func (b *modelBed) settle(int) { b.world.run(3 * time.Second) }
