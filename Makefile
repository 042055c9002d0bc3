# Everything starts from a clean clone with Python >= 3.11, make and git: `make help`.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
.DELETE_ON_ERROR:

VENV := .venv
BIN := $(VENV)/bin
PYTHON := $(BIN)/python
# The interpreter that the environment is made from: the first that is new enough, or yours: `make setup BASE_PYTHON=…`
BASE_PYTHON ?=
# Some tests wait (for a process to end after a cancel): more workers than cores use that time.
WORKERS ?= 4
IMAGE_BUILD := build/image
TESTS ?= tests
IMAGE_TESTS ?= tests/image
WORLDS ?= 200
SEED ?= 1
# In this order: audit.in is held to the versions of dev.txt.
LOCKED := runtime dev image audit
LOCK := $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

.PHONY: help
help: ## Show what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: setup
setup: $(VENV)/.installed ## Make .venv with everything that development needs, by hash

$(VENV)/.installed: requirements/dev.txt scripts/find-python.sh
	python=$$(scripts/find-python.sh $(BASE_PYTHON)); \
	$(PYTHON) -m pip --version >/dev/null 2>&1 || "$$python" -m venv --clear $(VENV)
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement requirements/dev.txt
	touch $@

$(VENV)/.installed-image: requirements/image.txt $(VENV)/.installed
	$(PYTHON) -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --requirement requirements/image.txt
	touch $@

.PHONY: test
# Where the environment forbids bytecode, each worker compiles all tests anew, which takes it 10 s instead of 3 s.
test: export PYTHONDONTWRITEBYTECODE :=
test: setup ## Run every test that needs nothing but Python
	$(PYTHON) -m pytest -n $(WORKERS) --dist worksteal -m "not image" $(TESTS)

.PHONY: test-image
test-image: $(VENV)/.installed-image ## Build the image; run it, a workflow and a real registry (installs podman when root)
	tests/image/prepare.sh $(IMAGE_BUILD)
	PATH="$(CURDIR)/$(IMAGE_BUILD)/bin:$(CURDIR)/$(BIN):$$PATH" $(PYTHON) -m pytest -n 2 --dist loadfile --no-loadscope-reorder -m image $(IMAGE_TESTS)

.PHONY: lint
lint: setup ## Check style, types, import layers, workflows, Dockerfile and scripts
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	PYTHONPATH=src $(BIN)/lint-imports
	$(BIN)/yamllint --strict .
	$(BIN)/check-jsonschema --builtin-schema vendor.github-actions action.yml .github/actions/*/action.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.github-workflows .github/workflows/*.yml
	$(BIN)/check-jsonschema --builtin-schema vendor.dependabot .github/dependabot.yml
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/actionlint
	$(BIN)/zizmor --offline --quiet --persona pedantic action.yml .github
	$(BIN)/hadolint Dockerfile
	$(BIN)/shellcheck .ci/run tests/release/tools/make tests/release/tools/pre-receive $$(git ls-files --cached --others --exclude-standard '*.sh')

.PHONY: audit
audit: setup ## Look for known vulnerabilities in all that is locked (asks PyPI; what cannot be asked about fails)
	$(BIN)/uv venv --quiet --clear --python $(PYTHON) build/audit
	$(BIN)/uv pip install --quiet --python build/audit --require-hashes --requirement requirements/audit.txt
	build/audit/bin/pip-audit --strict --disable-pip --require-hashes $(foreach name,$(LOCKED),--requirement requirements/$(name).txt)

.PHONY: format
format: setup ## Format the code and apply ruff's safe fixes
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

.PHONY: bench
bench: setup ## Measure speed and requests against the embedded GitHub
	PYTHONPATH=src:tests $(PYTHON) -m benchmarks

.PHONY: soak
soak: setup ## Play random worlds with changes, faults and signals, judged by an oracle (`make soak WORLDS=2000 SEED=1`)
	PYTHONPATH=src:tests $(PYTHON) -m soak --worlds $(WORLDS) --seed $(SEED)

.PHONY: demo
demo: setup ## Clean up a made-up organization on an embedded GitHub, as a terminal shows it (`make demo VERBOSE=1` for all of it)
	@VERBOSE="$(VERBOSE)" PYTHONPATH=src:tests $(PYTHON) -m emulator.demo

.PHONY: docs
docs: setup ## Renew the tables in the documentation, from the table of inputs and the code, and action.yml
	$(PYTHON) scripts/docs_tables.py

.PHONY: screenshots
screenshots: setup ## Take the README's pictures of a job summary (needs Chromium and npm)
	PYTHONPATH=src:tests $(PYTHON) scripts/screenshots.py

.PHONY: publishable
publishable: ## Name its owner in every file, before the first release (`make publishable OWNER=acme`)
	@python=$$(scripts/find-python.sh $(BASE_PYTHON)); "$$python" scripts/publishable.py "$(OWNER)"

.PHONY: lock
lock: setup ## Bring requirements/*.txt in line with requirements/*.in (`make lock UPGRADE=--upgrade` renews all)
	for name in $(LOCKED); do $(LOCK) $(UPGRADE) --output-file requirements/$$name.txt requirements/$$name.in; done

.PHONY: clean
clean: ## Remove the environment and everything built
	rm -rf $(VENV) build .mypy_cache .ruff_cache .import_linter_cache .hypothesis
