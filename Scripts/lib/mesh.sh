# shellcheck shell=bash
# Runs the health mesh of Config/health: applies it, starts its workers, feeds it, waits, counts.
# Sourced after common.sh, setup.sh and broker.sh. All that one run writes is in `run`, a directory
# of its own; the mesh's topics, groups and ids carry `WEFT_ENVIRONMENT`, so runs do not meet.
# shellcheck disable=SC2154 # root, build and started are common.sh's

domains=(registration claims visits labs)
config=$root/Config/health
weft=$build/release/weft

# new_run KIND: a directory for this run, and an environment. Older ones whose processes are gone
# are removed, but for the newest three, whose logs somebody may want to read.
new_run() {
  local kind=$1 base=$build/runs old name owner since
  mkdir -p "$base"
  run=$(mktemp -d "$base/$kind-$(date +%H%M%S)-XXXX")
  printf '%s %s\n' "$$" "$(started_at $$)" >"$run/owner"
  mkdir -p "$run/logs" "$run/state"
  while read -r old; do
    if [ "$old" = "$run" ] || [ -f "$old/workers" ] || [ -f "$old/broker/pids" ]; then continue; fi
    read -r owner since <"$old/owner" 2>/dev/null || continue
    alive "$owner" "$since" || rm -rf "$old"
  done < <(find "$base" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' | sort -rn |
    tail -n +4 | cut -d' ' -f2-)
  name=${run##*/}
  export WEFT_ENVIRONMENT=${WEFT_ENVIRONMENT:-${name,,}}
  export WEFT_STATE=$run/state
}

build_weft() { # release: the measured and fast one
  (cd "$root" && swift build -c release --product weft) ||
    fail "the build failed; what the compiler says stands above"
}

# start_worker DOMAIN: one process a domain; its log is logs/DOMAIN.log.
start_worker() {
  start "$run/workers" "worker $1" "$run/logs/$1.log" "$weft" run "$config/$1"
}

# feed_files DIR [ARG…]: publishes the four files to the operational topics.
feed_files() {
  local dir=$1 domain inputs=()
  shift
  for domain in "${domains[@]}"; do
    [ -f "$dir/$domain.ndjson" ] && inputs+=("ops.$domain.events=$dir/$domain.ndjson")
  done
  ((${#inputs[@]})) ||
    fail "$dir has none of registration, claims, visits, labs.ndjson (lines KEY<TAB>JSON)"
  "$build/tools/feed" "$@" "${inputs[@]}"
}
