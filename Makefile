# Needs Python 3.11 or newer, make, and the network to fetch Python packages. `make help` lists the targets.

VENV ?= .venv
WORKERS ?= 2
ARGS ?=
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Set PYTHON=/path/to/python to choose the interpreter that .venv is made from.
PYTHON ?=

export FULL

.PHONY: help run test prove lint acceptance lock
.DEFAULT_GOAL := help

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(STAMP) ## demonstration: simulated partners, the real daemon between them, trade going on (ARGS="--for 30s")
	$(BIN)/inventory-sync demo $(ARGS)

test: $(STAMP) ## the suite to run before every commit
	$(BIN)/python -m pytest -n $(WORKERS) --durations=15 $(ARGS)

prove: $(STAMP) ## the bounded proof: seeded simulation, process kills (FULL=1 for the long form)
	$(BIN)/python -m pytest -m prove --durations=15 $(ARGS)

lint: $(STAMP) ## ruff, mypy --strict, import rules
	$(BIN)/ruff check .
	$(BIN)/python -m mypy
	$(BIN)/lint-imports

acceptance: $(STAMP) ## the acceptance table, row by row: proven, not yet, no effect
	$(BIN)/python -m pytest -n $(WORKERS) -q --acceptance $(ARGS)

lock: $(STAMP) ## resolve pyproject.toml anew into the two lock files (needs uv on the PATH)
	uv pip compile pyproject.toml --universal --python-version 3.11 --all-extras \
	  --generate-hashes --no-header --no-annotate -o requirements.lock
	uv pip compile pyproject.toml --universal --python-version 3.11 --extra sandbox -c requirements.lock \
	  --generate-hashes --no-header --no-annotate -o deploy/requirements.lock

$(STAMP): requirements.lock pyproject.toml
	@if [ ! -x $(BIN)/python ]; then \
	  chosen=; \
	  for candidate in $(PYTHON) python3.12 python3.13 python3.11 python3 python; do \
	    if "$$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then chosen=$$candidate; break; fi; \
	    if [ "$$candidate" = "$(PYTHON)" ]; then break; fi; \
	  done; \
	  if [ -z "$$chosen" ]; then \
	    echo "No Python 3.11 or newer found$(if $(PYTHON), as PYTHON=$(PYTHON),). Install one, or name it: make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)" >&2; exit 1; \
	  fi; \
	  echo "Making $(VENV) with $$($$chosen --version)"; \
	  "$$chosen" -m venv $(VENV) || { rm -rf $(VENV); \
	    echo "$$chosen cannot make a virtual environment. On Debian and Ubuntu its venv module is a package of its own (python3-venv)." >&2; exit 1; }; \
	fi
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@
