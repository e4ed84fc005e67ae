#!/usr/bin/env bash
# ./run.sh [SHEET] [GPUS] [OPTIONS...]
# Installs multitrain into .venv on the first start, then trains and renders SHEET. Without a sheet:
# example_config.csv on the built-in data set. For a night: nohup ./run.sh my.csv 0,1 &
set -euo pipefail
home=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=install.sh
source "$home/install.sh"

extras=()
if command -v nvidia-smi >/dev/null 2>&1 && nvidia-smi -L >/dev/null 2>&1; then
    extras=(cuda)
fi
install_multitrain "$home" "${extras[@]+"${extras[@]}"}"

sheet=${1:-"$home/example_config.csv"}
gpus=${2:-all}
shift "$(($# < 2 ? $# : 2))"
exec "$home/.venv/bin/multitrain" run "$sheet" --gpus "$gpus" "$@"
