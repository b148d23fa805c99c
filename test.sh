#!/usr/bin/env bash
# Run the tests: makes its own virtual environment the first time, then one run of pytest.
#
#   ./test.sh             everything: fast, ml (needs PyTorch), slow, and data where the data sets are;
#                         as many tests at a time as the machine has cores
#   ./test.sh --fast      the fast tests alone
#   ./test.sh --search    the long searches for new bugs alone: half an hour and more, no part of the above
#   ./test.sh -- ARGS     ARGS go to pytest
#
# VEML_VENV   folder of the virtual environment (default .venv)
# VEML_DATA   folder of the real data sets (default ../shared/data, if it is there)
# PYTEST_DEBUG_TEMPROOT   where the tests write (default: in memory where there is ample room; gone when it ends)
# OMP_NUM_THREADS         threads of each of the processes (default 1)
set -euo pipefail
cd -- "$(dirname -- "$0")"
. scripts/environment.sh

only=
while [ $# -gt 0 ]; do
    case $1 in
        --fast) only=fast ;;
        --search) only=search ;;
        --) shift && break ;;
        -h | --help) sed -n '2,/^set/{/^#/s/^# \{0,1\}//p}' "$0" && exit 0 ;;
        *) die "unknown option $1 (expected --fast, --search, or -- and then options for pytest)" ;;
    esac
    shift
done

ensure_environment ml,dev

# What is tested waits for the disk all the time (fsync); in memory that costs nothing. Only where
# there is ample room (a run leaves a few GB, removed at its end), and where programs may be run
# (hooks lie in the repositories that tests make).
write_in_memory() {
    local room memory limit folder
    [ -z "${PYTEST_DEBUG_TEMPROOT:-}" ] && [ -w /dev/shm ] && [ -r /proc/meminfo ] || return 0
    # A container may have less than the machine, and then says so here.
    limit=$(cat /sys/fs/cgroup/memory.max 2>/dev/null) || limit=max
    [ "$limit" = max ] || [ "$limit" -ge 16000000000 ] || return 0
    room=$(df -Pk /dev/shm | awk 'NR == 2 { print $4 }')
    memory=$(awk '$1 == "MemAvailable:" { print $2 }' /proc/meminfo)
    [ "${room:-0}" -ge 12000000 ] && [ "${memory:-0}" -ge 15000000 ] || return 0
    folder=$(mktemp -d /dev/shm/veml-tests-XXXXXX) || return 0
    trap 'rm -rf "$PYTEST_DEBUG_TEMPROOT" || true' EXIT
    export PYTEST_DEBUG_TEMPROOT=$folder
    printf '#!/bin/sh\n' >"$folder/program" && chmod 700 "$folder/program"
    "$folder/program" 2>/dev/null && return 0
    trap - EXIT
    rm -rf "$folder"
    unset PYTEST_DEBUG_TEMPROOT
}
write_in_memory
# There is a process for each core; more threads in each would only wait for one another.
export OMP_NUM_THREADS=${OMP_NUM_THREADS:-1}

if [ -z "${VEML_DATA:-}" ] && [ -d ../shared/data ]; then
    VEML_DATA=$(cd ../shared/data && pwd)
    export VEML_DATA
fi
if [ "$only" = fast ]; then
    marks='not ml and not slow and not data and not search and not neo4j'
elif [ "$only" = search ]; then
    marks='search'
elif [ -n "${VEML_DATA:-}" ]; then
    marks='not search'
else
    say "The real data sets are not here (VEML_DATA is not set): the tests that need them are left out."
    marks='not data and not search'
fi
if [ "$only" = search ]; then
    # Every parser, the graph's engines and the trees again, with examples that are others in each run, and many of them.
    VEML_EXAMPLES=${VEML_EXAMPLES:-20} "$veml_venv/bin/python" -m pytest -m 'not search and not neo4j' tests/hostile tests/lineage tests/samples/tree
fi
# Handed out in small lots: what fails fast still comes first, and no core is left with all the slow ones.
"$veml_venv/bin/python" -m pytest -m "$marks" -n logical --maxprocesses 8 --maxschedchunk 8 "$@"
