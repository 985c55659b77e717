package model

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestUnitBag_change_reaches_the_others(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := newWorld(t, f)
		w.deploy("etcd", etcdCharm, 3)
		id := w.id("etcd", "cluster")
		w.took()
		w.in("etcd/0", func(r *Run) {
			require.NoError(t, r.RelationSet(id, map[string]string{"state": "voter"}))
			require.Equal(t, "voter", get(t, r, id, "etcd/0")["state"], "read back at once")
			require.NotContains(t, w.Relations("etcd")[0].UnitBags["etcd/0"], "state", "not written yet")
		})
		w.settle()
		require.ElementsMatch(t, []string{
			"etcd/1 cluster-relation-changed etcd/0", "etcd/2 cluster-relation-changed etcd/0",
		}, w.took())
		w.in("etcd/0", func(r *Run) {
			require.NoError(t, r.RelationSet(id, map[string]string{"state": "voter", "never": ""}))
		})
		w.settle()
		require.Empty(t, w.took(), "the same again is no change")
		w.in("etcd/0", func(r *Run) {
			require.NoError(t, r.RelationSet(id, map[string]string{"state": ""}))
			require.NotContains(t, get(t, r, id, "etcd/0"), "state")
		})
		require.NotContains(t, w.Relations("etcd")[0].UnitBags["etcd/0"], "state", "an empty value deletes")
	})
}

func TestUnitBag_begins_with_the_address(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := newWorld(t, f)
		w.deploy("etcd", etcdCharm, 2)
		want := map[string]string{"ingress-address": "10.0.0.2", "egress-subnets": "10.0.0.2/32"}
		if f == Juju3 {
			want["private-address"] = "10.0.0.2"
		}
		w.in("etcd/1", func(r *Run) {
			require.Equal(t, want, get(t, r, w.id("etcd", "cluster"), "etcd/0"))
		})
	})
}

func TestUnitBag_is_seen_as_it_was_until_its_changed_hook(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := newWorld(t, f)
		w.deploy("etcd", etcdCharm, 2)
		id := w.id("etcd", "cluster")
		write := func(v string) {
			w.in("etcd/0", func(r *Run) { require.NoError(t, r.RelationSet(id, map[string]string{"n": v})) })
		}
		write("1")
		w.settle()
		w.in("etcd/1", func(r *Run) { require.Equal(t, "1", get(t, r, id, "etcd/0")["n"]) })
		write("2")
		w.in("etcd/1", func(r *Run) {
			require.Equal(t, "1", get(t, r, id, "etcd/0")["n"], "as an earlier hook had read it")
		})
		w.settle()
		w.in("etcd/1", func(r *Run) { require.Equal(t, "2", get(t, r, id, "etcd/0")["n"]) })
		write("3")
		require.NoError(t, w.StopAgent("etcd/1", true))
		require.NoError(t, w.StartAgent("etcd/1", false))
		if f == Juju3 {
			require.True(t, w.step("etcd/1"), "leader-settings-changed")
		}
		w.in("etcd/1", func(r *Run) {
			require.Equal(t, "3", get(t, r, id, "etcd/0")["n"], "a new agent has read nothing yet")
		})
	})
}

func TestUnitBag_set_and_set_back(t *testing.T) {
	for _, row := range []struct {
		flavour Flavour
		want    []string
	}{
		{Juju3, []string{"cluster-relation-changed etcd/0"}},
		{Juju4, nil},
	} {
		t.Run("juju_"+row.flavour.String(), func(t *testing.T) {
			w := newWorld(t, row.flavour)
			w.deploy("etcd", etcdCharm, 2)
			id := w.id("etcd", "cluster")
			w.took()
			for _, v := range []string{"1", ""} {
				w.in("etcd/0", func(r *Run) { require.NoError(t, r.RelationSet(id, map[string]string{"n": v})) })
			}
			w.settle()
			require.Equal(t, row.want, w.tookBy("etcd/1"))
		})
	}
}

