/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/broker.h"

#include "agent/waiters.h"
#include "base/clock.h"
#include "base/error_json.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/text.h"
#include "cryptoki/device.h"
#include "flow/get_token.h"
#include "http/http.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Nobody can use one that is over when it arrives, and its expires_in, in whole
 * seconds, would be 0. */
#define LEAST_MS 1250
#define WORKER_MARGIN_MS 15000 /* over what the worker itself allows */

struct entry {
	struct entry *next;
	struct broker *broker;
	char *profile, *scope; /* scope NULL: the profile's own */
	char digest[PROFILE_DIGEST_LEN + 1];
	struct cached_token token;
	struct waiter *waiters; /* owned */
	bool is_minting;
	bool is_kept;   /* for its sinks */
	bool is_doomed; /* goes when the worker has answered */
};

struct broker {
	const struct po_clock *clock;
	struct workers *workers;
	const struct served_list *served;
	struct broker_events events;
	struct entry *entries;
	struct broker_counts counts;
};

struct broker *broker_new(const struct po_clock *clock, struct workers *workers,
			  const struct served_list *served,
			  const struct broker_events *events)
{
	struct broker *b = calloc(1, sizeof(*b));

	if (b) {
		b->clock = clock;
		b->workers = workers;
		b->served = served;
		b->events = *events;
	}
	return b;
}

static uint16_t chance(const struct broker *b)
{
	uint16_t n = 0;

	return rng_bytes(b->clock, &n, sizeof(n), NULL) == PO_OK
		       ? n
		       : UINT16_MAX / 2;
}

/* ---- entries ------------------------------------------------------------ */

static bool is_same(const char *a, const char *b)
{
	return a == b || (a && b && strcmp(a, b) == 0);
}

static struct entry *find(const struct broker *b, const struct served *s,
			  const char *scope)
{
	for (struct entry *e = b->entries; e; e = e->next)
		if (!e->is_doomed && strcmp(e->digest, s->digest) == 0 &&
		    is_same(e->scope, scope))
			return e;
	return NULL;
}

static void entry_free(struct entry *e)
{
	cached_token_clear(&e->token);
	free(e->profile);
	free(e->scope);
	free(e);
}

static struct entry *add(struct broker *b, const struct served *s,
			 const char *scope)
{
	struct entry *e = calloc(1, sizeof(*e));

	if (!e)
		return NULL;
	e->broker = b;
	e->profile = text_dup(s->profile->name);
	e->scope = scope ? text_dup(scope) : NULL;
	memcpy(e->digest, s->digest, sizeof(e->digest));
	if (!e->profile || (scope && !e->scope)) {
		entry_free(e);
		return NULL;
	}
	e->next = b->entries;
	b->entries = e;
	return e;
}

static struct served *served_of(const struct entry *e)
{
	struct served *s = served_find(e->broker->served, e->profile);

	return s && strcmp(s->digest, e->digest) == 0 ? s : NULL;
}

static void unlink_entry(struct broker *b, struct entry *e)
{
	struct entry **at = &b->entries;

	while (*at != e)
		at = &(*at)->next;
	*at = e->next;
	entry_free(e);
}

/* ---- minting ------------------------------------------------------------ */

static int64_t worker_time_ms(const struct profile *p)
{
	int64_t token_s = p->token_timeout_s ? p->token_timeout_s
					     : DEVICE_TIMEOUT_DEFAULT_S;
	int64_t http_ms =
		p->timeout_s ? p->timeout_s * 1000 : HTTP_TIMEOUT_DEFAULT_MS;
	int64_t retry_s = profile_has(p, "retry-time") ? p->retry_time_s
						       : RETRY_TIME_DEFAULT_S;

	/* discovery and the exchange, each with a connection of its own */
	return token_s * 1000 + 2 * http_ms + retry_s * 1000 + WORKER_MARGIN_MS;
}

static bool take(struct entry *e, const json_t *answer)
{
	const char *text = json_text(answer, "access_token");
	int64_t asked_ms =
		json_integer_value(json_object_get(answer, "asked_ms"));
	int64_t life_s = json_integer_value(json_object_get(answer, "life_s"));
	struct secret *value =
		text && *text ? secret_from(text, strlen(text)) : NULL;
	json_t *members = json_deep_copy(json_object_get(answer, "answer"));

	if (!value || !members || life_s <= 0) {
		secret_free(value);
		json_decref(members);
		return false;
	}
	cached_token_take(&e->token, value, members, asked_ms, life_s * 1000,
			  chance(e->broker));
	e->token.sign_seq = (uint64_t)json_integer_value(
		json_object_get(answer, "sign_seq"));
	return true;
}

