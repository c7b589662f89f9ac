/* SPDX-License-Identifier: Apache-2.0 */
/* What the agent knows of tokens and certificates, and when it warns. */
#include "agent/served.h"

#include "base/log.h"
#include "test-folder.h"
#include "unit.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S INT64_C(86400)
#define NOW_S INT64_C(1800000000)

static unsigned int warnings;
static char last_warning[512];

void __wrap_log_warn(const char *fmt, ...) PO_PRINTF(1, 2);
void __wrap_log_warn(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(last_warning, sizeof(last_warning), fmt, ap);
	va_end(ap);
	warnings++;
}

static struct served served;

BEFORE_EACH
{
	served = (struct served){ .profile = profile_new("lab") };
	assert_non_null(served.profile);
	warnings = 0;
	last_warning[0] = '\0';
}

AFTER_EACH
{
	profile_free(served.profile);
}

/* A worker's word of a certificate that ends at not_after_s. */
static void learn_certificate(int64_t not_after_s)
{
	json_auto_t *answer =
		json_pack("{s:{s:s, s:I}}", "certificate", "subject", "CN=lab",
			  "not_after", (json_int_t)not_after_s);

	assert_non_null(answer);
	served_learn(&served, answer, NULL);
}

/* ---- days --------------------------------------------------------------- */

struct days_row {
	const char *name;
	int64_t left_s;
	int want;
};

static const struct days_row days_rows[] = {
	{ "days: a year", 365 * DAY_S, -1 },
	{ "days: 30 and a second", 30 * DAY_S + 1, -1 },
	{ "days: 30", 30 * DAY_S, 30 },
	{ "days: 14 and a second", 14 * DAY_S + 1, 30 },
	{ "days: 14", 14 * DAY_S, 14 },
	{ "days: 7 and a second", 7 * DAY_S + 1, 14 },
	{ "days: 7", 7 * DAY_S, 7 },
	{ "days: 1 and a second", DAY_S + 1, 7 },
	{ "days: 1", DAY_S, 1 },
	{ "days: a second", 1, 1 },
	{ "days: this very second", 0, 0 },
	{ "days: a second ago", -1, 0 },
	{ "days: a year ago", -365 * DAY_S, 0 },
};

ROWS(days_rows, days)
{
	assert_int_equal(served_days_warning(&served, NOW_S),
			 -1); /* none known */
	learn_certificate(NOW_S + row->left_s);
	assert_int_equal(served_days_warning(&served, NOW_S), row->want);
	served_watch(&served, NOW_S);
	assert_int_equal(warnings, row->want >= 0);
}

TEST(each_is_given_once)
{
	static const int64_t left_days[] = { 40, 30, 14, 7, 1, 0 };
	int64_t end_s = NOW_S + 40 * DAY_S;

	served_watch(&served, NOW_S);
	assert_int_equal(warnings, 0); /* no certificate, no warning */
	learn_certificate(end_s);
	for (unsigned int i = 0; i < 6; i++) {
		for (int times = 0; times < 3; times++) {
			served_watch(&served, end_s - left_days[i] * DAY_S);
			learn_certificate(end_s);
		}
		assert_int_equal(warnings, i);
	}
	assert_non_null(strstr(last_warning, "lab"));
	assert_non_null(strstr(last_warning, "ended"));
	/* a clock that is set back does not start anew */
	served_watch(&served, end_s - 14 * DAY_S);
	assert_int_equal(warnings, 5);
}

TEST(a_step_that_was_slept_through)
{
	learn_certificate(NOW_S);
	served_watch(&served, NOW_S - 30 * DAY_S);
	served_watch(&served, NOW_S - DAY_S);
	assert_int_equal(warnings, 2);
	assert_non_null(strstr(last_warning, "1 day;"));
}

TEST(a_new_certificate_is_warned_of_anew)
{
	learn_certificate(NOW_S + DAY_S);
	served_watch(&served, NOW_S);
	assert_int_equal(warnings, 1);
	learn_certificate(NOW_S + 400 * DAY_S);
	served_watch(&served, NOW_S);
	assert_int_equal(warnings, 1);
	served_watch(&served, NOW_S + 399 * DAY_S);
	assert_int_equal(warnings, 2);
}

/* ---- token -------------------------------------------------------------- */

struct token_row {
	const char *name;
	bool has_token;
	enum po_status why;
	enum token_state want;
};

static const struct token_row token_rows[] = {
	{ "token: nothing is said", false, PO_OK, TOKEN_UNKNOWN },
	{ "token: named", true, PO_OK, TOKEN_PRESENT },
	{ "token: named, the server fails", true, PO_E_SERVER, TOKEN_PRESENT },
	{ "token: named, a wrong PIN", true, PO_E_PIN, TOKEN_PRESENT },
	{ "token: named, then pulled", true, PO_E_TOKEN, TOKEN_ABSENT },
	{ "token: absent", false, PO_E_TOKEN, TOKEN_ABSENT },
	{ "token: device failed", false, PO_E_DEVICE, TOKEN_FAILED },
	{ "token: named, device failed", true, PO_E_DEVICE, TOKEN_FAILED },
	{ "token: the network says nothing of it", false, PO_E_NETWORK,
	  TOKEN_UNKNOWN },
};

