# `make run` and `make test` need a Python from 3.11 up, and nothing else that is not here.
# What is run and tested is the built wheel, never the source tree. All that is made lies in
# .make/ and is made again only when pyproject.toml or the sources change.

PYTHON ?= $(shell .ci/pythons | head -n 1)
VERSION := $(shell $(PYTHON) -c 'import sys; print("%d.%d" % sys.version_info[:2])' 2>/dev/null)

SOURCES := pyproject.toml README.md LICENSE $(shell find daemon config systemd -type f ! -name '*.py[co]')
RECORDER_SOURCES := $(shell find recorder -type f ! -name '*.py[co]')
CHECKED := daemon recorder tests benchmarks
WHEEL = $$(echo .make/wheel/*.whl)
RECORDER_WHEEL = $$(echo .make/recorder-wheel/*.whl)

# The integration tests wait more than they work, so five workers on two cores pay. A module
# stays on one worker: what it sets up is dear. The order is kept, for it begins with the tests
# that take long: a long one that begins last keeps the others waiting.
SPREAD := -n 5 --dist loadscope --no-loadscope-reorder

RUN := .make/run-$(VERSION)
TEST := .make/test-$(VERSION)
OLD_SDK := .make/openai2-$(VERSION)
OLD_SDK_TESTS = $(wildcard tests/*/provider tests/*/recorder/watch tests/*/gate)
FRAMEWORKS := .make/frameworks-$(VERSION)
PROMETHEUS := .make/prometheus
BUGSINK := .make/bugsink
MANIFESTS := .make/manifests-$(VERSION)
PINNING := .make/pinning

# Installing asks nothing and says nothing unless it fails.
export PIP_DISABLE_PIP_VERSION_CHECK := 1
export PIP_NO_INPUT := 1
export PIP_ROOT_USER_ACTION := ignore
PIP = bin/python -m pip -qq

# No key, DSN or setting of whoever runs the tests may reach them, nor anything importable
# from the working directory.
ISOLATED := env -u OPENAI_API_KEY -u OPENAI_BASE_URL -u OPENAI_ORG_ID -u OPENAI_PROJECT_ID \
	-u AZURE_OPENAI_API_KEY -u SENTRY_DSN -u DEMURRAGE_CONFIG -u CREDENTIALS_DIRECTORY \
	-u STATE_DIRECTORY -u PYTHONPATH PYTHONSAFEPATH=1
SUITE := $(ISOLATED) TMPDIR="$(shell .ci/scratch)"

.PHONY: help run test suite again old-sdk frameworks prometheus alerts manifests requirements systemd image install-systemd uninstall-systemd mutants lint format bench prove soak clean
.DELETE_ON_ERROR:

help: ## say what can be made
	@echo "make run     install the daemon and watch it at work in a simulated harbour"
	@echo "make test    lint, build the wheel, test it, test it with the older SDK too"
	@echo "make suite   the tests alone, against the built wheel"
	@echo "make frameworks  the recorder under the Agents SDK, LangChain and LiteLLM"
	@echo "make prometheus  the rules and the dashboard under a real Prometheus"
	@echo "make manifests  what init writes, under compose and the schemas of Kubernetes"
	@echo "make alerts  a leak in the demo, as a real Bugsink and a real Alertmanager are told of it"
	@echo "make mutants the share of small faults in the core that its tests notice"
	@echo "make lint    formatting, rules, types, layers"
	@echo "make format  put the sources into form"
	@echo "make bench   measure, beside budgets and rivals; BENCH='calls --full --plots DIR' chooses"
	@echo "make prove   live through a million containers in hostile worlds (SEEDS=1..1000 CONTAINERS=1000)"
	@echo "make requirements  pin what the image installs, at the newest versions that fit"
	@echo "make soak    the daemon at work at speed for MINUTES=30; fails if it grows"
	@echo "make systemd  the service in a booted Debian; needs root, debootstrap and systemd-nspawn"
	@echo "make image   the image, built and run; needs root, buildah, debootstrap and Python 3.13"
	@echo "make install-systemd    install the service on this host, as root; uninstall-systemd"
	@echo "make clean   remove what was made"
	@echo "PYTHON=...   picks the interpreter; found now: $(PYTHON)"

run: $(RUN)/installed
	@$(RUN)/bin/demurrage demo

test:
	@$(MAKE) --no-print-directory lint
	@$(MAKE) --no-print-directory suite
	@$(MAKE) --no-print-directory old-sdk

suite: $(TEST)/installed
	@$(SUITE) $(TEST)/bin/python -m pytest -q $(SPREAD)

