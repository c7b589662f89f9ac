/* SPDX-License-Identifier: Apache-2.0 */
/*
 * channel.h - JSON objects over a stream socket, between the agent's own
 * processes: four bytes of length (big-endian), then the text.
 *
 * What goes through may hold a PIN or an access token, so every copy is wiped.
 */
#ifndef PO_AGENT_CHANNEL_H
#define PO_AGENT_CHANNEL_H

#include "base/json.h"

/* An answer of HTTP_BODY_MAX, every byte of it escaped, and what is added. */
#define CHANNEL_MESSAGE_MAX JSON_TEXT_MAX

/* What waits for a slow reader; a reader that lets more come is no reader. */
#define CHANNEL_WAITING_MAX (8 * (size_t)JSON_TEXT_MAX)

struct channel {
	int fd; /* owned; -1: closed */
	struct buf in;
	struct buf out; /* what could not be written yet */
};

void channel_init(struct channel *channel, int fd);
void channel_close(struct channel *channel);

/*
 * Writes one message; on a descriptor that does not block, the rest waits in
 * out for channel_flush(). PO_E_DEVICE: the other side is gone, or has not
 * read for too long.
 */
enum po_status channel_send(struct channel *channel, const json_t *message,
			    struct po_error *err) PO_MUST_CHECK;

/* Writes what waits, as far as it goes, when the descriptor can be written.
 * PO_E_DEVICE: the other side is gone. */
enum po_status channel_flush(struct channel *channel,
			     struct po_error *err) PO_MUST_CHECK;

/* Reads what there is; waits for it when the descriptor blocks. False: the
 * other side is gone. */
bool channel_fill(struct channel *channel) PO_MUST_CHECK;

/* Takes the next whole message out of what was read. *ret_message NULL: there
 * is none yet. PO_E_DEVICE: what came is not one of ours. */
enum po_status channel_next(struct channel *channel, json_t **ret_message,
			    struct po_error *err) PO_MUST_CHECK;

#endif
