# Every target builds what it needs. Only Python 3.11 with venv and pip has to be there.
PYTHON ?= python3
BIN := .venv/bin
ARGS ?=
TORCH ?= torch==2.13.0

.PHONY: help diffusers rehearse run test check format coverage bench docs locales pictures lock clean

help: ## list the targets
	@grep -hE '^[a-z.]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | sort

.venv: .venv/complete ## the virtual environment, from the hash-locked list

# A file inside says that the installation came to its end; one that was cut off is begun anew.
.venv/complete: requirements-dev.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Easel needs Python 3.11: make PYTHON=python3.11" if sys.version_info < (3, 11) else 0)'
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

diffusers: .venv/diffusers ## add what painting in the bot's own process needs; TORCH names the build of PyTorch

# PyTorch alone has no hash here: every kind of card has a build of its own, all under one version.
.venv/diffusers: .venv/complete requirements-diffusers.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps -r requirements-diffusers.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check $(TORCH)
	@touch $@

rehearse: .venv ## try the real bot: no token, no GPU
	$(BIN)/easel rehearse

run: .venv ## start the bot with the settings of .env
	$(BIN)/easel run

# Python's compiled files are wanted: the tests start the bot some hundred times.
test: export PYTHONDONTWRITEBYTECODE =
test: .venv ## run the tests; ARGS="-k queue" goes to pytest
	$(BIN)/python -m pytest -q $(ARGS)

check: .venv ## format, lint, types, imports
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv ## format and mend what the linter can
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

coverage: .venv ## run the tests and hold branch coverage to the bar
	$(MAKE) test ARGS="--cov --cov-report=term --cov-fail-under=95"

docs: .venv ## write .env.example and the tables of the documents anew from the code
	UPDATE_DOCS=1 $(BIN)/python -m pytest -q -n 0 tests/docs

locales: .venv ## bring every language's catalogue up to date and say what lacks words; ARGS="fr" begins a new one
	$(BIN)/python -m docs.locales $(ARGS)

pictures: .venv ## take the pictures of the documents anew (needs Chromium)
	$(BIN)/python -m docs.pictures

bench: .venv ## measure speed, as ratios against a floor of the same run
	$(BIN)/python bench/overhead.py
	$(BIN)/python bench/queue.py
	$(BIN)/python bench/company.py
	$(BIN)/python bench/scale.py
	$(BIN)/python bench/duty.py
	$(BIN)/python bench/suggest.py
	$(BIN)/python bench/freshness.py
	$(BIN)/python bench/batching.py
	$(BIN)/python bench/simulate.py --quick

lock: COMPILE = uv pip compile --generate-hashes --no-emit-index-url --no-annotate --no-header --quiet --upgrade
lock: HOST = --extra postgres --extra s3 --extra metrics --extra sentry
lock: .venv ## renew the lock files (needs uv on the path)
	$(COMPILE) pyproject.toml --universal -o requirements.lock
	$(COMPILE) pyproject.toml --universal --group dev $(HOST) -o requirements-dev.lock
	$(COMPILE) pyproject.toml --universal $(HOST) --constraint requirements-dev.lock -o requirements-host.lock
	echo hatchling | $(COMPILE) - --universal --constraint requirements-dev.lock -o requirements-build.lock
	@# Resolved as for Windows, where PyTorch brings no CUDA packages: those come with the build that TORCH names.
	$(COMPILE) pyproject.toml --extra diffusers --constraint requirements-dev.lock --python-platform windows --python-version 3.11 --no-emit-package torch -o requirements-diffusers.lock

clean: ## remove what the targets built
	rm -rf .venv build dist out .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .coverage*
