# Everything is installed into .venv and js/node_modules; nothing else on the machine is changed, except that as root
# a machine without a browser gets Debian's Chromium, and one without ensurepip Debian's python3-venv (see .ci/install).
#
#   make install      the package, its tools, the browser side
#   make demo         the quickstart notebook in JupyterLab;  ARGS=--check: label it by script and check the outcome
#   make test         everything a change must pass
#   make bench-…      measurements: ui, labels, query, neighbours, oracle, volume, …; options in ARGS
#   make format       format Python and TypeScript
#   make clean        remove what the other targets made

SHELL := /bin/bash
.DEFAULT_GOAL := install
.DELETE_ON_ERROR:
.PHONY: install demo test format clean

BIN := .venv/bin
STAMP := .venv/.install-stamp
BUNDLE := al_widgets/static/query.js
JS_SOURCES := $(shell find js/src -type f 2>/dev/null) js/build.mjs
ARGS ?=

install: $(STAMP) $(BUNDLE)

$(STAMP): pyproject.toml js/package.json js/package-lock.json .ci/install
	@.ci/install
	@touch $@

$(BUNDLE): $(JS_SOURCES) | $(STAMP)
	npm --prefix js run --silent build
	@touch $@

demo: install
	$(BIN)/python tests/demo/demo.py $(ARGS)

test: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/codespell al_widgets js/src notebooks tests *.md Makefile
	npm --prefix js run --silent check
	npm --prefix js run --silent test
	$(BIN)/pytest $(ARGS)

bench-%: install
	$(BIN)/python tests/bench/bench_$*.py $(ARGS)

format: install
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	npm --prefix js run --silent format

clean:
	rm -rf .venv js/node_modules build dist demo-data notebooks/demo-data
	rm -rf .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find al_widgets/static -type f ! -name .gitkeep -delete
	find . -name __pycache__ -type d -prune -exec rm -rf {} +
