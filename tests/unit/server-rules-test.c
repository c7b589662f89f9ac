/* SPDX-License-Identifier: Apache-2.0 */
/* The rules of each kind of authorization server. */
#include "oauth/assertion.h"
#include "oauth/server_rules.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void smart(void **state)
{
	const struct server_rules *r = server_rules_find("smart");

	(void)state;
	assert_non_null(r);
	assert_string_equal(r->name, "smart");
	assert_int_equal(r->audience, AUDIENCE_TOKEN_ENDPOINT);
	assert_string_equal(r->typ, "JWT");
	assert_true(r->send_iat);
	assert_false(r->send_nbf);
	assert_false(r->send_client_id);
	assert_true(r->need_scope);
	assert_int_equal(r->lifetime_s, 240);
}

static void every_name_has_rules(void **state)
{
	size_t n = 0;

	(void)state;
	for (; server_rules_names[n]; n++) {
		const char *name = server_rules_names[n];
		const struct server_rules *r = server_rules_find(name);

		assert_non_null(r);
		assert_string_equal(r->name, name);
		assert_in_range(r->lifetime_s, 1, ASSERTION_LIFETIME_MAX_S);
	}
	assert_true(n > 0);
}

static void unknown_names(void **state)
{
	(void)state;
	assert_null(server_rules_find(""));
	assert_null(server_rules_find("SMART"));
	assert_null(server_rules_find("smart "));
}

int main(void)
{
	static const struct CMUnitTest tests[] = {
		cmocka_unit_test(smart),
		cmocka_unit_test(every_name_has_rules),
		cmocka_unit_test(unknown_names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
