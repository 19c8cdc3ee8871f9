# Two commands matter: `make run` starts the studio, `make test` runs every test. Both set up what they need.
# `make bench` measures everything at quick sizes; one bench in full: make bench BENCH="queue --traces 1000000"
PYTHON ?= python3
VENV := .venv
PY := $(VENV)/bin/python
# Two busy threads on one core make decoding many times slower (docs/libraries.md), so tests keep to one.
TEST_ENV := OMP_NUM_THREADS=1 TOKENIZERS_PARALLELISM=false HF_HUB_OFFLINE=1 GRADIO_ANALYTICS_ENABLED=False

.PHONY: setup run test check format bench torture audit clean

setup: $(VENV)/.ready

$(VENV)/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed; say which one with: make PYTHON=/path/to/python3 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || \
	  { echo "This Python cannot make virtual environments; on Debian: apt-get install python3-venv"; exit 1; }
	$(PYTHON) -m venv $(VENV)

$(VENV)/.ready: requirements.txt | $(VENV)/bin/python
	$(PY) -m pip install --quiet -r requirements.txt
	@touch $@

$(VENV)/.ready-dev: requirements-dev.txt requirements.txt | $(VENV)/bin/python
	$(PY) -m pip install --quiet -r requirements-dev.txt
	@touch $@ $(VENV)/.ready

run: setup
	$(PY) app.py

# Files in their order: xdist would keep those of one long test for the end, where the other core then waits.
test: $(VENV)/.ready-dev
	$(TEST_ENV) $(PY) -m pytest -n 2 --dist loadfile --no-loadscope-reorder --durations 15

node_modules/.ready: package.json package-lock.json
	@command -v npm >/dev/null || \
	  { echo "Checking the JavaScript needs node and npm; on Debian: apt-get install nodejs npm"; exit 1; }
	npm ci --silent
	@touch $@

check: $(VENV)/.ready-dev node_modules/.ready
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	node_modules/.bin/biome check --error-on-warnings

format: $(VENV)/.ready-dev node_modules/.ready
	$(PY) -m ruff format .
	node_modules/.bin/biome check --write

bench: $(VENV)/.ready-dev
	$(TEST_ENV) $(PY) -m engine bench $(BENCH)

# What a studio must stand, at length: killed 200 times, 500 bodies to each route, many people at once, asked without end.
torture: $(VENV)/.ready-dev
	$(TEST_ENV) STUDIO_KILLS=200 STUDIO_TORTURE=500 $(PY) -m pytest tests/torture tests/browser/test_markers.py -s --durations 5
	$(TEST_ENV) $(PY) -m engine bench people --people 50
	$(TEST_ENV) $(PY) -m tests.torture.crowd
	$(TEST_ENV) $(PY) -m tests.torture.files
	$(TEST_ENV) $(PY) -m tests.torture.lasting

# Known faults of what is installed, by those who keep count of them; asks the net.
audit: $(VENV)/.ready-dev
	$(PY) -m pip install --quiet pip-audit
	$(PY) -m pip_audit -r requirements.txt
	npm audit --omit=optional

clean:
	rm -rf $(VENV) node_modules build *.egg-info .pytest_cache .ruff_cache .mypy_cache .hypothesis
