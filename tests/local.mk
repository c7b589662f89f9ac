# Every test speaks TAP and runs under automake's driver.
TEST_EXTENSIONS = .t
LOG_DRIVER = env AM_TAP_AWK='$(AWK)' $(SHELL) $(top_srcdir)/build-aux/tap-driver.sh
T_LOG_DRIVER = $(LOG_DRIVER)
# By sh, which is often a shell that begins processes in half of the time that
# $(SHELL), which configure chose, takes.
LOG_COMPILER = sh $(top_srcdir)/tests/lib/timed.sh
T_LOG_COMPILER = $(LOG_COMPILER) sh
AM_TESTS_ENVIRONMENT = \
	CMOCKA_MESSAGE_OUTPUT=TAP; export CMOCKA_MESSAGE_OUTPUT; \
	top_srcdir='$(abs_top_srcdir)'; export top_srcdir; \
	top_builddir='$(abs_top_builddir)'; export top_builddir; \
	LSAN_OPTIONS='suppressions=$(abs_top_srcdir)/tests/lsan.supp:print_suppressions=0'; export LSAN_OPTIONS; \
	LC_ALL=C; export LC_ALL; CC='$(CC)'; export CC; \
	LINT_CFLAGS='$(P11KIT_CFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS)'; export LINT_CFLAGS;

EXTRA_DIST += tests/data tests/lsan.supp tests/suites/bookworm tests/suites/forky \
	tests/suites/trixie

# Rows that want root are not in the plan where there is no way to be it
# (tests/lib/tap.sh); how many they are is said here.
check-local: check-TESTS
	@n=$$(sed -n 's/^# rows that want root: //p' $(TEST_LOGS) | \
		$(AWK) '{ n += $$1 } END { print n + 0 }'); \
	[ "$$n" -eq 0 ] || echo "# rows that want root and did not run: $$n"
# What takes longest begins first.
include tests/integ/local.mk
include tests/lint/local.mk
if HAVE_CMOCKA
include tests/unit/local.mk
endif
include tests/fault/local.mk
include tests/fuzz/local.mk
include tests/bench/local.mk
include tests/tools/local.mk

# `make check`: lints, units and what goes through most of the code, in a minute.
# `make check-all`: everything. `make check-program`: without what tests the bench
# itself, for builds that differ in nothing but the program. `make check-covered`:
# without what looks for PINs in the memory of an optimised program or wants Landlock,
# which the program would have to do without to write down which lines it ran.
all_tests = $(integ_slow) $(integ_more) $(TESTS)
.PHONY: check-all check-program check-covered
check-all:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS="$(all_tests)"
check-program:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS="$$(printf '%s\n' $(all_tests) | \
		grep -v -e /205-server-modes -e /215-vendor-rules \
			-e /740-units -e /940-debian | tr '\n' ' ')"
check-covered:
	$(MAKE) $(AM_MAKEFLAGS) check TESTS="$$(printf '%s\n' $(all_tests) | \
		grep -v -e /752-agent-sandbox -e /780-agent-canary | tr '\n' ' ')"

# `make soak SOAK_SECONDS=600`: the time-lapse of tests/integ/765-agent-soak.t, for
# longer than `make check` has.
SOAK_SECONDS = 600
.PHONY: soak
soak:
	SOAK_SECONDS=$(SOAK_SECONDS) $(MAKE) check TESTS=tests/integ/765-agent-soak.t; \
	status=$$?; cat tests/integ/765-agent-soak.log; exit $$status
