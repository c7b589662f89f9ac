# unit tests of src/cryptoki
check_PROGRAMS += tests/unit/ckr-test tests/unit/pin-test tests/unit/uri-test
TESTS += tests/unit/ckr-test tests/unit/pin-test tests/unit/uri-test
tests_unit_ckr_test_SOURCES = tests/unit/ckr-test.c
tests_unit_ckr_test_CPPFLAGS = $(UNIT_CPPFLAGS) $(P11KIT_CFLAGS)
tests_unit_ckr_test_LDADD = $(CRYPTOKI_LIBS) $(UNIT_LIBS)
tests_unit_pin_test_SOURCES = tests/unit/pin-test.c
tests_unit_pin_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_pin_test_LDADD = $(CRYPTOKI_LIBS) $(UNIT_LIBS)
tests_unit_uri_test_SOURCES = tests/unit/uri-test.c
tests_unit_uri_test_CPPFLAGS = $(UNIT_CPPFLAGS) $(P11KIT_CFLAGS)
tests_unit_uri_test_LDADD = $(CRYPTOKI_LIBS) $(UNIT_LIBS)
