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

check_PROGRAMS += tests/unit/evp-test
TESTS += tests/unit/evp-test
tests_unit_evp_test_SOURCES = tests/unit/evp-test.c $(TEST_DATA_FILES)
tests_unit_evp_test_CPPFLAGS = $(UNIT_CPPFLAGS) $(P11KIT_CFLAGS)
tests_unit_evp_test_LDADD = $(CRYPTOKI_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/device-test
TESTS += tests/unit/device-test
tests_unit_device_test_SOURCES = tests/unit/device-test.c $(FAKE_CLOCK_FILES)
tests_unit_device_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_device_test_LDADD = $(CRYPTOKI_LIBS) $(UNIT_LIBS)
