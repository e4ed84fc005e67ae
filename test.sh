#!/usr/bin/env bash
# Installs multitrain with its test tools into .venv, then runs linters, types and all tests.
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
exec "$bin/pytest" "$@"
