#!/usr/bin/env bash
# Format, lints and all tests, on a PostgreSQL cluster made for this run. Arguments go to the test runner: `scripts/test.sh -p engine`.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
# shellcheck source=lib.sh
. scripts/lib.sh

ensure_cargo
ensure_compiler
ensure_component rustfmt
ensure_component clippy
ensure_postgres
ensure_npm_tools .
ensure_python_tools .

say "== format"
cargo fmt --all --check
say "== lints"
cargo clippy --workspace --all-targets -- -D warnings

say "== tests"
# Tests run in the directories of their packages, so the path is absolute.
BOOKABLE_TEST_CLUSTER=$(target_directory .)/test-cluster
export BOOKABLE_TEST_CLUSTER
test_cluster() {
    cargo run --quiet -p local-postgres --example test-cluster -- "$1"
}
# Also what a run that was killed left behind.
test_cluster stop
trap 'test_cluster stop' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM
test_cluster start

if cargo nextest --version >/dev/null 2>&1; then
    # nextest has none of the examples in the documentation.
    if [ "$#" -eq 0 ]; then cargo test --doc --quiet; fi
    cargo nextest run "$@"
else
    cargo test "$@"
fi
