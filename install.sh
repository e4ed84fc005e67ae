# shellcheck shell=bash
# Sourced by run.sh and test.sh: the virtual environment, made once and kept up to date.

# find_python: prints the newest Python from 3.11 to 3.13 that works and can make environments.
find_python() {
    local name
    for name in python3.13 python3.12 python3.11 python3 python; do
        if "$name" -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
            >/dev/null 2>&1; then
            command -v "$name"
            return
        fi
    done
    echo "multitrain needs Python 3.11, 3.12 or 3.13 with its venv module (Debian: apt install python3-venv)." >&2
    return 2
}

# install_multitrain HOME [EXTRA...]: installs the project with exact versions into HOME/.venv.
# A stamp for each set of extras tells what was installed, so that a second start is immediate.
install_multitrain() {
    local home=$1
    shift
    local extras
    extras=$(IFS=,; echo "$*")
    local environment=$home/.venv
    local stamp=$environment/.installed${extras:+-$extras}
    local wanted
    wanted="extras: $extras, $(cat "$home/pyproject.toml" "$home/constraints.txt" | cksum)"
    # An environment knows its own place: in a folder that was moved, it is made anew.
    local placed=$environment/.home
    if [[ -f $stamp && $(<"$stamp") == "$wanted" && $(<"$placed") == "$home" ]]; then
        return
    fi

    if [[ ! -f $placed || $(<"$placed") != "$home" ]] ||
        ! "$environment/bin/python" -m pip --version >/dev/null 2>&1; then
        local python
        python=$(find_python)
        echo "Making $environment with $("$python" --version) ..." >&2
        "$python" -m venv --clear "$environment"
        printf '%s' "$home" >"$placed"
    fi
    echo "Installing multitrain${extras:+ with $extras}; the first time takes some minutes ..." >&2
    if ! "$environment/bin/python" -m pip install --quiet --disable-pip-version-check \
        --constraint "$home/constraints.txt" --editable "$home${extras:+[$extras]}" >&2; then
        echo "The installation failed (see above). It is tried again at the next start." >&2
        return 1
    fi
    printf '%s' "$wanted" >"$stamp"
}
