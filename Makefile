# Recipes use relative paths only: the folder's name may hold spaces and Chinese characters.
PYTHON ?= python3
RUN = .venv/bin/python
WORKERS ?= 2

.PHONY: help up test lint unit battery screenshots lock clean

help:
	@echo "make up           install, start everything, load the example county, serve until Ctrl-C"
	@echo "                  (DEMO_PEOPLE=5000 another size, PORT=8080 another port, PYTHON=python3.12)"
	@echo "make test         install, check style, types and directions, run the correctness suite"
	@echo "make battery      run every page in the browsers"
	@echo "make unit         the correctness suite alone (TESTS=tests/core narrows it)"
	@echo "make screenshots  make the screenshots of the README again"
	@echo "make lock         resolve the dependencies anew"

# exec: a signal to make's child must reach the program, not a shell before it.
up:
	@./.deploy/venv "$(PYTHON)" requirements.lock
	@exec $(RUN) manage.py up --demo $(if $(DEMO_PEOPLE),--people $(DEMO_PEOPLE)) $(if $(PORT),--port $(PORT))

test: lint unit

.venv/dev: ; @./.deploy/venv "$(PYTHON)" requirements-dev.lock
.PHONY: .venv/dev

lint: .venv/dev
	$(RUN) -m ruff check .
	$(RUN) -m mypy .
	$(RUN) -c "from importlinter.cli import lint_imports_command; lint_imports_command()"

TESTS ?= tests --ignore tests/battery
unit: .venv/dev
	$(RUN) -m pytest -n $(WORKERS) $(TESTS)

battery: .venv/dev
	$(RUN) -m pytest tests/battery

screenshots: .venv/dev
	$(RUN) -m tests.battery.screenshots

# Needs uv. The indexes and their hosts stay out of the lock files.
LOCK = uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header
lock:
	$(LOCK) --extra local -o requirements.lock pyproject.toml
	$(LOCK) --extra local --extra dev -o requirements-dev.lock pyproject.toml

clean:
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
