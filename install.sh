# shellcheck shell=bash
# Sourced by run.sh and test.sh: the virtual environment, made once and kept up to date.
#
# Python is called with -I or -P: it runs nothing of the current folder, such as a script pip.py.

# find_python: prints the newest Python from 3.11 to 3.13 that works and can make environments.
find_python() {
    local name
    for name in python3.13 python3.12 python3.11 python3 python; do
        if "$name" -I -c 'import sys, venv, ensurepip; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' \
            >/dev/null 2>&1; then
            command -v "$name"
            return
        fi
    done
    echo "multitrain needs Python 3.11, 3.12 or 3.13 with its venv module (Debian: apt install python3-venv)." >&2
    return 2
}

# Reads what `pip config list` prints, in which a variable comes before a section of its files.
pip_sources='
import ast, sys

SECTIONS = "global", "install", ":env:"
KEPT = """index-url extra-index-url find-links no-index trusted-host cert client-cert proxy
    keyring-provider timeout default-timeout retries cache-dir no-cache-dir"""

lines = [line.strip().partition("=") for line in sys.stdin]
for section in SECTIONS:
    for name, _, value in lines:
        if name.startswith(section + ".") and name.removeprefix(section + ".") in KEPT.split():
            variable = name.removeprefix(section + ".").replace("-", "_").upper()
            print(f"PIP_{variable}={ast.literal_eval(value)}", end="\0")
'

# only_sources_count PYTHON: of what variables and files tell pip, from here on only that counts
# which says where packages come from; not where they go to, such as PIP_TARGET or `user = true`.
only_sources_count() {
    local setting
    local kept=()
    while IFS= read -r -d '' setting; do
        kept+=("$setting")
    done < <("$1" -I -m pip config list | "$1" -I -c "$pip_sources")
    unset "${!PIP_@}" "${!PYTHON@}"
    export PIP_CONFIG_FILE=/dev/null "${kept[@]+"${kept[@]}"}"
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
        ! "$environment/bin/python" -I -m pip --version >/dev/null 2>&1; then
        local python
        python=$(find_python)
        echo "Making $environment with $("$python" --version) ..." >&2
        (unset "${!PYTHON@}" && "$python" -I -m venv --clear "$environment")
        printf '%s' "$home" >"$placed"
    fi
    echo "Installing multitrain${extras:+ with $extras}; the first time takes some minutes ..." >&2
    if ! (only_sources_count "$environment/bin/python" &&
        "$environment/bin/python" -P -m pip install --quiet --disable-pip-version-check \
            --constraint "$home/constraints.txt" --editable "$home${extras:+[$extras]}" >&2); then
        echo "The installation failed (see above). It is tried again at the next start." >&2
        return 1
    fi
    printf '%s' "$wanted" >"$stamp"
}
