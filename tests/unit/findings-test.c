/* SPDX-License-Identifier: Apache-2.0 */
/* Lists of findings: order, the status of the first failure, the limit. */
#include "base/findings.h"

#include "unit.h"

#include <string.h>

TEST(empty_is_ok)
{
	po_auto_findings f = { 0 };

	assert_int_equal(findings_status(&f), PO_OK);
}

TEST(first_failure_decides)
{
	po_auto_findings f = { 0 };
	struct po_error err = { 0 };

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

TEST(too_many_is_no_success)
{
	po_auto_findings f = { 0 };

	for (int i = 0; i < FINDINGS_MAX; i++)
		findings_add(&f, FINDING_OK, "a", NULL, "%d", i);
	assert_int_equal(findings_status(&f), PO_OK);
	findings_add(&f, FINDING_OK, "a", NULL, "one more");
	assert_int_equal(f.count, FINDINGS_MAX);
	assert_int_equal(findings_status(&f), PO_E_INTERNAL);
}

/* Texts quote servers: what cannot be shown on a line is spelt out. */
TEST(texts_are_printable)
{
	po_auto_findings f = { 0 };
	struct po_error err = { 0 };

	findings_add(&f, FINDING_WARNING, "a", "b\xff", "%s", "a\x1b[2J\n");
	(void)po_fail(&err, PO_E_NETWORK, 0, "no\r\xc3");
	findings_fail(&f, "b", &err, NULL);
	assert_string_equal(f.items[0].text, "a\\x1b[2J\\x0a");
	assert_string_equal(f.items[0].remedy, "b\\xff");
	assert_string_equal(f.items[1].text, "no\\x0d\\xc3");
}

TEST(long_texts_are_cut)
{
	static const size_t lengths[] = { FINDING_TEXT_MAX - 4,
					  FINDING_TEXT_MAX - 3,
					  4 * FINDING_TEXT_MAX };
	char text[4 * FINDING_TEXT_MAX + 1];

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
TEST(kid_is_kept)
{
	po_auto_findings f = { 0 };
	po_auto_findings other = { 0 };

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

TEST(names)
{
	assert_string_equal(severity_name(FINDING_OK), "ok");
	assert_string_equal(severity_name(FINDING_WARNING), "warning");
	assert_string_equal(severity_name(FINDING_FAILED), "failed");
}
