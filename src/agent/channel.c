/* SPDX-License-Identifier: Apache-2.0 */
#include "agent/channel.h"

#include <errno.h>
#include <openssl/crypto.h>
#include <stdint.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define PREFIX_BYTES 4
#define CHUNK_BYTES 16384

void channel_init(struct channel *channel, int fd)
{
	channel->fd = fd;
	buf_init(&channel->in,
		 PREFIX_BYTES + CHANNEL_MESSAGE_MAX + CHUNK_BYTES);
	buf_init(&channel->out, CHANNEL_WAITING_MAX);
}

void channel_close(struct channel *channel)
{
	if (channel->fd >= 0)
		(void)close(channel->fd);
	channel->fd = -1;
	buf_clear(&channel->in);
	buf_clear(&channel->out);
}

/* *ret_sent: how much went out before the reader was too slow. */
static enum po_status send_some(int fd, const char *data, size_t len,
				size_t *ret_sent, struct po_error *err)
{
	*ret_sent = 0;
	while (*ret_sent < len) {
		ssize_t n = send(fd, data + *ret_sent, len - *ret_sent,
				 MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return PO_OK;
		if (n < 0)
			return po_fail(err, PO_E_DEVICE, errno,
				       "the other process does not listen: %s",
				       strerror(errno));
		*ret_sent += (size_t)n;
	}
	return PO_OK;
}

/* Drops the first bytes; nothing of them stays behind, nor room that one long
 * message wanted. */
static void drop(struct buf *b, size_t len)
{
	if (len == b->len) {
		buf_clear(b);
		return;
	}
	memmove(b->data, b->data + len, b->len - len);
	OPENSSL_cleanse(b->data + b->len - len, len);
	b->len -= len;
}

enum po_status channel_flush(struct channel *channel, struct po_error *err)
{
	size_t sent = 0;
	enum po_status st = PO_OK;

	if (channel->out.len > 0)
		st = send_some(channel->fd, channel->out.data, channel->out.len,
			       &sent, err);
	if (sent > 0)
		drop(&channel->out, sent);
	return st;
}

enum po_status channel_send(struct channel *channel, const json_t *message,
			    struct po_error *err)
{
	po_auto_buf text = { 0 };
	size_t sent = 0;
	uint32_t len;
	enum po_status st;

	buf_init(&text, PREFIX_BYTES + CHANNEL_MESSAGE_MAX);
	if (!buf_add(&text, "\0\0\0", PREFIX_BYTES) ||
	    !json_compact(&text, message))
		return po_fail(err, PO_E_INTERNAL, 0, "a message is too long");
	len = (uint32_t)(text.len - PREFIX_BYTES);
	for (size_t i = 0; i < PREFIX_BYTES; i++)
		text.data[i] = (char)(uint8_t)(len >> (24 - 8 * i));
	st = channel_flush(channel, err);
	if (st == PO_OK && channel->out.len == 0)
		st = send_some(channel->fd, text.data, text.len, &sent, err);
	if (st == PO_OK && sent < text.len &&
	    !buf_add(&channel->out, text.data + sent, text.len - sent))
		st = po_fail(err, PO_E_DEVICE, EAGAIN,
			     "the other process does not listen");
	return st;
}

bool channel_fill(struct channel *channel)
{
	char chunk[CHUNK_BYTES];
	ssize_t n = recv(channel->fd, chunk, sizeof(chunk), 0);
	bool ok = n > 0 && buf_add(&channel->in, chunk, (size_t)n);

	if (n > 0)
		OPENSSL_cleanse(chunk, (size_t)n);
	return ok || (n < 0 && (errno == EINTR || errno == EAGAIN));
}

enum po_status channel_next(struct channel *channel, json_t **ret_message,
			    struct po_error *err)
{
	struct buf *in = &channel->in;
	enum po_status st;
	uint32_t len = 0;

	*ret_message = NULL;
	if (in->len < PREFIX_BYTES)
		return PO_OK;
	for (size_t i = 0; i < PREFIX_BYTES; i++)
		len = len << 8 | (uint8_t)in->data[i];
	if (len > CHANNEL_MESSAGE_MAX)
		return po_fail(err, PO_E_DEVICE, 0,
			       "the other process talks nonsense");
	if (in->len < PREFIX_BYTES + len)
		return PO_OK;
	st = json_parse_object(in->data + PREFIX_BYTES, len, ret_message, err);
	drop(in, PREFIX_BYTES + len);
	if (st == PO_OK)
		return PO_OK;
	if (err)
		err->status = PO_E_DEVICE;
	return PO_E_DEVICE;
}
