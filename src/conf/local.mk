noinst_LIBRARIES += libconf.a
libconf_a_SOURCES = \
	src/conf/config_file.c src/conf/config_file.h \
	src/conf/profile.c src/conf/profile.h \
	src/conf/settings.c
libconf_a_CPPFLAGS = $(AM_CPPFLAGS) $(CONFUSE_CFLAGS)
CONF_LIBS = libconf.a $(BASE_LIBS) $(CONFUSE_LIBS)
