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
}

void channel_close(struct channel *channel)
{
	if (channel->fd >= 0)
		(void)close(channel->fd);
	channel->fd = -1;
	buf_clear(&channel->in);
}

static enum po_status send_all(int fd, const char *data, size_t len,
			       struct po_error *err)
{
	while (len > 0) {
		ssize_t n = send(fd, data, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return po_fail(err, PO_E_DEVICE, errno,
				       "the other process does not listen: %s",
				       strerror(errno));
		data += n;
		len -= (size_t)n;
	}
	return PO_OK;
}

enum po_status channel_send(struct channel *channel, const json_t *message,
			    struct po_error *err)
{
	po_auto_buf text = { 0 };
	uint32_t len;

	buf_init(&text, PREFIX_BYTES + CHANNEL_MESSAGE_MAX);
	if (!buf_add(&text, "\0\0\0", PREFIX_BYTES) ||
	    !json_compact(&text, message))
		return po_fail(err, PO_E_INTERNAL, 0, "a message is too long");
	len = (uint32_t)(text.len - PREFIX_BYTES);
	for (size_t i = 0; i < PREFIX_BYTES; i++)
		text.data[i] = (char)(uint8_t)(len >> (24 - 8 * i));
	return send_all(channel->fd, text.data, text.len, err);
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

/* Drops the first bytes; nothing of them stays behind. */
static void drop(struct buf *in, size_t len)
{
	memmove(in->data, in->data + len, in->len - len);
	OPENSSL_cleanse(in->data + in->len - len, len);
	in->len -= len;
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
