/* SPDX-License-Identifier: Apache-2.0 */
/* Whether pcscd refuses: asked of a libpcsclite and a pcscd of the test's. */
#include "cryptoki/pcsc.h"

#include "test-folder.h"
#include "unit.h"

#include <dlfcn.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* From <winscard.h> of pcsc-lite. */
#define NO_SERVICE 0x8010001DL
#define SECURITY_VIOLATION 0x8010006AL
#define SCOPE_SYSTEM 2UL
#define CONTEXT 77L

static int library; /* its address is a handle */
static bool is_loaded, lacks_release;
static long answer;
static unsigned int establishes, releases, closes;

static long establish(unsigned long scope, const void *one, const void *two,
		      long *ret_context)
{
	assert_int_equal(scope, SCOPE_SYSTEM);
	assert_true(!one && !two);
	establishes++;
	*ret_context = CONTEXT;
	return answer;
}

static long release(long context)
{
	assert_int_equal(context, CONTEXT);
	releases++;
	return 0;
}

/* A sanitizer's runtime, which may be part of this program, calls them too. */
/* NOLINTBEGIN */
void *__real_dlopen(const char *path, int flags);
void *__real_dlsym(void *handle, const char *name);
int __real_dlclose(void *handle);
void *__wrap_dlopen(const char *path, int flags);
void *__wrap_dlsym(void *handle, const char *name);
int __wrap_dlclose(void *handle);
/* NOLINTEND */

void *__wrap_dlopen(const char *path, int flags)
{
	if (!path || strcmp(path, "libpcsclite.so.1") != 0)
		return __real_dlopen(path, flags);
	assert_true(flags & RTLD_NOLOAD); /* it is not loaded for this */
	return is_loaded ? &library : NULL;
}

void *__wrap_dlsym(void *handle, const char *name)
{
	long (*e)(unsigned long, const void *, const void *, long *) =
		establish;
	long (*r)(long) = release;
	void *symbol = NULL;

	if (handle != &library)
		return __real_dlsym(handle, name);
	if (strcmp(name, "SCardEstablishContext") == 0)
		memcpy(&symbol, &e, sizeof(symbol));
	else if (strcmp(name, "SCardReleaseContext") == 0 && !lacks_release)
		memcpy(&symbol, &r, sizeof(symbol));
	return symbol;
}

int __wrap_dlclose(void *handle)
{
	if (handle != &library)
		return __real_dlclose(handle);
	closes++;
	return 0;
}

/* ---- a pcscd ------------------------------------------------------------ */

enum pcscd { PCSCD_ABSENT, PCSCD_HANGS_UP, PCSCD_TALKS, PCSCD_WAITS };

static int listening, accepted = -1;
static pthread_t thread;
static enum pcscd mood;

/* NOLINTBEGIN */
int __real_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms);
/* NOLINTEND */

/* The program's second is over at once, or as long as a busy machine needs. */
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout_ms)
{
	assert_int_equal(timeout_ms, 1000);
	return __real_poll(fds, count, mood == PCSCD_WAITS ? 0 : 60000);
}

static void *serve(void *nothing)
{
	accepted = accept4(listening, NULL, NULL, SOCK_CLOEXEC);
	if (accepted >= 0 && mood == PCSCD_TALKS)
		(void)!write(accepted, "x", 1);
	if (accepted >= 0 && mood == PCSCD_HANGS_UP) {
		(void)close(accepted);
		accepted = -1;
	}
	return nothing;
}

static void pcscd_up(enum pcscd as)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX,
				       .sun_path = "pcscd.comm" };

	mood = as;
	assert_int_equal(setenv("PCSCLITE_CSOCK_NAME", "pcscd.comm", 1), 0);
	if (as == PCSCD_ABSENT)
		return;
	listening = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_true(listening >= 0);
	assert_int_equal(
		bind(listening, (struct sockaddr *)&address, sizeof(address)),
		0);
	assert_int_equal(listen(listening, 1), 0);
	assert_int_equal(pthread_create(&thread, NULL, serve, NULL), 0);
}

/* Whoever was not asked stops waiting. */
static void pcscd_down(void)
{
	if (mood == PCSCD_ABSENT)
		return;
	(void)shutdown(listening, SHUT_RDWR);
	assert_int_equal(pthread_join(thread, NULL), 0);
	(void)close(listening);
	if (accepted >= 0)
		(void)close(accepted);
	accepted = -1;
}

struct row {
	const char *name;
	bool is_loaded;
	long answer;
	enum pcscd pcscd;
	bool is_refused;
};
static const struct row rows[] = {
	{ "no module uses it", false, SECURITY_VIOLATION, PCSCD_ABSENT, false },
	{ "it lets us in", true, 0, PCSCD_ABSENT, false },
	{ "it says that it does not", true, SECURITY_VIOLATION, PCSCD_ABSENT,
	  true },
	{ "it is not there", true, NO_SERVICE, PCSCD_ABSENT, false },
	{ "it hangs up", true, NO_SERVICE, PCSCD_HANGS_UP, true },
	{ "it answers something else", true, NO_SERVICE, PCSCD_TALKS, false },
	{ "it waits for us to speak", true, NO_SERVICE, PCSCD_WAITS, false },
	{ "it lets us in, and hangs up", true, 0, PCSCD_HANGS_UP, false },
};

ROWS(rows, a_refusal_is_told_from_an_absence)
{
	folder_enter();
	is_loaded = row->is_loaded;
	answer = row->answer;
	lacks_release = false;
	establishes = releases = closes = 0;
	pcscd_up(row->pcscd);
	assert_int_equal(pcsc_refuses(), row->is_refused);
	pcscd_down();
	assert_int_equal(establishes, row->is_loaded);
	assert_int_equal(closes, row->is_loaded);
	assert_int_equal(releases, row->is_loaded && row->answer == 0);
	folder_leave();
}

TEST(a_library_that_lacks_something_is_not_asked)
{
	folder_enter();
	is_loaded = lacks_release = true;
	answer = SECURITY_VIOLATION;
	establishes = closes = 0;
	assert_false(pcsc_refuses());
	assert_int_equal(establishes, 0);
	assert_int_equal(closes, 1);
	folder_leave();
}

TEST(a_place_that_is_too_long_for_a_socket_is_none)
{
	char place[200];

	memset(place, 'a', sizeof(place) - 1);
	place[sizeof(place) - 1] = '\0';
	assert_int_equal(setenv("PCSCLITE_CSOCK_NAME", place, 1), 0);
	is_loaded = true;
	lacks_release = false;
	answer = NO_SERVICE;
	assert_false(pcsc_refuses());
}
