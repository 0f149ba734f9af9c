#!/usr/bin/env bash
# Records the data set of this folder: two uneven shops behind a gateway under round robin, polled ten times a second,
# with seeded traffic whose rate changes every 20 s.
#
#   docs/benchmarks/2026-11-23-compare/record.sh DIRECTORY [ROUNDS]     # a round is 80 s and some 1,600 rows
set -euo pipefail
work=${1:?a directory to record in}
rounds=${2:-28}
root=$(cd "$(dirname "$0")/../../.." && pwd)
sylvan=${SYLVAN:-${CARGO_TARGET_DIR:-$root/target}/release/sylvan}
mkdir -p "$work"
pids=()
finish() { trap - EXIT; for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; }
trap finish EXIT

said() { # FILE WORDS: what follows the words in a file, once they are there
  for _ in $(seq 100); do grep -q "^$2" "$1" && break; sleep 0.1; done
  sed -n "s|^$2.*http://\([^/]*\).*|\1|p" "$1" | head -1
}
start_shop() { # NAME CORES: sets the variables of conf/demo.yaml for it
  "$sylvan" shop --listen 127.0.0.1:0 --agent 127.0.0.1:0 --cores "$2" > "$work/$1.out" & pids+=($!)
  export "DEMO_$1=$(said "$work/$1.out" 'listening on')" "DEMO_$1_AGENT=$(said "$work/$1.out" 'agent on')"
}
start_shop SMALL 0.12
start_shop LARGE 0.20
sed 's/interval: 250ms/interval: 100ms/' "$root/conf/demo.yaml" > "$work/gateway.yaml"
DEMO_DIR=$work DEMO_LISTEN=127.0.0.1:0 DEMO_ADMIN=127.0.0.1:0 \
  "$sylvan" run -c "$work/gateway.yaml" > "$work/gateway.out" 2>&1 & pids+=($!)
web=$(said "$work/gateway.out" 'listening on')
sleep 2
for round in $(seq "$rounds"); do
  for rate in 40 100 60 80; do
    "$sylvan" traffic "http://$web/" --mix shop --rate "$rate/s" --duration 20s --seed "$round$rate" \
      >> "$work/traffic.out" 2>> "$work/traffic.err"
  done
done
