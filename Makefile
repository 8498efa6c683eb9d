# Each target makes what it needs, in any folder, from a clean clone.
#
#   PYTHON  a Python of your choice; otherwise the first of python3, python3.13, python3.12, python3.11 that fits
#   PYTHON_IMAGE  base image of Docker, with its digest; otherwise the one that the tag of the Dockerfile names today
#   VENV    folder of the virtual environment (a name without spaces)
#   KEY     SSH key that signs a release
#   ARGS    more arguments for the command: make serve ARGS="--port 9000", make test ARGS="-k digest"

PYTHON ?=
PYTHON_IMAGE ?=
VENV ?= .venv
KEY ?=
ARGS ?=

# A Python fits when it runs (a shim may exist and fail), is in the range, and can make virtual environments.
# Use its real path, so that an activated environment is not mistaken for the Python that it was made from.
probe := import ensurepip, os, sys, venv; \
	(3, 11) <= sys.version_info[:2] < (3, 14) or sys.exit(1); \
	print(os.path.realpath(sys.executable))
candidates = $(if $(PYTHON),"$(PYTHON)",python3 python3.13 python3.12 python3.11)
python := $(shell for each in $(candidates); do "$$each" -c '$(probe)' 2>/dev/null && break; done)

# One environment belongs to one folder and one Python. In a copied folder, or with another Python, make a new one.
mark := $(shell { pwd; echo '$(python)'; } | cksum | cut -d ' ' -f 1)
made := $(VENV)/made-$(mark)
sample = $(if $(GUIDANCE_COUNCIL_NAME),,--env-file deploy/sample-council/council.env)
settings = $(if $(findstring --env-file,$(ARGS)),,$(if $(wildcard guidance.env),--env-file guidance.env,$(sample)))
pip := $(VENV)/bin/python -m pip --quiet --disable-pip-version-check --no-input

.PHONY: serve test nightly cover faults fuzz journeys pictures screens speakers accessibility bench bench-check weights check audit format lock wheel image release docs docs-serve client catalogue desk-script web-client clean
.DELETE_ON_ERROR:

# Serve with the settings of guidance.env, which guidance setup writes. Without that file serve a trial: publish the seed into ./data,
# make development keys. It looks like the pages of an invented council, unless GUIDANCE_COUNCIL_NAME is set. Listen on 127.0.0.1:8000.
serve: $(VENV)/installed-serve
	@test -e app/pages/static/unseal.js || $(MAKE) --silent desk-script >/dev/null 2>&1 || echo >&2 "Without npm: no concern is opened in the browser, and /docs has no Swagger UI."
	@exec $(VENV)/bin/guidance serve $(settings) $(ARGS)

# Run the tests, but for those of the night. On PostgreSQL: make test ARGS="--database postgresql"; the quick ones:
# make test ARGS="-n 2 -m 'not slow'"
# Compiled first, and what pytest makes of a test is stored: the tests start some hundred processes, and not every machine lets Python
# write its bytecode. Four at once: while some wait for a process or a browser, the others work.
test: $(VENV)/installed-dev $(VENV)/installed-docs
	@$(VENV)/bin/python -m compileall -q app
	@$(MAKE) --silent --keep-going desk-script || echo >&2 "The script of the desk was not built: its tests are skipped."
	PYTHONDONTWRITEBYTECODE= $(VENV)/bin/pytest -m 'not nightly' -n 4 $(ARGS)

# Run what continuous integration leaves to the night: proxies, rolling updates, the image, the site, generated clients, hostile receivers, faults by the
# round, every journey, long fuzz, 500 examples of each property; hours. On another Python: make nightly PYTHON=python3.13 VENV=.venv-3.13
nightly: $(VENV)/installed-dev $(VENV)/installed-docs
	@$(MAKE) --silent --keep-going desk-script || echo >&2 "The script of the desk was not built: its tests are skipped."
	FAULT_ROUNDS=30 FUZZ_ROUNDS=100 FUZZ_MINUTES=10 JOURNEYS=1 \
		$(VENV)/bin/pytest -m 'nightly or hypothesis' --hypothesis-profile night $(ARGS)

# Run every test, and measure coverage.
cover: $(VENV)/installed-dev $(VENV)/installed-docs
	$(VENV)/bin/pytest --cov $(ARGS)

# Kill, fill and cut off real processes, thirty times over. Fewer: make faults ROUNDS=5
faults: $(VENV)/installed-dev
	FAULT_ROUNDS=$(or $(ROUNDS),30) $(VENV)/bin/pytest -n 0 -rA tests/operations/test_faults.py tests/concerns/test_durability.py $(ARGS)

