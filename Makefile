# Every target builds what it needs. Only Python 3.11 with venv and pip has to be there.
PYTHON ?= python3
BIN := .venv/bin

.PHONY: help rehearse run test check format bench coverage lock clean

help: ## list the targets
	@grep -hE '^[a-z.]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort

.venv: requirements-dev.lock pyproject.toml ## the virtual environment, from the hash-locked list
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch .venv

rehearse: .venv ## try the real bot: no token, no GPU
	$(BIN)/easel rehearse

run: .venv ## start the bot with the settings of .env
	$(BIN)/easel run

test: .venv ## run the tests
	$(BIN)/python -m pytest -q

check: .venv ## format, lint, types, imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv ## format and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

coverage: .venv ## run the tests and hold branch coverage to the bar
	$(BIN)/python -m pytest -q --cov --cov-report=term --cov-fail-under=95

bench: .venv ## measure speed, as ratios against a floor of the same run
	$(BIN)/python bench/overhead.py
	$(BIN)/python bench/queue.py

lock: .venv ## renew the lock files (needs uv on the path)
	uv pip compile pyproject.toml --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --upgrade -o requirements.lock
	uv pip compile pyproject.toml --group dev --universal --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --upgrade -o requirements-dev.lock

clean: ## remove what the targets built
	rm -rf .venv build dist out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
