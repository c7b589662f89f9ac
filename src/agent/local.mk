noinst_LIBRARIES += libagent.a
libagent_a_SOURCES = \
	src/agent/client.c src/agent/client.h \
	src/agent/policy.c src/agent/policy.h \
	src/agent/sinks.c src/agent/sinks.h
AGENT_LIBS = libagent.a $(FLOW_LIBS)
