noinst_LIBRARIES += libcache.a
libcache_a_SOURCES = \
	src/cache/cached_token.c src/cache/cached_token.h
