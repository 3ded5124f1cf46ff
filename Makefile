# Three commands: `make demo`, `make test`, `make bench`. Each sets up what it needs.
PYTHON ?= python3.11
VENV   ?= $(if $(filter python3.11,$(PYTHON)),.venv,.venv-$(notdir $(PYTHON)))
SEEDS  ?= 200
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready

.PHONY: help setup demo test fix bench world burden tables services lock
help:
	@echo "make demo    a simulated chair on real byte protocols, live in this terminal"
	@echo "make test    format, lint, types, layers, tests, simulated sessions  (PYTHON=python3.13 to choose)"
	@echo "make fix     format the code"
	@echo "make bench   the figures of this machine"
	@echo "make world   simulated sessions with faults  (SEEDS=2000)"
	@echo "make burden  how often alarms call and what they find: docs/burden.md with its curves, in minutes"
	@echo "make mutants small defects planted in the alarm core: which do the tests notice?"
	@echo "make tables  the page about the real recordings, from ../shared/data"

setup: $(READY)

$(READY): requirements/dev.txt requirements/uv.txt pyproject.toml
	@$(PYTHON) -c 'import sys; v = sys.version_info[:2]; (3, 11) <= v <= (3, 13) or sys.exit(f"Vigil needs Python 3.11 to 3.13; {sys.executable} is {v[0]}.{v[1]}: make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements/uv.txt
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --require-hashes -r requirements/dev.txt
	VIRTUAL_ENV=$(VENV) $(BIN)/uv pip install --quiet --no-deps --no-build-isolation -e .
	@touch $(READY)

demo: setup
	$(BIN)/vigil demo --scenario slow-apnoea

services:
	@sh tests/services/install.sh

test: setup services
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache
	$(BIN)/python -m pytest -n 2 --dist worksteal

fix: setup
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: setup services
	$(BIN)/python -m tests.bench

world: setup
	$(BIN)/python -m simulators.world --seeds $(SEEDS)

burden: setup
	$(BIN)/python -m tests.burden -o docs/burden.md

mutants: setup
	$(BIN)/python -m tests.mutants --page docs/mutants.md

tables: setup
	$(BIN)/python -m tests.alarms.recordings_table
	$(BIN)/python -m tests.alarms.breath_scores

# New pins: needs an index; the files hold hashes and no address.
lock: setup
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header --group dev pyproject.toml -o requirements/dev.txt
	$(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-annotate --no-header requirements/uv.in -o requirements/uv.txt
