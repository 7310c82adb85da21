# shellcheck shell=bash
# What every script of Weft needs: where things are, how to speak, how to leave nothing behind.
# Sourced, never run. The one who sources it has `set -euo pipefail` on.
# shellcheck disable=SC2034 # used by those who source this

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
build=$root/.build

if [ -t 1 ] && [ -z "${NO_COLOR:-}" ]; then
  bold=$'\e[1m' dim=$'\e[2m' red=$'\e[31m' green=$'\e[32m' plain=$'\e[0m'
else
  bold='' dim='' red='' green='' plain=''
fi

say() { printf '%s\n' "$*"; }
note() { printf '%s%s%s\n' "$dim" "$*" "$plain"; }
# The one line that tells what is wrong and what to do; ends the script (or the subshell).
fail() { printf '%serror%s: %s\n' "$red" "$plain" "$*" >&2; exit 1; }

# step HEADING: says what begins; `done_step` says how long it took.
step() { step_name=$1 step_began=$SECONDS; printf '%s== %s%s\n' "$bold" "$1" "$plain"; }
done_step() { note "   ${1:-$step_name}: $((SECONDS - step_began)) s"; }

# --- leaving nothing behind -------------------------------------------------------------------
# What was started is written to a file, a line each: pid, its start time (a pid alone can be
# somebody else's by now), a name. It is the file that is worked off at the end, so a later
# `--stop` can do it as well.

cleanups=() working=''
# at_exit COMMAND ARG…: run at the end, however it comes; the last one first.
at_exit() { cleanups+=("$(printf '%q ' "$@")"); }

leave() {
  local code=$? i
  trap '' INT TERM HUP
  trap - EXIT
  # A signal may come before the command's pid is noted.
  [ "$working" != new ] || working=${!:-}
  [ -z "$working" ] || end_work
  for ((i = ${#cleanups[@]} - 1; i >= 0; i--)); do eval "${cleanups[i]}" || true; done
  exit "$code"
}
# A subshell that starts things of its own calls this as well.
own_traps() {
  cleanups=() working=''
  trap leave EXIT
  trap 'exit 130' INT
  trap 'exit 143' TERM
  trap 'exit 129' HUP
}
own_traps

# during COMMAND ARG…: runs what takes long, so that a signal ends it and this script at once: bash
# would wait for a command in the foreground to end by itself. Not for what asks at the terminal.
during() {
  local code=0
  working=new
  setsid "$@" </dev/null &
  working=$!
  wait "$working" || code=$?
  working=''
  return "$code"
}

# Ends what `during` runs: all of its session, as a build puts what it starts into groups of their
# own. What the kernel does not let go of even then, nobody can wait for.
end_work() {
  local deadline=$((SECONDS + 5)) signal=TERM members
  while members=$(session_of "$working") && [ -n "$members" ]; do
    ((SECONDS < deadline)) || signal=KILL
    ((SECONDS < deadline + 3)) || break
    # shellcheck disable=SC2086 # a list of pids
    [ -z "$signal" ] || kill "-$signal" $members 2>/dev/null || true
    signal=''
    sleep 0.1
  done
  working=''
}

# session_of PID: the processes of its session that are alive.
session_of() {
  local stat fields file
  for file in /proc/[0-9]*/stat; do
    { stat=$(<"$file"); } 2>/dev/null || continue
    read -ra fields <<<"${stat##*) }"
    [ "${fields[3]:-}" != "$1" ] || [ "${fields[0]}" = Z ] || printf '%s ' "${stat%% *}"
  done
}

# helper ARG…: python3, which leaves Ctrl-C to the script that called it.
helper() { (trap '' INT && exec python3 "$@"); }

# The time a process began, in ticks since the machine did; nothing if there is none, or if it
# only waits to be collected.
started_at() {
  local stat
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  read -ra stat <<<"${stat##*) }"
  [ "${stat[0]}" != Z ] || return 1
  printf '%s' "${stat[19]}"
}

# start PIDFILE NAME LOG COMMAND ARG…: in a session of its own, so that a Ctrl-C here reaches it
# in order, by `stop_all`, and `--keep` outlives the terminal. Sets `started`.
start() {
  local pids=$1 name=$2 log=$3
  shift 3
  setsid "$@" >>"$log" 2>&1 </dev/null &
  started=$!
  printf '%s %s %s\n' "$started" "$(started_at "$started" || echo 0)" "$name" >>"$pids"
}

alive() { [ -n "${2:-}" ] && [ "$(started_at "$1" || true)" = "$2" ]; }

# stop_all PIDFILE [SECONDS]: asks all of them to end, and ends what has not after SECONDS (15; a
# worker drains within 10).
stop_all() {
  local pids=$1 patience=${2:-15} pid since name lines=() i deadline
  [ -f "$pids" ] || return 0
  mapfile -t lines <"$pids"
  deadline=$((SECONDS + patience))
  for ((i = ${#lines[@]} - 1; i >= 0; i--)); do
    read -r pid since name <<<"${lines[i]}"
    alive "$pid" "$since" && kill -TERM "$pid" 2>/dev/null
  done
  for ((i = ${#lines[@]} - 1; i >= 0; i--)); do
    read -r pid since name <<<"${lines[i]}"
    while alive "$pid" "$since"; do
      ((SECONDS < deadline)) || { kill -KILL "$pid" 2>/dev/null; note "   $name was killed"; }
      sleep 0.05
    done
  done
  rm -f "$pids"
}

# free_port [COUNT]: a port of loopback that is free now, and the COUNT-1 after it; below the
# range from which outgoing connections take theirs.
free_port() {
  helper - "${1:-1}" <<'PYTHON'
import random, socket, sys

count = int(sys.argv[1])
for _ in range(200):
    first, held = random.randrange(20000, 32000), []
    try:
        for port in range(first, first + count):
            held.append(socket.socket())
            held[-1].bind(("127.0.0.1", port))
    except OSError:
        continue
    finally:
        for one in held:
            one.close()
    print(first)
    sys.exit()
sys.exit("no free port on loopback")
PYTHON
}

# answers HOST PORT: does somebody listen there?
answers() { (exec 3<>"/dev/tcp/$1/$2") 2>/dev/null; }
