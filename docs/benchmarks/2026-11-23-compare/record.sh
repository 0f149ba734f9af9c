#!/usr/bin/env bash
# Records a data set: two shops behind a gateway under round robin, polled ten times a second, with seeded traffic whose
# rate changes every 20 s. A neighbour, where there is one, sends 8 s of traffic to one shop past the gateway, rests for
# 4 s, and goes on to the other shop.
#
#   record.sh DIRECTORY ROUNDS SMALL LARGE NEIGHBOUR     # a round is 80 s and some 1,600 rows; cores; requests per second
set -euo pipefail
work=$1 rounds=$2 small=$3 large=$4 neighbour=$5
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
send() { # ADDRESS RATE SECONDS SEED
  "$sylvan" traffic "http://$1/" --mix shop --rate "$2/s" --duration "$3s" --seed "$4" >> "$work/traffic.out" 2>> "$work/traffic.err"
}
visit_shops() { # the neighbour
  for seed in $(seq $((rounds * 4))); do
    for shop in "$DEMO_SMALL" "$DEMO_LARGE"; do send "$shop" "$neighbour" 8 "$seed"; sleep 4; done
  done
}

start_shop SMALL "$small"
start_shop LARGE "$large"
sed 's/interval: 250ms/interval: 100ms/' "$root/conf/demo.yaml" > "$work/gateway.yaml"
DEMO_DIR=$work DEMO_LISTEN=127.0.0.1:0 DEMO_ADMIN=127.0.0.1:0 \
  "$sylvan" run -c "$work/gateway.yaml" > "$work/gateway.out" 2>&1 & pids+=($!)
web=$(said "$work/gateway.out" 'listening on')
sleep 2
if [ "$neighbour" != 0 ]; then visit_shops & pids+=($!); fi
for round in $(seq "$rounds"); do
  for rate in 40 100 60 80; do send "$web" "$rate" 20 "$round$rate"; done
done
