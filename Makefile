# make run    sets up .venv and runs the default study; CONFIG=FILE runs another
# make report the same, of which nothing but the report is made anew where the results are there
# make test   sets up .venv and passes the tests; test-slurm runs a study on a real Slurm of its own,
#             test-page looks at a report in headless Chromium, fuzz runs EXAMPLES studies of any
#             settings that the schema allows to their end and damages as many files, test-latex sets
#             all tables in a page of REVTeX
# make lint   checks style, types, imports and the workflow
# make bench  times the pair sums; bench-fields what B and b cost in every way, beside plain numpy and
#             the transforms alone, bench-freeze annealing against its peers, bench-large what is done
#             without a stored U, bench-pipeline what the default study costs beside its kernels and
#             what planning many jobs does
# make calibrate  runs small studies, to which the forecast of `glasspipe check` is fitted
# make lock   resolves the dependencies anew
# make clean  removes what can be made again, the results excepted

PYTHON ?= python3
CORES ?= $(shell nproc 2>/dev/null || getconf _NPROCESSORS_ONLN)
CONFIG ?= config/config.yaml
EXAMPLES ?= 300
SLURM := munge slurmctld slurmd slurm-client
BROWSER := chromium
LATEX := texlive-publishers texlive-science poppler-utils

BIN := .venv/bin
SETUP := .venv/.setup
PIP := -m pip --disable-pip-version-check
# as the user wrote it, whatever signs it has
export CONFIG_FILE = $(value CONFIG)

.PHONY: setup run report test slurm test-slurm browser test-page latex test-latex fuzz lint bench \
	bench-fields bench-freeze bench-large bench-pipeline calibrate lock clean
.DEFAULT_GOAL := setup

setup: $(SETUP)

# What Python and numba compile is cached, or every job would do it again: the kernels by a first run of
# every stage, in either kind of medium, with U stored and without, and of theory. An environment knows
# where it is, so it is made anew where the folder has been moved.
ifneq ($(shell cat $(SETUP) 2>/dev/null),$(shell pwd -P))
.PHONY: $(SETUP)
endif
$(SETUP): requirements.lock pyproject.toml
	test ! -e $@ || test "$$(cat $@)" = "$$(pwd -P)" || rm -r .venv
	$(PYTHON) -m venv .venv
	$(BIN)/python $(PIP) install --quiet --requirement requirements.lock
	$(BIN)/python $(PIP) install --quiet --no-deps --no-build-isolation --editable .
	$(BIN)/python -m compileall -q src
	mkdir -p build/warm
	set -e; cd build/warm; for medium in KBr KBr_cubic; do for store in float64 implicit; do \
		printf '{"medium": "%s", "couplings": {"store": "%s"}, "defects": {"number": 10},%s}' \
			$$medium $$store ' "realisations": 1' >point.json; \
		../../$(BIN)/glasspipe sample point.json -o sample.nc; \
		../../$(BIN)/glasspipe couplings point.json sample.nc -o couplings.nc; \
		../../$(BIN)/glasspipe freeze point.json couplings.nc -o freeze.nc; \
		../../$(BIN)/glasspipe fields point.json sample.nc freeze.nc -o fields.nc; \
	done; done
	$(BIN)/python -c 'from glasspipe.report.expectation import expectations; \
		from glasspipe.settings.point import point_from; \
		expectations(point_from({}).model, None, box=[90.0] * 3, defects=10)'
	pwd -P >$@

run: $(SETUP)
	$(BIN)/glasspipe check "$$CONFIG_FILE"
	$(BIN)/snakemake --cores $(CORES) --configfile "$$CONFIG_FILE"
	@$(BIN)/glasspipe summary "$$CONFIG_FILE"

report: $(SETUP)
	$(BIN)/snakemake --cores $(CORES) --configfile "$$CONFIG_FILE" report

test: $(SETUP)
	$(BIN)/python -m pytest --numprocesses $(CORES) --dist worksteal

# Debian's packages where they are not there yet: their names, and a command that says whether they are.
define installed
	@{ $(2); } >/dev/null 2>&1 || \
	(apt-get update && DEBIAN_FRONTEND=noninteractive apt-get install --yes --no-install-recommends \
		$(1)) >/dev/null 2>&1 || \
	{ echo "make $@: apt-get cannot install $(1)" >&2; exit 1; }
endef

slurm:
	$(call installed,$(SLURM),which munged slurmctld slurmd srun)

browser:
	$(call installed,$(BROWSER),which chromium)

latex:
	$(call installed,$(LATEX),kpsewhich revtex4-2.cls siunitx.sty && which pdftotext)

test-slurm: slurm $(SETUP)
	$(BIN)/python -m pytest tests/cluster

test-page: browser $(SETUP)
	$(BIN)/python -m pytest tests/browser

fuzz: $(SETUP)
	FUZZ=$(EXAMPLES) $(BIN)/python -m pytest tests/workflow/test_any_config.py tests/workflow/test_any_damage.py \
		--hypothesis-show-statistics

test-latex: latex $(SETUP)
	$(BIN)/python -m pytest tests/latex

lint: $(SETUP)
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/snakefmt --check Snakefile workflow
	$(BIN)/mypy
	$(BIN)/lint-imports --no-logo
	$(BIN)/snakemake --lint --directory build --configfile "$$CONFIG_FILE"

bench: $(SETUP)
	$(BIN)/python benchmarks/pairs.py

bench-fields: $(SETUP)
	$(BIN)/python benchmarks/fields.py

bench-freeze: benchmarks/requirements.lock
	$(PYTHON) -m venv build/bench
	build/bench/bin/python $(PIP) install --quiet --requirement $<
	PYTHONPATH=src build/bench/bin/python benchmarks/freeze.py

bench-large: $(SETUP)
	$(BIN)/python benchmarks/large.py --sizes 10000 100000 1000000 --direct 100000 --dense 10000 \
		--fields 10000 100000
	$(BIN)/python benchmarks/engines.py

bench-pipeline: $(SETUP)
	$(BIN)/python benchmarks/pipeline.py --large

calibrate: $(SETUP)
	set -e; for study in boxes crystal; do \
		$(BIN)/snakemake --cores 1 --forceall --directory build/calibrate \
			--configfile benchmarks/calibration/$$study.yaml; \
	done
	$(BIN)/glasspipe calibrate build/calibrate/results/boxes build/calibrate/results/crystal

lock:
	$(PYTHON) -m venv --clear build/lock
	build/lock/bin/python $(PIP) install --quiet '.[dev]'
	build/lock/bin/python $(PIP) freeze --all --exclude pip --exclude glasspipe >requirements.lock

clean:
	rm -rf .venv .snakemake build
	find src tests -name __pycache__ -prune -exec rm -r {} +
