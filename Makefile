# Everything a developer or a curious operator runs.  Needed: make and Python 3.11 or later.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
# most tests wait for timers, not for the processor
JOBS ?= 12
# else every worker compiles all tests anew, which takes as long as running half of them
unexport PYTHONDONTWRITEBYTECODE

.PHONY: demo demo-cluster soak test unit check bench docs dist lowest servers venv clean fuzz figures machine pythons

# an instance against a registrar of its own, on loopback: a console on a terminal, else a tour
demo: $(VENV)/.run
	@$(BIN)/pjreg-cli demo

# PostgreSQL and three instances on this machine, one killed before your eyes
demo-cluster: $(VENV)/.dev servers
	@$(BIN)/python -m tests.support.cluster_story

# every test, the servers they register with included
test: $(VENV)/.dev servers
	$(BIN)/pytest -n $(JOBS) --maxschedchunk=1 -q -rs

# the fast lane: each module by itself, with few examples of each property
unit: $(VENV)/.dev
	HYPOTHESIS_PROFILE=quick $(BIN)/pytest tests/unit -n 2 -q -m "not exhaustive"

# every parser fuzzed, guided by coverage, for so many seconds each; a fault leaves its input behind
FUZZ_SECONDS ?= 600
fuzz: $(VENV)/.dev
	$(BIN)/python -m tests.support.figures fuzz $(FUZZ_SECONDS)

# the long runs whose figures stand at the end of docs/reliability.md
figures: fuzz servers
	$(BIN)/python -m tests.support.figures soak
	$(BIN)/python -m tests.support.figures faults

# the unit run by the systemd of a Debian of its own, and the container built and run: root, and what
# tests/machine/ says
machine: $(VENV)/.dev
	$(BIN)/pytest -q tests/machine

# what must hold before anything lands
check: $(VENV)/.dev
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -q tests/test_budgets.py

# thousands of random schedules of the ownership protocol
soak: $(VENV)/.dev
	PJREG_SCHEDULES=3000 $(BIN)/pytest -q -n $(JOBS) tests/unit/cluster/test_schedules.py

# the budgets, measured side by side
bench: $(VENV)/.dev
	@$(BIN)/python -m pip install -q --disable-pip-version-check matplotlib
	@missed=; for benchmark in ami config_read explanations react sip_codec startup "fleet --page"; do \
	    $(BIN)/python -m benchmarks.$$benchmark || missed="$$missed $$benchmark"; done; \
	    test -z "$$missed" || { echo "budgets were missed:$$missed"; exit 1; }

# the pages that are generated from the code
docs: $(VENV)/.dev
	$(BIN)/pytest -q tests --update-golden -k "docs or stale or generated"
	$(BIN)/python -m tests.support.pictures

# wheel and source distribution, the same bytes for the same source
dist: $(VENV)/.dev
	$(BIN)/python packaging/build.py dist

# the tests with the oldest dependencies that are allowed
lowest:
	$(PYTHON) -m venv .venv-lowest
	sed -n '/^dependencies/,/^dev/s/.*"\([a-z_-]*\)\(\[.*\]\)\{0,1\}>=\([0-9.]*\)".*/\1==\3/p' pyproject.toml \
	    > .venv-lowest/lowest.txt
	.venv-lowest/bin/python -m pip install -q -c .venv-lowest/lowest.txt -e '.[dev]'
	.venv-lowest/bin/pytest -q -n $(JOBS) tests/unit tests/loop

# the tests with other Pythons, those that are there: PYTHONS="~/3.12/bin/python3 ..."
PYTHONS ?= python3.11 python3.12 python3.13 python3.14
pythons:
	@for python in $(PYTHONS); do \
	    command -v $$python > /dev/null || { echo "$$python is not there"; continue; }; \
	    place=.venv-$$($$python -c 'import sys; print(f"{sys.version_info[0]}.{sys.version_info[1]}")'); \
	    echo "$$($$python -V): $$place"; \
	    $$python -m venv $$place && $$place/bin/python -m pip install -q \
	        --disable-pip-version-check --config-settings editable_mode=compat -e '.[dev]' \
	    && $$place/bin/python -m pytest -q -n $(JOBS) tests/unit tests/loop $(ALSO) || exit 1; \
	done

venv: $(VENV)/.dev

# compat: a plain path, not an import hook that every start would pay for
$(VENV)/.run: pyproject.toml bin/pjreg-cli
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check \
	    --config-settings editable_mode=compat -e .
	@touch $@

# both at once: the package is built once only
$(VENV)/.dev: pyproject.toml bin/pjreg-cli
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install -q --disable-pip-version-check \
	    --config-settings editable_mode=compat -e '.[dev]'
	@touch $(VENV)/.run $@

# registrars and observers of the tests: installed when root, else the tests that need them say
# that they are skipped
servers:
	@sh tests/support/servers.sh

clean:
	rm -rf build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
