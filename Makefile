# storywatch. Needs Python 3.11 or newer, git and make; everything else goes into .venv.
# `make help` lists the targets. Works with GNU make and BSD make.

.POSIX:
.SUFFIXES:

PYTHON =
PORT = 8080
CONFIG = config.yaml
ARGS =
VENV = .venv
BIN = $(VENV)/bin
STAMP = $(VENV)/.stamp

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 22

run: $(STAMP) ## start the daemon with config.yaml, SQLite in ./data and the page on 127.0.0.1:8080
	@$(BIN)/storywatch run --config $(CONFIG) --port $(PORT) $(ARGS)

demo: $(STAMP) ## watch an invented story unfold, without network or account (ARGS=--fast for scripts)
	@$(BIN)/storywatch demo $(ARGS)

test: $(STAMP) ## run all tests, on SQLite and on a real Postgres
	@$(BIN)/python -m pytest -n auto $(ARGS)

test-long: $(STAMP) ## run the tests that wait for minutes, and the whole crash matrix
	@$(BIN)/python -m pytest -n auto -m long $(ARGS)

test-pooler: $(STAMP) ## run the tests of several processes with PgBouncer between them and Postgres
	@STORYWATCH_TEST_POOLER=1 $(BIN)/python -m pytest -n auto -m postgres tests/cluster $(ARGS)

check: $(STAMP) ## format, lint, types, import contracts, compiled data, licences
	@$(BIN)/ruff format --check .
	@$(BIN)/ruff check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/python -m monitor.lexicons --check
	@$(BIN)/python .ci/licences.py

fix: $(STAMP) ## format and apply safe lint fixes
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(STAMP) ## run the benches and print ratios
	@$(BIN)/python -m bench

lock: $(STAMP) ## make requirements.lock anew from pyproject.toml
	@$(BIN)/python .ci/lock.py

image: ## build the container image
	docker build -t storywatch .

clean: ## remove what was built; never data/
	rm -rf $(VENV) dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis

env: $(STAMP) ## make the environment only

$(STAMP): pyproject.toml requirements.lock .ci/env.sh
	@PYTHON="$(PYTHON)" sh .ci/env.sh $(VENV)
	@touch $(STAMP)

.PHONY: help run demo test test-long test-pooler check fix bench lock image clean env
