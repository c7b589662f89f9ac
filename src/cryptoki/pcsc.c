/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/pcsc.h"

#include "base/environment.h"

#include <dlfcn.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* As in <winscard.h> of pcsc-lite, whose LONG and DWORD are longs on Linux. */
#define SCARD_SCOPE_SYSTEM 2UL
#define SCARD_W_SECURITY_VIOLATION 0x8010006AL

#define SOCKET_DEFAULT "/run/pcscd/pcscd.comm"
#define HANG_UP_MS 1000 /* pcscd asks polkit meanwhile */

/* False: libpcsclite is not loaded. */
static bool establish_context(long *ret_rv)
{
	long (*establish)(unsigned long, const void *, const void *, long *);
	long (*release)(long);
	void *lib = dlopen("libpcsclite.so.1", RTLD_NOW | RTLD_NOLOAD);
	void *symbols[2];
	long context = 0;

	if (!lib)
		return false;
	symbols[0] = dlsym(lib, "SCardEstablishContext");
	symbols[1] = dlsym(lib, "SCardReleaseContext");
	if (symbols[0] && symbols[1]) {
		memcpy(&establish, &symbols[0], sizeof(establish));
		memcpy(&release, &symbols[1], sizeof(release));
		*ret_rv = establish(SCARD_SCOPE_SYSTEM, NULL, NULL, &context);
		if (*ret_rv == 0)
			(void)release(context);
	}
	(void)dlclose(lib);
	return symbols[0] && symbols[1];
}

/*
 * pcscd hangs up on whom it refuses, before a word is said; libpcsclite may be
 * quicker, and then takes it for a pcscd that is not there.
 */
static bool is_hung_up(void)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	struct pollfd ready = { .events = POLLIN };
	const char *path = environment_get("PCSCLITE_CSOCK_NAME");
	char byte;
	bool yes;

	if (!path)
		path = SOCKET_DEFAULT;
	if (strlen(path) >= sizeof(address.sun_path))
		return false;
	memcpy(address.sun_path, path, strlen(path));
	ready.fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (ready.fd < 0)
		return false;
	yes = connect(ready.fd, (const struct sockaddr *)&address,
		      sizeof(address)) == 0 &&
	      poll(&ready, 1, HANG_UP_MS) == 1 && read(ready.fd, &byte, 1) <= 0;
	(void)close(ready.fd);
	return yes;
}

bool pcsc_refuses(void)
{
	long rv = 0;

	if (!establish_context(&rv) || rv == 0)
		return false;
	return rv == SCARD_W_SECURITY_VIOLATION || is_hung_up();
}
