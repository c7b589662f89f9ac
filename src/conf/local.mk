noinst_LIBRARIES += libconf.a
libconf_a_SOURCES = \
	src/conf/agent_settings.c src/conf/agent_settings.h \
	src/conf/config_file.c src/conf/config_file.h \
	src/conf/digest.c \
	src/conf/profile.c src/conf/profile.h \
	src/conf/profile_json.c src/conf/profile_json.h \
	src/conf/sections.c src/conf/sections.h \
	src/conf/settings.c \
	src/conf/sink.c src/conf/sink.h
nodist_libconf_a_SOURCES = src/conf/servers.c
libconf_a_CPPFLAGS = $(AM_CPPFLAGS) $(CONFUSE_CFLAGS)
CONF_LIBS = libconf.a $(BASE_LIBS) $(CONFUSE_LIBS)

# The rules of servers.conf are built in, and installed for people to read.
dist_pkgdata_DATA = src/conf/servers.conf
CLEANFILES += src/conf/servers.c
src/conf/servers.c: src/conf/servers.conf
	$(AM_V_GEN)$(MKDIR_P) src/conf && { \
	  echo '#include "conf/config_file.h"'; \
	  echo 'const char config_servers_text[] ='; \
	  $(AWK) '{ gsub(/\\/, "\\\\"); gsub(/"/, "\\\""); print "\t\"" $$0 "\\n\"" }' \
		$(srcdir)/src/conf/servers.conf; \
	  echo '	;'; } >$@.tmp && mv $@.tmp $@
