# Two words to know: `make demo` and `make test`. Both install into .venv.
PYTHON ?= python3
BIN = .venv/bin

.PHONY: demo test lint bench lock clean

demo: .venv/.installed
	$(BIN)/python -m tests.estate.demo

test: .venv/.installed-dev
	$(BIN)/pytest -n 2 --dist loadfile

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry kr_secops

.venv/.installed: pyproject.toml packaging/requirements.lock
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r packaging/requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	touch $@

.venv/.installed-dev: .venv/.installed packaging/requirements-dev.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r packaging/requirements-dev.lock
	touch $@

# Resolves anew within the bounds of pyproject.toml and records every version with its hashes.
lock: .venv/.installed-dev
	$(BIN)/python packaging/lock.py

clean:
	rm -rf .venv dist demo
