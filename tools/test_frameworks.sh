#!/usr/bin/env bash
# Passes the tests that need PyTorch, Lightning, Transformers, Keras, CodeCarbon, carbontracker, Zeus, MLflow or W&B, in
# one environment of their own.
# PyTorch comes from pip, which takes a build for the CPU where one lies on the machine; it is in no lock, for its size.
# Where it cannot be installed this says so; that is a failure only where SOOTPRINT_STRICT=1.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."

python=$1 uv=$2 folder=.venv-frameworks
wanted=tests/frameworks/requirements.txt peers=tests/frameworks/peers.txt
torch=torch==2.13.0

if [ ! -e "$folder/.ready" ] || [ "$wanted" -nt "$folder/.ready" ] || [ "$peers" -nt "$folder/.ready" ] || [ pyproject.toml -nt "$folder/.ready" ]; then
    [ -x "$folder/bin/python" ] || "$python" -m venv "$folder"
    if ! "$folder/bin/python" -m pip install -q --disable-pip-version-check "$torch"; then
        echo "$torch cannot be installed here, so the tests of the frameworks were not run."
        [ "${SOOTPRINT_STRICT:-}" != 1 ]
        exit
    fi
    "$uv" pip install -q --python "$folder/bin/python" "$torch" -r "$wanted" -e .
    "$uv" pip install -q --python "$folder/bin/python" --no-deps -r "$peers"
    touch "$folder/.ready"
fi
# The settings of the whole suite name plugins that are not installed here.
exec "$folder/bin/python" -m pytest -o addopts="-q --strict-markers --import-mode=importlib -m 'not gpu'" tests/frameworks
