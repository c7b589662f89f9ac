# Measurements, which are no tests: `make bench`.
EXTRA_DIST += tests/bench/overlap.sh
.PHONY: bench
bench: p11oauth$(EXEEXT) tests/fault/fault-module.so
	@$(AM_TESTS_ENVIRONMENT) $(SHELL) $(top_srcdir)/tests/bench/overlap.sh
