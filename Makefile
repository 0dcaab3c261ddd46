# The two commands: `make run` and `make test`. Both set up what they need first.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
WORKERS ?= auto

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run replay test test-postgres bench check

help:  ## shows this
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /	/' | column -t -s '	'

$(VENV)/.run: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Tillbridge needs Python 3.11 or newer; $$($(PYTHON) --version) was found. Try: make PYTHON=python3.11 …"; exit 1; }
	@echo "Setting up $(VENV) (once; about a minute)"
	@test -x $(PY) || $(PYTHON) -m venv $(VENV)
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements.txt
	@touch $@

$(VENV)/.dev: requirements-dev.txt $(VENV)/.run
	@echo "Setting up the tools for tests (once; about a minute)"
	@$(PY) -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	@touch $@

.env: .env.example | $(VENV)/.run
	@$(PY) scripts/make_env.py && touch .env

setup: $(VENV)/.run .env  ## virtual environment, pinned requirements and .env
	@mkdir -p var

setup-dev: setup $(VENV)/.dev

run: setup  ## carries the project's own sample orders from the shop's sandbox into the ERP's, and shows the table
	@$(PY) manage.py migrate --verbosity 0
	@$(PY) manage.py replay

replay: setup  ## the same with recorded orders: make replay DATA=folder [JSON=file]
	@$(PY) manage.py migrate --verbosity 0
	@$(PY) manage.py replay $(if $(DATA),--data "$(DATA)") $(if $(JSON),--json "$(JSON)")

test: setup-dev  ## the whole suite on SQLite, in parallel
	@DATABASE_URL=sqlite:///$(CURDIR)/var/test.sqlite3 $(PY) -m pytest -n $(WORKERS) $(ARGS)

test-postgres: setup-dev  ## the same on PostgreSQL: DATABASE_URL, or a server of its own
	@$(PY) scripts/with_postgres.py $(PY) -m pytest -n $(WORKERS) $(ARGS)

bench: setup-dev  ## measures the pipeline on the stub in ../shared/bench and on the sandboxes: make bench [ARGS=--quick]
	@$(PY) -m bench $(ARGS)

check: setup-dev  ## format, lint, types, settings, migrations and the house's numbers
	@$(VENV)/bin/ruff format --check . && $(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy connectors mappings hub scripts bench
	@$(PY) manage.py check --fail-level WARNING
	@$(PY) manage.py makemigrations --check --dry-run
	@$(PY) -m pytest tests/test_house.py