# For CI: tests on real processes and real time can miss a deadline on a busy machine. What
# failed is tried once more, alone, and CI says so; without failed tests this fails.
again: $(TEST)/installed
	@$(SUITE) $(TEST)/bin/python -m pytest -q --last-failed --last-failed-no-failures none
	@$(MAKE) --no-print-directory old-sdk

old-sdk: $(OLD_SDK)/installed
	@$(if $(OLD_SDK_TESTS),$(SUITE) $(OLD_SDK)/bin/python -m pytest -q $(SPREAD) $(OLD_SDK_TESTS))

frameworks: $(FRAMEWORKS)/installed
	@$(ISOLATED) $(FRAMEWORKS)/bin/python -m pytest -q tests/frameworks

# The rules by their own tests, then rules and dashboard on a Prometheus that scrapes the demo.
prometheus: $(TEST)/installed $(PROMETHEUS)/found
	@$(ISOLATED) PATH="$(CURDIR)/$(PROMETHEUS)/usr/bin:$$PATH" \
		$(TEST)/bin/python -m pytest -q tests/deployment/test_prometheus.py

# The tools have an environment of their own: they are no dependencies of the tests.
manifests: $(TEST)/installed $(MANIFESTS)/tools
	@$(ISOLATED) PATH="$(CURDIR)/$(MANIFESTS)/bin:$$PATH" \
		$(TEST)/bin/python -m pytest -q tests/deployment/test_manifests.py

# A leak in the demo, seen in a real Bugsink and a real Alertmanager.
alerts: $(TEST)/installed $(BUGSINK)/dependencies $(BUGSINK)/alertmanager
	@$(ISOLATED) BUGSINK="$(CURDIR)/$(BUGSINK)/bin" \
		$(TEST)/bin/python -m pytest -q tests/deployment/test_alerts.py

# Sources and tests are copied; only the copies are changed.
mutants: $(TEST)/mutmut
	@rm -rf .make/mutants
	@$(ISOLATED) PYTHONPATH=. $(TEST)/bin/python -m tests.mutation .make/mutants

lint: $(TEST)/linters
	@$(TEST)/bin/ruff format --check $(CHECKED)
	@$(TEST)/bin/ruff check $(CHECKED)
	@$(TEST)/bin/mypy $(CHECKED)
	@PYTHONPATH=daemon $(TEST)/bin/lint-imports --no-logo

format: $(TEST)/linters
	@$(TEST)/bin/ruff format $(CHECKED)
	@$(TEST)/bin/ruff check --fix $(CHECKED)

bench: $(TEST)/installed $(TEST)/bench
	@$(ISOLATED) $(TEST)/bin/python benchmarks/run.py $(BENCH)

# What takes too long for every test run. A seed that fails is printed with its story.
SEEDS ?= 1..1000
LASTING ?= 1..100
BEYOND ?= 1..20
KILLS ?= 100
CONTAINERS ?= 1000
PROCESSES ?= 2
MINUTES ?= 30
HUNTED := tests/unit/store/test_machine.py tests/unit/decide tests/unit/hostile \
	tests/unit/web/test_contract.py

# For every Python and platform, by hash and without the address of an index: whoever builds the
# image says where it comes from.
PIN = $(PINNING)/bin/uv pip compile --quiet --upgrade --universal --python-version 3.11 \
	--generate-hashes --no-header --no-annotate --no-emit-index-url
REQUIRED_TO_BUILD := import tomllib; \
	print(*tomllib.load(open("pyproject.toml", "rb"))["build-system"]["requires"], sep="\n")

requirements: $(PINNING)/uv
	@$(PIN) --extra service --output-file config/requirements.txt pyproject.toml
	@$(PINNING)/bin/python -c '$(REQUIRED_TO_BUILD)' \
		| $(PIN) --output-file config/requirements-build.txt -

# Loud where it cannot be shown: pytest tells of each skip and its reason.
systemd: $(TEST)/installed
	@$(ISOLATED) $(TEST)/bin/python -m pytest -q tests/deployment/test_systemd.py

image: $(TEST)/installed
	@$(ISOLATED) $(TEST)/bin/python -m pytest -q -rP tests/deployment/test_image.py

install-systemd: .make/wheel/built
	@systemd/install "$(PYTHON)" $(WHEEL)

uninstall-systemd:
	@systemd/uninstall

