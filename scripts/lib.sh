# Shared by run.sh and test.sh: sees to what Bookable needs besides Rust, and installs what is missing.
# shellcheck shell=bash

say() {
    printf '%s\n' "$*" >&2
}

fail() {
    say "$*"
    exit 1
}

# Runs a command as root: as it is, or through sudo where that needs no terminal or has one to ask on.
as_root() {
    if [ "$(id -u)" -eq 0 ]; then
        "$@"
    elif command -v sudo >/dev/null 2>&1; then
        if [ -t 0 ]; then sudo "$@"; else sudo -n "$@"; fi
    else
        return 1
    fi
}

# Whether a directory holds a PostgreSQL server with its contrib modules.
is_postgres() {
    local bin=$1 share
    [ -x "$bin/postgres" ] && [ -x "$bin/initdb" ] || return 1
    for share in "$("$bin/pg_config" --sharedir 2>/dev/null)" "$bin"/../share "$bin"/../share/postgresql* \
        "/usr/share/postgresql/$(basename "$(dirname "$bin")")"; do
        if [ -e "$share/extension/btree_gist.control" ]; then return 0; fi
    done
    return 1
}

# The same places as in crates/local-postgres/src/programs.rs.
has_postgres() {
    local program bin
    program=$(command -v postgres 2>/dev/null || true)
    if [ -n "$program" ]; then
        program=$(readlink -f "$program" 2>/dev/null || printf '%s' "$program")
        if is_postgres "$(dirname "$program")"; then return 0; fi
    fi
    for bin in /usr/lib/postgresql/*/bin /usr/pgsql-*/bin /opt/homebrew/opt/postgresql*/bin \
        /usr/local/opt/postgresql*/bin /home/linuxbrew/.linuxbrew/opt/postgresql*/bin \
        /Applications/Postgres.app/Contents/Versions/*/bin /usr/libexec/postgresql* /usr/lib/postgresql*/bin \
        /usr/local/pgsql/bin; do
        if is_postgres "$bin"; then return 0; fi
    done
    return 1
}

# Debian's package makes and starts a server of its own; none is wanted here.
no_debian_cluster() {
    local dropin=/etc/postgresql-common/createcluster.d/no-main-cluster.conf
    if [ -e "$dropin" ] || [ -e /etc/postgresql ]; then return 0; fi
    as_root mkdir -p "$(dirname "$dropin")"
    printf 'create_main_cluster = false\n' | as_root tee "$dropin" >/dev/null
}

apt_install() {
    as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@" ||
        {
            as_root apt-get update
            as_root env DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$@"
        }
}

ensure_postgres() {
    if has_postgres; then return 0; fi
    say "Installing PostgreSQL: no server with its contrib modules was found."
    if command -v apt-get >/dev/null 2>&1; then
        { no_debian_cluster && apt_install postgresql; } || true
    elif command -v dnf >/dev/null 2>&1; then
        as_root dnf install -y postgresql-server postgresql-contrib || true
    elif command -v brew >/dev/null 2>&1; then
        brew install postgresql@18 || true
    fi
    has_postgres || fail "Install PostgreSQL 13 or newer, server and contrib modules, and run this again:
  Debian, Ubuntu:  apt install postgresql
  Fedora, RHEL:    dnf install postgresql-server postgresql-contrib
  Arch:            pacman -S postgresql
  Alpine:          apk add postgresql postgresql-contrib
  macOS:           brew install postgresql@18"
}

# Some dependencies compile C, and rustc links with the C compiler.
ensure_compiler() {
    if command -v cc >/dev/null 2>&1; then return 0; fi
    say "Installing a C compiler: Rust needs one to link."
    if command -v apt-get >/dev/null 2>&1; then
        apt_install gcc libc6-dev || true
    elif command -v dnf >/dev/null 2>&1; then
        as_root dnf install -y gcc || true
    fi
    command -v cc >/dev/null 2>&1 || fail "Install a C compiler (gcc or clang), and run this again."
}

ensure_cargo() {
    if ! command -v cargo >/dev/null 2>&1 && [ -x "$HOME/.cargo/bin/cargo" ]; then
        PATH="$HOME/.cargo/bin:$PATH"
    fi
    command -v cargo >/dev/null 2>&1 || fail "Install Rust (https://rustup.rs), and run this again."
}

# Tools that are apart from the compiler in some installations.
ensure_component() {
    local component=$1
    if cargo "${component#rust}" --version >/dev/null 2>&1; then return 0; fi
    if command -v rustup >/dev/null 2>&1; then
        rustup component add "$component" || true
    fi
    cargo "${component#rust}" --version >/dev/null 2>&1 || fail "Install $component, and run this again."
}

target_directory() {
    cargo metadata --manifest-path "$1/Cargo.toml" --no-deps --format-version 1 |
        sed -n 's/.*"target_directory":"\([^"]*\)".*/\1/p'
}

# Software from npm that tests are made against, in a folder of its own under the target directory; the tests find it by BOOKABLE_NPM_TOOLS.
# Without Node.js or the registry those tests are left out, and say so.
ensure_npm_tools() {
    local root=$1 tools
    tools=$(target_directory "$root")/npm-tools
    if ! cmp -s "$root/tests/npm/package-lock.json" "$tools/installed.json"; then
        if ! command -v npm >/dev/null 2>&1; then
            say "!! LEFT OUT: the tests against software from npm (there is no npm: install Node.js 20 or newer)"
            return 0
        fi
        say "Installing the software from npm that tests are made against."
        mkdir -p "$tools"
        cp "$root/tests/npm/package.json" "$root/tests/npm/package-lock.json" "$tools/"
        if ! npm ci --prefix "$tools" --ignore-scripts --no-audit --no-fund --loglevel=error >&2; then
            say "!! LEFT OUT: the tests against software from npm (it could not be installed)"
            return 0
        fi
        cp "$tools/package-lock.json" "$tools/installed.json"
    fi
    BOOKABLE_NPM_TOOLS=$tools
    export BOOKABLE_NPM_TOOLS
}

# Software from PyPI that tests are made against, as above; the tests find it by BOOKABLE_PYTHON_TOOLS.
ensure_python_tools() {
    local root=$1 tools
    tools=$(target_directory "$root")/python-tools
    # What it was made of may be gone: a system's Python is replaced by its next version.
    if ! cmp -s "$root/tests/python/requirements.txt" "$tools/installed.txt" || ! "$tools/bin/python" -c ''; then
        if ! command -v python3 >/dev/null 2>&1; then
            say "!! LEFT OUT: the tests against software from PyPI (there is no python3: install Python 3.11 or newer)"
            return 0
        fi
        say "Installing the software from PyPI that tests are made against."
        rm -rf "$tools"
        if ! python3 -m venv "$tools" >&2; then
            rm -rf "$tools"
            say "!! LEFT OUT: the tests against software from PyPI (python3 has no venv; Debian, Ubuntu: apt install python3-venv)"
            return 0
        fi
        # Of localstripe there is only the source.
        if ! "$tools/bin/python" -m pip install --quiet --disable-pip-version-check --no-input --only-binary :all: \
            --no-binary localstripe --require-hashes -r "$root/tests/python/requirements.txt" >&2; then
            rm -rf "$tools"
            say "!! LEFT OUT: the tests against software from PyPI (it could not be installed; Python 3.11 or newer is needed)"
            return 0
        fi
        cp "$root/tests/python/requirements.txt" "$tools/installed.txt"
    fi
    BOOKABLE_PYTHON_TOOLS=$tools
    export BOOKABLE_PYTHON_TOOLS
}
