# shellcheck shell=bash
# Runs the health mesh of Config/health: applies it, starts its workers, feeds it, waits, counts.
# Sourced after common.sh, setup.sh and broker.sh. All that one run writes is in `run`, a directory
# of its own; the mesh's topics, groups and ids carry `WEFT_ENVIRONMENT`, so runs do not meet.
# shellcheck disable=SC2154 # root, build and started are common.sh's

# In the order in which they take from each other.
domains=(registration claims visits labs patients)
shown_ports=(registration#patients claims#claim visits#encounter labs#subjects labs#latest-values
  patient-record#history patient-record#patient)
config=$root/Config/health
weft=$build/release/weft

# new_run KIND: a directory for this run, and an environment. Older ones whose processes are gone
# are removed, but for the newest three, whose logs somebody may want to read.
new_run() {
  local kind=$1 base=$build/runs name
  mkdir -p "$base"
  run=$(mktemp -d "$base/$kind-$(date +%H%M%S)-XXXX")
  printf '%s %s\n' "$$" "$(started_at $$)" >"$run/owner"
  mkdir -p "$run/logs" "$run/state"
  remove_old_runs "$base"
  name=${run##*/}
  name=${name//[^a-zA-Z0-9-]/-}
  export WEFT_ENVIRONMENT=${WEFT_ENVIRONMENT:-${name,,}}
  export WEFT_STATE=$run/state
}

remove_old_runs() {
  local old owner since
  while read -r old; do
    if [ -f "$old/workers" ] || [ -f "$old/broker/pids" ] || [ -f "$old/broker/cluster" ]; then
      continue # somebody keeps it
    fi
    read -r owner since <"$old/owner" 2>/dev/null || continue
    alive "$owner" "$since" || rm -rf "$old"
  done < <(find "$1" -mindepth 1 -maxdepth 1 -type d -printf '%T@ %p\n' | sort -rn |
    tail -n +4 | cut -d' ' -f2-)
}

# shown PATH: as somebody who stands in the repository would write it.
shown() { printf '%s' "${1#"$root"/}"; }

build_weft() { # release: the one that is measured
  during swift build --package-path "$root" -c release --product weft ||
    fail "the build failed; what the compiler says stands above"
}

# The operational topics belong to the sources; the mesh's own come from its files.
apply_mesh() {
  "$build/tools/topic" --partitions 4 ops.{registration,claims,visits,labs}.events ||
    fail "the operational topics could not be made at $KAFKA_BOOTSTRAP"
  "$weft" apply "$config" >"$run/logs/apply.log" 2>&1 || {
    cat "$run/logs/apply.log" >&2
    fail "weft apply $(shown "$config") was refused, see above"
  }
}

# start_workers: one process a domain; its log is logs/DOMAIN.log.
start_workers() {
  local domain
  for domain in "${domains[@]}"; do
    start "$run/workers" "worker $domain" "$run/logs/$domain.log" \
      "$weft" run "$config/$domain" --format json
  done
}

# feed_files DIR [ARG…]: publishes the four files to the operational topics.
feed_files() {
  local dir=$1 domain inputs=()
  shift
  for domain in "${domains[@]}"; do
    if [ -f "$dir/$domain.ndjson" ]; then
      inputs+=("ops.$domain.events=$dir/$domain.ndjson")
    fi
  done
  ((${#inputs[@]})) ||
    fail "$dir has none of registration, claims, visits, labs.ndjson (lines KEY<TAB>JSON)"
  during "$build/tools/feed" "$@" "${inputs[@]}" ||
    fail "not everything could be published to $KAFKA_BOOTSTRAP"
}

# workers_live: ends the script, with what the log says, if one has ended.
workers_live() {
  local pid since name
  while read -r pid since name; do
    alive "$pid" "$since" && continue
    tail -n 5 "$run/logs/${name#worker }.log" >&2
    fail "the $name has ended, see above ($(shown "$run/logs/${name#worker }.log"))"
  done <"$run/workers"
}

# left DOMAIN: records its product has not taken yet, of its inputs and of its own journals.
left() {
  local prefix=$WEFT_ENVIRONMENT${WEFT_ENVIRONMENT:+.} product=$1 topics=("ops.$1.events")
  case $1 in
    claims | visits | labs) topics+=("${prefix}registration.registration.identifier-links.v1") ;;
    patients)
      product=patient-record
      topics=("${prefix}"registration.registration.patients.v1
        "${prefix}"claims.claims.{submissions,charges,payments}.v1
        "${prefix}"visits.visits.encounters.v1 "${prefix}"labs.labs.observations.v1)
      ;;
  esac
  local group=${prefix}weft.$1.$product
  "$build/tools/pending" "$group" "${topics[@]}" "$group.journal.*" | tail -n 1
}

# await_read SECONDS: until no product has anything left.
await_read() {
  local deadline=$((SECONDS + $1)) domain count line=''
  for domain in "${domains[@]}"; do
    while count=$(left "$domain"); [ "$count" != 0 ]; do
      workers_live
      ((SECONDS < deadline)) ||
        fail "$domain still has ${count:-?} records to take after $1 s:" \
          "see $(shown "$run/logs/$domain.log")"
      if [ -t 1 ]; then printf '\r   %-13s %s left\e[K' "$domain" "$count"; fi
      line=$'\r\e[K'
      sleep 0.2
    done
  done
  if [ -t 1 ]; then printf '%s' "$line"; fi
}

# The workers finish what they hold, commit, and write their counts into their logs.
drain_workers() { stop_all "$run/workers"; }

# show_rows ROWS: the end of some ports, as a read_committed reader sees it, and the beginning of the
# quarantine of claims.
show_rows() {
  local port width
  width=$({ [ -t 1 ] && stty size </dev/tty | cut -d' ' -f2; } 2>/dev/null || echo 120)
  for port in "${shown_ports[@]}"; do
    say "   $bold$port@1$plain"
    read_port "$port@1" | helper "$root/Scripts/lib/rows.py" "$1" "$width"
  done
  say "   ${bold}claims, quarantined$plain"
  read_port claims --quarantine | helper "$root/Scripts/lib/rows.py" "$1" "$width" quarantine
}

# read_port PORT [ARG…]: as JSON lines.
read_port() { "$weft" --mesh "$config" read "$@" --format json 2>>"$run/logs/read.log"; }

# await_rows PORT FILE SECONDS PROGRAM ARG…: until PROGRAM finds right what the port holds, which
# stands in FILE. A broker answers a commit when it is decided; that readers of a port see it follows,
# partition by partition, and may take a while on a busy machine.
await_rows() {
  local port=$1 file=$2 said until=$((SECONDS + $3))
  shift 3
  while true; do
    read_port "$port" >"$file"
    if said=$(python3 "$@" 2>&1); then
      say "$said"
      return 0
    fi
    ((SECONDS < until)) || break
    sleep 0.5
  done
  say "$said"
  return 1
}
