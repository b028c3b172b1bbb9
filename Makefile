# Set-up, demonstration and checks; everything happens in a virtual environment of its own.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin

.PHONY: install demo test smoke lint envelope clean

install: $(VENV)/.installed

$(VENV)/.installed: pyproject.toml constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		torch PyWavelets pytest hypothesis jsonschema ruff mypy hatchling editables
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt \
		--no-build-isolation --editable .
	touch $@

demo: install
	$(BIN)/watermark demo --out build/demo

test: install
	$(BIN)/python -m pytest

# The regression gate of the benchmark: about half a minute; 1 if a mark that the stored result reads is lost.
smoke: install
	$(BIN)/watermark bench run --tier smoke --out build/bench/smoke.json --force
	$(BIN)/watermark bench compare benchmarks/results/smoke.json build/bench/smoke.json

lint: install
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

# Measures the weights in the package on the photographs of DATA (a folder with a manifest.csv) and writes
# docs/envelope.md, on all other pictures there for docs/kinds.md, and docs/speed.md with new times on decoded pixels.
# JOD needs the environment that benchmarks/jod_environment.sh makes in build/jod.
RESULTS := benchmarks/results
envelope: install
	test -n "$(DATA)" || { echo "give DATA=FOLDER, a folder of images with a manifest.csv" >&2; exit 2; }
	test -x build/jod/bin/python || bash benchmarks/jod_environment.sh build/jod
	mkdir -p $(RESULTS)
	for level in standard low high; do \
		$(BIN)/python -m benchmarks.envelope --data "$(DATA)" --robustness $$level --pairs build/pairs --out $(RESULTS)/envelope-$$level.json && \
		build/jod/bin/python benchmarks/jod.py build/pairs/$$level.json > $(RESULTS)/jod-$$level.jsonl || exit; \
	done
	$(BIN)/python -m benchmarks.equal_bytes --data "$(DATA)" --pairs build/pairs --out $(RESULTS)/equal-bytes.json
	$(BIN)/python -m benchmarks.characters --data "$(DATA)" --out $(RESULTS)/characters.json
	$(BIN)/python -m benchmarks.envelope --data "$(DATA)" --kinds others --pairs build/others --out $(RESULTS)/envelope-others.json
	build/jod/bin/python benchmarks/jod.py build/others/standard.json > $(RESULTS)/jod-others.jsonl
	$(BIN)/python -m benchmarks.kinds_table
	$(BIN)/python -m benchmarks.nothing --data "$(DATA)" --out $(RESULTS)/nothing.json
	$(BIN)/python -m pip install --quiet --no-deps invisible-watermark PyWavelets  # the peer in the speed table
	$(BIN)/python -m benchmarks.speed.suite --only decoded --repeats 15 --out $(RESULTS)/speed-suite.json
	$(BIN)/python -m benchmarks.speed.suite --out $(RESULTS)/speed-suite.json --table docs/speed.md
	$(BIN)/python -m benchmarks.release_card metrics
	$(BIN)/python -m benchmarks.envelope_table

clean:
	rm -rf $(VENV) build dist