# Send odd and cut requests over raw sockets, and beside them chains of requests with and without keys, to one server.
# Longer: make fuzz ROUNDS=1000, or by time, make fuzz MINUTES=60. The same again: FUZZ_SEED=... make fuzz
fuzz: $(VENV)/installed-dev
	FUZZ_ROUNDS=$(or $(ROUNDS),$(if $(MINUTES),2,100)) FUZZ_MINUTES=$(or $(MINUTES),1) \
		$(VENV)/bin/pytest -n 0 -rA tests/http/test_long_fuzz.py tests/http/test_raw_sockets.py $(ARGS)

# Send each person's concern in every condition that a browser can combine (half an hour). Pictures: make journeys PICTURES=folder
journeys: $(VENV)/installed-dev
	JOURNEYS=1 JOURNEY_PICTURES=$(PICTURES) $(VENV)/bin/pytest -n 0 -rA tests/pages/test_every_journey.py $(ARGS)

# Make the pictures of the tutorials again, from trials with invented data.
pictures: $(VENV)/installed-dev
	TUTORIAL_PICTURES=docs/tutorial $(VENV)/bin/pytest -n 0 tests/contract/test_tutorials.py -k picture $(ARGS)

# Take pictures of every first screen, receipt and error of the public pages, and of the components of all pages, in five looks:
# build/screens, or PICTURES=folder. Print how many words each page shows.
screens: $(VENV)/installed-dev
	$(VENV)/bin/python -m tests.support.screens $(or $(PICTURES),build/screens)

# Write a sheet on which a speaker checks the pages of a language: build/speakers/speakers-ur.html. It needs Chromium.
# Take it back, with who checked it: make speakers LANGUAGE=ur SHEET=speakers-ur.html
speakers: $(VENV)/installed-dev
	$(VENV)/bin/python -m speakers "$(LANGUAGE)" "$(SHEET)"

# Test every page of the public with axe, narrow and wide, light and dark, and write the day for the accessibility statement:
# app/pages/accessibility.json, which is not in git.
accessibility: $(VENV)/installed-dev
	CI=true $(VENV)/bin/pytest -n 0 tests/pages/test_pages_in_browser.py \
		tests/pages/test_in_reach_in_browser.py::test_the_pages_have_no_barrier_on_wide_screens_light_and_dark $(ARGS)
	@$(VENV)/bin/python -m tests.support.accessibility

# Measure the service beside baselines (about half an hour; ARGS=--quick a few minutes). Uses wrk and nginx where installed.
# The tables again, without measuring: make bench ARGS=--redraw
bench: $(VENV)/installed-dev $(VENV)/installed-bench
	$(VENV)/bin/python -m bench $(ARGS)

# Compare what acts take with few and with many concerns, guides, editions and other rows, in one process (under three minutes), and
# fail where one takes more statements with more rows, or more processor than its bar allows.
bench-check: $(VENV)/installed-dev
	$(VENV)/bin/python -m bench.growth --check $(ARGS)

# Write the weights of the code, and how many functions three requests enter, into docs/architecture.md.
weights: $(VENV)/installed-dev
	$(VENV)/bin/python -m tests.support.walks

# Check the code without running it: layout, lint, types, imports, dependencies, security, the Dockerfile, slow regular expressions,
# and whether a part outgrew its weight in docs/architecture.md.
check: $(VENV)/installed-dev $(VENV)/installed-docs
	$(VENV)/bin/ruff format --check .
	$(VENV)/bin/ruff check .
	$(VENV)/bin/mypy
	$(VENV)/bin/lint-imports
	$(VENV)/bin/deptry .
	$(VENV)/bin/bandit --quiet --recursive app
	$(VENV)/bin/hadolint Dockerfile
	$(VENV)/bin/python -m tests.support.patterns
	$(VENV)/bin/python -m tests.support.structure

# Check that every locked package has a hash and allowed terms, then send all of them to a vulnerability service. Fail where one is
# known to be vulnerable, and where a service does not answer. Without a service: make audit ARGS=--offline
audit: $(VENV)/installed-dev
	$(VENV)/bin/python -m supply.audit $(ARGS)

# Lay the code out, and correct what lint can correct by itself.
format: $(VENV)/installed-dev
	$(VENV)/bin/ruff format .
	$(VENV)/bin/ruff check --fix .

# Write the requirement files again from pyproject.toml. Pins that still fit stay. The newest of all: make lock ARGS=--upgrade
lock: $(VENV)/installed-dev
	$(compile) --extra documents --extra print --extra traces --group build --output-file requirements/serve.txt $(ARGS)
	$(compile) --extra documents --extra print --extra traces --group build --group dev --constraint requirements/serve.txt --output-file requirements/dev.txt $(ARGS)
	$(compile) --group build --group bench --constraint requirements/dev.txt --output-file requirements/bench.txt $(ARGS)
	$(compile) --group docs --constraint requirements/dev.txt --output-file requirements/docs.txt $(ARGS)
	$(lock) --group pyproject.toml:generators --output-file requirements/generators.txt $(ARGS)
	$(lock) --group pyproject.toml:publish --constraint requirements/dev.txt --output-file requirements/publish.txt $(ARGS)
	$(VENV)/bin/python -m supply.licences

