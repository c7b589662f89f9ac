# unit tests of src/audit
check_PROGRAMS += tests/unit/ledger-test tests/unit/requester-test \
	tests/unit/verify-test
TESTS += tests/unit/ledger-test tests/unit/requester-test \
	tests/unit/verify-test
tests_unit_ledger_test_SOURCES = tests/unit/ledger-test.c \
	tests/unit/test-folder.h
tests_unit_ledger_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_ledger_test_LDADD = $(AUDIT_LIBS) $(UNIT_LIBS)
tests_unit_requester_test_SOURCES = tests/unit/requester-test.c
tests_unit_requester_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_requester_test_LDADD = $(AUDIT_LIBS) $(UNIT_LIBS)
tests_unit_verify_test_SOURCES = tests/unit/verify-test.c \
	tests/unit/test-folder.h
tests_unit_verify_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_verify_test_LDADD = $(AUDIT_LIBS) $(UNIT_LIBS)
