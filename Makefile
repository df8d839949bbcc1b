# Each target builds what it needs; only python3 and make have to be there.

PYTHON ?= python3
VENV ?= .venv
DJANGO ?= >=5.2
BIN := $(VENV)/bin
SDK := identity_tracking/sdk
CLIENTS := tests/clients
NPM := $(shell which npm)
MARIADB := $(shell which mariadb_config)
TIERS ?= sqlite postgres mariadb sqlite_stock
COVER ?= --cov --cov-report=  # on SQLite; it slows a run by a fifth
WORKERS ?= $(shell getconf _NPROCESSORS_ONLN)
PYTEST := $(BIN)/pytest --numprocesses=$(strip $(WORKERS)) --dist=loadfile --no-loadscope-reorder
LANGUAGES := --locale=de --locale=fr
EXTRACTED := --no-location --no-obsolete --ignore=node_modules
ELSEWHERE := -m "not browser and not clients and not slow"
STORED := tests/api tests/attacks tests/captures tests/identity tests/ingest tests/models
QUEUED := tests/ingest tests/models $(patsubst %,tests/identity/test_%.py,cases merge processes threads)
AT_RANDOM := tests/identity/test_graph.py tests/identity/test_machine.py
SENT := CASES=60 $(BIN)/pytest tests/api/test_schema_conformance.py
CROWD := PROCESSES=16 OPERATIONS=10000 IDENTIFIERS=500 \
	$(BIN)/pytest tests/identity/test_processes.py --log-cli-level=INFO --log-cli-format='%(message)s'
LEAVING := $(BIN)/pytest tests/browser/test_losses.py -k test_24

.PHONY: demo test untested $(TIERS:%=test-%) lint docs screenshots messages bench peers soak planted clients build

demo: $(VENV)/.demo
	$(BIN)/python manage.py migrate
	$(BIN)/python manage.py demo

test: $(VENV)/.dev $(if $(MARIADB),$(VENV)/.mariadb) $(if $(NPM),$(VENV)/.clients) untested $(TIERS:%=test-%)
	$(if $(and $(strip $(COVER)),$(filter sqlite,$(TIERS))),$(BIN)/coverage report --fail-under=95)

untested:
	rm -f .coverage

test-sqlite:
	$(PYTEST) $(COVER)

test-postgres:
	GRAPHS=70 $(PYTEST) --ds=tests.settings.postgres $(ELSEWHERE)

test-mariadb:
	GRAPHS=50 $(PYTEST) --ds=tests.settings.mariadb $(ELSEWHERE) $(STORED)

test-sqlite_stock:
	$(PYTEST) --ds=tests.settings.sqlite_stock $(ELSEWHERE) $(QUEUED)

lint: $(VENV)/.dev $(if $(NPM),$(SDK)/node_modules)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(if $(NPM),npm --prefix $(SDK) run lint)

docs: $(VENV)/.docs
	$(BIN)/sphinx-build --fail-on-warning --fresh-env --quiet docs docs/_build

screenshots: $(VENV)/.dev
	rm -f $(VENV)/screenshots.sqlite3*
	DATABASE_URL=sqlite:///$(abspath $(VENV))/screenshots.sqlite3 $(BIN)/python manage.py screenshots

messages: $(VENV)/.dev
	cd identity_tracking && $(abspath $(BIN))/django-admin makemessages $(LANGUAGES) $(EXTRACTED)
	cd identity_tracking && $(abspath $(BIN))/django-admin compilemessages --verbosity=0

bench: $(VENV)/.dev
	$(BIN)/python -m tests.benchmarks

peers: $(VENV)/.dev tests/peers/node_modules
	$(BIN)/python -m tests.peers

soak: $(VENV)/.dev $(if $(MARIADB),$(VENV)/.mariadb)
	GRAPHS=10000 $(BIN)/pytest $(AT_RANDOM)
	GRAPHS=10000 $(BIN)/pytest $(AT_RANDOM) --ds=tests.settings.postgres
	GRAPHS=10000 $(BIN)/pytest $(AT_RANDOM) --ds=tests.settings.mariadb
	$(SENT)
	$(SENT) --ds=tests.settings.postgres
	$(SENT) --ds=tests.settings.mariadb
	$(CROWD)
	$(CROWD) --ds=tests.settings.postgres
	$(CROWD) --ds=tests.settings.mariadb
	NAVIGATIONS=200 $(LEAVING)
	NAVIGATIONS=1000 $(LEAVING)

planted: $(VENV)/.dev
	$(BIN)/python -m tests.planted 5

clients: $(VENV)/.dev $(VENV)/.clients
	$(BIN)/python -m tests.clients

build: $(VENV)/.dev
	$(BIN)/python -m build

# A virtual environment with one of pyproject.toml's dependency groups.
$(VENV)/.%: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable . --group $* "Django$(DJANGO)"
	touch $@

# MariaDB's driver is built where its headers are; should that fail, the tests go on without it.
$(VENV)/.mariadb: $(VENV)/.dev
	-$(BIN)/python -m pip install --quiet --group mariadb && touch $@

# Clients of other products: for Node, and those whose names in Python others have.
$(VENV)/.clients: $(CLIENTS)/python/requirements.txt $(CLIENTS)/node/node_modules
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	rm -rf $(VENV)/pipelines
	$(BIN)/python -m pip install --quiet --target $(VENV)/pipelines --requirement $<
	touch $@

%/node_modules: %/package-lock.json
	npm --prefix $* install --no-save  # not ci: it wants every platform's binaries
	touch $@
