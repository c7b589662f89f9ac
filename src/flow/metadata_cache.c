/* SPDX-License-Identifier: Apache-2.0 */
#include "flow/metadata_cache.h"

#include "base/dirs.h"
#include "base/fs.h"
#include "base/log.h"
#include "base/text.h"

#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define FOLDER "metadata"
#define HASH_BYTES 32

static bool add_name(char path[static PATH_MAX], const char *url)
{
	char name[2 * HASH_BYTES + 1];
	uint8_t hash[HASH_BYTES];
	size_t len = strlen(path);
	int n;

	if (!EVP_Digest(url, strlen(url), hash, NULL, EVP_sha256(), NULL))
		return false;
	text_hex_upper(name, hash, sizeof(hash));
	n = snprintf(path + len, PATH_MAX - len, "/%s.json", name);
	return n > 0 && (size_t)n < PATH_MAX - len;
}

static bool read_file(const char *path, json_t **ret_record)
{
	po_auto(secret) *text = secret_new(JSON_TEXT_MAX);
	enum po_status st = PO_OK;
	int fd = -1;

	if (!text || fs_open_private(path, &fd, NULL) != PO_OK)
		return false;
	st = fs_read_secret_fd(fd, text, NULL);
	(void)close(fd);
	return st == PO_OK &&
	       json_parse_object(secret_reveal(text), secret_len(text),
				 ret_record, NULL) == PO_OK;
}

json_t *metadata_cache_get(const char *url, int64_t now_s)
{
	json_auto_t *record = NULL;
	const json_t *until;
	const char *of;
	char path[PATH_MAX];

	if (!dirs_find(DIRS_CACHE, FOLDER, path) || !add_name(path, url) ||
	    access(path, F_OK) != 0 || !read_file(path, &record))
		return NULL;
	until = json_object_get(record, "until");
	of = json_text(record, "url");
	if (!of || strcmp(of, url) != 0 || json_integer_value(until) <= now_s ||
	    !json_is_object(json_object_get(record, "document")))
		return NULL;
	log_debug(LOG_HTTP, "%s: as kept, until %lld", url,
		  (long long)json_integer_value(until));
	return json_deep_copy(json_object_get(record, "document"));
}

void metadata_cache_put(const char *url, const json_t *document,
			int64_t until_s)
{
	json_auto_t *record = json_pack("{s:s, s:I, s:o}", "url", url, "until",
					(json_int_t)until_s, "document",
					json_deep_copy(document));
	po_auto_buf text = { 0 };
	char path[PATH_MAX];
	struct po_error why = { 0 };

	buf_init(&text, JSON_TEXT_MAX);
	if (!record || !json_compact(&text, record) ||
	    dirs_make(DIRS_CACHE, FOLDER, path, NULL) != PO_OK ||
	    !add_name(path, url))
		return;
	if (fs_write_private(path, buf_text(&text), text.len, &why) != PO_OK)
		log_debug(LOG_HTTP, "not kept: %s", why.text);
}
