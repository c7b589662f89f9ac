# unit tests of src/agent
check_PROGRAMS += tests/unit/systemd-test
TESTS += tests/unit/systemd-test

tests_unit_systemd_test_SOURCES = tests/unit/systemd-test.c
tests_unit_systemd_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_systemd_test_LDADD = libagent.a $(BASE_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/agent-client-test
TESTS += tests/unit/agent-client-test

tests_unit_agent_client_test_SOURCES = tests/unit/agent-client-test.c \
	tests/unit/response.h $(FAKE_CLOCK_FILES) $(FREED_FILES)
tests_unit_agent_client_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_agent_client_test_LDFLAGS = $(FREED_LINK)
tests_unit_agent_client_test_LDADD = $(AGENT_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/policy-test tests/unit/sinks-test
TESTS += tests/unit/policy-test tests/unit/sinks-test

tests_unit_policy_test_SOURCES = tests/unit/policy-test.c
tests_unit_policy_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_policy_test_LDADD = $(AGENT_LIBS) $(UNIT_LIBS)
tests_unit_sinks_test_SOURCES = tests/unit/sinks-test.c
tests_unit_sinks_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_sinks_test_LDADD = $(AGENT_LIBS) $(UNIT_LIBS)

check_PROGRAMS += tests/unit/channel-test tests/unit/pins-test \
	tests/unit/served-test
TESTS += tests/unit/channel-test tests/unit/pins-test tests/unit/served-test

tests_unit_channel_test_SOURCES = tests/unit/channel-test.c
tests_unit_channel_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_channel_test_LDADD = $(AGENT_LIBS) $(UNIT_LIBS)
tests_unit_pins_test_SOURCES = tests/unit/pins-test.c
tests_unit_pins_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_pins_test_LDADD = $(AGENT_LIBS) $(UNIT_LIBS)
tests_unit_served_test_SOURCES = tests/unit/served-test.c
tests_unit_served_test_CPPFLAGS = $(UNIT_CPPFLAGS)
tests_unit_served_test_LDFLAGS = $(AM_LDFLAGS) -Wl,--wrap=log_warn
tests_unit_served_test_LDADD = $(AGENT_LIBS) $(UNIT_LIBS)
