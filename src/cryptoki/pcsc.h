/* SPDX-License-Identifier: Apache-2.0 */
/*
 * pcsc.h - whether a module sees no card because pcscd lets nobody in.
 *
 * Modules for smart cards hide it: OpenSC's shows no slot, Yubico's fails with
 * CKR_DEVICE_ERROR.
 *
 * Source: PC/SC part 5, SCardEstablishContext; pcscd(8) and its polkit action
 * org.debian.pcsc-lite.access_pcsc.
 */
#ifndef PO_CRYPTOKI_PCSC_H
#define PO_CRYPTOKI_PCSC_H

#include <stdbool.h>

/* What to say of it: cause and remedy. */
#define PCSC_REFUSES                                             \
	"pcscd refuses this user; polkit must allow the action " \
	"org.debian.pcsc-lite.access_pcsc"

/*
 * Asks pcscd itself; false where the loaded modules do not use it. For
 * after a failure: it takes connections of its own, and a second at most.
 */
bool pcsc_refuses(void);

#endif
