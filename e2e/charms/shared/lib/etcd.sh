# shellcheck shell=bash
# etcd as a consumer meets it: client URLs out of a relation, and behind them
# etcd's JSON gateway, /v3/kv/. Hooks, actions and the writer source this.
#
# It needs bash and coreutils, and uses curl where there is one.

# What this unit has read: urls, the client URLs, one to a line; value, the
# text that it writes into etcd to show that it has read it. Tests have it
# elsewhere.
: "${state:=/var/lib/${JUJU_UNIT_NAME//\//-}}"
mkdir -p "$state"

# learn URLS VALUE keeps what a unit of etcd has published. Nothing published
# is nothing learnt: an empty bag is one whose unit is not ready.
learn() {
	[ -n "$1" ] && [ -n "$2" ] || return 0
	tr , '\n' <<<"$1" >"$state/urls.new"
	printf %s "$2" >"$state/value"
	mv "$state/urls.new" "$state/urls"
}

# forget undoes learn.
forget() { rm -f "$state/urls" "$state/value"; }

# use_etcd writes this unit's key through what was learnt and says in the
# status how that went.
use_etcd() {
	local through count
	if ! [ -s "$state/urls" ]; then
		status-set waiting "for etcd to publish where it is"
		return
	fi
	count=$(wc -l <"$state/urls")
	if through=$(put "users/$JUJU_UNIT_NAME" "$(cat "$state/value")"); then
		status-set active "wrote through $through, one of $count"
	else
		status-set waiting "for one of $count to take a write: $(paste -sd, "$state/urls")"
	fi
}

# put KEY VALUE prints the client URL that took the write; it fails if none
# did. A caller that keeps the URL in $through has it tried first next time.
put() {
	local body url
	body="{\"key\":\"$(encode "$1")\",\"value\":\"$(encode "$2")\"}"
	for url in $(urls); do
		if post "$url" /v3/kv/put "$body" >/dev/null; then
			echo "$url"
			return 0
		fi
	done
	return 1
}

# ask PATH BODY prints the first answer to be had.
ask() {
	local answer url
	for url in $(urls); do
		if answer=$(post "$url" "$1" "$2"); then
			echo "$answer"
			return 0
		fi
	done
	return 1
}

urls() {
	grep -Fx -- "${through:-}" "$state/urls" || true
	grep -Fxv -- "${through:-}" "$state/urls" || true
}

encode() { printf %s "$1" | base64 -w0; }

# post URL PATH BODY prints the answer's body; it fails unless the answer is a
# 200. A member whose machine is off does not even refuse the connection, hence
# the short limit on connecting.
post() {
	if command -v curl >/dev/null; then
		curl --silent --show-error --fail --noproxy '*' --connect-timeout 2 --max-time 6 --data "$3" "$1$2"
	else
		timeout 6 bash -c "$(declare -f post_plain); post_plain \"\$@\"" post "$@"
	fi
}

# post_plain is post by bash's own sockets. It speaks HTTP/1.0, in which the
# answer comes in one piece and ends with the connection.
post_plain() {
	local address=${1#http://} status line
	local host=${address%:*} port=${address##*:}
	host=${host#[} host=${host%]}
	exec 3<>"/dev/tcp/$host/$port" || return 1
	printf 'POST %s HTTP/1.0\r\nHost: %s\r\nContent-Length: %d\r\n\r\n%s' "$2" "$address" "${#3}" "$3" >&3
	IFS= read -r status <&3
	while IFS= read -r line <&3 && [ "$line" != $'\r' ]; do :; done
	cat <&3
	case $status in
	HTTP/*' 200 '*) return 0 ;;
	esac
	echo "$1$2: ${status%$'\r'}" >&2
	return 1
}
