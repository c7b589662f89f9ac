noinst_LIBRARIES += libagent.a
libagent_a_SOURCES = \
	src/agent/client.c src/agent/client.h
AGENT_LIBS = libagent.a $(FLOW_LIBS)
