# Everything a developer or a CI machine types. `make demo` and `make test` do all the set-up on a fresh machine.

.PHONY: help setup demo test slow interrupted check format bench bench-check bench-fleet bench-cluster cluster-setup cluster-test ground ground-setup situations soak docs model clean patroni-setup patroni
.DEFAULT_GOAL := help

# The first Python that is new enough; `make PYTHON=python3.12 …` chooses another.
PYTHON ?= $(shell for each in python3 python3.13 python3.12 python3.11 python3.10; do \
	$$each -c 'import sys, venv, ensurepip; sys.exit(sys.version_info < (3, 10))' 2>/dev/null && echo $$each && break; done)
VENV ?= .venv
BIN := $(VENV)/bin
SECONDS ?= 600
WORKERS ?= 6 # tests wait more than they compute, so more workers than cores

# Every worker loads every module of the tests; each would compile all of them again.
unexport PYTHONDONTWRITEBYTECODE

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/  make \1	\2/p' Makefile | expand -t 20

setup: $(VENV)/.installed ## make .venv with ec2kit and its extras sandbox and test

$(VENV)/.installed: pyproject.toml
	@test -n "$(PYTHON)" || { echo "ec2kit needs Python 3.10 or newer with venv (Debian: apt install python3-venv)"; exit 1; }
	test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --editable '.[sandbox,test]'
	$(BIN)/python -m compileall -q ec2kit # what actions run writes no bytecode
	@touch $@

cluster-setup: ## install what cluster-test and bench-cluster need (Debian, as root)
	tests/cluster/setup

cluster-test: setup ## a real Pacemaker cluster fails over, on this machine
	$(BIN)/python -m pytest -m cluster -n 0 -p no:randomly tests/cluster $(ARGS)

ground-setup: ## install what ground needs (Debian, as root)
	tests/ground/setup

ground: setup ## what the programs that manage the network do to the address (as root; ARGS="--debian 13")
	$(BIN)/python -m pytest -m ground -n 0 -p no:randomly tests/ground $(ARGS)

patroni-setup: ## install what patroni needs (Debian, as root)
	tests/patroni/setup $(VENV)

patroni: setup ## a real Patroni, PostgreSQL and etcd move the address, five times each (not as root: as postgres)
	tests/patroni/run $(BIN)/python $(ARGS)

demo: setup ## every kind of address fails over on an embedded EC2, told step by step (ARGS=--tls)
	@$(BIN)/python demo/failover.py $(ARGS)

test: setup ## all tests but the slow ones
	@$(BIN)/python -m compileall -q ec2kit
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

slow: setup ## the whole of what `make test` runs samples of, in some minutes
	@$(BIN)/python -m compileall -q ec2kit
	$(BIN)/python -m pytest -m slow -n $(WORKERS) $(ARGS)
	$(BIN)/python -m pytest -n $(WORKERS) --hypothesis-profile=wide -m "hypothesis and not slow" $(ARGS)

interrupted: setup ## create that does not end, at each of its points, in half an hour
	$(BIN)/python -m pytest -m interrupted -n $(WORKERS) $(ARGS) tests/interrupted

soak: setup ## many actions under mixed faults, judged; SECONDS=120 for a shorter one (ARGS=--tls)
	@$(BIN)/python -m tests.soak $(SECONDS) $(ARGS)

situations: setup ## write what comes of each recorded situation anew, to be looked at in git diff (ARGS=file …)
	@$(BIN)/python -m tests.situations $(ARGS)

check: setup ## format, lint, types, then the tests
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n $(WORKERS) $(ARGS)

bench: setup ## what the actions cost, beside plain boto3 and others (ARGS=--help)
	@$(BIN)/python bench/bench.py $(ARGS)

bench-check: setup ## fail if a ratio that is promised is missed, in a minute
	@$(BIN)/python bench/check.py $(ARGS)

bench-fleet: setup ## a thousand clusters in one account, simulated (ARGS=--write)
	@$(BIN)/python bench/fleet.py $(ARGS)

bench-cluster: setup ## whole failovers of a real cluster beside heartbeat's agents (as root)
	@PYTHONPATH=. $(BIN)/python bench/failovers.py $(ARGS)

format: setup ## put the code into its usual form
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

docs: setup ## write docs/messages.md and docs/messages.ja.md anew from the catalogue of messages
	LC_ALL=C.UTF-8 $(BIN)/ec2kit messages --markdown >docs/messages.md
	LC_ALL=ja_JP.UTF-8 $(BIN)/ec2kit messages --markdown >docs/messages.ja.md

model: setup ## cut the EC2 model that ec2kit ships out of the installed botocore
	$(BIN)/python tools/cut_model.py

clean: ## remove what setup and the tests made
	rm -rf $(VENV) $(VENV)-patroni .mypy_cache .pytest_cache .ruff_cache .hypothesis build dist
	find . -name __pycache__ -prune -exec rm -rf {} +