ROWS(token_rows, token_states)
{
	const struct po_error why = { .status = row->why };
	json_auto_t *answer = row->has_token
				      ? json_pack("{s:{s:s, s:s}}", "token",
						  "label", "L", "serial", "S")
				      : json_object();

	served_learn(&served, answer, row->why == PO_OK ? NULL : &why);
	assert_int_equal(served.token_state, row->want);
	assert_string_equal(served.token_label, row->has_token ? "L" : "");
	assert_string_equal(served.token_serial, row->has_token ? "S" : "");
}

TEST(what_is_not_said_stays)
{
	json_auto_t *locked = json_pack("{s:b}", "locked", 1);
	json_auto_t *open = json_pack("{s:b}", "locked", 0);
	json_auto_t *nothing = json_object();

	learn_certificate(NOW_S);
	served_learn(&served, locked, NULL);
	assert_true(served.is_locked);
	served_learn(&served, nothing, NULL);
	served_learn(&served, NULL,
		     &(struct po_error){ .status = PO_E_NETWORK });
	assert_true(served.is_locked);
	assert_string_equal(served.subject, "CN=lab");
	served_learn(&served, open, NULL);
	assert_false(served.is_locked);
}

TEST(too_long_a_name_is_cut)
{
	char name[1000];
	json_auto_t *answer = NULL;

	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	answer = json_pack("{s:{s:s, s:s}, s:{s:s, s:i}}", "token", "label",
			   name, "serial", name, "certificate", "subject", name,
			   "not_after", 1);
	served_learn(&served, answer, NULL);
	assert_int_equal(strlen(served.token_label),
			 sizeof(served.token_label) - 1);
	assert_int_equal(strlen(served.token_serial),
			 sizeof(served.token_serial) - 1);
	assert_int_equal(strlen(served.subject), sizeof(served.subject) - 1);
}

/* ---- a reload ----------------------------------------------------------- */

static void load(const char *client_id, const struct served_list *old,
		 struct served_list *ret_list)
{
	FILE *file = fopen("conf", "we");
	struct po_error err = { 0 };

	assert_non_null(file);
	assert_true(fprintf(file,
			    "profile lab {\n\tclient-id = \"%s\"\n"
			    "\ttoken-endpoint = \"https://as.example/token\"\n"
			    "\tscope = \"system/*.read\"\n"
			    "\tmodule = \"/paper/module.so\"\n"
			    "\tkey = \"pkcs11:token=lab;object=one\"\n"
			    "\tpin-from = \"file:/run/pin\"\n}\n",
			    client_id) > 0);
	assert_int_equal(fclose(file), 0);
	if (served_load("conf", old, ret_list, &err) != PO_OK)
		fail_msg("%s", err.text);
	if (ret_list->count != 1)
		fail_msg("%s", last_warning);
}

struct reload_row {
	const char *name, *client_id;
	bool is_known; /* what was, still is */
};
static const struct reload_row reload_rows[] = {
	{ "reload: nothing changed", "job", true },
	{ "reload: another profile of that name", "another", false },
};

ROWS(reload_rows, what_is_known_is_taken_over_from_the_same_profile)
{
	struct served_list before = { 0 }, after = { 0 };
	json_auto_t *answer = NULL;
	struct served *s;

	folder_enter();
	load("job", NULL, &before);
	s = before.items[0];
	s->is_held = true;
	answer = json_pack("{s:{s:s, s:s}, s:{s:s, s:I}}", "token", "label",
			   "lab", "serial", "7", "certificate", "subject",
			   "CN=lab", "not_after", (json_int_t)(NOW_S + DAY_S));
	served_learn(s, answer, NULL);
	served_watch(s, NOW_S);
	assert_int_equal(warnings, 1);
	load(row->client_id, &before, &after);
	served_clear(&before);
	s = after.items[0];
	assert_int_equal(s->is_held, row->is_known);
	assert_int_equal(s->token_state,
			 row->is_known ? TOKEN_PRESENT : TOKEN_UNKNOWN);
	assert_string_equal(s->token_label, row->is_known ? "lab" : "");
	assert_string_equal(s->token_serial, row->is_known ? "7" : "");
	assert_string_equal(s->subject, row->is_known ? "CN=lab" : "");
	assert_int_equal(s->not_after_s, row->is_known ? NOW_S + DAY_S : 0);
	served_watch(s, NOW_S); /* it was said */
	assert_int_equal(warnings, 1);
	served_learn(s, answer, NULL);
	served_watch(s, NOW_S);
	assert_int_equal(warnings, row->is_known ? 1 : 2);
	served_clear(&after);
	folder_leave();
}

/* ---- PIN sources -------------------------------------------------------- */

TEST(who_wants_a_person)
{
	static const struct {
		const char *from;
		bool wants;
	} sources[] = {
		{ "prompt", true }, { "pinpad", true },  { "file:/x", false },
		{ "env:X", false }, { "cred:x", false }, { "fd:3", false },
		{ "cmd:x", false },
	};

	assert_true(served_wants_person(&served)); /* not set: prompt */
	for (size_t i = 0; i < sizeof(sources) / sizeof(sources[0]); i++) {
		free(served.profile->pin_from[0]);
		served.profile->pin_from[0] = strdup(sources[i].from);
		assert_int_equal(served_wants_person(&served),
				 sources[i].wants);
	}
}
