# One command each: `make demo` shows what this is, `make test` proves it. Both set everything up.
.DELETE_ON_ERROR:

PYTHON ?= $(shell command -v python3.11 || command -v python3.12 || command -v python3)
BIN := .venv/bin
RUNTIME_PACKAGES := libportaudio2 libgl1 libegl1 libgles2
TEST_PACKAGES := chromium pulseaudio pulseaudio-utils libasound2-plugins
VM_PACKAGES := qemu-system-x86 busybox-static linux-headers-amd64 v4l-utils

unexport PYTHONDONTWRITEBYTECODE  # set in some containers: each of the tests' many processes would compile all again

.PHONY: setup demo test test-devices check fix clean

setup: .venv/installed  ## .venv with the agent in it: .venv/bin/agent

demo: .venv/installed  ## the bundled portrait speaks: out/demo.mp4
	$(BIN)/agent demo

test: .venv/installed-dev  ## all checks and tests
	$(MAKE) check

test-devices: .venv/installed-dev  ## virtual camera and webcam on a real kernel, in a virtual machine; minutes
	-@scripts/system_packages.sh $(VM_PACKAGES)
	$(BIN)/pytest -m devices -rs tests/devices

check: .venv/installed-dev  ## what CI runs
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/pytest -n 2 --dist loadfile --no-loadscope-reorder -m 'not devices and not alone'
	$(BIN)/pytest -m 'alone and not devices' $$(grep -rl --include='test_*.py' 'mark\.alone' tests)

fix: .venv/installed-dev  ## formats, and mends what can be mended
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean:
	rm -rf .venv .vm build dist *.egg-info .mypy_cache .ruff_cache .pytest_cache out

.venv/bin/pip:
	@$(PYTHON) -c 'import sys; sys.exit(not (3, 11) <= sys.version_info < (3, 13))' \
		|| { echo "Python 3.11 or 3.12 is needed; say which: make PYTHON=/path/to/python3.11 ..."; exit 1; }
	@$(PYTHON) -c 'import ensurepip' 2>/dev/null || scripts/system_packages.sh python3-venv
	rm -rf .venv
	$(PYTHON) -m venv .venv

.venv/installed: pyproject.toml .venv/bin/pip scripts/system_packages.sh
	scripts/system_packages.sh $(RUNTIME_PACKAGES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e .
	touch $@

.venv/installed-dev: pyproject.toml .venv/installed
	scripts/system_packages.sh $(TEST_PACKAGES)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	touch $@
