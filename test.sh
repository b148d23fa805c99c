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
    # Every parser again, with examples that are others in each run, and many of them.
    VEML_EXAMPLES=${VEML_EXAMPLES:-20} "$veml_venv/bin/python" -m pytest -m 'not search' tests/hostile
fi
# Handed out in small lots: what fails fast still comes first, and no core is left with all the slow ones.
exec "$veml_venv/bin/python" -m pytest -m "$marks" -n logical --maxprocesses 8 --maxschedchunk 8 "$@"
