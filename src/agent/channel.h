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

struct channel {
	int fd; /* owned; -1: closed */
	struct buf in;
};

void channel_init(struct channel *channel, int fd);
void channel_close(struct channel *channel);

/*
 * Writes all of one message. On a descriptor that does not block, PO_E_DEVICE
 * when the other side does not read; also when it is gone.
 */
enum po_status channel_send(struct channel *channel, const json_t *message,
			    struct po_error *err) PO_MUST_CHECK;

/* Reads what there is; waits for it when the descriptor blocks. False: the other
 * side is gone. */
bool channel_fill(struct channel *channel) PO_MUST_CHECK;

/* Takes the next whole message out of what was read. *ret_message NULL: there is
 * none yet. PO_E_DEVICE: what came is not one of ours. */
enum po_status channel_next(struct channel *channel, json_t **ret_message,
			    struct po_error *err) PO_MUST_CHECK;

#endif
