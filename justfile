# The handful of commands that people need; `just` lists them.

_default:
    @just --list --unsorted

# the whole federation on loopback, with a story that ends in an audit
demo *args:
    cargo run --release -p convenant-cli -- demo {{args}}

# every test; with arguments, those of `cargo nextest run`
test *args:
    bash tests/run {{args}}

# proves the rules of the example covenant, or of those that are named; needs cvc5. With `--old FILE --new
# FILE` it tells what one version permits and the other refuses.
prove *args="crates/demo/assets/covenant.toml":
    cargo run -q -p convenant-prove -- {{args}}

# what must hold before a change is merged
ci:
    .ci/run

lint:
    cargo clippy --workspace --all-targets -- -D warnings

fmt:
    cargo fmt --all

# each benchmark beside its bare limit, with the ratio
bench *args:
    cargo bench --workspace {{args}}

docs:
    cargo doc --workspace --no-deps --open

# known vulnerabilities; needs cargo-deny and a network
advisories:
    cargo deny --workspace check
