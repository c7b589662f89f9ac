/* SPDX-License-Identifier: Apache-2.0 */
/* Records on their way to the ledger: on whose behalf, and what if not. */
#include "flow/audit.h"

#include "base/log.h"
#include "fake-clock.h"
#include "profile-option.h"
#include "test-data.h"
#include "test-folder.h"
#include "unit.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static struct fake_clock fake;
static struct profile *profile;
static struct po_error why;
static uint64_t seq;
static const struct requester peer = { .uid = 7, .gid = 8, .pid = 9 };

static unsigned int warnings;
void __wrap_log_warn(const char *fmt, ...) PO_PRINTF(1, 2);
void __wrap_log_warn(const char *fmt, ...)
{
	(void)fmt;
	warnings++;
}

BEFORE_EACH
{
	char *here, path[4096];

	folder_enter();
	here = getcwd(NULL, 0);
	assert_non_null(here);
	(void)snprintf(path, sizeof(path), "%s/ledger", here);
	free(here);
	fake_clock_init(&fake, 1800000000);
	profile = profile_new("lab");
	assert_non_null(profile);
	set_option(profile, "audit-file", path);
	why = (struct po_error){ 0 };
	warnings = 0;
}

AFTER_EACH
{
	profile_free(profile);
	folder_leave();
}

static enum po_status write_event(const char *event,
				  const struct requester *who)
{
	return audit_write(&fake.clock, profile,
			   json_pack("{s:s}", "event", event), who, &seq, &why);
}

/* The only record; json_decref() it. */
static json_t *record(void)
{
	json_t *value = json_load_file("ledger", JSON_DISABLE_EOF_CHECK, NULL);

	assert_non_null(value);
	return value;
}

struct event_row {
	const char *name; /* also the event */
	bool has_peer;
};
static const struct event_row event_rows[] = {
	{ "sign", true },    { "issue", true }, { "pin", true },
	{ "refuse", true },  { "lock", true },  { "unlock", true },
	{ "answer", false }, { "torn", false },
};

ROWS(event_rows, on_whose_behalf_is_in_the_record)
{
	json_auto_t *with = NULL, *without = NULL;

	assert_int_equal(write_event(row->name, &peer), PO_OK);
	assert_int_equal(seq, 1);
	with = record();
	assert_int_equal(json_integer_value(json_object_get(
				 json_object_get(with, "peer"), "uid")),
			 row->has_peer ? 7 : 0);
	assert_int_equal(unlink("ledger"), 0);
	assert_int_equal(write_event(row->name, NULL), PO_OK);
	without = record();
	assert_int_equal(json_is_null(json_object_get(without, "peer")),
			 row->has_peer);
	assert_string_equal(json_text(without, "event"), row->name);
}

TEST(off_writes_nothing)
{
	set_option(profile, "audit", "off");
	seq = 4;
	assert_int_equal(write_event("sign", &peer), PO_OK);
	assert_int_equal(seq, 0);
	assert_int_not_equal(access("ledger", F_OK), 0);
}

TEST(a_ledger_that_cannot_be_written_is_an_end_where_it_is_required)
{
	set_option(profile, "audit-file", "/nowhere/at/all/ledger");
	assert_int_equal(write_event("sign", &peer), PO_OK);
	assert_int_equal(seq, 0);
	assert_int_equal(warnings, 1);
	assert_int_equal(write_event("sign", &peer), PO_OK);
	assert_int_equal(warnings, 1); /* said once */
	set_option(profile, "audit", "required");
	assert_int_not_equal(write_event("sign", &peer), PO_OK);
	assert_non_null(strstr(why.text, "audit: "));
}
