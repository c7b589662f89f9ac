# unit tests of src/conf
check_PROGRAMS += tests/unit/config-file-test
TESTS += tests/unit/config-file-test

tests_unit_config_file_test_SOURCES = tests/unit/config-file-test.c
tests_unit_config_file_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_config_file_test_LDADD = $(CONF_LIBS) $(UNIT_LIBS)
check_PROGRAMS += tests/unit/servers-test
TESTS += tests/unit/servers-test
tests_unit_servers_test_SOURCES = tests/unit/servers-test.c
tests_unit_servers_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_servers_test_LDADD = $(CONF_LIBS) $(UNIT_LIBS)
check_PROGRAMS += tests/unit/profile-json-test
TESTS += tests/unit/profile-json-test
tests_unit_profile_json_test_SOURCES = tests/unit/profile-json-test.c
tests_unit_profile_json_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_profile_json_test_LDADD = $(CONF_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/digest-test
TESTS += tests/unit/digest-test
tests_unit_digest_test_SOURCES = tests/unit/digest-test.c
tests_unit_digest_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_digest_test_LDADD = $(CONF_LIBS) $(UNIT_LIBS)
