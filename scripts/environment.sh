# Sourced by demo.sh, test.sh and .ci/run (bash): finds Python, and keeps a virtual environment that
# holds this checkout and what it needs. Reads VEML_VENV (folder of the environment; by default .venv
# in the checkout). Needs no rights beyond the user's own.

veml_root=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd)
veml_venv=${VEML_VENV:-$veml_root/.venv}

say() { printf '%s\n' "$*" >&2; }

die() {
    say "error: $*"
    exit 1
}

# Print the newest Python there is, 3.11 or later.
find_python() {
    local name
    for name in python3.13 python3.12 python3.11 python3; do
        if command -v "$name" >/dev/null &&
            "$name" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
            command -v "$name"
            return
        fi
    done
    die "veml needs Python 3.11 or later; looked for python3.13, python3.12, python3.11 and python3," \
        "found $(python3 --version 2>&1 || echo none)"
}

# Make the environment if it is not there, or if its Python has gone.
make_venv() {
    "$veml_venv/bin/python" -m pip --version >/dev/null 2>&1 && return
    if [ -e "$veml_venv" ] && [ ! -e "$veml_venv/pyvenv.cfg" ] && [ -n "$(ls -A "$veml_venv")" ]; then
        die "$veml_venv is there but is no virtual environment; move it away, or set VEML_VENV to another folder"
    fi
    local python
    python=$(find_python) || exit 1
    say "Making a virtual environment in $veml_venv ($("$python" --version))"
    "$python" -m venv --clear "$veml_venv" ||
        die "$python could not make a virtual environment (Debian and Ubuntu keep that in the package python3-venv)"
}

# Trainings need OpenCV, by way of a package that asks for the build with windows; that one needs the
# libraries of a desktop. Where they are missing, the build without windows takes its place.
mend_opencv() {
    local version
    "$veml_venv/bin/python" -c 'import cv2' 2>/dev/null && return
    version=$("$veml_venv/bin/python" -c \
        'from importlib import metadata; print(metadata.version("opencv-python"))' 2>/dev/null) || return 0
    [ -n "$version" ] || return 0
    say "OpenCV asks for libraries of a desktop that are not here: its headless build is taken"
    "$veml_venv/bin/python" -m pip install --disable-pip-version-check --force-reinstall --no-deps \
        "opencv-python-headless==$version" >&2 ||
        die "pip could not install opencv-python-headless; its own message stands above"
}

# ensure_environment EXTRAS, as in "ml,dev": install the checkout with these extras, unless it was done
# before for the same pyproject.toml, checkout and Python.
ensure_environment() {
    local stamp=$veml_venv/.veml-installed key known='' extra wanted
    make_venv
    key=$({
        cat "$veml_root/pyproject.toml"
        printf '%s\n' "$veml_root"
        "$veml_venv/bin/python" --version
    } | git hash-object --stdin)
    [ -f "$stamp" ] && [ "$(head -n 1 "$stamp")" = "$key" ] && known=$(tail -n 1 "$stamp")
    wanted=$known
    for extra in ${1//,/ }; do
        case ",$wanted," in
            *",$extra,"*) ;;
            *) wanted=${wanted:+$wanted,}$extra ;;
        esac
    done
    [ -n "$known" ] && [ "$wanted" = "$known" ] && return
    say "Installing veml[$wanted] into $veml_venv"
    case ",$wanted," in
        *,ml,*) "$veml_venv/bin/python" -c 'import torch' 2>/dev/null ||
            say "This includes PyTorch: up to a few GB on the first run, minutes on a fast line. Later runs are quick." ;;
    esac
    "$veml_venv/bin/python" -m pip install --disable-pip-version-check --editable "$veml_root[$wanted]" >&2 ||
        die "pip could not install veml[$wanted]; its own message stands above"
    mend_opencv
    printf '%s\n%s\n' "$key" "$wanted" >"$stamp"
}
