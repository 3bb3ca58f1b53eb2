.DEFAULT_GOAL := help
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
export DO_NOT_TRACK := 1
export PREFECT_SERVER_ANALYTICS_ENABLED := false
# Every flow run is a process of its own: let it find our modules compiled.
unexport PYTHONDONTWRITEBYTECODE

# Join the embedded stack, unless the user's own environment says where things are.
JOIN := if [ -f .local/env ] && [ -z "$$BACKFILL_DATABASE_URL$$PREFECT_API_URL" ]; then . .local/env; fi

.PHONY: help setup demo up down deploy new save-prompt record-version test test-long chaos bench check audit-deps format lock
.PHONY: conformance-start conformance-collect
.PHONY: gemini_passage_pilot gemini_passage_backfill gemini_backfill_status

help: ## List what can be made
	@grep -hE '^[a-z_-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  %-26s %s\n", $$1, $$2}'

$(VENV)/.installed: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv $(VENV)
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

setup: $(VENV)/.installed ## Create .venv with every pinned dependency

up: setup ## Start the embedded stack and deploy to it
	$(BIN)/python -m deployments.local up

down: setup ## Stop the embedded stack; data stays in .local/
	$(BIN)/python -m deployments.local down

deploy: setup ## Deploy again: schedules stay as people left them
	@$(JOIN); $(BIN)/python -m deployments.deploy

demo: setup ## Run the main job end to end, without a key
	$(BIN)/python -m deployments.local demo

gemini_passage_pilot: setup ## Ask 200 random passages and judge the answers (more: ARGS="--param limit=500")
	@$(JOIN); $(BIN)/python -m deployments.run backfill/pilot --param name=passage_concepts $(ARGS)

gemini_passage_backfill: setup ## Ask everything that remains (approved: ARGS="--param approve_up_to_usd=20")
	@$(JOIN); $(BIN)/python -m deployments.run backfill/full --param name=passage_concepts $(ARGS)

gemini_backfill_status: setup ## Show where every backfill stands (live: ARGS=--watch, for scripts: ARGS=--json, what stands: ARGS=--census)
	@$(JOIN); $(BIN)/python -m deployments.status $(ARGS)

# What stands on make's command line is in the environment too, and no shell reads what is in it.
# But COLUMNS may be there for another reason: the width of a terminal.
new: setup ## Draft a backfill from a table: NAME= TABLE= ID= TEXT= (also TARGET= WHERE= KIND=in-place OF= WRITE=1)
	@$(JOIN); $(BIN)/python -m deployments.new \
		--name "$$NAME" --table "$$TABLE" --id "$$ID" --text "$$TEXT" --target "$$TARGET" --where "$$WHERE" \
		--kind "$$KIND" --columns "$(if $(findstring command,$(origin COLUMNS)),$$COLUMNS)" --of "$$OF" --write "$$WRITE" --create "$$CREATE"

save-prompt: setup ## Keep the prompt that try/rows tried last as the next version's file: NAME=passage_concepts
	@$(JOIN); $(BIN)/python -m deployments.save_prompt "$$NAME"

record-version: setup ## Note what a new extractor version means: NAME=review_tones
	@$(BIN)/python -m deployments.record_version "$$NAME"

conformance-start: setup ## Ask the real service what the emulator is to know (also YES=1 MODEL= BASE_URL= PLACE=)
	@$(BIN)/python -m deployments.conformance start \
		--yes "$$YES" --model "$$MODEL" --url "$$BASE_URL" --place "$$PLACE"

conformance-collect: setup ## Once its jobs have ended: show where the emulator differs (also PLACE=)
	@$(BIN)/python -m deployments.conformance collect --place "$$PLACE"

# Three processes, although two cores: most of a test's time is waiting for a stack's parts.
PYTEST := $(BIN)/pytest --numprocesses 3 --dist loadgroup --no-loadscope-reorder

test: setup ## Run every test but the long ones
	$(PYTEST)

test-long: setup ## Run the long tests (minutes)
	$(PYTEST) -m long

chaos: setup ## Kill and freeze parts of running backfills, into bench/chaos.md (which: ARGS="--seeds 1-100")
	PYTHONPATH=.:tests/engine $(BIN)/python -W ignore tests/chaos/campaign.py $(ARGS)

bench: setup ## Measure against the floor, into bench/results.md (some: ARGS="grounding reading")
	$(BIN)/python -m bench $(ARGS)

check: setup ## Lint, types, import contracts, formatting, SQL style
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/sqlfluff lint --disable-progress-bar sql

audit-deps: setup ## List known advisories of pinned packages, offline: ADVISORIES=a copy of pypa/advisory-database
	@$(BIN)/python -m deployments.audit_deps "$$ADVISORIES"

format: setup ## Format Python and SQL
	$(BIN)/ruff check --fix-only --quiet .
	$(BIN)/ruff format --quiet .

lock: setup ## Pin what pyproject.toml asks for, with hashes (needs uv)
	uv pip compile --quiet --python-version 3.11 --extra local --extra otel --extra dev --generate-hashes --no-emit-index-url \
		--no-emit-find-links --no-annotate --no-header pyproject.toml build-requirements.txt -o requirements.lock
