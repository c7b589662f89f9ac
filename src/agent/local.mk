noinst_LIBRARIES += libagent.a
libagent_a_SOURCES = \
	src/agent/systemd.c src/agent/systemd.h
AGENT_LIBS = libagent.a $(FLOW_LIBS)
