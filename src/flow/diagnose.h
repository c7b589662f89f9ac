/* SPDX-License-Identifier: Apache-2.0 */
/*
 * diagnose.h - why a server may have refused, likeliest cause first.
 *
 * Most servers answer every fault of a client with a bare invalid_client, so
 * the cause is sought in what we know ourselves: clocks, names, certificate,
 * algorithm, audience, our published JWK Set. What is not known makes no cause.
 */
#ifndef PO_FLOW_DIAGNOSE_H
#define PO_FLOW_DIAGNOSE_H

#include "conf/profile.h"
#include "flow/open_key.h"
#include "http/http.h"
#include "oauth/discovery.h"

#define DIAGNOSE_CAUSES_MAX 16
#define DIAGNOSE_TEXT_MAX 512

/* What is known of our published JWK Set. */
enum set_state {
	SET_NOT_LOOKED_AT,
	SET_GOOD, /* our kid is there, with our key */
	SET_CHAIN_INCOMPLETE,
	SET_UNREACHABLE,
	SET_WITHOUT_OUR_KID,
	SET_WITH_ANOTHER_KEY, /* our kid names another key */
	SET_BROKEN,
};

struct evidence { /* all borrowed; NULL or false: not known */
	const struct profile *profile;
	const struct http_response *response; /* the refusal */
	const struct open_key *key;
	const struct identity *id;
	const struct server_metadata *metadata;
	int64_t now_s; /* our clock when the refusal came, as sent: with the
			* profile's offset */
	enum set_state set;
	int64_t set_changed_s; /* when it was published last; 0: not known */
	int64_t set_kept_s;    /* how long others may keep an old copy */
};

struct cause {
	/* 100: it explains the refusal alone; 10: nothing against it */
	int weight;
	const char *name; /* "clock-fast"; static */
	char text[DIAGNOSE_TEXT_MAX];
	char remedy[DIAGNOSE_TEXT_MAX];
};

struct causes {
	struct cause items[DIAGNOSE_CAUSES_MAX]; /* likeliest first */
	size_t count;
};

void diagnose(const struct evidence *evidence, struct causes *ret_causes);

/*
 * Our clock minus the server's, seconds; false: the answer has no Date. The
 * answer may have been a second on its way.
 */
bool diagnose_clock(const struct http_response *response, int64_t now_s,
		    int64_t *ret_ahead_s);

#endif
