# demo and test need nothing beside this checkout: they make a virtual environment in $(VENV) on their first run.

# The first of these that runs: the training half needs compressai, which has wheels for Python 3.10 to 3.12.
PYTHON ?= $(or $(shell for python in python3 python3.12 python3.11 python3.10; do \
	$$python -c 'import sys; sys.exit(not (3, 10) <= sys.version_info[:2] <= (3, 12))' 2>/dev/null \
	&& echo $$python && break; done),python3)
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: demo test check browser-test ray-test bench bench-clips conformance clean
.DELETE_ON_ERROR:

demo: $(VENV)/installed-bench
	$(BIN)/linnet demo -o demo

# One process a core, each file of tests in one of them.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -n auto --dist loadfile

test: $(VENV)/installed-test
	$(PYTEST)

check: $(VENV)/installed-test
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/pyright --pythonpath $(BIN)/python
	$(PYTEST)

# The pages of bench and compare in Chromium, which pip cannot install: apt-get install chromium, or set BROWSER.
browser-test: $(VENV)/installed-test
	$(BIN)/python -m pytest tests/browser_report.py

# The executor of Ray, whose start alone takes ten seconds.
ray-test: $(VENV)/installed-test $(VENV)/installed-ray
	$(BIN)/python -m pytest tests/ray_*.py

# Files written by every released version still decode to the same integers.
conformance: $(VENV)/installed-test
	$(BIN)/python -m pytest -k "golden or conformance"

# PICTURES is a folder of them, such as the Kodak set: make bench PICTURES=~/kodak
bench: $(VENV)/installed-bench
	@test -n "$(PICTURES)" || { echo "name a folder of pictures: make bench PICTURES=..."; exit 2; }
	$(BIN)/python benchmarks/entropy_coder.py --out benchmarks/results/entropy_coder.json
	$(BIN)/python benchmarks/speed.py --out benchmarks/results/speed.json
	$(BIN)/python benchmarks/scaling.py --out benchmarks/results/scaling.json
	$(BIN)/python benchmarks/batch.py $(PICTURES) --out benchmarks/results/batch.json
	$(BIN)/linnet bench $(PICTURES) -o report -j 2
	cp report/summary.csv report/bd.csv report/rd-psnr.png benchmarks/results/kodak

# CLIPS is a folder of them: make bench-clips CLIPS=~/clips
bench-clips: $(VENV)/installed-bench
	@test -n "$(CLIPS)" || { echo "name a folder of clips: make bench-clips CLIPS=..."; exit 2; }
	$(BIN)/python benchmarks/clip_speed.py $(wildcard $(CLIPS)/*) --out benchmarks/results/clip_speed.json
	$(BIN)/linnet bench $(CLIPS) -o report-clips -j 2
	cp report-clips/summary.csv report-clips/bd.csv report-clips/rd-psnr-each.png benchmarks/results/clips

# The stamp is newer than pyproject.toml when everything it asks for is there.
$(VENV)/installed-%: pyproject.toml
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip
	$(BIN)/python -m pip install --quiet --editable '.[$*]'
	touch $@

clean:
	rm -rf $(VENV) build dist demo *.egg-info .pytest_cache .ruff_cache
