/* SPDX-License-Identifier: Apache-2.0 */
/* The digest of a profile: two that differ in anything have not the same. */
#include "conf/profile.h"

#include "profile-option.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct digest {
	char text[PROFILE_DIGEST_LEN + 1];
};

static struct digest digest_of(const struct profile *p)
{
	struct digest d = { "" };

	assert_true(profile_digest(p, d.text));
	assert_int_equal(strlen(d.text), PROFILE_DIGEST_LEN);
	assert_int_equal(strspn(d.text, "0123456789ABCDEF"),
			 PROFILE_DIGEST_LEN);
	return d;
}

static struct profile *named(const char *name)
{
	struct profile *p = profile_new(name);

	assert_non_null(p);
	return p;
}

static bool is_same(const struct profile *a, const struct profile *b)
{
	struct digest x = digest_of(a), y = digest_of(b);

	return strcmp(x.text, y.text) == 0;
}

static void *field_of(struct profile *p, const struct setting *s)
{
	return (char *)p + s->offset;
}

/* Puts something there, past what a person could say. */
static void spoil(struct profile *p, const struct setting *s, int n)
{
	char **text = field_of(p, s);

	switch (s->kind) {
	case SETTING_TEXT:
		free(*text);
		*text = strdup(n ? "b" : "a");
		break;
	case SETTING_LIST: text[n] = strdup("a"); break;
	case SETTING_BOOL: {
		bool *value = field_of(p, s);

		*value = !*value;
		break;
	}
	case SETTING_SECONDS:
	case SETTING_OFFSET:
	case SETTING_BYTES: *(int64_t *)field_of(p, s) += 4242; break;
	}
}

TEST(each_setting_counts)
{
	struct digest seen[2 * PROFILE_SETTINGS_MAX + 1];
	size_t n = 0;

	assert_true(profile_settings_count > 40);
	for (size_t i = 0; i < profile_settings_count; i++) {
		po_auto(profile) *p = named("p");

		if (i == 0)
			seen[n++] = digest_of(p);
		for (int times = 0; times < 2; times++) {
			spoil(p, &profile_settings[i], times);
			/* a flag has but two values */
			if (times && profile_settings[i].kind == SETTING_BOOL)
				break;
			seen[n++] = digest_of(p);
			for (size_t j = 0; j + 1 < n; j++)
				if (strcmp(seen[j].text, seen[n - 1].text) == 0)
					fail_msg("%s changes nothing",
						 profile_settings[i].name);
		}
	}
}

TEST(the_same_is_the_same)
{
	po_auto(profile) *a = named("p"), *b = named("p");
	po_auto(profile) *copy = NULL;

	set_option(a, "scope", "x y");
	set_option(a, "timeout", "7");
	set_option(a, "key", "pkcs11:id=%01");
	/* in whatever order they are set, and from wherever */
	set_option(b, "key", "pkcs11:id=%01");
	set_option(b, "timeout", "7s");
	set_option(b, "scope", "x y");
	assert_true(is_same(a, b));
	copy = profile_copy(a);
	assert_non_null(copy);
	assert_true(is_same(a, copy));
}

TEST(the_name_counts)
{
	po_auto(profile) *a = named("a"), *b = named("b"), *none = named(NULL);

	assert_false(is_same(a, b));
	assert_false(is_same(a, none));
}

TEST(the_order_of_a_list_counts)
{
	po_auto(profile) *a = named("p"), *b = named("p");

	set_option(a, "key", "pkcs11:id=%01");
	set_option(a, "key", "pkcs11:id=%02");
	set_option(b, "key", "pkcs11:id=%02");
	set_option(b, "key", "pkcs11:id=%01");
	assert_false(is_same(a, b));
}

TEST(not_set_is_not_empty)
{
	po_auto(profile) *a = named("p"), *b = named("p");

	a->jku = strdup("");
	assert_false(is_same(a, b));
}

struct list_row {
	const char *name;
	const char *a[4], *b[4];
};

static const struct list_row list_rows[] = {
	{ "boundary: a,b and ab", { "a", "b" }, { "ab" } },
	{ "boundary: ab,c and a,bc", { "ab", "c" }, { "a", "bc" } },
	{ "boundary: a and a,empty", { "a" }, { "a", "" } },
	{ "boundary: none and empty", { NULL }, { "" } },
	{ "boundary: what looks like two", { "a", "b" }, { "a=1:b" } },
	{ "boundary: what separates", { "a", "b" }, { "a=b" } },
	{ "boundary: a line end", { "a\nb" }, { "a", "\nb" } },
};

ROWS(list_rows, boundaries)
{
	po_auto(profile) *a = named("p"), *b = named("p");

	for (size_t i = 0; row->a[i]; i++)
		a->param[i] = strdup(row->a[i]);
	for (size_t i = 0; row->b[i]; i++)
		b->param[i] = strdup(row->b[i]);
	assert_false(is_same(a, b));
}

/* One setting's text must not read like the next setting. */
TEST(a_text_does_not_pass_for_a_setting)
{
	for (size_t i = 0; i + 1 < profile_settings_count; i++) {
		const struct setting *one = &profile_settings[i];
		const struct setting *next = &profile_settings[i + 1];
		po_auto(profile) *a = named("p"), *b = named("p");
		char text[256];

		if (one->kind != SETTING_TEXT || next->kind != SETTING_TEXT)
			continue;
		(void)snprintf(text, sizeof(text), "x\n%s=y", next->name);
		*(char **)field_of(a, one) = strdup(text);
		*(char **)field_of(b, one) = strdup("x");
		(void)snprintf(text, sizeof(text), "y\n%s", next->name);
		*(char **)field_of(b, next) = strdup(text);
		if (is_same(a, b))
			fail_msg("%s passes for %s", one->name, next->name);
	}
}

/* Of one setting: what decides whether two profiles have one key. */
TEST(a_setting_is_the_same_when_all_of_it_is)
{
	po_auto(profile) *a = named("a"), *b = named("b");
	const struct setting *key = profile_setting("key");

	set_option(a, "key", "pkcs11:id=%01");
	set_option(b, "key", "pkcs11:id=%02");
	assert_false(profile_has_same(a, b, key));
	set_option(a, "key", "pkcs11:id=%02");
	assert_false(profile_has_same(a, b, key)); /* one of two */
	set_option(b, "key", "pkcs11:id=%01");
	assert_false(profile_has_same(a, b, key)); /* in another order */
	assert_true(profile_has_same(a, a, key));
	assert_true(profile_has_same(a, b, profile_setting("module")));
}
