# Everything the repository does. It needs Python 3.11 or newer and make; the rest is installed into .venv.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
.PHONY: help setup demo hub test test-frameworks bench check lint types imports shape docs audit reference pictures lock clean

PYTHON ?= $(shell for p in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$p && break; done)
BIN := .venv/bin
UV := $(BIN)/uv
LOCKED := --group dev --extra all
COMPILE := $(UV) pip compile -q --upgrade --universal --generate-hashes --no-emit-index-url --no-header --no-annotate
DEMO := build/demo
# Tests are shared among workers, a file to one of them; those that need the machine in real time run alone.
# Many of them wait for a process: one worker more than there are processors.
SHARED = --numprocesses=$$(( $$(nproc) + 1 )) --dist=loadfile
HERE := not gpu and not rapl
# A path of the demo's own: the runs already on this machine stay out of it.
ON_DEMO := SOOTPRINT_HOME=$(CURDIR)/$(DEMO)/home $(BIN)/sootprint

help: ## Show what can be made
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 18

setup: .venv/.ready ## Install the locked packages and Sootprint into .venv

demo: .venv/.ready ## Train a small model under Sootprint, show its footprint, write its report
	@mkdir -p $(DEMO)
	$(ON_DEMO) run --quiet --name digits-mlp --project demo -- $(BIN)/python examples/train_digits.py
	$(ON_DEMO) show latest
	$(ON_DEMO) report latest --format html --out $(DEMO)/report.html
	$(ON_DEMO) report latest --format md --out $(DEMO)/report.md
	@echo "The report is in $(DEMO)/report.html (and, as text, in $(DEMO)/report.md)."

hub: .venv/.ready ## Serve a hub on this machine, filled with published runs, until Ctrl-C; PORT=8770 for another port
	$(BIN)/sootprint hub seed
	exec $(BIN)/sootprint hub serve $(if $(PORT),--port $(PORT))

test: .venv/.ready ## Pass all tests, the end-to-end ones included
	@tools/system_packages.sh
	$(BIN)/python -m pytest --ignore=tests/frameworks $(SHARED) -m "not alone and $(HERE)"
	$(BIN)/python -m pytest --ignore=tests/frameworks -m "alone and $(HERE)"

test-frameworks: .venv/.ready ## Pass the tests that need a training framework or CodeCarbon, in .venv-frameworks
	@tools/test_frameworks.sh $(BIN)/python $(UV)

bench: .venv/.ready ## Measure what measuring costs, into bench/results
	@mkdir -p bench/results
	@for script in bench/bench_*.py; do echo "== $$script"; $(BIN)/python "$$script"; done

check: lint types imports shape docs audit ## Check style, types, imports, shape, documents and dependencies

lint: .venv/.ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .

types: .venv/.ready
	$(BIN)/mypy

imports: .venv/.ready
	$(BIN)/lint-imports

shape: .venv/.ready
	$(BIN)/python tools/shape.py

docs: .venv/.ready ## Check the documents: links, examples, and that everything is described
	$(BIN)/python -m pytest tests/docs

audit: .venv/.ready
	$(BIN)/python tools/audit.py

reference: .venv/.ready ## Write the reference pages again from the code
	$(BIN)/python tools/reference.py

pictures: .venv/.ready ## Draw the documents' pictures again
	$(BIN)/python tools/pictures.py

lock: .venv/.uv ## Resolve the dependencies again, newest first, with hashes and without an index address
	$(COMPILE) $(LOCKED) pyproject.toml -o requirements.lock
	echo uv | $(COMPILE) - -o requirements-uv.lock

clean: ## Remove what was built, the environment included
	rm -rf .venv .venv-frameworks build dist .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis

.venv/.uv: requirements-uv.lock
	@test -n "$(PYTHON)" || { echo "No Python 3.11 or newer found: install one, or name it: make PYTHON=..."; exit 2; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -q --disable-pip-version-check --require-hashes -r requirements-uv.lock
	@touch $@

.venv/.ready: .venv/.uv requirements.lock pyproject.toml
	$(UV) pip sync -q --python $(BIN)/python --require-hashes requirements.lock
	$(UV) pip install -q --python $(BIN)/python --no-deps --no-build-isolation -e .
	@touch $@
