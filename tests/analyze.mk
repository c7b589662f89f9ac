# Static analysis and fuzzing by hand or by CI; not part of `make check`.
tidy_files = $$(cd $(abs_top_srcdir) && find src -name '*.c')
tidy_cflags = -std=gnu17 -D_GNU_SOURCE -Isrc -I. -I$(abs_top_builddir) \
	-DPO_SYSCONFDIR=__FILE__ $(P11KIT_CFLAGS) $(CRYPTO_CFLAGS) $(JANSSON_CFLAGS)

# cppcheck does not know the cleanup attribute; leaks are LeakSanitizer's.
.PHONY: analyze format
analyze:
	cd $(abs_top_srcdir) && cppcheck --quiet --error-exitcode=1 --inline-suppr \
		--enable=warning,performance,portability -Isrc -I$(abs_top_builddir) \
		--suppress=missingInclude --suppress=memleak -j 2 src
	cd $(abs_top_srcdir) && printf '%s\n' $(tidy_files) | \
		xargs -P 2 -n 8 sh -c 'clang-tidy --quiet "$$@" -- $(tidy_cflags)' tidy

# Which lines of src the tests go through.
.PHONY: coverage
coverage:
	'$(srcdir)/contrib/coverage' check-all

format:
	cd $(abs_top_srcdir) && clang-format -i $$(find src tests -name '*.[ch]')
