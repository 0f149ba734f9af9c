#!/usr/bin/env bash
# What the gateway costs beside Pingora alone: CPU per request and resident memory, both built with the `dist` profile,
# interleaved in one run. Needs Linux, wrk and nginx, and two idle cores: the proxy under test has the first, the load
# generator and the backends share the second.
#
#   benches/overhead.sh [ROUNDS] [SECONDS]
#   SYLVAN=target/optimised/dist/sylvan benches/overhead.sh      # another build of the gateway
set -euo pipefail
rounds=${1:-7} seconds=${2:-5}
root=$(cd "$(dirname "$0")/.." && pwd)
cd "$root"
cargo build --quiet --profile dist --locked --bin sylvan --example bare_proxy
binaries=${CARGO_TARGET_DIR:-target}/dist
work=$(mktemp -d)
pids=()
# SIGINT: on SIGTERM bare Pingora would sleep through five minutes of grace.
finish() { trap - EXIT; for pid in "${pids[@]}"; do kill -INT "$pid" 2>/dev/null || kill "$pid" 2>/dev/null || true; done; rm -rf "$work"; }
trap finish EXIT

port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
ticks=$(getconf CLK_TCK)
first_backend=$(port) second_backend=$(port) bare=$(port) web=$(port) admin=$(port) agent=$(port)

cat > "$work/nginx.conf" <<NGINX
worker_processes 1; daemon off; pid $work/nginx.pid; error_log $work/error.log;
events { worker_connections 1024; }
http { access_log off; keepalive_requests 1000000; keepalive_timeout 600s;
  server { listen 127.0.0.1:$first_backend; listen 127.0.0.1:$second_backend; location / { return 200 "ok"; } } }
NGINX
taskset -c 1 nginx -c "$work/nginx.conf" -p "$work" 2>/dev/null & pids+=($!)
taskset -c 1 "$binaries/sylvan" agent --listen "127.0.0.1:$agent" >/dev/null & pids+=($!)
LISTEN=127.0.0.1:$bare BACKENDS=127.0.0.1:$first_backend,127.0.0.1:$second_backend THREADS=1 \
  taskset -c 0 "$binaries/examples/bare_proxy" 2>/dev/null & bare_pid=$!; pids+=("$bare_pid")
cat > "$work/gateway.yaml" <<YAML
version: 1
admin: { bind: 127.0.0.1:$admin }
log: { level: warn }
runtime: { threads: 1 }
listeners: [{ name: web, bind: 127.0.0.1:$web }]
routes: [{ name: all, pool: backends }]
pools:
  backends:
    backends:
      - { address: 127.0.0.1:$first_backend, metrics: 127.0.0.1:$agent }
      - { address: 127.0.0.1:$second_backend, metrics: 127.0.0.1:$agent }
    selector: round_robin
    metrics_source: { type: agent, port: $agent, interval: 1s }
    health_check: { type: http, path: /, interval: 1s }
YAML
taskset -c 0 "${SYLVAN:-$binaries/sylvan}" run -c "$work/gateway.yaml" >/dev/null & sylvan_pid=$!; pids+=("$sylvan_pid")
# /metrics is scraped as Prometheus would, only more often.
(exec >/dev/null 2>&1; while sleep 2; do curl -s -o /dev/null "http://127.0.0.1:$admin/metrics" || true; done) & pids+=($!)

cpu_ticks() { awk '{ print $14 + $15 }' "/proc/$1/stat"; }
resident_kb() { awk '/^VmRSS/ { print $2 }' "/proc/$1/status"; }
measure() { # PID PORT: microseconds of CPU per request, requests per second, kB resident
  local before after out requests
  before=$(cpu_ticks "$1")
  out=$(taskset -c 1 wrk -t1 -c32 -d"${seconds}s" "http://127.0.0.1:$2/")
  after=$(cpu_ticks "$1")
  requests=$(awk '/requests in/ { print $1 }' <<<"$out")
  if grep -q "Non-2xx\|Socket errors" <<<"$out"; then echo "errors: $out" >&2; exit 1; fi
  awk -v t=$((after - before)) -v r="$requests" -v hz="$ticks" -v s="$seconds" -v kb="$(resident_kb "$1")" \
    'BEGIN { printf "%.2f %.0f %d\n", t / hz * 1e6 / r, r / s, kb }'
}

sleep 2
for port in "$bare" "$web"; do wrk -t1 -c32 -d2s "http://127.0.0.1:$port/" >/dev/null; done
echo "round  bare us/request  sylvan us/request  ratio  bare req/s  sylvan req/s  sylvan kB"
for round in $(seq "$rounds"); do
  read -r bare_us bare_rps _ < <(measure "$bare_pid" "$bare")
  read -r sylvan_us sylvan_rps sylvan_kb < <(measure "$sylvan_pid" "$web")
  awk -v n="$round" -v a="$bare_us" -v b="$sylvan_us" -v ar="$bare_rps" -v br="$sylvan_rps" -v kb="$sylvan_kb" \
    'BEGIN { printf "%5d %16.2f %18.2f %6.3f %11d %13d %10d\n", n, a, b, b / a, ar, br, kb }' | tee -a "$work/rows"
done
sort -k4,4n "$work/rows" | awk '{ ratio[NR] = $4; kb = $7 > kb ? $7 : kb }
  END { printf "median ratio %.3f (lowest %.3f, highest %.3f), at most %d kB resident\n",
        ratio[int((NR + 1) / 2)], ratio[1], ratio[NR], kb }'
