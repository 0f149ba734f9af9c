#!/usr/bin/env bash
# The selectors on live shops, by `sylvan evaluate`: on two uneven ones, on two even ones, and on ten that have little to do.
# Needs two idle cores, of which the shops take one together.
#
#   benches/live.sh [RATE] [TIME]   # requests per second, about 60 % of what round robin carries by default; and how long each
#                                   # selector is measured on even shops, where differences are small (64s)
set -euo pipefail
rate=${1:-280/s} even=${2:-64s}
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
sylvan=${SYLVAN:-${CARGO_TARGET_DIR:-target}/release/sylvan}
[ -x "$sylvan" ] || cargo build --release --locked --bin sylvan
work=$(mktemp -d)
pids=()
finish() { trap - EXIT; stop_shops; rm -rf "$work"; }
stop_shops() { for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; pids=(); }
trap finish EXIT

start_shop() { # NAME CORES: sets the variables of conf/demo.yaml for it
  "$sylvan" shop --listen 127.0.0.1:0 --agent 127.0.0.1:0 --cores "$2" > "$work/$1.out" & pids+=($!)
  for _ in $(seq 100); do grep -q '^listening on' "$work/$1.out" && break; sleep 0.1; done
  export "DEMO_$1=$(sed -n 's|^listening on.*http://||p' "$work/$1.out")"
  export "DEMO_$1_AGENT=$(sed -n 's|^agent on.*http://\([^/]*\).*|\1|p' "$work/$1.out")"
}
ten_shops() { # writes a configuration for them
  local index shop agent
  cat > "$work/ten.yaml" << END
version: 1
listeners: [{ name: web, bind: "127.0.0.1:0" }]
admin: { bind: "127.0.0.1:0" }
runtime: { state_dir: $work/state }
routes: [{ name: all, pool: shops }]
pools:
  shops:
    metrics_source: { type: agent, port: 9902 }
    selector: forest
    backends:
END
  for index in $(seq 10); do
    start_shop "$index" 1
    shop=DEMO_$index agent=DEMO_${index}_AGENT
    echo "      - { address: \"${!shop}\", metrics: \"${!agent}\" }" >> "$work/ten.yaml"
  done
}
evaluate() { # SMALL LARGE ARGUMENTS...
  start_shop SMALL "$1"; start_shop LARGE "$2"; shift 2
  DEMO_DIR=$work DEMO_LISTEN=127.0.0.1:0 DEMO_ADMIN=127.0.0.1:0 \
    "$sylvan" evaluate -c conf/demo.yaml --mix shop --rate "$rate" --slice 4s --saturation 0s "$@" 2> "$work/progress"
  stop_shops
}

echo "uneven shops, 0.37 and 0.63 of a core, $rate"
evaluate 0.37 0.63 --selectors forest,round_robin,least_requests,peak_ewma_all,c3 --duration 32s --warm-up 12s
echo
echo "even shops, 0.5 of a core each, $rate"
evaluate 0.5 0.5 --selectors forest,least_requests --duration "$even" --warm-up 15s

ten_shops
for few in 60/s 300/s; do
  echo
  echo "ten even shops, a core each, $few"
  "$sylvan" evaluate -c "$work/ten.yaml" --mix shop --rate "$few" --slice 4s --saturation 0s \
    --selectors forest,least_requests --duration 32s --warm-up 10s 2> "$work/progress"
done
