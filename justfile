# Short inner loops. `just` lists them; `./test` is the whole.

set shell := ["bash", "-euo", "pipefail", "-c"]

pg_dir := justfile_directory() / "target/dev-postgres"

_list:
    @just --list --unsorted

# Types and lints, no tests
check:
    cargo clippy --workspace --all-targets -- -D warnings

# Tests whose name contains NAME, in one crate: just test-one ledger hold_
test-one crate name="":
    SCRIP_TEST_POSTGRES="$(scripts/postgres url {{ pg_dir }} 2>/dev/null || true)" cargo test -p {{ crate }} {{ name }}

# Format the code
fmt:
    cargo fmt --all

# Style and requirement table
tidy:
    cargo xtask tidy
    cargo xtask requirements

# Browser tests on a debug build; NAME is part of a test file's name: just browser pages
browser name="":
    cargo build -p scrip
    SCRIP_BIN=target/debug/scrip scripts/browser-tests {{ name }}

# Pictures of every page, light, dark and at 320 px
screenshots folder="target/screenshots":
    cargo build -p scrip
    SCRIP_BIN=target/debug/scrip scripts/screenshots {{ folder }}

# The HTTP API of a debug build against its own OpenAPI document
api-check:
    cargo build -p scrip
    SCRIP_BIN=target/debug/scrip scripts/api-check

# Start the PostgreSQL that test-one uses
pg-start:
    scripts/postgres start {{ pg_dir }}

# Stop it
pg-stop:
    scripts/postgres stop {{ pg_dir }}

# Throw it away
pg-drop:
    scripts/postgres stop {{ pg_dir }} immediate || true
    rm -rf {{ pg_dir }}

# Both benches on SQLite
bench:
    cargo run --release -p scrip -- bench ledger
    cargo run --release -p scrip -- bench purchase

# The carried retail invoices through a fresh database, then verify it
replay:
    rm -f target/replay.db*
    cargo run --release -p scrip -- vendor create --database sqlite:target/replay.db --name Retail --slug retail --currency GBP --token-price 0.01
    cargo run --release -p scrip -- replay --database sqlite:target/replay.db --vendor retail data/retail-sample.csv
    cargo run --release -p scrip -- verify --database sqlite:target/replay.db

# Everything that must hold before a change lands
all:
    ./test
