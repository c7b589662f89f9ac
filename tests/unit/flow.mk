# unit tests of src/flow
check_PROGRAMS += tests/unit/check-jwks-test tests/unit/diagnose-test \
	tests/unit/format-test
TESTS += tests/unit/check-jwks-test tests/unit/diagnose-test \
	tests/unit/format-test

tests_unit_check_jwks_test_SOURCES = tests/unit/check-jwks-test.c \
	tests/unit/jwk-set.c tests/unit/jwk-set.h tests/unit/response.h \
	tests/unit/test-data.c tests/unit/test-data.h $(FAKE_CLOCK_FILES)
tests_unit_check_jwks_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_check_jwks_test_LDADD = $(FLOW_LIBS) $(UNIT_LIBS)
tests_unit_diagnose_test_SOURCES = tests/unit/diagnose-test.c \
	tests/unit/response.h tests/unit/test-data.c tests/unit/test-data.h
tests_unit_diagnose_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_diagnose_test_LDADD = $(FLOW_LIBS) $(UNIT_LIBS)
tests_unit_format_test_SOURCES = tests/unit/format-test.c
tests_unit_format_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_format_test_LDADD = $(FLOW_LIBS) $(UNIT_LIBS)
