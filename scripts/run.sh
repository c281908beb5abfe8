#!/usr/bin/env bash
# Builds Bookable and serves it with demo data: all the set-up that a machine with Rust needs. Arguments go to `bookable serve`;
# the data is in ./data of where you are, unless they say otherwise.
set -euo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
# shellcheck source=lib.sh
. "$root/scripts/lib.sh"

ensure_cargo
ensure_compiler
# With DATABASE_URL the database is a server of yours.
if [ -z "${DATABASE_URL:-}" ]; then ensure_postgres; fi

cargo build --release --manifest-path "$root/Cargo.toml" -p server
exec "$(target_directory "$root")/release/bookable" serve --demo "$@"
