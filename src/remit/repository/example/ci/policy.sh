#!/bin/sh
# The pipeline of this policy repository, for any CI. The first word says which step:
#
#   sh ci/policy.sh check    every mistake, and what is wider than it needs to be; also as SARIF
#   sh ci/policy.sh test     the decision tables in tests/; also as JUnit
#   sh ci/policy.sh plan     what would change, on the calls that really came; Markdown for the review
#   sh ci/policy.sh apply    put it in force, or propose it where a second person has to look
#
# `check` and `test` need this folder and nothing else. `plan` and `apply` ask the Remit
# that runs, as the job that they are (trust.yaml): no key is kept anywhere.
#
#   REMIT_URL          where Remit is, such as https://remit.acme.example
#   REMIT_TOKEN        a token, if there is one already; else the job logs in:
#                      in GitHub Actions by itself, elsewhere with one of
#   ASSERTION_FILE     the file, or
#   ASSERTION_ENV      the name of the variable, with what the platform signed
#
#   POLICY_REMIT       how remit is started                   [default: remit]
#   POLICY_RESULTS     the folder for what is found           [default: .policy-results]
#   POLICY_DAYS        days of recorded calls for `plan`      [default: 7]
#   POLICY_FAIL_ON     what lets `plan` fail: widening, privileged, newly-allowed,
#                      newly-refused or any                   [default: nothing]
#   POLICY_REASON      what the log says of an `apply`

set -eu

step=${1:-}
remit=${POLICY_REMIT:-remit}
results=${POLICY_RESULTS:-.policy-results}

cd "$(dirname "$0")/.."
mkdir -p "$results"
echo '*' > "$results/.gitignore"

# A token for minutes, in a file that nobody else can read, and gone when this ends.
log_in() {
  if [ -z "${REMIT_URL:-}" ]; then
    echo "set REMIT_URL to where Remit is" >&2
    exit 2
  fi
  if [ -n "${REMIT_TOKEN:-}" ]; then
    return
  fi
  REMIT_TOKEN_FILE="$results/.token"
  export REMIT_TOKEN_FILE
  trap 'rm -f "$REMIT_TOKEN_FILE"' EXIT
  trap 'exit 130' INT TERM
  if [ -n "${ASSERTION_FILE:-}" ]; then
    $remit login --assertion-file "$ASSERTION_FILE"
  elif [ -n "${ASSERTION_ENV:-}" ]; then
    $remit login --assertion-env "$ASSERTION_ENV"
  else
    $remit login
  fi
}

case "$step" in
  check)
    # Once for people, once for the review: both are told even when the first finds something.
    found=0
    $remit check --repo . || found=$?
    $remit check --repo . --format sarif > "$results/check.sarif" || true
    exit "$found"
    ;;
  test)
    $remit test --repo . --junit "$results/tests.xml"
    ;;
  plan)
    rm -f "$results/plan.md"
    log_in
    set -- --repo . --days "${POLICY_DAYS:-7}" --format markdown --out "$results/plan.md"
    if [ -n "${POLICY_FAIL_ON:-}" ]; then
      set -- "$@" --fail-on "$POLICY_FAIL_ON"
    fi
    found=0
    $remit plan "$@" || found=$?
    if [ -f "$results/plan.md" ]; then
      cat "$results/plan.md"
    fi
    exit "$found"
    ;;
  apply)
    log_in
    found=0
    $remit apply --repo . --reason "${POLICY_REASON:-by the pipeline}" || found=$?
    # 4: it is proposed, and waits for a second person. The pipeline has done its part.
    if [ "$found" -eq 4 ]; then
      echo "proposed; it comes into force when somebody else approves: remit proposals list"
      exit 0
    fi
    exit "$found"
    ;;
  *)
    echo "usage: sh ci/policy.sh check|test|plan|apply" >&2
    exit 2
    ;;
esac
