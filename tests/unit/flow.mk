# unit tests of src/flow
check_PROGRAMS += tests/unit/diagnose-test
TESTS += tests/unit/diagnose-test

tests_unit_diagnose_test_SOURCES = tests/unit/diagnose-test.c \
	tests/unit/response.h tests/unit/test-data.c tests/unit/test-data.h
tests_unit_diagnose_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_diagnose_test_LDADD = $(FLOW_LIBS) $(UNIT_LIBS)
