# Two words to know: `make demo` and `make test`. Both install into .venv.
PYTHON ?= python3
BIN = .venv/bin
PIP = $(BIN)/pip --quiet --disable-pip-version-check

.PHONY: demo test lint lock clean

demo: .venv/.installed
	@rm -rf demo && mkdir demo
	@echo "== This host: /var/log and the journal, as far as they may be read"
	-@KR_SECOPS_STATE_DIR=demo/host $(BIN)/kr-secops --lang id scan --exit-zero -f table
	-@KR_SECOPS_STATE_DIR=demo/host $(BIN)/kr-secops --lang id report --kept -f html -o demo/laporan-mesin-ini.html
	@echo "== The sample estate: an office day of a permit service, recorded and attacked"
	@for host in web-izin db-izin network; do \
		KR_SECOPS_STATE_DIR=demo/estate $(BIN)/kr-secops --lang id scan --exit-zero \
			--host $$host --zone Asia/Jakarta --year 2026 tests/estate/$$host -q -f ndjson >/dev/null || exit 1; \
	done
	@KR_SECOPS_STATE_DIR=demo/estate $(BIN)/kr-secops --lang id findings list -f table
	@KR_SECOPS_STATE_DIR=demo/estate $(BIN)/kr-secops --lang id report --kept -f html -o demo/laporan.html \
		--agency "Dinas Contoh Kabupaten Kubu Raya"
	@echo
	@echo "Laporan contoh / report of the sample estate: $(CURDIR)/demo/laporan.html"
	@echo "Laporan mesin ini / report of this host:      $(CURDIR)/demo/laporan-mesin-ini.html"

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
	$(PIP) install --require-hashes -r packaging/requirements.lock
	$(PIP) install --no-deps --no-build-isolation --editable .
	@touch $@

.venv/.installed-dev: .venv/.installed packaging/requirements-dev.lock
	$(PIP) install --require-hashes -r packaging/requirements-dev.lock
	@touch $@

# Resolves anew within the bounds of pyproject.toml and records every version with its hashes.
lock: .venv/.installed-dev
	$(BIN)/python packaging/lock.py

clean:
	rm -rf .venv dist demo
