/* SPDX-License-Identifier: Apache-2.0 */
#include "conf/profile.h"

#include "base/buf.h"
#include "base/text.h"

#include <openssl/evp.h>
#include <string.h>

#define DIGEST_TEXT_MAX (64 * (size_t)PROFILE_TEXT_MAX)

static bool add_list(struct buf *out, char *const *list)
{
	bool ok = true;

	for (size_t i = 0; ok && list[i]; i++)
		ok = buf_addf(out, "=%zu:%s", strlen(list[i]), list[i]);
	return ok;
}

static bool add_setting(struct buf *out, const struct profile *p,
			const struct setting *s)
{
	const void *at = (const char *)p + s->offset;
	const char *text;

	if (!buf_addf(out, "\n%s", s->name))
		return false;
	switch (s->kind) {
	case SETTING_TEXT:
		text = *(char *const *)at;
		return !text || buf_addf(out, "=%zu:%s", strlen(text), text);
	case SETTING_LIST: return add_list(out, at);
	case SETTING_BOOL: return buf_addf(out, "=%d", *(const bool *)at);
	case SETTING_SECONDS:
	case SETTING_OFFSET:
	case SETTING_BYTES:
		return buf_addf(out, "=%lld", (long long)*(const int64_t *)at);
	}
	return false;
}

bool profile_has_same(const struct profile *a, const struct profile *b,
		      const struct setting *setting)
{
	po_auto_buf text_a = { 0 }, text_b = { 0 };

	buf_init(&text_a, DIGEST_TEXT_MAX);
	buf_init(&text_b, DIGEST_TEXT_MAX);
	return add_setting(&text_a, a, setting) &&
	       add_setting(&text_b, b, setting) && text_a.len == text_b.len &&
	       memcmp(text_a.data, text_b.data, text_a.len) == 0;
}

bool profile_digest(const struct profile *profile,
		    char out[static PROFILE_DIGEST_LEN + 1])
{
	uint8_t hash[PROFILE_DIGEST_LEN / 2];
	po_auto_buf text = { 0 };
	bool ok;

	buf_init(&text, DIGEST_TEXT_MAX);
	ok = buf_adds(&text, profile->name ? profile->name : "");
	for (size_t i = 0; ok && i < profile_settings_count; i++)
		ok = add_setting(&text, profile, &profile_settings[i]);
	if (!ok || EVP_Digest(text.data, text.len, hash, NULL, EVP_sha256(),
			      NULL) != 1)
		return false;
	text_hex_upper(out, hash, sizeof(hash));
	return true;
}
