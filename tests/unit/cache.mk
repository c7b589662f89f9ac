# unit tests of src/cache
check_PROGRAMS += tests/unit/cached-token-test
TESTS += tests/unit/cached-token-test
tests_unit_cached_token_test_SOURCES = tests/unit/cached-token-test.c
tests_unit_cached_token_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_cached_token_test_LDADD = libcache.a $(BASE_LIBS) $(UNIT_LIBS)
