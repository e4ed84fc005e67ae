#!/usr/bin/env bash
# Installs multitrain with its test tools into .venv, then runs linters, types and the tests:
# with --long all that there are, with --fast only what needs no framework, process or ffmpeg.
set -euo pipefail
CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")"
# shellcheck source=install.sh
source ./install.sh
install_multitrain "$PWD" test
bin=$PWD/.venv/bin

echo "== ruff"
"$bin/ruff" check .
"$bin/ruff" format --check .
echo "== mypy"
"$bin/mypy"
echo "== import-linter"
"$bin/lint-imports"
echo "== pytest"
# A process for each core; the tests of a file stay together, some look back at those before.
exec "$bin/pytest" --numprocesses logical --maxprocesses 8 --dist loadfile "$@"
