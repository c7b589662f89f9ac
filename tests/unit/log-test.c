/* SPDX-License-Identifier: Apache-2.0 */
/* Which areas of debugging a list of names switches on. */
#include "base/log.h"

#include "in-child.h"

struct area_row {
	const char *name, *names;
	bool is_known;
	unsigned int on;
};
static const struct area_row area_rows[] = {
	{ "areas: one", "http", true, LOG_HTTP },
	{ "areas: two", "http,oauth", true, LOG_HTTP | LOG_OAUTH },
	{ "areas: three", "conf,cryptoki,http", true,
	  LOG_CONF | LOG_CRYPTOKI | LOG_HTTP },
	{ "areas: all", "all", true, LOG_ALL },
	{ "areas: one twice", "conf,conf", true, LOG_CONF },
	{ "areas: the beginning of one", "htt", false, 0 },
	{ "areas: one and an unknown one", "http,smtp", false, 0 },
};

/* What is on stays on: each in a child. */
ROWS_IN_CHILD(area_rows, a_list_switches_on_what_it_names_and_nothing_else)
{
	static const enum log_area areas[] = { LOG_CRYPTOKI, LOG_HTTP,
					       LOG_OAUTH, LOG_CONF };

	CHECK(log_enable(row->names) == row->is_known);
	for (size_t i = 0; i < PO_ARRAY_SIZE(areas); i++)
		CHECK(log_area_is_on(areas[i]) == ((row->on & areas[i]) != 0));
}
