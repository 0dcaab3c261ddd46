# The two commands: `make run` and `make test`. Both set up what they need first.
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
WORKERS ?= auto
PORT ?= 8000
SHOP_PORT ?= 8001
ERP_PORT ?= 8002

.DEFAULT_GOAL := help
.PHONY: help setup setup-dev run demo-reset replay test test-postgres bench bench-console check

help:  ## shows this
	@grep -E '^[a-z-]+:.*##' Makefile | sed -E 's/:.*## /	/' | column -t -s '	'

$(VENV)/.run: requirements.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
	  echo "Tillbridge needs Python 3.11 or newer; $(PYTHON) is $$($(PYTHON) --version 2>/dev/null || echo not there). Try: make PYTHON=python3.11 …"; exit 1; }
	@echo "Setting up $(VENV) (once; about a minute)"
	@test -x $(PY) && $(PY) -m pip --version >/dev/null 2>&1 || $(PYTHON) -m venv --clear $(VENV) || { \
	  echo "Python cannot make a virtual environment here. On Debian or Ubuntu: apt-get install python3-venv"; exit 1; }
	@{ $(PY) -m pip install --disable-pip-version-check --progress-bar off -r requirements.txt; echo $$? > $(VENV)/.pip; } | \
	  sed -u -n 's/^Collecting \([^ ]*\).*/  \1/p'; test "$$(cat $(VENV)/.pip)" = 0 || { \
	  echo "The packages could not be fetched: is there a network, or a package mirror (pip config)?"; exit 1; }
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

run: setup  ## the hub with a shop and an ERP to try it with: make run [PORT=8000 SHOP_PORT=8001 ERP_PORT=8002]
	@exec $(PY) manage.py demo --port $(PORT) --shop-port $(SHOP_PORT) --erp-port $(ERP_PORT)

demo-reset: setup  ## forgets what the demo has made, so that it starts over
	@$(PY) manage.py demo --reset

replay: setup  ## carries sample orders through both sandboxes and proves the totals: make replay [DATA=folder JSON=file]
	@$(PY) manage.py migrate --verbosity 0
	@$(PY) manage.py replay $(if $(DATA),--data "$(DATA)") $(if $(JSON),--json "$(JSON)")

test: setup-dev  ## the whole suite on SQLite, in parallel
	@DATABASE_URL=sqlite:///$(CURDIR)/var/test.sqlite3 $(PY) -m pytest -n $(WORKERS) $(ARGS)

test-postgres: setup-dev  ## the same on PostgreSQL: DATABASE_URL, or a server of its own
	@$(PY) scripts/with_postgres.py $(PY) -m pytest -n $(WORKERS) $(ARGS)

bench: setup-dev  ## measures the pipeline on the stub in ../shared/bench and on the sandboxes: make bench [ARGS=--quick]
	@$(PY) -m bench $(ARGS)

bench-console: setup-dev  ## times the console's lists with a million messages on PostgreSQL: make bench-console [ARGS="--messages 100000"]
	@$(PY) scripts/with_postgres.py $(PY) -c "import os, django; os.environ.setdefault('DJANGO_SETTINGS_MODULE', 'hub.settings'); django.setup(); from bench.console import main; raise SystemExit(main())" $(ARGS)

check: setup-dev  ## format, lint, types, settings, migrations and the house's numbers
	@$(VENV)/bin/ruff format --check . && $(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy connectors mappings hub scripts bench
	@$(PY) manage.py check --fail-level WARNING
	@$(PY) manage.py makemigrations --check --dry-run
	@$(PY) -m pytest tests/test_house.py
