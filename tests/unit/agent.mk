# unit tests of src/agent
check_PROGRAMS += tests/unit/systemd-test
TESTS += tests/unit/systemd-test

tests_unit_systemd_test_SOURCES = tests/unit/systemd-test.c
tests_unit_systemd_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_systemd_test_LDADD = libagent.a $(BASE_LIBS) $(UNIT_LIBS)
