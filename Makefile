# Two commands for people: `make demo` and `make test`. Everything else serves them.
.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
TEST_STAMP := $(VENV)/.test-tools
ARGS ?=
TRITON_MODELS := $(wildcard triton_repo/*/1/model.py)

.PHONY: help demo test check format clean test-kill test-validators coverage

help: ## show this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 18

$(STAMP): pyproject.toml constraints.txt docker/bootstrap.sh
	@bash docker/bootstrap.sh venv "$(PYTHON)" "$(VENV)"
	@touch $@

$(TEST_STAMP): $(STAMP) docker/bootstrap.sh
	@bash docker/bootstrap.sh test-packages
	@touch $@

demo: $(STAMP) ## carry real studies from a PACS through the engine and back; ARGS=--once ends by itself
	@bash docker/bootstrap.sh demo-packages
	@$(BIN)/radgen demo $(ARGS)

test: $(TEST_STAMP) ## install what the tests need and run all of them
	@rm -f .coverage .coverage.*
	$(BIN)/python -m pytest --cov --cov-report= $(ARGS)
	@$(BIN)/coverage combine -q 2>/dev/null || true
	$(BIN)/coverage report

test-kill: $(TEST_STAMP) ## the long form of the kill -9 suite (50 studies)
	RADGEN_KILL_STUDIES=50 $(BIN)/python -m pytest -m kill --timeout 1800 $(ARGS)

check: $(STAMP) ## every guard of the house
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	@set -e; for model in $(TRITON_MODELS); do echo "mypy $$model"; $(BIN)/mypy $$model; done
	$(BIN)/lint-imports
	$(BIN)/vulture
	$(BIN)/deptry .
	$(BIN)/codespell README.md CHANGELOG.md CONTRIBUTING.md docs radgen models dicom_listener benchmarks triton_repo tests docker
	$(BIN)/hadolint docker/*.Dockerfile
	$(BIN)/validate-pyproject pyproject.toml

format: $(STAMP) ## rewrite the code in the house's form
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove what the commands above made, but for the virtual environment
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis demo-out .coverage*