/* A try came to nothing. */
static void fail(struct entry *e, const struct po_error *why)
{
	struct broker *b = e->broker;
	int64_t now_ms = clock_boottime_ms(b->clock);

	cached_token_fail(&e->token, why, now_ms, chance(b));
	waiters_fail(&e->waiters, &e->token, why, /* is_trying= */ false,
		     now_ms);
}

static void on_minted(struct entry *e, const json_t *answer)
{
	struct broker *b = e->broker;
	int64_t now_ms = clock_boottime_ms(b->clock);
	struct po_error why = { 0 };

	if (!take(e, answer)) {
		b->counts.failed++;
		(void)po_fail(&why, PO_E_SERVER, 0,
			      "the server gave an access token that has ended "
			      "already");
		fail(e, &why);
		return;
	}
	b->counts.minted++;
	waiters_serve(&e->waiters, &e->token, now_ms);
	waiters_fail_demanding(&e->waiters, &e->token, e->profile, now_ms);
	if (!e->scope && served_of(e))
		b->events.changed(b->events.user, served_of(e), &e->token);
}

static void on_answer(void *user, const json_t *answer,
		      const struct po_error *why)
{
	struct entry *e = user;
	struct broker *b = e->broker;

	e->is_minting = false;
	b->events.learned(b->events.user, e->profile, answer, why);
	if (e->is_doomed) {
		unlink_entry(b, e);
		return;
	}
	if (!why) {
		on_minted(e, answer);
		return;
	}
	b->counts.failed++;
	if (!e->waiters)
		log_warn("profile '%s': not renewed: %s", e->profile,
			 why->text);
	fail(e, why);
}

static json_t *job_of(const struct entry *e, const struct served *s)
{
	json_t *peer =
		e->waiters ? requester_json(&e->waiters->peer) : json_null();

	return json_pack("{s:s, s:s, s:s, s:s?, s:o}", "op", "token", "profile",
			 e->profile, "digest", s->digest, "scope", e->scope,
			 "peer", peer);
}

static void mint(struct entry *e)
{
	struct broker *b = e->broker;
	const struct served *s = served_of(e);
	json_auto_t *job = s ? job_of(e, s) : NULL;
	struct worker_task task = { .answer = on_answer, .user = e };
	struct po_error why = { 0 };
	enum po_status st = PO_OK;

	if (e->is_minting || !s)
		return;
	task.timeout_ms = worker_time_ms(s->profile);
	for (struct waiter *w = e->waiters; w; w = w->next)
		w->has_tried = true;
	task.message = job;
	st = job ? workers_submit(b->workers, s->module, &task, &why)
		 : po_no_memory(&why);
	e->is_minting = st == PO_OK;
	if (st != PO_OK)
		fail(e, &why);
}

/* ---- asking ------------------------------------------------------------- */

/* Why there is no use in a try now; false: there is. */
static bool is_hopeless(const struct entry *e, const struct waiter *w,
			int64_t now_ms, struct po_error *err)
{
	const struct cached_token *c = &e->token;

	if (c->life_ms && w->min_ms >= c->life_ms) {
		(void)po_fail(err, PO_E_USAGE, 0,
			      "the access tokens of profile '%s' live %lld s; "
			      "min_valid must be less",
			      e->profile, (long long)c->life_ms / 1000);
		return true;
	}
	if (e->is_minting || c->why.status == PO_OK || now_ms >= c->retry_ms ||
	    w->until_ms > now_ms)
		return false;
	*err = c->why;
	return true;
}

static struct waiter *waiter_of(const struct broker_request *r, int64_t now_ms,
				broker_answer *answer, void *user)
{
	struct waiter *w = calloc(1, sizeof(*w));

	if (!w)
		return NULL;
	*w = (struct waiter){
		.min_ms = r->min_valid_s * 1000 > LEAST_MS
				  ? r->min_valid_s * 1000
				  : LEAST_MS,
		.since_ms = now_ms,
		.until_ms = r->wait_s > 0 ? now_ms + r->wait_s * 1000 : 0,
		.force_new = r->force_new,
		.peer = *r->peer,
		.answer = answer,
		.user = user,
	};
	return w;
}

static struct entry *entry_for(struct broker *b, const struct broker_request *r,
			       struct po_error *err)
{
	struct entry *e = find(b, r->served, r->scope);
	size_t count = 0;

