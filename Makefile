# Everything a working day with kekule needs. `make` alone lists the targets.
# GNU make 3.81 or newer and a POSIX shell, so that it also runs on a plain macOS.

PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
KEKULE := $(BIN)/kekule
STAMP := $(VENV)/.installed
RUNS := mutag-gcn mutag-gin

# What `make predict` asks, and whom: make predict MODEL=models/mutag-gcn INPUT=assay.csv
MODEL ?= models/mutag-gin
INPUT ?= "O=[N+]([O-])c1ccc2ccccc2c1" "CCO" "not a molecule"

# Versions that `make freeze` does not leave to the resolver: the release whose CPU build is
# wanted, the RDKit that the C++ featuriser of a later release is built against, and the
# soupsieve (below furo) that also runs on Python 3.11.0 to 3.11.4, such as that of Debian 12.
PINNED := torch==2.13.0 rdkit==2026.3.6 'soupsieve<3'
# torch without the mark of its build; GraKeL and cuik_molmaker_pin only where they have wheels.
MARKED := -e 's/^\(torch==[^+]*\)+.*/\1/' -e 's/^\(GraKeL==.*\)/\1 ; python_version < "3.13"/' \
	-e 's/^\(cuik_molmaker_pin==.*\)/\1 ; sys_platform != "darwin" or platform_machine == "arm64"/'

# The benchmarks, and what they compare with.
BENCHMARKS := batches featurise train_bbbp train_mutag train_scaling
PEERS := chemprop==2.3.1 torch_geometric==2.8.1 cuik_molmaker_pin==2026.3.6 \
	torch==2.13.0 rdkit==2026.3.6

.DEFAULT_GOAL := help
.PHONY: help setup data train predict report test test-slow lint format docs bench quality bench-peers \
	freeze clean distclean

help: ## List the targets.
	@awk -F ':[^#]*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' Makefile

setup: $(STAMP) ## Make .venv with the frozen requirements and kekule itself.

$(STAMP): requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { \
		echo "kekule needs Python 3.11 or newer, and '$(PYTHON)' is not." \
			"Name another: make $(MAKECMDGOALS) PYTHON=python3.12" >&2; exit 1; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); \
		echo "'$(PYTHON) -m venv' failed." \
			"On Debian and Ubuntu: apt install python3-venv" >&2; exit 1; }
	$(BIN)/python -m pip install --disable-pip-version-check -q -r requirements.txt
	$(BIN)/python -m pip install --disable-pip-version-check -q --no-deps -e .
	@touch $(STAMP)

data: setup ## Put MUTAG into data/raw and, packed, into data/processed.
	$(KEKULE) data get MUTAG
	test -d data/processed/mutag || $(KEKULE) data convert MUTAG -o data/processed/mutag

train: setup ## Train and validate gcn and gin on MUTAG; print scores and reports.
	@for run in $(RUNS); do \
		echo "kekule train recipes/$$run.yaml --out models/$$run --resume"; \
		$(KEKULE) train recipes/$$run.yaml --out models/$$run --resume || exit $$?; \
	done
	@$(MAKE) --no-print-directory report

predict: setup ## Ask a trained model, as in: make predict MODEL=… INPUT=….
	@test -e $(MODEL) || { echo "$(MODEL) is not there yet: make train" >&2; exit 2; }
	$(KEKULE) predict $(MODEL) $(INPUT)

report: setup ## Draw the pages of the MUTAG runs again, and their figures.
	@for run in $(RUNS); do \
		test -e models/$$run || { \
			echo "models/$$run is not there yet: make train" >&2; exit 2; }; \
		$(KEKULE) report models/$$run --figures reports/figures/$$run || exit $$?; \
	done

test: setup ## Run the tests, with coverage of at least 90 %.
	$(BIN)/python -m pytest -m "not slow" -n auto --dist worksteal --cov --cov-report=term --cov-fail-under=90

test-slow: setup ## Run the tests that take more than a minute.
	$(BIN)/python -m pytest -m slow

# No cache for ruff: whether a module is ours, which orders imports, is not part of its key.
lint: setup ## Check style, types and who imports whom.
	$(BIN)/ruff check --no-cache
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

format: setup ## Lay the code out, and correct what can be corrected safely.
	$(BIN)/ruff format
	$(BIN)/ruff check --fix

docs: setup ## Build the documentation; a warning is an error.
	$(BIN)/sphinx-build -W --keep-going -q -b html docs docs/_build/html
	@echo docs/_build/html/index.html

bench: setup ## Run the benchmarks beside the peers: twenty minutes of an idle machine.
	@test -x .venv-peers/bin/python || { \
		echo "The peers are not there yet: make bench-peers" >&2; exit 2; }
	@for script in $(BENCHMARKS); do \
		echo "benchmarks/$$script.py"; \
		$(BIN)/python benchmarks/$$script.py || exit $$?; \
	done

quality: setup ## Score the models on published sets and splits: an hour.
	$(BIN)/python benchmarks/quality.py

bench-peers: ## Make .venv-peers, where the tools live that the benchmarks compare with.
	test -x .venv-peers/bin/python || $(PYTHON) -m venv .venv-peers
	.venv-peers/bin/python -m pip install --disable-pip-version-check -q $(PEERS)

freeze: ## Make requirements.txt anew from pyproject.toml, in an environment of its own.
	rm -rf .venv-freeze
	$(PYTHON) -m venv .venv-freeze
	.venv-freeze/bin/python -m pip install --disable-pip-version-check -q $(PINNED)
	.venv-freeze/bin/python -m pip install --disable-pip-version-check -q -e '.[dev]'
	.venv-freeze/bin/python -m pip check
	.venv-freeze/bin/python -m pip freeze --exclude-editable > .venv-freeze/found.txt
	@! grep -i -e '^nvidia' -e '^triton' .venv-freeze/found.txt || { echo "These come with the" \
		"CUDA build of torch; freeze where pip finds the CPU build." >&2; exit 1; }
	{ sed '/^[^#]/,$$d' requirements.txt; sed $(MARKED) .venv-freeze/found.txt; } \
		> .venv-freeze/requirements.txt
	mv .venv-freeze/requirements.txt requirements.txt
	rm -rf .venv-freeze

clean: ## Remove the MUTAG runs, figures, builds and caches; other runs in models/ stay.
	rm -rf $(RUNS:%=models/%) $(RUNS:%=models/.%.partial) $(RUNS:%=models/.%.lock)
	find reports/figures -mindepth 1 -maxdepth 1 ! -name README.md -exec rm -rf {} +
	rm -rf build dist docs/_build htmlcov .coverage .coverage.* .pytest_cache .mypy_cache \
		.ruff_cache .import_linter_cache .hypothesis
	find src tests benchmarks docs -name __pycache__ -type d -prune -exec rm -rf {} +

distclean: clean ## Also remove the environments; data/ is left alone.
	rm -rf $(VENV) .tox .venv-freeze .venv-peers src/kekule.egg-info
