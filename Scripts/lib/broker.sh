# shellcheck shell=bash
# A broker to run on. Sourced after common.sh and setup.sh. In this order: the one that
# KAFKA_BOOTSTRAP names; an Apache Kafka distribution at KAFKA_HOME; Apache Kafka from
# ../shared/kafka; the small development broker from PyPI. ../README.md says what that one can do.
# shellcheck disable=SC2154 # root, build and started are common.sh's

shared_kafka=$root/../shared/kafka/kafka

# broker_choose any|kafka|development: sets broker_kind, and installs what that kind takes. With
# `kafka` only Apache Kafka will do, with `development` only the development broker.
broker_choose() {
  if [ "$1" = development ]; then
    broker_kind=development
    need_development_broker
  elif [ -n "${KAFKA_BOOTSTRAP:-}" ]; then
    broker_kind=given
  elif [ -n "${KAFKA_HOME:-}" ]; then
    [ -x "$KAFKA_HOME/bin/kafka-server-start.sh" ] ||
      fail "KAFKA_HOME is $KAFKA_HOME, but there is no bin/kafka-server-start.sh in it"
    broker_kind=distribution
    need_java
  elif [ -x "$shared_kafka" ]; then
    broker_kind=shared
    need_java
  elif [ "$1" = kafka ]; then
    fail "this needs Apache Kafka: set KAFKA_BOOTSTRAP (a broker that runs) or KAFKA_HOME"
  else
    broker_kind=development
    need_development_broker
  fi
}

# broker_start DIR: starts the chosen one with its data in DIR, waits until it answers, sets and
# exports KAFKA_BOOTSTRAP. `broker_stop DIR` ends it and removes its data.
broker_start() {
  local dir=$1 try
  if [ "$broker_kind" = given ]; then
    broker_reachable
    return 0
  fi
  mkdir -p "$dir"
  for try in 1 2 3; do # a port that was free may be taken by the time it is used
    if "broker_start_$broker_kind" "$dir"; then
      export KAFKA_BOOTSTRAP=127.0.0.1:$broker_port
      return 0
    fi
    note "   the broker did not start on port $broker_port (attempt $try of 3)"
    broker_stop "$dir" keep
  done
  fail "no broker: see the logs in ${dir#"$root"/}"
}

# One of the addresses in KAFKA_BOOTSTRAP has to answer.
broker_reachable() {
  local one address=()
  IFS=, read -ra address <<<"$KAFKA_BOOTSTRAP"
  for one in "${address[@]}"; do
    one=${one##*//}
    if answers "${one%:*}" "${one##*:}"; then return 0; fi
  done
  fail "KAFKA_BOOTSTRAP is $KAFKA_BOOTSTRAP, but no broker answers there"
}

broker_stop() {
  local dir=$1
  [ -d "$dir" ] || return 0
  if [ -f "$dir/cluster" ]; then "$shared_kafka" stop "$dir" >/dev/null 2>&1 || true; fi
  stop_all "$dir/pids" 10
  [ "${2:-}" = keep ] || rm -rf "$dir"
}

broker_name() {
  case $broker_kind in
    given) say "the broker at $KAFKA_BOOTSTRAP (KAFKA_BOOTSTRAP)" ;;
    distribution) say "Apache Kafka from $KAFKA_HOME, at $KAFKA_BOOTSTRAP" ;;
    shared) say "Apache Kafka from ../shared/kafka, at $KAFKA_BOOTSTRAP" ;;
    development) say "the development broker noida-db 0.2.3, at $KAFKA_BOOTSTRAP" ;;
  esac
}

# broker_await PID SINCE SECONDS: until it answers on broker_port.
broker_await() {
  local deadline=$((SECONDS + $3))
  until answers 127.0.0.1 "$broker_port"; do
    alive "$1" "$2" && ((SECONDS < deadline)) || return 1
    sleep 0.1
  done
  sleep 0.1
  alive "$1" "$2" # not somebody else's answer
}