	if (e)
		return e;
	for (e = b->entries; e; e = e->next)
		count += strcmp(e->profile, r->served->profile->name) == 0;
	if (count >= BROKER_SCOPES_MAX) {
		(void)po_fail(err, PO_E_POLICY, 0,
			      "more than %d different scopes of profile '%s' "
			      "are in use",
			      BROKER_SCOPES_MAX, r->served->profile->name);
		return NULL;
	}
	e = add(b, r->served, r->scope);
	if (!e)
		(void)po_no_memory(err);
	return e;
}

static void wait_for_token(struct entry *e, struct waiter *w)
{
	struct waiter **end = &e->waiters;

	/* what is under way serves, unless it began too early */
	w->has_tried = e->is_minting && !w->force_new;
	while (*end)
		end = &(*end)->next;
	*end = w;
	if (clock_boottime_ms(e->broker->clock) >= e->token.retry_ms)
		mint(e);
}

void broker_ask(struct broker *b, const struct broker_request *r,
		broker_answer *answer, void *user)
{
	int64_t now_ms = clock_boottime_ms(b->clock);
	struct po_error why = { 0 };
	struct waiter *w = waiter_of(r, now_ms, answer, user);
	struct entry *e = w ? entry_for(b, r, &why) : NULL;

	if (!w)
		(void)po_no_memory(&why);
	/* even a good one is not for a locked profile that somebody holds */
	if (!e || (r->served->is_held && served_is_locked(r->served, &why))) {
		answer(user, NULL, &why, 0);
		free(w);
		return;
	}
	(void)cached_token_expire(&e->token, now_ms);
	if (waiter_suits(w, &e->token, now_ms)) {
		b->counts.from_cache++;
		e->token.is_wanted = true;
		answer(user, &e->token, NULL, 0);
	} else if (served_is_locked(r->served, &why)) {
		answer(user, NULL, &why, 0);
	} else if (is_hopeless(e, w, now_ms, &why)) {
		answer(user, NULL, &why, e->token.retry_ms);
	} else {
		wait_for_token(e, w);
		return;
	}
	free(w);
}

void broker_keep(struct broker *b, const struct served *s)
{
	struct entry *e = find(b, s, NULL);

	if (!e)
		e = add(b, s, NULL);
	if (!e)
		return;
	e->is_kept = true;
	if (e->token.value)
		b->events.changed(b->events.user, s, &e->token);
}

/* ---- what time brings --------------------------------------------------- */

/* A failure is remembered for a while, or the pauses would not grow. */
static int64_t forget_ms(const struct cached_token *c)
{
	return c->failures ? c->retry_ms + RETRY_LASTING_MAX_MS : 0;
}

static void handle(struct entry *e, int64_t now_ms)
{
	struct broker *b = e->broker;
	struct served *s = served_of(e);
	struct po_error none = { 0 };
	bool has_ended = cached_token_expire(&e->token, now_ms);

	if (has_ended && !e->scope && s)
		b->events.changed(b->events.user, s, NULL);
	if (e->waiters)
		waiters_fail(&e->waiters, &e->token, &e->token.why,
			     e->is_minting, now_ms);
	if (!s || e->is_minting || now_ms < e->token.retry_ms ||
	    served_is_locked(s, &none))
		return;
	e->token.is_wanted = e->token.is_wanted || e->is_kept;
	if (e->waiters || cached_token_is_due(&e->token, now_ms) ||
	    (e->is_kept && !e->token.value))
		mint(e);
}

void broker_handle(struct broker *b)
{
	int64_t now_ms = clock_boottime_ms(b->clock);
	struct entry *next;

	for (struct entry *e = b->entries; e; e = next) {
		next = e->next;
		handle(e, now_ms);
		if (!e->waiters && !e->is_minting && !e->token.value &&
		    !e->is_kept && now_ms >= forget_ms(&e->token))
			unlink_entry(b, e);
	}
}

static int64_t entry_next_ms(const struct entry *e, int64_t now_ms)
{
	const struct cached_token *c = &e->token;
	const struct served *s = served_of(e);
	struct po_error none = { 0 };
	bool may_try = !e->is_minting && s && !served_is_locked(s, &none);
	int64_t ms = INT64_MAX;

	if (!may_try)
		ms = c->value ? c->expires_ms : INT64_MAX;
	else if (c->value)
		ms = cached_token_next_ms(c, now_ms);
	else
		ms = e->is_kept ? c->retry_ms : forget_ms(c);
	for (const struct waiter *w = e->waiters; w; w = w->next) {
		if (may_try && c->retry_ms < ms)
			ms = c->retry_ms;
		if (w->until_ms && w->until_ms < ms)
			ms = w->until_ms;
	}
	return ms;
}

