# Needs only Python 3.11 or newer with venv. Another interpreter: make setup PYTHON=python3.12
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
READY  := $(VENV)/.ready
PIP    := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: setup plan test prove bench fuzz wheel clean

setup: $(READY)

$(READY): pyproject.toml setup.py constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "hashshift needs Python 3.11 or newer, and '$(PYTHON)' is not: try 'make setup PYTHON=/path/to/python3.11'" >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(PIP) setuptools
	$(PIP) --no-build-isolation --editable '.[dev]'
	@touch $@

plan: $(READY)
	$(BIN)/hashshift plan data/portfolios/iren --out runs/iren

test: $(READY)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/pytest -n auto --dist loadfile

prove: $(READY)
	$(BIN)/pytest tests/prove

bench: $(READY)
	$(BIN)/python tests/bench/bench.py

fuzz: $(READY)
	$(BIN)/python tests/bench/fuzz.py

wheel: $(READY)
	$(BIN)/python -m build --no-isolation

clean:
	rm -rf $(VENV) build dist *.egg-info .*_cache .hypothesis
	find models optimizer tests -name __pycache__ -type d -exec rm -rf {} +
