/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/module.h"

#include "base/log.h"
#include "base/text.h"
#include "config.h"
#include "cryptoki/ckr.h"
#include "cryptoki/device.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* A name such as "opensc-pkcs11" or "libsofthsm2.so", without a slash. */
static char *resolve_name(const char *name)
{
	static const char *const suffixes[] = { "", ".so" };
	char *path = NULL;

	for (size_t i = 0; i < PO_ARRAY_SIZE(suffixes); i++) {
		if (asprintf(&path, "%s/%s%s", PO_P11_MODULE_PATH, name,
			     suffixes[i]) < 0)
			return NULL;
		if (access(path, R_OK) == 0)
			return path;
		free(path);
	}
	return text_dup(name); /* the dynamic linker may know it */
}

enum po_status module_choose(const char *path, const P11KitUri *uri,
			     char **ret_path, struct po_error *err)
{
	if (!path)
		path = p11_kit_uri_get_module_path(uri);
	if (!path)
		path = p11_kit_uri_get_module_name(uri);
#ifdef PO_DEFAULT_MODULE
	if (!path)
		path = PO_DEFAULT_MODULE;
#endif
	if (!path)
		return po_fail(err, PO_E_USAGE, 0,
			       "no PKCS #11 module is named; set 'module', for "
			       "example /usr/lib/softhsm/libsofthsm2.so");
	if (!strchr(path, '/'))
		*ret_path = resolve_name(path);
	else if (path[0] == '/')
		*ret_path = text_dup(path);
	else
		return po_fail(err, PO_E_USAGE, 0,
			       "module '%s' is a relative path; only absolute "
			       "ones are loaded",
			       path);
	return *ret_path ? PO_OK : po_no_memory(err);
}

static enum po_status get_functions(struct module *m, struct po_error *err)
{
	CK_C_GetFunctionList get = NULL;
	/* never closed: vendors' libraries do not survive being unloaded */
	void *library;
	void *symbol;
	CK_RV rv;

	device_enter("dlopen"); /* runs the module's constructors */
	library = dlopen(m->path, RTLD_NOW | RTLD_LOCAL);
	(void)device_leave(CKR_OK);
	if (!library)
		return po_fail(err, PO_E_TOKEN, 0, "cannot load the module: %s",
			       dlerror());
	symbol = dlsym(library, "C_GetFunctionList");
	if (!symbol)
		return po_fail(err, PO_E_TOKEN, 0,
			       "'%s' is no PKCS #11 module: it has no "
			       "C_GetFunctionList",
			       m->path);
	memcpy(&get, &symbol, sizeof(get)); /* ISO C has no such cast */
	device_enter("C_GetFunctionList");
	rv = device_leave(get(&m->fn));
	if (rv == CKR_OK && m->fn)
		return PO_OK;
	return po_fail(err, PO_E_TOKEN, (long)rv,
		       "module '%s' gives no functions (C_GetFunctionList: %s)",
		       m->path, ckr_name(rv));
}

enum po_status module_load(const char *path, const char *init_args,
			   struct module **ret_module, struct po_error *err)
{
	po_auto(module) *m = calloc(1, sizeof(*m));
	CK_C_INITIALIZE_ARGS args = { .flags = CKF_OS_LOCKING_OK };
	enum po_status st;
	CK_RV rv;

	if (!m || !(m->path = text_dup(path)))
		return po_no_memory(err);
	if (init_args && !(args.pReserved = text_dup(init_args)))
		return po_no_memory(err);
	m->init_args = args.pReserved;
	st = get_functions(m, err);
	if (st != PO_OK || !m->fn)
		return st;

	rv = MODULE_CALL(m, C_Initialize, &args);
	if (rv == CKR_OK)
		m->ours = true;
	else if (rv != CKR_CRYPTOKI_ALREADY_INITIALIZED)
		return po_context(err, ckr_fail(err, rv, "C_Initialize"),
				  "module '%s'", path);
	log_debug(LOG_CRYPTOKI, "module '%s' loaded, Cryptoki %u.%u", path,
		  m->fn->version.major, m->fn->version.minor);
	*ret_module = po_steal(m);
	return PO_OK;
}

void module_free(struct module *module)
{
	if (!module)
		return;
	if (module->ours)
		(void)MODULE_CALL(module, C_Finalize, NULL);
	free(module->init_args);
	free(module->path);
	free(module);
}
