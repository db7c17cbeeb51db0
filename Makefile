# Everything a developer does, by one word each. `make` alone lists them.
# Needs Python >= 3.11, git and make; whatever else a target needs, it installs below this folder
# (or, for Chromium and rsyslog and only as root, from the system's packages).

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

PYTHON ?= $(shell scripts/find-python)
UV := .tools/bin/uv
RUN := $(UV) run --locked --no-sync
UV_VERSION := 0.13
export UV_PYTHON_DOWNLOADS := never
export UV_LINK_MODE ?= copy

# Where the system keeps its certificates, its word counts: a company's proxy may have one of its own.
ifneq ($(wildcard /etc/ssl/certs/ca-certificates.crt /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/cert.pem),)
export UV_SYSTEM_CERTS ?= 1
NPM_OPTIONS := NODE_OPTIONS=--use-system-ca
endif

.PHONY: help demo test check docs docs-serve bench format browser rsyslog clean

help: ## list the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: .venv/.runtime ## watch an agent discover, ask, call, be refused, and the log prove itself
	@$(RUN) --no-dev remit demo $(ARGS)

test: .venv/.synced tests/node/node_modules/.installed browser rsyslog ## run every test (SQLite and PostgreSQL, real clients, a real browser)
	$(RUN) pytest -n auto --dist worksteal $(ARGS)

check: .venv/.synced ## lint, types, import contracts, freshness of the lock file
	$(UV) lock --check
	$(RUN) ruff check src packages tests benchmarks
	$(RUN) ruff format --check src packages tests benchmarks
	$(RUN) mypy
	$(RUN) lint-imports

format: .venv/.synced ## rewrite the code as `make check` wants it
	$(RUN) ruff check --fix src packages tests benchmarks
	$(RUN) ruff format src packages tests benchmarks

docs: .venv/.docs ## build the documentation site into site/
	$(RUN) --group docs mkdocs build --strict

docs-serve: .venv/.docs ## read the documentation while writing it
	$(RUN) --group docs mkdocs serve

bench: .venv/.synced ## measure, each figure against a floor in the same run
	$(RUN) python -m benchmarks $(ARGS)

browser: .venv/.synced ## find or install a Chromium for the tests
	@$(RUN) python scripts/find_chromium.py

rsyslog: .venv/.synced ## find or install an rsyslog with TLS for the tests
	@$(RUN) python scripts/find_rsyslog.py

clean: ## remove what these targets made
	rm -rf .venv .tools site tests/node/node_modules .pytest_cache .mypy_cache .ruff_cache .hypothesis

$(UV):
	@scripts/find-python --check
	$(PYTHON) -m venv .tools
	.tools/bin/python -m pip install --quiet --disable-pip-version-check 'uv==$(UV_VERSION).*'

# Two stamps: the demo needs only what users install; the tests need the rest.
.venv/.runtime: pyproject.toml uv.lock | $(UV)
	@[ -f .venv/.synced ] || $(UV) sync --quiet --locked --no-dev --python $(PYTHON)
	@touch $@

.venv/.synced: pyproject.toml uv.lock | $(UV)
	$(UV) sync --quiet --locked --python $(PYTHON)
	@touch $@ .venv/.runtime

.venv/.docs: .venv/.synced
	$(UV) sync --quiet --locked --group docs --python $(PYTHON)
	@touch $@

tests/node/node_modules/.installed: tests/node/package-lock.json | .venv/.synced
	cd tests/node && PATH="$(CURDIR)/.venv/bin:$$PATH" $(NPM_OPTIONS) npm ci --no-audit --no-fund --loglevel=error
	@touch $@
