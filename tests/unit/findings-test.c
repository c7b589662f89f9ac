/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of findings: order, the status of the first failure, the limit. */
#include "base/findings.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void empty_is_ok(void **state)
{
	po_auto_findings f = { 0 };

	(void)state;
	assert_int_equal(findings_status(&f), PO_OK);
}

static void first_failure_decides(void **state)
{
	po_auto_findings f = { 0 };
	struct po_error err = { 0 };

	(void)state;
	(void)po_fail(&err, PO_E_PIN, 0, "wrong");
	findings_add(&f, FINDING_WARNING, "a", NULL, "%d", 1);
	findings_fail(&f, "b", &err, "look");
	findings_add(&f, FINDING_FAILED, "c", "mend", "broken");
	assert_int_equal(f.count, 3);
	assert_int_equal(findings_status(&f), PO_E_PIN);
	assert_string_equal(f.items[0].text, "1");
	assert_string_equal(f.items[0].remedy, "");
	assert_string_equal(f.items[1].text, "wrong");
	assert_string_equal(f.items[2].remedy, "mend");
	assert_int_equal(f.items[2].status, PO_E_SERVER);
}

static void too_many_is_no_success(void **state)
{
	po_auto_findings f = { 0 };

	(void)state;
	for (int i = 0; i < FINDINGS_MAX; i++)
		findings_add(&f, FINDING_OK, "a", NULL, "%d", i);
	assert_int_equal(findings_status(&f), PO_OK);
	findings_add(&f, FINDING_OK, "a", NULL, "one more");
	assert_int_equal(f.count, FINDINGS_MAX);
	assert_int_equal(findings_status(&f), PO_E_INTERNAL);
}

/* Texts quote servers: what cannot be shown on a line is spelt out. */
static void texts_are_printable(void **state)
{
	po_auto_findings f = { 0 };
	struct po_error err = { 0 };

	(void)state;
	findings_add(&f, FINDING_WARNING, "a", "b\xff", "%s", "a\x1b[2J\n");
	(void)po_fail(&err, PO_E_NETWORK, 0, "no\r\xc3");
	findings_fail(&f, "b", &err, NULL);
	assert_string_equal(f.items[0].text, "a\\x1b[2J\\x0a");
	assert_string_equal(f.items[0].remedy, "b\\xff");
	assert_string_equal(f.items[1].text, "no\\x0d\\xc3");
}

static void long_texts_are_cut(void **state)
{
	static const size_t lengths[] = { FINDING_TEXT_MAX - 4,
					  FINDING_TEXT_MAX - 3,
					  4 * FINDING_TEXT_MAX };
	char text[4 * FINDING_TEXT_MAX + 1];

	(void)state;
	for (size_t i = 0; i < PO_ARRAY_SIZE(lengths); i++) {
		po_auto_findings f = { 0 };

		memset(text, 'x', lengths[i]);
		text[lengths[i]] = '\0';
		findings_add(&f, FINDING_OK, "a", text, "%s", text);
		assert_int_equal(strspn(f.items[0].text, "x"),
				 FINDING_TEXT_MAX - 4);
		assert_string_equal(f.items[0].text + FINDING_TEXT_MAX - 4,
				    i ? "..." : "");
		assert_string_equal(f.items[0].remedy, f.items[0].text);
		assert_false(f.is_full);
	}
}

/* Those that are added while it stands are about this key. */
static void kid_is_kept(void **state)
{
	po_auto_findings f = { 0 };
	po_auto_findings other = { 0 };

	(void)state;
	f.kid = "\xc3\xa4\n";
	findings_add(&f, FINDING_OK, "a", NULL, "x");
	f.kid = NULL;
	findings_add(&f, FINDING_OK, "a", NULL, "x");
	assert_string_equal(f.items[0].kid, "\xc3\xa4\n");
	assert_string_equal(f.items[1].kid, "");
	findings_take(&other, &f.items[0], "b");
	assert_string_equal(other.items[0].kid, "\xc3\xa4\n");
	assert_string_equal(other.items[0].check, "b");
}

static void names(void **state)
{
	(void)state;
	assert_string_equal(severity_name(FINDING_OK), "ok");
	assert_string_equal(severity_name(FINDING_WARNING), "warning");
	assert_string_equal(severity_name(FINDING_FAILED), "failed");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_is_ok),
		cmocka_unit_test(first_failure_decides),
		cmocka_unit_test(too_many_is_no_success),
		cmocka_unit_test(texts_are_printable),
		cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(kid_is_kept),
		cmocka_unit_test(names),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