# --- Apache Kafka from ../shared/kafka ----------------------------------------------------------
broker_start_shared() {
  broker_port=$(free_port 4)
  "$shared_kafka" start "$1" --port "$broker_port" --heap 512m >"$1/start.log" 2>&1
}

# --- a distribution of Apache Kafka (3.3 or newer): one KRaft node ------------------------------
broker_start_distribution() {
  local dir=$1 bin=$KAFKA_HOME/bin id
  broker_port=$(free_port 2)
  rm -rf "$dir/data"
  cat >"$dir/server.properties" <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.quorum.voters=1@127.0.0.1:$((broker_port + 1))
listeners=PLAINTEXT://127.0.0.1:$broker_port,CONTROLLER://127.0.0.1:$((broker_port + 1))
advertised.listeners=PLAINTEXT://127.0.0.1:$broker_port
controller.listener.names=CONTROLLER
inter.broker.listener.name=PLAINTEXT
listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT
log.dirs=$dir/data
auto.create.topics.enable=false
offsets.topic.num.partitions=4
offsets.topic.replication.factor=1
transaction.state.log.num.partitions=4
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
group.initial.rebalance.delay.ms=0
PROPERTIES
  export LOG_DIR=$dir KAFKA_HEAP_OPTS=${KAFKA_HEAP_OPTS:--Xms256m -Xmx512m}
  if ! id=$("$bin/kafka-storage.sh" random-uuid 2>"$dir/format.log") ||
    ! "$bin/kafka-storage.sh" format -t "$id" -c "$dir/server.properties" \
      >>"$dir/format.log" 2>&1; then
    fail "Kafka's data directory could not be formatted: see ${dir#"$root"/}/format.log"
  fi
  start "$dir/pids" kafka "$dir/console.log" \
    "$bin/kafka-server-start.sh" "$dir/server.properties"
  broker_await "$started" "$(started_at "$started")" 60
}

# --- the development broker ---------------------------------------------------------------------
development_broker=$build/development-broker-0.2.3

# In a virtual environment, pinned by hash; made beside and moved, for two scripts at once.
need_development_broker() {
  local fresh log=$build/setup.log
  [ -d "$development_broker" ] && return 0
  case $(uname -m) in x86_64 | aarch64) ;; *)
    fail "the development broker has no build for $(uname -m): set KAFKA_BOOTSTRAP or KAFKA_HOME" ;;
  esac
  python3 -c 'import ensurepip, venv' 2>/dev/null || need_packages python3-venv
  say "   installing from PyPI: noida-db 0.2.3 (development broker, pinned by hash)"
  mkdir -p "$build"
  fresh=$(mktemp -d "$build/fresh.XXXXXX")
  at_exit rm -rf "$fresh"
  if ! python3 -m venv "$fresh" >"$log" 2>&1 ||
    ! "$fresh/bin/python" -m pip install --quiet --no-input --disable-pip-version-check \
      --no-deps --only-binary :all: --require-hashes \
      -r "$root/Scripts/lib/development-broker.txt" >>"$log" 2>&1; then
    rm -rf "$fresh"
    fail "could not install noida-db from PyPI (network? see ${log#"$root"/});" \
      "or set KAFKA_BOOTSTRAP or KAFKA_HOME"
  fi
  mv -T "$fresh" "$development_broker" 2>/dev/null || rm -rf "$fresh"
}

broker_start_development() {
  local dir=$1 binary
  binary=$(find "$development_broker"/lib -path '*/noida_db/noida-db' -type f)
  chmod u+x "$binary"
  broker_port=$(free_port)
  start "$dir/pids" broker "$dir/broker.log" \
    "$binary" start --data-dir "$dir/data" --only kafka --kafka-port "$broker_port"
  broker_await "$started" "$(started_at "$started")" 20
}
