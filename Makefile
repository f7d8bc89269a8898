# Every target sets up what it needs in .venv; nothing else is installed or started.
SUITABLE := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] < (3, 14))
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do $$p -c '$(SUITABLE)' 2>/dev/null && echo $$p && break; done)
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
PLAN ?= diabetes_progression
PREFECT_PORT ?= 4200
MLFLOW_PORT ?= 5000

.DEFAULT_GOAL := help
.PHONY: help run run-gpai test validators lint check ui lock clean

help: ## Show the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-10s %s\n", $$1, $$2}'

$(STAMP): pyproject.toml requirements.lock
	@test -n "$(PYTHON)" || { echo "python: expected 3.11, 3.12 or 3.13 on the PATH, got none. Install one, or name it: make PYTHON=/path/to/python run" >&2; exit 3; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "Installing the packages into $(VENV) (once, some minutes) …"
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-compile --constraint requirements.lock --editable ".[pipeline,dev]"
	@$(BIN)/python -m compileall -qq -j 0 $(VENV)/lib || true # on all cores, where pip takes one; some files are meant for no Python
	@touch $@

run: $(STAMP) ## Take the embedded use case from data to a verified bundle (PLAN=… for another)
	@$(BIN)/python -m flows.demonstration $(PLAN)

run-gpai: $(STAMP) ## Train a small language model on the documentation of Python, from text to a verified bundle
	@$(BIN)/python -m flows.demonstration python_documentation

# One run, so that what several tests share is made once; a file stays with one process. How many processes, and the
# longest files first, whatever their number of tests: tests/conftest.py.
TESTS := $(BIN)/python -m pytest -q -n auto --dist loadfile --no-loadscope-reorder

test: $(STAMP) ## All tests on all cores, the slow ones too, which start services
	@$(TESTS)

# An environment of its own: the validator wants an older rich than Prefect's newest versions do.
VALIDATORS := .venv-validators

validators: ## Install public validators that do not fit into .venv; their tests are skipped without them
	@test -x $(VALIDATORS)/bin/python || $(PYTHON) -m venv $(VALIDATORS)
	@$(VALIDATORS)/bin/python -m pip install --quiet --disable-pip-version-check "roc-validator==0.13.0" "rocrate==0.16.0" "tritonclient[grpc]" \
	  "cyclonedx-python-lib[json-validation]>=11"

lint: $(STAMP) ## Lint, types, import rules
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

check: lint ## The same, and the fast tests
	@$(TESTS) -m "not slow"

ui: $(STAMP) ## Open Prefect's and MLflow's pages on the local stores
	@$(BIN)/python -m flows.ui --workspace . --prefect-port $(PREFECT_PORT) --mlflow-port $(MLFLOW_PORT)

lock: ## Write requirements.lock anew from what is installed in .venv (versions only)
	@$(BIN)/python -m pip freeze --exclude-editable --exclude proofline | sed -E 's/\+cpu$$//' | grep -E '^[A-Za-z0-9._-]+==' > requirements.lock

clean: ## Remove the environment and caches, not the runs
	@rm -rf $(VENV) $(VALIDATORS) build dist ./*.egg-info .mypy_cache .ruff_cache .pytest_cache
