# One-word commands. Each of `demo` and `test` does all the set-up itself.
SHELL := /bin/bash
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed

.PHONY: demo test check bench real clean help

help:
	@grep -E '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/'

$(STAMP): pyproject.toml scripts/setup
	@PYTHON=$(PYTHON) VENV=$(VENV) scripts/setup
	@touch $(STAMP)

demo: $(STAMP) ## play the whole story on a small production, from NO-GO to GO
	@$(BIN)/python examples/dten/play.py

test: $(STAMP) ## run the test suite
	@$(BIN)/python -m pytest -n 2

check: $(STAMP) ## lint, types, architecture, dependencies
	@$(BIN)/ruff check . && $(BIN)/ruff format --check . && $(BIN)/mypy && $(BIN)/lint-imports --no-cache && $(BIN)/deptry src

bench: $(STAMP) ## measure the claims in benchmarks/
	@for claim in benchmarks/bench_*.py; do $(BIN)/python $$claim || exit 1; done

real: $(STAMP) ## inspect real packages from public registries (downloads into a cache outside git)
	@$(BIN)/python -m pytest -m real tests/real

clean: ## remove everything that was built here
	rm -rf $(VENV) .cache build dist examples/dten/build cases
