/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/key_desk.h"

#include "base/text.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct key_desk {
	pthread_mutex_t lock;
	struct assertion_source *source;
	char *turned_to; /* owned; the name of a profile */
};

struct key_desk *key_desk_new(void)
{
	struct key_desk *desk = calloc(1, sizeof(*desk));

	if (!desk)
		return NULL;
	(void)pthread_mutex_init(&desk->lock, NULL);
	desk->source = assertion_source_new(NULL, NULL);
	if (desk->source)
		return desk;
	key_desk_free(desk);
	return NULL;
}

void key_desk_free(struct key_desk *desk)
{
	if (!desk)
		return;
	assertion_source_free(desk->source);
	free(desk->turned_to);
	(void)pthread_mutex_destroy(&desk->lock);
	free(desk);
}

static const char *name_of(const struct profile *profile)
{
	return profile->name ? profile->name : "";
}

enum po_status key_desk_take(struct key_desk *desk, const struct po_env *env,
			     const struct profile *profile,
			     struct assertion_source **ret_source,
			     struct po_error *err)
{
	char *name = text_dup(name_of(profile));
	enum po_status st;

	if (!name)
		return po_no_memory(err);
	(void)pthread_mutex_lock(&desk->lock);
	free(desk->turned_to);
	desk->turned_to = name;
	st = assertion_source_turn_to(desk->source, env, profile, err);
	if (st == PO_OK)
		*ret_source = desk->source;
	else
		(void)pthread_mutex_unlock(&desk->lock);
	return st;
}

struct assertion_source *key_desk_look(struct key_desk *desk,
				       const struct profile *profile)
{
	(void)pthread_mutex_lock(&desk->lock);
	if (!desk->turned_to)
		return NULL;
	return !profile || strcmp(desk->turned_to, name_of(profile)) == 0
		       ? desk->source
		       : NULL;
}

void key_desk_give(struct key_desk *desk)
{
	(void)pthread_mutex_unlock(&desk->lock);
}
