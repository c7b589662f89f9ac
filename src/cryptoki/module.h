/* SPDX-License-Identifier: Apache-2.0 */
/*
 * module.h - one loaded PKCS #11 module.
 *
 * Source: PKCS #11 v3.0 section 5.4, "General-purpose functions".
 */
#ifndef PO_CRYPTOKI_MODULE_H
#define PO_CRYPTOKI_MODULE_H

#include "base/error.h"

#include <p11-kit/pkcs11.h>
#include <p11-kit/uri.h>
#include <stdbool.h>

struct module {
	CK_FUNCTION_LIST *fn; /* the module's own */
	bool ours;            /* we initialised it, so we finalise it */
	char *path;
	char *init_args; /* owned; NULL: none */
};

/*
 * The library to load: path when given, else the URI's module-path or
 * module-name, else the built-in default. A path is absolute, a name without
 * a slash is looked for where p11-kit keeps modules and then by the dynamic
 * linker. Returns a string to free(). PO_E_USAGE: nothing names a module, or a
 * relative path does.
 */
enum po_status module_choose(const char *path, const P11KitUri *uri,
			     char **ret_path,
			     struct po_error *err) PO_MUST_CHECK;

/*
 * dlopen(), C_GetFunctionList, C_Initialize with init_args (which NSS wants;
 * NULL: none) as pReserved. Move the real stdout away first: vendors print.
 * PO_E_TOKEN: not loadable or no PKCS #11 module; the text has the linker's
 * reason.
 */
enum po_status module_load(const char *path, const char *init_args,
			   struct module **ret_module,
			   struct po_error *err) PO_MUST_CHECK;

/* C_Finalize when the module is ours. NULL is a no-op. */
void module_free(struct module *module);
PO_DEFINE_AUTO(module, module_free);

#endif
