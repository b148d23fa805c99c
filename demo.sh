#!/usr/bin/env bash
# The main job of veml on real data, from a fresh checkout: makes its own virtual environment the first
# time, then runs demo/main_job.sh in the folder .demo (replaced at each run).
#
# VEML_VENV   folder of the virtual environment (default .venv)
set -euo pipefail
cd -- "$(dirname -- "$0")"
. scripts/environment.sh

command -v git >/dev/null || die "the demo compares with plain git, and git is not installed"
ensure_environment ml,mmdet,export
export PATH="$veml_venv/bin:$PATH"
exec bash demo/main_job.sh "$veml_root/.demo"
