# Tidegate's commands. The first call makes .venv and installs into it; later calls go straight to work.
# Needed beforehand: Python 3.11, 3.12 or 3.13, and make.

# The first of these that runs and is of a version we support; `make PYTHON=/path/to/python …` decides otherwise.
PYTHON ?= $(shell for python in python3 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 14))' 2>/dev/null \
	&& { command -v $$python; break; }; done)
BIN := .venv/bin
COMPILE := $(BIN)/uv pip compile pyproject.toml --quiet --generate-hashes --universal --python-version 3.11 \
	--fork-strategy fewest --no-emit-index-url --no-header --no-annotate $(UPGRADE)
# What a flow needs at work on Flink, in the versions it is tested with, whatever PyFlink's own packages would rather have.
ON_FLINK := numpy|numba|llvmlite|msgspec|xxhash|lxml|onnxruntime|polars|polars-runtime-32|tzdata
# What can be run; the other files beside it are parts of these.
BENCHMARKS := $(shell grep -l '^if __name__ ==' benchmarks/*.py | sed 's|benchmarks/\(.*\)\.py|\1|')

.DEFAULT_GOAL := help
.PHONY: help demo test test-long kills flink servers topics send fetch-servers fuzz check format bench api lock clean
MAKEFLAGS += --no-print-directory

help: ## show these commands
	@grep -E '^[a-z-]+:.*## ' Makefile | sed -E 's/^([a-z-]+):.*## (.*)/  make \1\t\2/' | expand -t 20

demo: .venv/.installed-run ## card payments through a fraud flow, with a trained model; leaves a report and a store
	@$(BIN)/tidegate demo

test: .venv/.installed-dev ## every test; 500 cases of random flows and streams
	@$(BIN)/pytest -n 2 --dist worksteal

test-long: .venv/.installed-dev ## every test; 10,000 cases of random flows and streams
	@TIDEGATE_CASES=10000 $(BIN)/pytest -n 2 --dist worksteal --timeout 3600

KILLS ?= 30
EVENTS ?=
kills: .venv/.installed-dev ## kill -9 under load, 30 times (make kills KILLS=100 EVENTS=1000000): what was lost, doubled, different
	@TIDEGATE_KILLS=$(KILLS) TIDEGATE_KILL_EVENTS=$(EVENTS) $(BIN)/pytest tests/faults/test_serve_kill.py tests/faults/test_store_kill.py tests/faults/test_postgres_kill.py \
		tests/faults/test_stream_kill.py tests/faults/test_stream_kill_all.py -s --timeout 3600

flink: .venv/.installed-dev ## replay, Kafka runner and Flink, byte by byte, while Flink is killed (make flink EVENTS=1000000 KILLS=6)
	@$(BIN)/python -m tests.flink.campaign --events $(or $(EVENTS),100000) --kills $(if $(filter file,$(origin KILLS)),6,$(KILLS))

ONLY ?=
servers: .venv/.installed-dev ## real servers on this machine, until Ctrl-C (make servers ONLY="kafka"); needs Java 17 and Maven
	@$(BIN)/python -m tests.servers run $(ONLY)

topics: .venv/.installed-dev ## topics on the broker of make servers (make topics NAMES="payments decisions")
	@$(BIN)/python -m tests.servers.trial topics $(NAMES)

send: .venv/.installed-dev ## events to one of them (make send TOPIC=payments FILE=shop/payments.csv KEY=card WITHOUT=fraud)
	@$(BIN)/python -m tests.servers.trial send $(TOPIC) $(FILE) $(KEY) $(WITHOUT)

fetch-servers: .venv/.installed-dev ## what these servers need, fetched once into the user's cache
	@$(BIN)/python -m tests.servers fetch $(ONLY)

fuzz: .venv/.installed-dev ## the readers of outside documents, given what nobody would write; seeds are kept
	@TIDEGATE_CASES=$${TIDEGATE_CASES:-50000} $(BIN)/pytest -n 2 --dist worksteal --timeout 3600 -m fuzz

check: .venv/.installed-dev ## style, types, import rules, the documents and the rules of the house
	@$(BIN)/python tools/check.py

format: .venv/.installed-dev ## put the source into its one form
	@$(BIN)/ruff format . && $(BIN)/ruff check --fix .

bench: .venv/.installed-dev ## every benchmark; each prints a ratio against a peer, measured in the same run
	@failed=; for bench in $(BENCHMARKS); do echo "== $$bench"; \
		$(BIN)/python -m benchmarks.$$bench || failed="$$failed $$bench"; done; \
		test -z "$$failed" || { echo "make bench: failed:$$failed"; exit 1; }

api: .venv/.installed-dev ## write docs/api.md from the public names and their docstrings
	@$(BIN)/python tools/api_page.py

SERVER := kafka avro protobuf postgres elasticsearch opensearch onnx releases excel traces
lock: .venv/.installed-dev ## lock what pyproject.toml asks for, with hashes (make lock UPGRADE=--upgrade for the newest)
	@$(COMPILE) --all-extras --group dev -o requirements/dev.txt
	@$(COMPILE) --extra train --extra report --group build -c requirements/dev.txt -o requirements/run.txt
	@$(COMPILE) $(SERVER:%=--extra %) --group build -c requirements/dev.txt -o requirements/server.txt
	@$(COMPILE:pyproject.toml=requirements/uv.in) -o requirements/uv.txt
	@sed -nE 's/^(($(ON_FLINK))==[^ ]+).*/\1/p' requirements/server.txt > requirements/.flink-pins
	@$(COMPILE:pyproject.toml=requirements/flink.in) --override requirements/.flink-pins -o src/tidegate/connectors/flink/requirements.txt
	@rm requirements/.flink-pins

clean: ## remove .venv and every cache
	@rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache build dist

.venv/.installed-%: requirements/%.txt requirements/uv.txt pyproject.toml tools/install.py
	@test -n "$(PYTHON)" || { echo "No Python 3.11, 3.12 or 3.13 was found. Install one, or name it:" \
		"make PYTHON=/path/to/python3.12 $(MAKECMDGOALS)"; exit 1; }
	@$(PYTHON) tools/install.py $*