int64_t broker_next_ms(const struct broker *b)
{
	int64_t now_ms = clock_boottime_ms(b->clock);
	int64_t next_ms = INT64_MAX;

	for (const struct entry *e = b->entries; e; e = e->next) {
		int64_t ms = entry_next_ms(e, now_ms);

		if (ms < next_ms)
			next_ms = ms;
	}
	return next_ms;
}

/* ---- what people do ----------------------------------------------------- */

static void doom(struct broker *b, struct entry *e, const struct po_error *why)
{
	struct served *s = served_of(e);

	e->is_doomed = true;
	waiters_fail_all(&e->waiters, why);
	if (!e->scope && s && e->token.value)
		b->events.changed(b->events.user, s, NULL);
	cached_token_clear(&e->token);
	if (!e->is_minting)
		unlink_entry(b, e);
}

void broker_drop(struct broker *b, const char *profile,
		 const struct po_error *why)
{
	struct entry *next;

	for (struct entry *e = b->entries; e; e = next) {
		next = e->next;
		if (!e->is_doomed && strcmp(e->profile, profile) == 0)
			doom(b, e, why);
	}
}

void broker_retry(struct broker *b, const char *profile)
{
	for (struct entry *e = b->entries; e; e = e->next)
		if (strcmp(e->profile, profile) == 0) {
			e->token.failures = 0;
			e->token.retry_ms = 0;
		}
}

void broker_reload(struct broker *b)
{
	struct po_error why = { 0 };
	struct entry *next;

	(void)po_fail(&why, PO_E_CONFIG, 0,
		      "the configuration of the profile has changed");
	for (struct entry *e = b->entries; e; e = next) {
		next = e->next;
		e->is_kept = false;
		e->token.retry_ms = 0;
		if (!e->is_doomed && !served_of(e))
			doom(b, e, &why);
	}
}

void broker_free(struct broker *b)
{
	struct po_error why = { 0 };

	if (!b)
		return;
	(void)po_fail(&why, PO_E_AGENT, 0, "the agent is ending");
	while (b->entries) {
		struct entry *e = b->entries;

		waiters_fail_all(&e->waiters, &why);
		unlink_entry(b, e);
	}
	free(b);
}

/* ---- what can be seen --------------------------------------------------- */

static json_t *entry_status(const struct entry *e, const struct served *s,
			    int64_t now_ms)
{
	const struct cached_token *c = &e->token;
	const char *scope = e->scope ? e->scope : s->profile->scope;
	json_t *error =
		c->why.status != PO_OK ? error_json(&c->why) : json_null();
	json_t *ends = c->value ? json_integer((c->expires_ms - now_ms) / 1000)
				: json_null();
	int64_t renewal_ms = cached_token_next_ms(c, now_ms);
	json_t *renewal = c->value && renewal_ms < c->expires_ms
				  ? json_integer((renewal_ms - now_ms) / 1000)
				  : json_null();

	return json_pack("{s:s?, s:o, s:o, s:b, s:i, s:o}", "scope", scope,
			 "expires_in", ends, "renewal_in", renewal, "renewing",
			 e->is_minting, "failures", (int)c->failures,
			 "last_error", error);
}

json_t *broker_status(const struct broker *b, const char *profile)
{
	int64_t now_ms = clock_boottime_ms(b->clock);
	json_t *list = json_array();

	for (const struct entry *e = b->entries; list && e; e = e->next) {
		const struct served *s = served_of(e);

		if (!s || e->is_doomed || strcmp(e->profile, profile) != 0)
			continue;
		if (json_array_append_new(list, entry_status(e, s, now_ms)) !=
		    0) {
			json_decref(list);
			return NULL;
		}
	}
	return list;
}

const struct cached_token *broker_peek(const struct broker *b,
				       const struct served *served)
{
	const struct entry *e = find(b, served, NULL);

	return e ? &e->token : NULL;
}

struct broker_counts broker_count(const struct broker *b)
{
	struct broker_counts counts = b->counts;

	for (const struct entry *e = b->entries; e; e = e->next) {
		counts.kept += e->token.value != NULL;
		for (const struct waiter *w = e->waiters; w; w = w->next)
			counts.waiting++;
	}
	return counts;
}
