/* SPDX-License-Identifier: Apache-2.0 */
/* What agent and workers say to each other, cut up and spoilt in all ways. */
#include "agent/channel.h"

#include "unit.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PREFIX_BYTES 4

/* The two ends. */
static struct channel ours;
static int theirs; /* -1: closed */

BEFORE_EACH
{
	int fds[2];

	assert_int_equal(
		socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	channel_init(&ours, fds[0]);
	theirs = fds[1];
}

AFTER_EACH
{
	channel_close(&ours);
	assert_int_equal(ours.fd, -1);
	if (theirs >= 0)
		(void)close(theirs);
}

static void put(const void *data, size_t len)
{
	assert_int_equal(send(theirs, data, len, 0), len);
}

/* Length and text, as the other side writes them. */
static size_t frame(char *out, const char *text, size_t len)
{
	for (size_t i = 0; i < PREFIX_BYTES; i++)
		out[i] = (char)(uint8_t)(len >> (24 - 8 * i));
	memcpy(out + PREFIX_BYTES, text, len);
	return PREFIX_BYTES + len;
}

static void expect_message(const char *name, json_int_t value)
{
	json_auto_t *message = NULL;

	assert_int_equal(channel_next(&ours, &message, NULL), PO_OK);
	assert_non_null(message);
	assert_int_equal(json_integer_value(json_object_get(message, name)),
			 value);
}

static void expect_none(void)
{
	json_t *message = NULL;

	assert_int_equal(channel_next(&ours, &message, NULL), PO_OK);
	assert_null(message);
}

static void expect_nonsense(void)
{
	struct po_error err = { 0 };
	json_t *message = NULL;

	assert_int_equal(channel_next(&ours, &message, &err), PO_E_DEVICE);
	assert_int_equal(err.status, PO_E_DEVICE);
	assert_true(err.text[0] != '\0');
	assert_null(message);
}

TEST(byte_by_byte)
{
	static const char text[] = "{\"n\":17}";
	char bytes[64];
	size_t len = frame(bytes, text, strlen(text));

	for (int round = 0; round < 2; round++) {
		for (size_t i = 0; i < len; i++) {
			expect_none();
			put(&bytes[i], 1);
			assert_true(channel_fill(&ours));
		}
		expect_message("n", 17);
		expect_none();
	}
}

TEST(several_in_one_read)
{
	char bytes[256];
	size_t len = 0;

	len += frame(bytes + len, "{\"n\":1}", 7);
	len += frame(bytes + len, "{\"n\":2}", 7);
	len += frame(bytes + len, "{}", 2);
	len += frame(bytes + len, "{\"n\":4}", 7);
	put(bytes, len - 1);
	assert_true(channel_fill(&ours));
	expect_message("n", 1);
	expect_message("n", 2);
	expect_message("n", 0);
	expect_none(); /* the last one lacks a byte */
	put(bytes + len - 1, 1);
	assert_true(channel_fill(&ours));
	expect_message("n", 4);
	expect_none();
}

/* ---- as long as can be -------------------------------------------------- */

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

TEST(the_longest_goes_through)
{
	json_auto_t *sent = long_message(CHANNEL_MESSAGE_MAX);
	json_auto_t *got = NULL;
	struct writer w = { .message = sent };
	pthread_t thread;

	channel_init(&w.channel, theirs);
	assert_int_equal(pthread_create(&thread, NULL, write_it, &w), 0);
	while (!got) {
		assert_true(channel_fill(&ours));
		assert_int_equal(channel_next(&ours, &got, NULL), PO_OK);
	}
	assert_int_equal(pthread_join(thread, NULL), 0);
	assert_int_equal(w.st, PO_OK);
	assert_true(json_equal(sent, got));
	assert_int_equal(ours.in.len, 0);
	channel_close(&w.channel);
	theirs = -1;
}

TEST(one_byte_more_is_not_sent)
{
	json_auto_t *sent = long_message(CHANNEL_MESSAGE_MAX + 1);
	struct po_error err = { 0 };
	char byte;

	assert_int_equal(channel_send(&ours, sent, &err), PO_E_INTERNAL);
	/* and nothing of it went out */
	assert_int_equal(recv(theirs, &byte, 1, MSG_DONTWAIT), -1);
}

struct length_row {
	const char *name;
	uint32_t len;
	bool is_nonsense;
};

static const struct length_row length_rows[] = {
	{ "length: the maximum", CHANNEL_MESSAGE_MAX, false },
	{ "length: one more", CHANNEL_MESSAGE_MAX + 1, true },
	{ "length: all bits", UINT32_MAX, true },
	{ "length: the highest bit", UINT32_C(1) << 31, true },
};

/* Judged by the length alone, before anything of that size is read. */
ROWS(length_rows, lengths)
{
	char bytes[PREFIX_BYTES];

	for (size_t i = 0; i < PREFIX_BYTES; i++)
		bytes[i] = (char)(uint8_t)(row->len >> (24 - 8 * i));
	put(bytes, sizeof(bytes));
	assert_true(channel_fill(&ours));
	if (row->is_nonsense)
		expect_nonsense();
	else
		expect_none();
}

/* ---- garbage ------------------------------------------------------------ */

struct text_row {
	const char *name;
	const char *text;
};

static const struct text_row text_rows[] = {
	{ "garbage: nothing", "" },
	{ "garbage: no JSON", "rubbish" },
	{ "garbage: an array", "[1]" },
	{ "garbage: a number", "17" },
	{ "garbage: half an object", "{\"n\":1" },
	{ "garbage: and something after it", "{\"n\":1}x" },
	{ "garbage: a name twice", "{\"n\":1,\"n\":2}" },
	{ "garbage: no UTF-8", "{\"n\":\"\xff\"}" },
};

ROWS(text_rows, garbage)
{
	char bytes[64];

	put(bytes, frame(bytes, row->text, strlen(row->text)));
	assert_true(channel_fill(&ours));
	expect_nonsense();
}

/* ---- the other side ----------------------------------------------------- */

TEST(a_closed_peer)
{
	json_auto_t *message = json_object();
	struct po_error err = { 0 };
	char bytes[64];

	put(bytes, frame(bytes, "{\"n\":3}", 7));
	(void)close(theirs);
	theirs = -1;
	/* what it said before is heard */
	assert_true(channel_fill(&ours));
	expect_message("n", 3);
	assert_false(channel_fill(&ours));
	expect_none();
	/* SIGPIPE would end this program */
	assert_int_equal(channel_send(&ours, message, &err), PO_E_DEVICE);
	assert_int_equal(err.status, PO_E_DEVICE);
}

TEST(it_left_in_the_middle_of_a_word)
{
	char bytes[64];
	size_t len = frame(bytes, "{\"n\":3}", 7);

	put(bytes, len - 1);
	(void)close(theirs);
	theirs = -1;
	assert_true(channel_fill(&ours));
	expect_none();
	assert_false(channel_fill(&ours));
	expect_none();
}

TEST(nothing_to_read_is_no_end)
{
	assert_int_equal(fcntl(ours.fd, F_SETFL, O_NONBLOCK), 0);
	assert_true(channel_fill(&ours));
	expect_none();
}

/* Bounded: each message fills the socket further. */
TEST(full_and_not_blocking)
{
	json_auto_t *message = long_message(1000);
	enum po_status st = PO_OK;
	struct po_error err = { 0 };
	int sent = 0;

	assert_int_equal(fcntl(ours.fd, F_SETFL, O_NONBLOCK), 0);
	while (sent < 1000000 && st == PO_OK) {
		st = channel_send(&ours, message, &err);
		sent++;
	}
	assert_int_equal(st, PO_E_DEVICE);
	assert_int_equal(err.status, PO_E_DEVICE);
	assert_true(sent > 1);
}
