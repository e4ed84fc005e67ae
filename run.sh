#!/usr/bin/env bash
# ./run.sh [SHEET] [GPUS] [OPTIONS OF multitrain run...]
# Installs multitrain into .venv on the first start, then trains and renders SHEET. Without a sheet:
# example_config.csv on the built-in data set. For a night: nohup ./run.sh my.csv 0,1 &
set -euo pipefail
home=$(CDPATH='' cd -- "$(dirname -- "$(readlink -f -- "${BASH_SOURCE[0]}")")" && pwd)
# shellcheck source=install.sh
source "$home/install.sh"

extras=()
if command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L >/dev/null 2>&1; then
    extras=(cuda)
fi
install_multitrain "$home" "${extras[@]+"${extras[@]}"}"

sheet=$home/example_config.csv
if [[ $# -gt 0 && $1 != -* ]]; then
    sheet=$1
    shift
fi
gpus=()
if [[ $# -gt 0 && $1 != -* ]]; then
    gpus=(--gpus "$1")
    shift
fi
exec "$home/.venv/bin/multitrain" run "$sheet" "${gpus[@]+"${gpus[@]}"}" "$@"
