# The misbehaving module and clock: plain shared objects, there is no libtool here.
check_DATA += tests/fault/clock-shift.so tests/fault/fault-module.so
EXTRA_DIST += tests/fault/clock-shift.c tests/fault/fault-module.c
CLEANFILES += tests/fault/clock-shift.so tests/fault/fault-module.so
tests/fault/clock-shift.so: tests/fault/clock-shift.c
	@$(MKDIR_P) tests/fault
	$(AM_V_CCLD)$(CC) -std=gnu17 -D_GNU_SOURCE -g -O1 -fPIC -shared -o $@ \
		$(top_srcdir)/tests/fault/clock-shift.c
tests/fault/fault-module.so: tests/fault/fault-module.c
	@$(MKDIR_P) tests/fault
	$(AM_V_CCLD)$(CC) -std=gnu17 -D_GNU_SOURCE $(P11KIT_CFLAGS) $(CRYPTO_CFLAGS) -g -O1 \
		-fPIC -shared -o $@ $(top_srcdir)/tests/fault/fault-module.c $(CRYPTO_LIBS)
