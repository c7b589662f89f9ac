/* SPDX-License-Identifier: Apache-2.0 */
/* What agent and workers say to each other, cut up and spoilt in all ways. */
#include "agent/channel.h"

#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define PREFIX_BYTES 4

struct pair {
	struct channel ours;
	int theirs; /* -1: closed */
};

static int set_up(void **state)
{
	struct pair *p = calloc(1, sizeof(*p));
	int fds[2];

	if (!p || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) != 0)
		return -1;
	channel_init(&p->ours, fds[0]);
	p->theirs = fds[1];
	*state = p;
	return 0;
}

static int tear_down(void **state)
{
	struct pair *p = *state;

	channel_close(&p->ours);
	assert_int_equal(p->ours.fd, -1);
	if (p->theirs >= 0)
		(void)close(p->theirs);
	free(p);
	return 0;
}

static void put(const struct pair *p, const void *data, size_t len)
{
	assert_int_equal(send(p->theirs, data, len, 0), len);
}

/* Length and text, as the other side writes them. */
static size_t frame(char *out, const char *text, size_t len)
{
	for (size_t i = 0; i < PREFIX_BYTES; i++)
		out[i] = (char)(uint8_t)(len >> (24 - 8 * i));
	memcpy(out + PREFIX_BYTES, text, len);
	return PREFIX_BYTES + len;
}

static void expect_message(struct pair *p, const char *name, json_int_t value)
{
	json_auto_t *message = NULL;

	assert_int_equal(channel_next(&p->ours, &message, NULL), PO_OK);
	assert_non_null(message);
	assert_int_equal(json_integer_value(json_object_get(message, name)),
			 value);
}

static void expect_none(struct pair *p)
{
	json_t *message = NULL;

	assert_int_equal(channel_next(&p->ours, &message, NULL), PO_OK);
	assert_null(message);
}

static void expect_nonsense(struct pair *p)
{
	struct po_error err = { 0 };
	json_t *message = NULL;

	assert_int_equal(channel_next(&p->ours, &message, &err), PO_E_DEVICE);
	assert_int_equal(err.status, PO_E_DEVICE);
	assert_true(err.text[0] != '\0');
	assert_null(message);
}

static void byte_by_byte(void **state)
{
	static const char text[] = "{\"n\":17}";
	struct pair *p = *state;
	char bytes[64];
	size_t len = frame(bytes, text, strlen(text));

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < len; i++) {
			expect_none(p);
			put(p, &bytes[i], 1);
			assert_true(channel_fill(&p->ours));
		}
		expect_message(p, "n", 17);
		expect_none(p);
	}
}

static void several_in_one_read(void **state)
{
	struct pair *p = *state;
	char bytes[256];
	size_t len = 0;

	len += frame(bytes + len, "{\"n\":1}", 7);
	len += frame(bytes + len, "{\"n\":2}", 7);
	len += frame(bytes + len, "{}", 2);
	len += frame(bytes + len, "{\"n\":4}", 7);
	put(p, bytes, len - 1);
	assert_true(channel_fill(&p->ours));
	expect_message(p, "n", 1);
	expect_message(p, "n", 2);
	expect_message(p, "n", 0);
	expect_none(p); /* the last one lacks a byte */
	put(p, bytes + len - 1, 1);
	assert_true(channel_fill(&p->ours));
	expect_message(p, "n", 4);
	expect_none(p);
}

/* ---- as long as can be ------------------------------------------------------- */

/* {"t":"xxx…"} of so many bytes; owned by the caller. */
static char *long_text(size_t len)
{
	char *text = malloc(len + 1);

	assert_non_null(text);
	memset(text, 'x', len);
	memcpy(text, "{\"t\":\"", 6);
	memcpy(text + len - 2, "\"}", 3);
	return text;
}

static json_t *long_message(size_t len)
{
	char *text = long_text(len);
	json_t *message = NULL;

	text[len - 2] = '\0';
	message = json_pack("{s:s}", "t", text + 6);
	free(text);
	assert_non_null(message);
	return message;
}

struct writer {
	struct channel channel;
	const json_t *message;
	enum po_status st;
};

static void *write_it(void *arg)
{
	struct writer *w = arg;

	w->st = channel_send(&w->channel, w->message, NULL);
	return NULL;
}

