#!/bin/sh
# Make the environment in the folder $1 from requirements.lock: with uv where it is, else with venv and pip.
# PYTHON chooses the interpreter; proxies and mirrors are the usual variables of pip and uv.
set -eu
venv=$1

usable() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

python=${PYTHON:-}
if [ -z "$python" ]; then
    for name in python3.14 python3.13 python3.12 python3.11 python3; do
        if command -v "$name" >/dev/null 2>&1 && usable "$name"; then python=$name; break; fi
    done
fi
if [ -z "$python" ] || ! usable "$python"; then
    found=$("${python:-python3}" -c 'import platform; print(platform.python_version())' 2>/dev/null || echo "not there")
    echo "storywatch needs Python 3.11 or newer; ${python:-python3} is $found. Set PYTHON=/path/to/python3.11" >&2
    exit 1
fi

if command -v uv >/dev/null 2>&1 && [ "${STORYWATCH_ENV:-}" != pip ]; then
    export UV_PYTHON_DOWNLOADS=never
    uv venv --quiet --allow-existing --python "$python" "$venv"
    VIRTUAL_ENV=$PWD/$venv uv pip sync --quiet --require-hashes requirements.lock
    VIRTUAL_ENV=$PWD/$venv uv pip install --quiet --no-deps --no-build-isolation --editable .
    exit 0
fi

if [ ! -x "$venv/bin/python" ] && ! "$python" -m venv "$venv" 2>/dev/null; then
    version=$("$python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    echo "$python cannot make a virtual environment: install $version-venv, or install uv" >&2
    rm -rf "$venv"
    exit 1
fi
offline=
if [ "${OFFLINE:-}" = 1 ]; then offline="--no-index --find-links wheels"; fi
echo "installing the locked packages into $venv ..." >&2
# the options are several words on purpose
# shellcheck disable=SC2086
if ! "$venv/bin/python" -m pip install --quiet --no-compile --disable-pip-version-check $offline --require-hashes -r requirements.lock; then
    echo "the packages could not be installed; without a network, put wheels into wheels/ and set OFFLINE=1" >&2
    exit 1
fi
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-index --no-deps --no-build-isolation --editable .
