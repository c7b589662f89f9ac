# Fuzz targets: `make check` runs their corpus, `make fuzz` (in a build with
# --enable-fuzzers, by clang) looks for new inputs.
fuzz_targets = \
	tests/fuzz/fuzz-access-token \
	tests/fuzz/fuzz-base64url \
	tests/fuzz/fuzz-certificate \
	tests/fuzz/fuzz-config \
	tests/fuzz/fuzz-discovery \
	tests/fuzz/fuzz-jwk \
	tests/fuzz/fuzz-jwks-check \
	tests/fuzz/fuzz-jws \
	tests/fuzz/fuzz-ledger \
	tests/fuzz/fuzz-uri
check_PROGRAMS += $(fuzz_targets)
TESTS += tests/fuzz/corpus.t
EXTRA_DIST += tests/fuzz/corpus.t

if FUZZERS
fuzz_main =
fuzz_link_flags = $(AM_LDFLAGS) -fsanitize=fuzzer
else
fuzz_main = tests/fuzz/replay.c
fuzz_link_flags = $(AM_LDFLAGS)
endif

tests_fuzz_fuzz_access_token_SOURCES = tests/fuzz/fuzz-access-token.c tests/fuzz/fuzz.h
nodist_tests_fuzz_fuzz_access_token_SOURCES = $(fuzz_main)
tests_fuzz_fuzz_access_token_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_fuzz_fuzz_access_token_LDFLAGS = $(fuzz_link_flags)
tests_fuzz_fuzz_access_token_LDADD = $(OAUTH_LIBS)
tests_fuzz_fuzz_base64url_SOURCES = tests/fuzz/fuzz-base64url.c tests/fuzz/fuzz.h
nodist_tests_fuzz_fuzz_base64url_SOURCES = $(fuzz_main)
tests_fuzz_fuzz_base64url_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_fuzz_fuzz_base64url_LDFLAGS = $(fuzz_link_flags)
tests_fuzz_fuzz_base64url_LDADD = $(BASE_LIBS)
tests_fuzz_fuzz_certificate_SOURCES = tests/fuzz/fuzz-certificate.c tests/fuzz/fuzz.h
nodist_tests_fuzz_fuzz_certificate_SOURCES = $(fuzz_main)
tests_fuzz_fuzz_certificate_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_fuzz_fuzz_certificate_LDFLAGS = $(fuzz_link_flags)
tests_fuzz_fuzz_certificate_LDADD = $(KEY_LIBS)
tests_fuzz_fuzz_config_SOURCES = tests/fuzz/fuzz-config.c tests/fuzz/fuzz.h
nodist_tests_fuzz_fuzz_config_SOURCES = $(fuzz_main)
tests_fuzz_fuzz_config_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_fuzz_fuzz_config_LDFLAGS = $(fuzz_link_flags)
tests_fuzz_fuzz_config_LDADD = $(CONF_LIBS)
tests_fuzz_fuzz_jwk_SOURCES = tests/fuzz/fuzz-jwk.c tests/fuzz/fuzz.h
nodist_tests_fuzz_fuzz_jwk_SOURCES = $(fuzz_main)
tests_fuzz_fuzz_jwk_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_fuzz_fuzz_jwk_LDFLAGS = $(fuzz_link_flags)
tests_fuzz_fuzz_jwk_LDADD = $(KEY_LIBS)
tests_fuzz_fuzz_jws_SOURCES = tests/fuzz/fuzz-jws.c tests/fuzz/fuzz.h
nodist_tests_fuzz_fuzz_jws_SOURCES = $(fuzz_main)
tests_fuzz_fuzz_jws_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_fuzz_fuzz_jws_LDFLAGS = $(fuzz_link_flags)
tests_fuzz_fuzz_jws_LDADD = $(JOSE_LIBS)
tests_fuzz_fuzz_uri_SOURCES = tests/fuzz/fuzz-uri.c tests/fuzz/fuzz.h
nodist_tests_fuzz_fuzz_uri_SOURCES = $(fuzz_main)
tests_fuzz_fuzz_uri_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_fuzz_fuzz_uri_LDFLAGS = $(fuzz_link_flags)
tests_fuzz_fuzz_uri_LDADD = $(CRYPTOKI_LIBS)
tests_fuzz_fuzz_discovery_SOURCES = tests/fuzz/fuzz-discovery.c tests/fuzz/fuzz.h
nodist_tests_fuzz_fuzz_discovery_SOURCES = $(fuzz_main)
tests_fuzz_fuzz_discovery_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_fuzz_fuzz_discovery_LDFLAGS = $(fuzz_link_flags)
tests_fuzz_fuzz_discovery_LDADD = $(OAUTH_LIBS)
tests_fuzz_fuzz_jwks_check_SOURCES = tests/fuzz/fuzz-jwks-check.c tests/fuzz/fuzz.h
nodist_tests_fuzz_fuzz_jwks_check_SOURCES = $(fuzz_main)
tests_fuzz_fuzz_jwks_check_CPPFLAGS = $(AM_CPPFLAGS) $(P11KIT_CFLAGS)
tests_fuzz_fuzz_jwks_check_LDFLAGS = $(fuzz_link_flags)
tests_fuzz_fuzz_jwks_check_LDADD = $(OAUTH_LIBS)
tests_fuzz_fuzz_ledger_SOURCES = tests/fuzz/fuzz-ledger.c tests/fuzz/fuzz.h
nodist_tests_fuzz_fuzz_ledger_SOURCES = $(fuzz_main)
tests_fuzz_fuzz_ledger_CPPFLAGS = $(AM_CPPFLAGS)
tests_fuzz_fuzz_ledger_LDFLAGS = $(fuzz_link_flags)
tests_fuzz_fuzz_ledger_LDADD = $(AUDIT_LIBS)
EXTRA_DIST += tests/fuzz/replay.c

FUZZ_SECONDS = 60
.PHONY: fuzz
fuzz: $(fuzz_targets)
	@for target in $(fuzz_targets); do \
		name=$${target##*/fuzz-}; mkdir -p fuzz/$$name; \
		echo "fuzz: $$name, $(FUZZ_SECONDS) s"; \
		./$$target -max_total_time=$(FUZZ_SECONDS) $(FUZZ_FLAGS) -print_final_stats=1 \
			-max_len=65536 -artifact_prefix=fuzz/$$name- fuzz/$$name \
			$(srcdir)/tests/data/fuzz/$$name >fuzz/$$name.log 2>&1 || \
			{ tail -n 40 fuzz/$$name.log; exit 1; }; \
		grep number_of_executed_units fuzz/$$name.log; \
	done
clean-local:
	rm -rf fuzz
