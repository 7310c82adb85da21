# shellcheck shell=bash
# Runs checks one after the other, keeps going when one fails, and counts. Sourced after common.sh.
# shellcheck disable=SC2154 # build, bold, red and plain are common.sh's

passed=0 failed=0 failures=()
tally=$build/tests-counted.$$
at_exit rm -f "$tally"

# check NAME FUNCTION ARG…: runs it in a subshell, so that what it fails at ends only it. Not in a
# condition, where bash would go on after a failure.
check() {
  local name=$1 code=0
  shift
  step "$name"
  set +e
  (
    set -e
    "$@"
  )
  code=$?
  set -e
  case $code in
    0) passed=$((passed + 1)) ;;
    130 | 143) exit "$code" ;;
    *)
      failed=$((failed + 1))
      failures+=("$name")
      printf '   %sFAILED%s\n' "$red" "$plain"
      ;;
  esac
  done_step "$name"
  return 0
}

# must NAME FUNCTION ARG…: a check without which the others make no sense.
must() {
  local before=$failed
  check "$@"
  ((failed == before)) || conclude
}

# count_tests LOG: adds what Swift Testing reported; a run that reported nothing has failed.
count_tests() {
  local total bad
  total=$(sed -nE 's/^.* Test run with ([0-9]+) tests?.*/\1/p' "$1" | tail -n 1)
  bad=$(grep -cE '^✘ Test .* failed after ' "$1" || true)
  bad=$((bad - $(grep -cE '^✘ Test (run|case) ' "$1" || true)))
  ((bad >= 0)) || bad=0
  printf '%s %s\n' "${total:-0}" "$bad" >>"$tally"
}

# explain_tests LOG: says again, at the end, what a failed run said amid much else.
explain_tests() {
  note "   what failed, again:"
  grep -E '^✘ ' "$1" | grep -vE '^✘ Suite ' | head -n 20 || true
  # Of a sanitizer's report: what was touched, by whom, and the upper frames.
  sed -nE '/(WARNING|ERROR): [A-Za-z]+Sanitizer/,/^SUMMARY: /p' "$1" |
    grep -E 'Sanitizer|^ +[A-Z].* (of size|by|at|is) |^ +#[0-6] ' | head -n 40 || true
}

# The last lines: what failed, and a line by itself that machines read.
conclude() {
  local name total bad
  if [ -f "$tally" ]; then
    while read -r total bad; do
      passed=$((passed + total - bad))
      # the check that ran them has failed as well, and counts already
      failed=$((failed + (bad > 1 ? bad - 1 : 0)))
    done <"$tally"
  fi
  printf '%s== Result%s\n' "$bold" "$plain"
  for name in "${failures[@]}"; do say "   failed: $name"; done
  printf '%s passed, %s failed\n' "$passed" "$failed"
  exit $((failed > 0))
}
