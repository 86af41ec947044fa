# corpus: two commands do all the set-up: `make iterate ROUND=3` and `make test`.
# Everything else: `make help`.

ROUND ?= 3
WS ?= work/sample
NAME ?=
TOKENIZER ?=

override WS := $(patsubst ./%,%,$(patsubst %/,%,$(WS)))

VENV := .venv
BIN := $(VENV)/bin
CORPUS := $(BIN)/corpus
SAMPLE := work/sample-crawl
SHARED ?= ../shared
SEEDS ?= 5

# The first interpreter of a version that the lock covers; PYTHON=... overrides.
PYTHON ?= $(shell for p in python3 python3.13 python3.12 python3.11; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null && echo $$p && break; done)

COMPILE = $(BIN)/uv pip compile pyproject.toml --group build --universal --python-version 3.11 --generate-hashes \
	--no-emit-index-url --no-header --no-annotate --quiet

.DEFAULT_GOAL := help
.PHONY: help setup iterate test evaluate query export bench lock
.DELETE_ON_ERROR:

help: ## list the targets
	@sed -n 's/^\([a-z]*\):.*## /\1\t/p' $(MAKEFILE_LIST) | expand -t 10

setup: $(VENV)/installed ## create .venv and install from the lock

$(VENV)/installed: requirements.lock pyproject.toml
	@test -n "$(PYTHON)" || { echo "corpus needs Python 3.11 to 3.13; none was found. Name one: make PYTHON=/path/to/python3.12 ..." >&2; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --editable .
	@touch $@

$(VENV)/installed-dev: requirements-dev.lock $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@touch $@

$(VENV)/installed-bench: requirements-bench.lock $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-bench.lock
	@touch $@

$(SAMPLE)/manifest.json: | $(VENV)/installed
	$(CORPUS) sample $(SAMPLE)

# The sample's settings make its workspace; after that its own corpus.toml holds, and may be edited.
ifeq ($(WS),work/sample)
CONFIG ?= $(if $(wildcard $(WS)/corpus.toml),,sample/corpus.toml)
iterate: $(SAMPLE)/manifest.json
endif

iterate: $(VENV)/installed ## mine: ROUND=n rounds, then the corpus; WS=dir CONFIG=file.toml for your own
	$(CORPUS) iterate $(ROUND) --workspace "$(WS)" $(if $(CONFIG),--config "$(CONFIG)") --quiet
	$(CORPUS) finish --workspace "$(WS)" --round $(ROUND)

test: $(VENV)/installed-dev ## lint, type-check, test
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/pytest

evaluate: $(VENV)/installed ## rounds on real labelled pages (SHARED=dir), one run to the end and SEEDS runs of each setting
	$(BIN)/python bench/evaluate.py "$(SHARED)"
	$(BIN)/python bench/loop.py "$(SHARED)" --random-seeds $(SEEDS) --only web outside notes hundred rare

query: $(VENV)/installed ## answer a question: NAME=rounds WS=dir; without NAME the list
	@$(CORPUS) query $(if $(NAME),"$(NAME)") --workspace "$(WS)"

export: $(VENV)/installed ## tokenized shards: NAME=ds WS=dir [TOKENIZER=file or hub name]
	$(CORPUS) export "$(or $(NAME),ds)" --workspace "$(WS)" $(if $(TOKENIZER),--tokenizer "$(TOKENIZER)",--train-tokenizer 8000)

# DIR of a peer's checkout: make bench PEERS="--evaluation DIR --peer openwebmath=DIR"; bench/extract.py --help names them.
bench: $(VENV)/installed-bench $(SAMPLE)/manifest.json ## measure against what a user would pick instead, into docs/benchmarks.md (SHARED=dir PEERS=... LID=file)
	$(CORPUS) iterate 1 --workspace work/sample $(if $(wildcard work/sample/corpus.toml),,-c sample/corpus.toml) --quiet
	$(BIN)/python bench/ingest.py --write
	$(BIN)/python bench/rounds.py --write
	$(BIN)/python bench/language.py --shared "$(SHARED)" $(if $(LID),--lid "$(LID)") --write
	$(BIN)/python bench/extract.py --shared "$(SHARED)" $(PEERS) --write
	$(BIN)/python bench/dedup.py --shared "$(SHARED)" --write
	$(BIN)/python bench/decontam.py --shared "$(SHARED)" --write

lock: ## renew the locks
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	$(COMPILE) --output-file requirements.lock
	$(COMPILE) --group dev --extra ray --constraint requirements.lock --output-file requirements-dev.lock
	$(COMPILE) --group bench --constraint requirements.lock --output-file requirements-bench.lock