prove: $(TEST)/installed
	@$(ISOLATED) PYTHONPATH=. $(TEST)/bin/python -P -m tests.simulation \
		--seeds $(SEEDS) --containers $(CONTAINERS) --workers $(PROCESSES)
	@$(ISOLATED) PYTHONPATH=. $(TEST)/bin/python -P -m tests.simulation \
		--lasting --seeds $(LASTING) --workers $(PROCESSES)
	@$(ISOLATED) PYTHONPATH=. $(TEST)/bin/python -P -m tests.simulation.without_rules
	@$(ISOLATED) PYTHONPATH=. $(TEST)/bin/python -P -m tests.simulation.beyond --seeds $(BEYOND)
	@$(ISOLATED) PYTHONPATH=. $(TEST)/bin/python -P -m tests.proof.hundred_kills --kills $(KILLS)
	@$(ISOLATED) $(TEST)/bin/python -m pytest -q --hypothesis-profile=deep --timeout=0 $(HUNTED)
	@$(MAKE) --no-print-directory mutants

soak: $(TEST)/installed
	@$(ISOLATED) PYTHONPATH=. $(TEST)/bin/python -P -m tests.proof.soak --minutes $(MINUTES)

clean:
	rm -rf .make

# Below: the wheel, and the environments that it is installed into.

.make/python:
	@[ -n "$(VERSION)" ] || { echo "Python 3.11 or newer with venv is needed; PYTHON= names one." >&2; exit 2; }
	@mkdir -p .make
	@touch $@

%/bin/python: | .make/python
	@$(PYTHON) -m venv $*
	@$*/$(PIP) install --upgrade pip

.make/wheel/built: $(SOURCES) | .make/build/bin/python
	@rm -rf .make/wheel
	@.make/build/$(PIP) wheel --no-deps --wheel-dir .make/wheel .
	@touch $@

.make/recorder-wheel/built: $(RECORDER_SOURCES) | .make/build/bin/python
	@rm -rf .make/recorder-wheel
	@.make/build/$(PIP) wheel --no-deps --wheel-dir .make/recorder-wheel ./recorder
	@touch $@

# Dependencies follow pyproject.toml; the wheel alone follows the sources.
$(RUN)/dependencies: pyproject.toml | $(RUN)/bin/python .make/wheel/built
	@echo "Installing demurrage and what it needs into $(RUN)"
	@$(RUN)/$(PIP) install "$(WHEEL)"
	@touch $@

$(TEST)/dependencies: pyproject.toml | $(TEST)/bin/python .make/wheel/built
	@$(TEST)/$(PIP) install --group test "$(WHEEL)[service]"
	@touch $@

$(OLD_SDK)/dependencies: pyproject.toml | $(OLD_SDK)/bin/python .make/wheel/built
	@$(OLD_SDK)/$(PIP) install --group test "$(WHEEL)[service]" "openai<3"
	@touch $@

$(FRAMEWORKS)/dependencies: pyproject.toml | $(FRAMEWORKS)/bin/python .make/wheel/built
	@$(FRAMEWORKS)/$(PIP) install --group test --group frameworks "$(WHEEL)[postgres]"
	@touch $@

$(PROMETHEUS)/found: .ci/prometheus
	@.ci/prometheus $(PROMETHEUS)
	@touch $@

$(MANIFESTS)/tools: pyproject.toml | $(MANIFESTS)/bin/python
	@$(MANIFESTS)/$(PIP) install --group manifests
	@touch $@

$(BUGSINK)/dependencies: pyproject.toml | $(BUGSINK)/bin/python
	@$(BUGSINK)/$(PIP) install --group bugsink
	@touch $@

$(BUGSINK)/alertmanager: .ci/alertmanager | $(BUGSINK)/bin/python
	@.ci/alertmanager
	@touch $@

$(TEST)/linters: pyproject.toml | $(TEST)/dependencies
	@$(TEST)/$(PIP) install --group lint
	@touch $@

$(TEST)/mutmut: pyproject.toml | $(TEST)/dependencies
	@$(TEST)/$(PIP) install --group mutants
	@touch $@

$(PINNING)/uv: pyproject.toml | $(PINNING)/bin/python
	@$(PINNING)/$(PIP) install --group requirements
	@touch $@

$(TEST)/bench: pyproject.toml | $(TEST)/dependencies
	@$(TEST)/$(PIP) install --group bench
	@touch $@

%/installed: %/dependencies .make/wheel/built
	@$*/$(PIP) install --no-deps --force-reinstall "$(WHEEL)"
	@touch $@

%/recorder: .make/recorder-wheel/built | %/dependencies
	@$*/$(PIP) install --no-deps --force-reinstall "$(RECORDER_WHEEL)"
	@touch $@

# Tests import the recorder as an application does: installed, beside the daemon.
$(TEST)/installed: $(TEST)/recorder
$(OLD_SDK)/installed: $(OLD_SDK)/recorder
$(FRAMEWORKS)/installed: $(FRAMEWORKS)/recorder

.PRECIOUS: %/bin/python
