# unit tests of src/audit
check_PROGRAMS += tests/unit/ledger-test
TESTS += tests/unit/ledger-test
tests_unit_ledger_test_SOURCES = tests/unit/ledger-test.c \
	tests/unit/test-folder.h
tests_unit_ledger_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_ledger_test_LDADD = $(AUDIT_LIBS) $(UNIT_LIBS)