func TestUnitBag_of_whom_it_may_be(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 2)
	w.deploy("app", appCharm, 1)
	_, err := w.Integrate("etcd", "db", "app", "etcd")
	require.NoError(t, err)
	w.settle()
	id := w.id("etcd", "db")
	w.in("etcd/0", func(r *Run) {
		require.NotEmpty(t, get(t, r, id, "app/0"))
		_, err := r.RelationGet(id, "etcd/1")
		require.ErrorIs(t, err, ErrNotPermitted, "not one's own side")
		_, err = r.RelationGet(id, "app/7")
		require.ErrorIs(t, err, ErrNoSettings)
		_, err = r.RelationGet(99, "app/0")
		require.ErrorIs(t, err, ErrNotFound)
		_, err = r.RelationList(99)
		require.ErrorIs(t, err, ErrNotFound)
		info, err := r.RelationInfo(id)
		require.NoError(t, err)
		require.Equal(t, RelationInfo{Endpoint: "db", RemoteApp: "app", Key: "app:etcd etcd:db", Life: Alive}, info)
	})
}

func TestAppBag(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := newWorld(t, f)
		w.deploy("etcd", etcdCharm, 2)
		id := w.id("etcd", "cluster")
		w.took()
		w.in("etcd/0", func(r *Run) {
			require.NoError(t, r.RelationSetApp(id, map[string]string{"token": "1"}))
			got, err := r.RelationGetApp(id, "etcd")
			require.NoError(t, err)
			require.Equal(t, map[string]string{"token": "1"}, got, "read back at once")
		})
		w.in("etcd/1", func(r *Run) {
			require.ErrorIs(t, r.RelationSetApp(id, map[string]string{"token": "2"}), ErrNotLeader)
			got, err := r.RelationGetApp(id, "etcd")
			require.NoError(t, err)
			require.Equal(t, map[string]string{"token": "1"}, got, "peers may read it")
		})
		w.settle()
		require.ElementsMatch(t, []string{"etcd/0 cluster-relation-changed", "etcd/1 cluster-relation-changed"}, w.took(),
			"everyone is told, the leader as well, without a remote unit")
	})
}

func TestAppBag_of_a_relation_between_applications(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 2)
	w.deploy("app", appCharm, 1)
	id, err := w.Integrate("etcd", "", "app", "")
	require.NoError(t, err)
	w.settle()
	w.took()
	w.in("etcd/0", func(r *Run) { require.NoError(t, r.RelationSetApp(id, map[string]string{"k": "v"})) })
	w.settle()
	require.Equal(t, []string{"app/0 etcd-relation-changed"}, w.took(), "the other side is told")
	w.in("etcd/1", func(r *Run) {
		_, err := r.RelationGetApp(id, "etcd")
		require.ErrorIs(t, err, ErrNotPermitted, "its own application's is the leader's")
	})
	w.in("app/0", func(r *Run) {
		got, err := r.RelationGetApp(id, "etcd")
		require.NoError(t, err)
		require.Equal(t, map[string]string{"k": "v"}, got)
	})
}

func TestAppBag_is_read_once_per_hook(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 2)
	id := w.id("etcd", "cluster")
	require.NoError(t, w.SetConfig("etcd", set("port", "1")))
	r := w.Next("etcd/1")
	read := func() map[string]string {
		got, err := r.RelationGetApp(id, "etcd")
		require.NoError(t, err)
		return got
	}
	require.Empty(t, read())
	leader := w.Next("etcd/0")
	require.NoError(t, leader.RelationSetApp(id, map[string]string{"token": "1"}))
	require.NoError(t, leader.Finish(Succeeded))
	require.Empty(t, read(), "not in the same hook")
	require.NoError(t, r.Finish(Succeeded))
	w.in("etcd/1", func(next *Run) { r = next; require.NotEmpty(t, read(), "but in the next, changed hook or not") })
}