# Build the image into build/image.tar, and the list of what is in it. Where there is no Docker it needs buildah and mmdebstrap.
image: $(VENV)/installed-dev
	$(if $(PYTHON_IMAGE),PYTHON_IMAGE=$(PYTHON_IMAGE)) deploy/image/build $(VENV)

# Make a release of a clean tree: version, CHANGELOG, commit, tag, and build/release-VERSION with all that docs/reference/releases.md lists.
# KEY is the SSH key that signs: make release VERSION=1.0.0rc1 KEY=~/.ssh/id_ed25519
release: $(VENV)/installed-dev $(VENV)/installed-docs
	$(VENV)/bin/python -m deploy.release $(VERSION) $(if $(KEY),--key $(KEY)) $(ARGS)

# Build the documentation into build/site: every page, no request to another host. To read it while writing: make docs-serve
docs: $(VENV)/installed-dev $(VENV)/installed-docs
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs --quiet build --strict $(ARGS)

# Serve the documentation on 127.0.0.1:8001, built anew at each change.
docs-serve: $(VENV)/installed-dev $(VENV)/installed-docs
	NO_MKDOCS_2_WARNING=1 $(VENV)/bin/python -m mkdocs serve --dev-addr 127.0.0.1:8001 $(ARGS)

# Make the generated files of the typed client again.
client: $(VENV)/installed-dev
	$(VENV)/bin/python client/generate.py

# Collect the sentences of the pages, and bring each language's file up to date, in the order of the English. New ones have no
# translation yet. Nothing new changes nothing.
catalogue: $(VENV)/installed-dev
	mkdir -p build
	PYTHONPATH=. $(VENV)/bin/pybabel extract --mapping pyproject.toml --keywords to_translate --no-location --sort-output --width 100 --output build/pages.pot app
	$(VENV)/bin/pybabel update --domain pages --input-file build/pages.pot --output-dir app/pages/locale --width 100 --no-fuzzy-matching --ignore-obsolete --ignore-pot-creation-date

# Build the script with which the desk's pages open concerns in the browser, unseal.html, and the program of guidance desk find, and copy
# Swagger UI for /docs. It needs npm.
desk-script: app/pages/static/unseal.js

# Build what an installation needs into build/wheel: the wheel, and the list of the packages. It needs npm.
wheel: $(VENV)/installed-dev app/pages/static/unseal.js
	rm -rf build/wheel
	$(VENV)/bin/python -m hatchling build -t wheel -d build/wheel
	cp requirements/serve.txt build/wheel

# Build the package for front ends: web_client/dist. It needs npm.
web-client: app/pages/static/unseal.js
	@test -d desk_script/node_modules || (cd desk_script && $(npm-install))
	node web_client/build.js

app/pages/static/unseal.js: $(wildcard desk_script/*.js* desk_script/src/*) $(wildcard app/pages/static/*.css)
	cd desk_script && $(npm-install) && node build.js

npm-install = npm ci --prefer-offline --no-audit --no-fund --ignore-scripts

compile = $(lock) pyproject.toml
lock = $(VENV)/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes \
	--no-annotate --no-header --no-emit-index-url --no-emit-find-links --no-strip-extras

# Remove the environment and the files of the tools; never ./data.
clean:
	rm -rf desk_script/node_modules web_client/dist app/pages/static/unseal.js app/pages/static/unseal.html app/pages/static/find.cjs app/pages/static/swagger app/pages/accessibility.json
	rm -rf $(VENV) build dist .coverage .coverage.* .hypothesis .schemathesis
	rm -rf .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find app seed tests -type d -name __pycache__ -prune -exec rm -rf {} +

# Install the requirements, each wheel checked against its hash, then the project. Do so again only when a file changed.
$(VENV)/installed-%: requirements/%.txt pyproject.toml $(made)
	@echo "Installing requirements/$*.txt into $(VENV) (the first time takes about a minute) ..."
	@$(pip) install --no-compile --require-hashes --only-binary :all: --requirement requirements/$*.txt
	@$(pip) install --no-deps --no-build-isolation --editable .
	@$(VENV)/bin/python -m compileall -qq -j 0 $(VENV) app || true # some files of others are no Python; pip takes three times as long
	@touch $@

# Make the environment. Use one that another tool made; clear only one that this file made.
$(made):
	@test -n '$(python)' || { echo >&2 "No fitting Python: Python 3.11, 3.12 or 3.13 with venv is needed" \
		"(on Debian: apt-get install python3-venv), or name one: make PYTHON=/path/to/python3."; exit 1; }
	@echo "Making $(VENV) with $(python) ..."
	@'$(python)' -m venv $(if $(wildcard $(VENV)/made-*),--clear) $(VENV)
	@touch $@
