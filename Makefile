# Needs make, Python 3.11 or newer with its venv and pip, and nothing else.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# The lock is complete, so nothing need be resolved; Python compiles what it uses when it uses it.
INSTALL := $(BIN)/python -m pip --disable-pip-version-check -qq install --require-hashes --no-deps --no-compile
COMPILE = var/uv/bin/uv pip compile --quiet --no-config --universal --python-version 3.11 \
	--generate-hashes --no-emit-index-url --no-emit-find-links --no-header $(LOCK)
# What not every installation needs, each with what the product itself needs.
EXTRAS = uvicorn s3 sentry tracing
.DEFAULT_GOAL := run
.SILENT:
.PHONY: run test api coverage bench faults soak lock sbom format messages

run: $(VENV)/runtime
	$(BIN)/python -m config.supervisor

test: $(VENV)/dev
	$(BIN)/python -m tools.check

# Fifty requests to each operation of the API, of what its description allows and what it does not.
api: $(VENV)/dev
	API_EXAMPLES=50 ENV_FILE=/dev/null DEMO=on $(BIN)/python -m pytest -n auto \
	  tests/config/api/test_description.py

# Without the browser tests, whose product runs in processes of its own.
coverage: $(VENV)/dev
	ENV_FILE=/dev/null DEMO=on $(BIN)/python -m pytest --ignore=tests/browser -n auto --dist loadfile \
	  --cov --cov-report=term --cov-report=xml:var/coverage.xml

bench: $(VENV)/dev
	$(BIN)/python -m bench

# Every fault of docs/reliability.md, whose table it writes; some 17 minutes.
faults: $(VENV)/dev
	$(BIN)/python -m tests.faults

# Memory, files and connections over a quiet quarter of an hour; some 20 minutes.
soak: $(VENV)/dev
	ENV_FILE=/dev/null DEMO=on $(BIN)/python -m tests.faults.soak

# The bill of materials (CycloneDX) of what runs in production.
sbom:
	$(PYTHON) -m tools.sbom var/causerie.cdx.json

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
	$(COMPILE) pyproject.toml -o requirements/runtime.txt
	$(COMPILE) pyproject.toml --extra dev -o requirements/dev.txt
	for extra in $(EXTRAS); do \
	  $(COMPILE) pyproject.toml --extra $$extra -c requirements/dev.txt -o requirements/$$extra.txt; done