func TestAppBag_written_by_a_leader_that_is_none_any_more(t *testing.T) {
	eachFlavour(t, func(t *testing.T, f Flavour) {
		w := newWorld(t, f)
		w.deploy("etcd", etcdCharm, 2)
		id := w.id("etcd", "cluster")
		require.NoError(t, w.SetConfig("etcd", set("port", "1")))
		r := w.Next("etcd/0")
		require.NoError(t, r.RelationSetApp(id, map[string]string{"token": "1"}))
		require.NoError(t, r.RelationSet(id, map[string]string{"state": "x"}))
		w.Model.grantLease(w.Model.st.Applications["etcd"], "etcd/1")

		err := r.Finish(Succeeded)
		require.ErrorIs(t, err, ErrFlush)
		require.ErrorIs(t, err, ErrNotLeader)
		rel := w.Relations("etcd")[0]
		require.Empty(t, rel.AppBags["etcd"])
		require.NotContains(t, rel.UnitBags["etcd/0"], "state", "nothing at all is written")
		w.step("etcd/0")
		require.Equal(t, `error hook failed: "config-changed"`, w.agentStatus("etcd/0"))
	})
}

func TestRelationIDs(t *testing.T) {
	w := newWorld(t, Juju3)
	var inInstall []int
	w.do = func(r *Run) Outcome {
		if r.Hook.Kind == Install {
			ids, err := r.RelationIDs("cluster")
			require.NoError(t, err)
			inInstall = ids
		}
		return Succeeded
	}
	w.deploy("etcd", etcdCharm, 1)
	require.Empty(t, inInstall, "in install there are none yet")
	w.deploy("app", appCharm, 1)
	w.deploy("app2", appCharm, 1)
	_, err := w.Integrate("etcd", "", "app", "")
	require.NoError(t, err)
	_, err = w.Integrate("etcd", "", "app2", "")
	require.NoError(t, err)
	w.settle()
	w.in("etcd/0", func(r *Run) {
		ids, err := r.RelationIDs("db")
		require.NoError(t, err)
		require.Len(t, ids, 2)
		all, err := r.RelationIDs("")
		require.NoError(t, err)
		require.Len(t, all, 3)
	})
}

func TestRelationList_in_joined_and_departed(t *testing.T) {
	w := newWorld(t, Juju3)
	w.deploy("etcd", etcdCharm, 2)
	id := w.id("etcd", "cluster")
	lists := map[string][]string{}
	w.do = func(r *Run) Outcome {
		if r.Unit == "etcd/0" && r.Hook.RemoteUnit == "etcd/2" {
			list, err := r.RelationList(id)
			require.NoError(t, err)
			lists[r.Hook.Name()] = list
		}
		return Succeeded
	}
	w.addUnit("etcd")
	w.settle()
	require.NoError(t, w.RemoveUnit("etcd/2", false))
	w.settle()
	require.Equal(t, map[string][]string{
		"cluster-relation-joined":   {"etcd/1", "etcd/2"},
		"cluster-relation-changed":  {"etcd/1", "etcd/2"},
		"cluster-relation-departed": {"etcd/1"},
	}, lists)
}

func TestIntegrate_refuses(t *testing.T) {
	w := newWorld(t, Juju3)
	two := Charm{URL: "local:two-0", Endpoints: []Endpoint{
		{"a", Requirer, "etcd"}, {"b", Requirer, "etcd"}, {"c", Requirer, "other"},
	}}
	for name, c := range map[string]Charm{"etcd": etcdCharm, "app": appCharm, "two": two} {
		require.NoError(t, w.Deploy(name, c, nil))
	}
	_, err := w.Integrate("etcd", "", "app", "")
	require.NoError(t, err)
	for _, row := range []struct {
		name           string
		a, ea, b, eb   string
		want, contains string
	}{
		{name: "twice", a: "app", b: "etcd", contains: "already exists"},
		{name: "ambiguous", a: "etcd", b: "two", contains: "ambiguous"},
		{name: "another_interface", a: "etcd", ea: "db", b: "two", eb: "c", contains: "no relations found"},
		{name: "nobody", a: "etcd", b: "none", contains: `application "none"`},
	} {
		t.Run(row.name, func(t *testing.T) {
			_, err := w.Integrate(row.a, row.ea, row.b, row.eb)
			require.ErrorContains(t, err, row.contains)
		})
	}
	_, err = w.Integrate("etcd", "", "two", "b")
	require.NoError(t, err)
	require.ErrorIs(t, w.Deploy("etcd", etcdCharm, nil), ErrExists)
}

func get(t *testing.T, r *Run, id int, unit string) map[string]string {
	t.Helper()
	settings, err := r.RelationGet(id, unit)
	require.NoError(t, err)
	return settings
}
