# Needs make, Python 3.11 or newer with its venv and pip, and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The lock is complete, so nothing need be resolved; Python compiles what it uses when it uses it.
INSTALL := $(BIN)/python -m pip --disable-pip-version-check -qq install --require-hashes --no-deps --no-compile
.DEFAULT_GOAL := run
.SILENT:
.PHONY: run test bench lock format messages

run: $(VENV)/runtime
	$(BIN)/python -m config.supervisor

test: $(VENV)/dev
	$(BIN)/python -m tools.check

bench: $(VENV)/dev
	$(BIN)/python -m bench

format: $(VENV)/dev
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

messages: $(VENV)/dev
	$(BIN)/python -m tools.messages

# Made anew only where the lock has changed; dev.txt holds all of runtime.txt.
$(VENV)/runtime: requirements/runtime.txt $(VENV)/made
	echo "Installing what it needs (only now) ..."
	$(INSTALL) -r $<
	touch $@

$(VENV)/dev: requirements/dev.txt $(VENV)/made
	echo "Installing what the tests need (only now) ..."
	$(INSTALL) -r $<
	touch $(VENV)/runtime $@

$(VENV)/made:
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Causerie needs Python 3.11 or newer; make PYTHON=... chooses one")'
	$(PYTHON) -c 'import ensurepip, venv' 2>/dev/null || { echo "This Python lacks venv: apt install python3-venv"; exit 1; }
	$(PYTHON) -m venv --clear $(VENV)
	touch $@

# The hashes of every platform and Python from 3.11 on, and no address of an index in the files.
lock:
	$(PYTHON) -m venv var/uv
	var/uv/bin/pip install --quiet --disable-pip-version-check uv
	for name in runtime dev; do \
	  var/uv/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 \
	    --generate-hashes --no-emit-index-url --no-emit-find-links --no-header $(LOCK) \
	    requirements/$$name.in -o requirements/$$name.txt || exit 1; \
	done