static void the_longest_goes_through(void **state)
{
	struct pair *p = *state;
	json_auto_t *sent = long_message(CHANNEL_MESSAGE_MAX);
	json_auto_t *got = NULL;
	struct writer w = { .message = sent };
	pthread_t thread;

	channel_init(&w.channel, p->theirs);
	assert_int_equal(pthread_create(&thread, NULL, write_it, &w), 0);
	while (!got) {
		assert_true(channel_fill(&p->ours));
		assert_int_equal(channel_next(&p->ours, &got, NULL), PO_OK);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(w.st, PO_OK);
	assert_true(json_equal(sent, got));
	assert_int_equal(p->ours.in.len, 0);
	channel_close(&w.channel);
	p->theirs = -1;
}

static void one_byte_more_is_not_sent(void **state)
{
	struct pair *p = *state;
	json_auto_t *sent = long_message(CHANNEL_MESSAGE_MAX + 1);
	struct po_error err = { 0 };
	char byte;

	assert_int_equal(channel_send(&p->ours, sent, &err), PO_E_INTERNAL);
	/* and nothing of it went out */
	assert_int_equal(recv(p->theirs, &byte, 1, MSG_DONTWAIT), -1);
}

struct length_row {
	const char *name;
	uint32_t len;
	bool is_nonsense;
};

static struct length_row length_rows[] = {
	{ "length: the maximum", CHANNEL_MESSAGE_MAX, false },
	{ "length: one more", CHANNEL_MESSAGE_MAX + 1, true },
	{ "length: all bits", UINT32_MAX, true },
	{ "length: the highest bit", UINT32_C(1) << 31, true },
};

/* Judged by the length alone, before anything of that size is read. */
static void lengths(void **state)
{
	const struct length_row *r = *state;
	void *made = NULL;
	struct pair *p;
	char bytes[PREFIX_BYTES];

	assert_int_equal(set_up(&made), 0);
	p = made;
	for (size_t i = 0; i < PREFIX_BYTES; i++)
		bytes[i] = (char)(uint8_t)(r->len >> (24 - 8 * i));
	put(p, bytes, sizeof(bytes));
	assert_true(channel_fill(&p->ours));
	if (r->is_nonsense)
		expect_nonsense(p);
	else
		expect_none(p);
	(void)tear_down(&made);
}

/* ---- garbage ------------------------------------------------------------------ */

struct text_row {
	const char *name;
	const char *text;
};

static struct text_row text_rows[] = {
	{ "garbage: nothing", "" },
	{ "garbage: no JSON", "rubbish" },
	{ "garbage: an array", "[1]" },
	{ "garbage: a number", "17" },
	{ "garbage: half an object", "{\"n\":1" },
	{ "garbage: and something after it", "{\"n\":1}x" },
	{ "garbage: a name twice", "{\"n\":1,\"n\":2}" },
	{ "garbage: no UTF-8", "{\"n\":\"\xff\"}" },
};

static void garbage(void **state)
{
	const struct text_row *r = *state;
	void *made = NULL;
	struct pair *p;
	char bytes[64];

	assert_int_equal(set_up(&made), 0);
	p = made;
	put(p, bytes, frame(bytes, r->text, strlen(r->text)));
	assert_true(channel_fill(&p->ours));
	expect_nonsense(p);
	(void)tear_down(&made);
}

/* ---- the other side ------------------------------------------------------------ */

static void a_closed_peer(void **state)
{
	json_auto_t *message = json_object();
	struct po_error err = { 0 };
	struct pair *p = *state;
	char bytes[64];

	put(p, bytes, frame(bytes, "{\"n\":3}", 7));
	(void)close(p->theirs);
	p->theirs = -1;
	/* what it said before is heard */
	assert_true(channel_fill(&p->ours));
	expect_message(p, "n", 3);
	assert_false(channel_fill(&p->ours));
	expect_none(p);
	/* SIGPIPE would end this program */
	assert_int_equal(channel_send(&p->ours, message, &err), PO_E_DEVICE);
	assert_int_equal(err.status, PO_E_DEVICE);
}

static void it_left_in_the_middle_of_a_word(void **state)
{
	struct pair *p = *state;
	char bytes[64];
	size_t len = frame(bytes, "{\"n\":3}", 7);

	put(p, bytes, len - 1);
	(void)close(p->theirs);
	p->theirs = -1;
	assert_true(channel_fill(&p->ours));
	expect_none(p);
	assert_false(channel_fill(&p->ours));
	expect_none(p);
}

static void nothing_to_read_is_no_end(void **state)
{
	struct pair *p = *state;

	assert_int_equal(fcntl(p->ours.fd, F_SETFL, O_NONBLOCK), 0);
	assert_true(channel_fill(&p->ours));
	expect_none(p);
}

/* Bounded: each message fills the socket further. */
static void full_and_not_blocking(void **state)
{
	json_auto_t *message = long_message(1000);
	enum po_status st = PO_OK;
	struct po_error err = { 0 };
	struct pair *p = *state;
	int sent = 0;

	assert_int_equal(fcntl(p->ours.fd, F_SETFL, O_NONBLOCK), 0);
	while (sent < 1000000 && st == PO_OK) {
		st = channel_send(&p->ours, message, &err);
		sent++;
	}
	assert_int_equal(st, PO_E_DEVICE);
	assert_int_equal(err.status, PO_E_DEVICE);
	assert_true(sent > 1);
}

/* ---- the list ------------------------------------------------------------------- */

#define N_LENGTHS (sizeof(length_rows) / sizeof(length_rows[0]))
#define N_TEXTS (sizeof(text_rows) / sizeof(text_rows[0]))
#define WITH_PAIR(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	static const struct CMUnitTest singles[] = {
		WITH_PAIR(byte_by_byte),
		WITH_PAIR(several_in_one_read),
		WITH_PAIR(the_longest_goes_through),
		WITH_PAIR(one_byte_more_is_not_sent),
		WITH_PAIR(a_closed_peer),
		WITH_PAIR(it_left_in_the_middle_of_a_word),
		WITH_PAIR(nothing_to_read_is_no_end),
		WITH_PAIR(full_and_not_blocking),
	};
	struct CMUnitTest tests[N_LENGTHS + N_TEXTS + 8];
	size_t n = 0;

	for (size_t i = 0; i < N_LENGTHS; i++)
		tests[n++] = (struct CMUnitTest){ length_rows[i].name, lengths,
						  NULL, NULL, &length_rows[i] };
	for (size_t i = 0; i < N_TEXTS; i++)
		tests[n++] = (struct CMUnitTest){ text_rows[i].name, garbage,
						  NULL, NULL, &text_rows[i] };
	memcpy(&tests[n], singles, sizeof(singles));
	return cmocka_run_group_tests(tests, NULL, NULL);
}
