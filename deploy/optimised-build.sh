#!/usr/bin/env bash
# Builds the gateway with the `dist` profile, guided by a profile of itself at work: it serves the sample shop's pages
# for a few seconds under round robin and under a learning forest, and the compiler then lays out the code for that.
# Needs rustup's `llvm-tools` component, which it installs if it is missing.
#
#   deploy/optimised-build.sh [CARGO ARGUMENTS...]       # says where the binary is
#   SECONDS_EACH=20 deploy/optimised-build.sh --no-default-features
set -euo pipefail
cd "$(dirname "$0")/.."
seconds=${SECONDS_EACH:-8}
target=${CARGO_TARGET_DIR:-target}
work=$(mktemp -d)
pids=()
finish() { trap - EXIT; for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done; rm -rf "$work"; }
trap finish EXIT

tools() { echo "$(rustc --print sysroot)/lib/rustlib/$(rustc --print host-tuple)/bin"; }
test -x "$(tools)/llvm-profdata" || rustup component add llvm-tools

CARGO_TARGET_DIR=$target/profiled RUSTFLAGS="${RUSTFLAGS:-} -Cprofile-generate=$work" \
  cargo build --quiet --locked --profile dist --bin sylvan
sylvan=$target/profiled/dist/sylvan

# Only the gateway is to be profiled, not the shops and the traffic client.
export LLVM_PROFILE_FILE=/dev/null
address() { # FILE: where the process that writes it listens
  for _ in $(seq 100); do grep -q '^listening on' "$1" && break; sleep 0.1; done
  sed -n 's|^listening on.*http://||p' "$1"
}
for shop in first second; do
  "$sylvan" shop --listen 127.0.0.1:0 > "$work/$shop" & pids+=($!)
done
configure() { # SELECTOR
  cat > "$work/gateway.yaml" <<YAML
version: 1
log: { level: warn }
runtime: { state_dir: $work }
listeners: [{ name: web, bind: 127.0.0.1:0 }]
routes: [{ name: all, pool: shop }]
pools:
  shop:
    backends: [{ address: $(address "$work/first") }, { address: $(address "$work/second") }]
    selector: $1
    health_check: { type: http, path: /healthz, interval: 1s }
YAML
}
configure round_robin
LLVM_PROFILE_FILE=$work/sylvan-%p.profraw "$sylvan" run -c "$work/gateway.yaml" > "$work/gateway" & gateway=$!
pids+=("$gateway")
for selector in round_robin forest; do
  configure "$selector"
  sleep 3
  "$sylvan" traffic "http://$(address "$work/gateway")/" --mix shop --rate 200/s --duration "${seconds}s" >/dev/null 2>&1
done
kill "$gateway" && wait "$gateway"

"$(tools)/llvm-profdata" merge -o "$work/profdata" "$work"/sylvan-*.profraw
# Named by its content, since Cargo looks only at the name.
profile=$(realpath "$target")/sylvan-$(sha256sum "$work/profdata" | cut -c1-12).profdata
mv "$work/profdata" "$profile"
CARGO_TARGET_DIR=$target/optimised RUSTFLAGS="${RUSTFLAGS:-} -Cprofile-use=$profile" \
  cargo build --quiet --locked --profile dist --bin sylvan "$@"
echo "$target/optimised/dist/sylvan"
