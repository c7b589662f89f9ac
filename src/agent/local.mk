noinst_LIBRARIES += libagent.a
libagent_a_SOURCES = \
	src/agent/policy.c src/agent/policy.h \
	src/agent/sinks.c src/agent/sinks.h \
	src/agent/systemd.c src/agent/systemd.h
AGENT_LIBS = libagent.a $(FLOW_LIBS)
