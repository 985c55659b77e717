#!/bin/bash
# A cluster of three on this machine, in front of your eyes: deployed, used by
# an application, and its raft leader's plug pulled while somebody writes.
# "make demo" builds what it needs and runs it; "make demo-down" clears up.
set -euo pipefail
cd "$(dirname "$0")/.."
juju=bin/localjuju
arch=$(go env GOHOSTARCH)
export JUJU_MODEL=demo

say() { printf '\n\033[1m[%3ds] %s\033[0m\n' "$SECONDS" "$*"; }

# units prints "etcd/0 active 3 voters, survives 1 failure", a line each.
units() { $juju status --format json | jq -r '.applications[].units // {} | to_entries[] |
	"\(.key) \(.value["workload-status"].current) \(.value["workload-status"].message)"'; }

# follow prints units as they change until so many lines match, or gives up.
follow() {
	local seen='' now='' deadline=$((SECONDS + 240))
	until [ "$(grep -cE "$2" <<<"$now")" -ge "$1" ]; do
		if [ $SECONDS -ge $deadline ]; then
			echo "gave up: see $juju status and $juju debug-log" >&2
			return 1
		fi
		sleep 1
		now=$(units)
		diff --changed-group-format='%>' --unchanged-group-format='' <(echo "$seen") <(echo "$now") || true
		seen=$now
	done
}

# on UNIT COMMAND runs a command on a unit, with etcdctl set up as root has it.
on() { $juju exec --unit "$1" -- "set -a; . /etc/etcd/etcdctl.env; $2"; }

say "a model of Juju on this machine, with machines of its own"
$juju destroy-model --no-prompt demo >/dev/null 2>&1 || true
$juju add-model demo

say "deploy etcd on three machines, and an application that uses it"
$juju deploy "./etcd_$arch.charm" etcd -n 3
$juju deploy ./build/charms/proxy-user.charm app
$juju integrate app:proxy etcd:proxy
follow 4 '^etcd/[0-9]+ active 3 voters|^app/0 active'

say "the status table"
$juju status

say "a key is written on etcd/0 and watched on etcd/1"
on etcd/1 'timeout 4 etcdctl watch greeting || true' >build/demo-watch &
sleep 2
on etcd/0 'etcdctl put greeting "hello from etcd/0"'
wait $!
sed 's/^/  etcd\/1 saw: /' build/demo-watch

leader=$($juju run etcd/0 health --format json | jq -r '.[].results["raft-leader"]')
leader=${leader/-/\/}
writer=etcd/0
[ "$leader" = etcd/0 ] && writer=etcd/1
say "the plug of the raft leader, $leader, is pulled while $writer writes"
on "$writer" 'last=$(date +%s%3N); gap=0; acknowledged=0; end=$((last + 12000))
while [ "$last" -lt "$end" ]; do
	if etcdctl --command-timeout=3s put beat "$last" >/dev/null 2>&1; then
		now=$(date +%s%3N); acknowledged=$((acknowledged + 1))
		[ $((now - last)) -gt $gap ] && gap=$((now - last)); last=$now
	fi
done
echo "$acknowledged writes acknowledged, the longest time without one $gap ms"' >build/demo-writes &
sleep 3
$juju machine kill "$leader"
wait $!
cat build/demo-writes

say "what health says, asked of $writer"
$juju run "$writer" health

say "the machine comes up again, and its member is back by itself"
$juju machine start "$leader"
follow 3 '^etcd/[0-9]+ active 3 voters'

say "done: the cluster runs on"
cat <<TXT
Try, with export JUJU_MODEL=demo:
  $juju status
  $juju add-unit etcd -n 2              # five voters
  $juju remove-unit etcd/1 --no-prompt
  $juju config etcd snapshot-count=5000 # rolls through the members
  $juju run etcd/0 health
  $juju exec --unit etcd/0 -- '. /etc/etcd/etcdctl.env; etcdctl --endpoints=\$ETCDCTL_ENDPOINTS get greeting'
  $juju machine kill etcd/2; $juju machine start etcd/2
  $juju debug-log
"make demo-down" removes machines, mounts, bridge and processes.
TXT
