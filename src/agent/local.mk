noinst_LIBRARIES += libagent.a
libagent_a_SOURCES = \
	src/agent/agent.c src/agent/agent.h src/agent/agent_impl.h \
	src/agent/agent_sandbox.c \
	src/agent/broker.c src/agent/broker.h \
	src/agent/channel.c src/agent/channel.h \
	src/agent/client.c src/agent/client.h \
	src/agent/control.c \
	src/agent/helper.c src/agent/helper.h \
	src/agent/listen.c src/agent/listen.h \
	src/agent/look.c \
	src/agent/microhttpd.c src/agent/microhttpd.h \
	src/agent/pins.c src/agent/pins.h \
	src/agent/policy.c src/agent/policy.h \
	src/agent/records.c \
	src/agent/routes.c \
	src/agent/served.c src/agent/served.h \
	src/agent/server.c src/agent/server.h \
	src/agent/sinks.c src/agent/sinks.h \
	src/agent/status.c \
	src/agent/systemd.c src/agent/systemd.h \
	src/agent/waiters.c src/agent/waiters.h \
	src/agent/worker.c src/agent/worker.h src/agent/worker_impl.h \
	src/agent/worker_jobs.c \
	src/agent/worker_sandbox.c \
	src/agent/workers.c src/agent/workers.h
libagent_a_CPPFLAGS = $(AM_CPPFLAGS) $(MICROHTTPD_CFLAGS)
AGENT_LIBS = libagent.a libcache.a $(FLOW_LIBS)
