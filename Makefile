# Two commands on a fresh machine with python >= 3.11 and pip:  make demo  and  make test.

PYTHON ?= python3
SERVE ?= 1
LENS ?= 4.3
BIN := .venv/bin

# uv from PATH, else one of our own beside the code.
UV := $(or $(shell command -v uv 2>/dev/null),.uv-env/bin/uv)
# uv does not read pip's find-links, where a CPU build of torch may lie; without it the CUDA build is downloaded.
ifndef UV_FIND_LINKS
  LINKS := $(strip $(shell $(PYTHON) -m pip config get global.find-links 2>/dev/null))
  ifneq ($(LINKS),)
    space := $(subst ,, )
    comma := ,
    export UV_FIND_LINKS := $(subst $(space),$(comma),$(LINKS))
  endif
endif
export UV
export UV_PYTHON ?= $(PYTHON)
export PATH := $(CURDIR)/.uv-env/bin:$(PATH)

# Tests share the cores by file, in the order of collection: tests/ comes first, which has the longest files. Each
# computes on one thread, so that its numbers repeat. They start hundreds of processes: without bytecode each would
# compile PyTorch anew, whatever the shell says of writing it.
PYTEST := OMP_NUM_THREADS=1 PYTHONDONTWRITEBYTECODE= .ci/in-memory $(BIN)/pytest
PARALLEL := -n logical --maxprocesses 8 --no-loadscope-reorder --dist loadfile
SRC := packages tests benchmarks templates examples conftest.py

.PHONY: help demo test test-quick test-isolated test-matrix test-lens test-saelens lint fix bench paper docs examples screenshots notebooks sync clean

help:  ## these lines
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed 's/:.*## /	/' | expand -t 16

demo: sync  ## train a grokking run, analyze it, open the dashboard (SERVE=0: stop before serving)
	$(BIN)/miscope demo $(if $(filter 0,$(SERVE)),--no-serve,)

test: sync  ## every test, the slow and the browser's included; finds a Chromium or gets one
	BROWSER_PATH="$$(.ci/browser)" $(PYTEST) $(PARALLEL)

test-quick: sync  ## what takes seconds
	$(PYTEST) $(PARALLEL) -m "not slow and not browser"

test-isolated: $(UV)  ## each package with nothing but core beside it
	.ci/isolated

test-matrix: $(UV)  ## core and modadd on transformer-lens 3.9 and 4.3, python 3.11 and 3.13
	.ci/matrix 3.11:3.9 3.11:4.3 3.13:3.9 3.13:4.3

test-lens: $(UV)  ## of one transformer-lens, LENS=4.3, what builds or reads its models
	.ci/matrix --lens 3.11:$(LENS)

test-saelens: $(UV)  ## files of miscope-sae against sae-lens, in an environment of its own
	.ci/saelens

notebooks: sync  ## run the notebooks of examples/, each from an empty folder
	$(PYTEST) $(PARALLEL:loadfile=load) examples

lint: sync  ## ruff, pyright, import-linter
	$(BIN)/ruff check $(SRC)
	$(BIN)/ruff format --check $(SRC)
	$(BIN)/pyright
	$(BIN)/lint-imports

fix: sync  ## what ruff can put right by itself
	$(BIN)/ruff check --fix $(SRC)
	$(BIN)/ruff format $(SRC)

# Many of them start processes, which a shell that writes no bytecode would slow down.
bench: sync  ## measure, and write BENCHMARKS.md; BEFORE=REVISION: the workbench beside that of a commit
	.ci/environment .matrix/tl3.9 $(UV_PYTHON) "transformer-lens==3.9.*" miscope-core miscope-modadd
	.ci/environment .matrix/saelens $(UV_PYTHON) "sae-lens>=6.54,<7" miscope-core miscope-sae
	$(if $(BEFORE),.ci/at-revision $(BEFORE) .matrix/before $(UV_PYTHON))
	PYTHONDONTWRITEBYTECODE= $(BIN)/python benchmarks/run.py --old .matrix/tl3.9/bin/python --saelens .matrix/saelens/bin/python \
		$(if $(BEFORE),--before .matrix/before/.venv/bin/python)

paper: sync  ## the mainline run of Nanda et al. 2023 from scratch (about 20 minutes), its figures into docs/pictures
	OMP_NUM_THREADS=1 $(BIN)/python -m miscope_modadd.paper --out docs/pictures

docs: sync  ## write docs/catalogue.md anew from what is installed
	$(BIN)/miscope catalogue --out docs/catalogue.md --examples docs/examples

examples: sync  ## train small runs of every family, draw each view once and write docs/catalogue.md with them
	OMP_NUM_THREADS=1 $(BIN)/python docs/draw_examples.py
	$(MAKE) docs

screenshots: sync  ## every page of the dashboard, light and dark, in two widths, into docs/pictures/dashboard
	OMP_NUM_THREADS=1 BROWSER_PATH="$$(.ci/browser)" $(BIN)/python docs/draw_dashboard.py

sync: .venv/.synced  ## the environment in .venv

# Inexact: what one has installed beside it, plug-ins of one's own, stays. Continuous integration has nothing beside it.
.venv/.synced: pyproject.toml $(wildcard packages/*/pyproject.toml) | $(UV)
	@echo "Installing miscope and what it needs into .venv, about 2.3 GB, PyTorch most of it: minutes the first time ..."
	$(UV) sync --quiet --all-packages $(if $(CI),,--inexact)
	@touch $@

.uv-env/bin/uv:
	$(PYTHON) -m pip install --quiet --target .uv-env uv

clean:  ## remove environments and caches; workspaces stay
	rm -rf .venv .uv-env .matrix .pytest_cache .ruff_cache .import_linter_cache
