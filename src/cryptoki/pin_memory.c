/* SPDX-License-Identifier: Apache-2.0 */
#include "cryptoki/pin_memory.h"

#include "base/clock.h"
#include "base/dirs.h"
#include "base/json.h"
#include "base/log.h"
#include "base/rng.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SALT_BYTES 16
#define HASH_BYTES 32
#define RECORD_MAX 4096
#define LOCK_WAIT_MS 30000
#define LOCK_TICK_MS 20

/* scrypt (RFC 7914) with 16 MiB: some 50 ms, paid after a refusal only. */
#define SCRYPT_N 16384
#define SCRYPT_R 8
#define SCRYPT_P 1

struct pin_memory {
	const struct po_clock *clock;
	int fd;
	bool has_record;
	uint8_t salt[SALT_BYTES];
	uint8_t hash[HASH_BYTES];
	int64_t refused_s;
};

/* ---- the file ------------------------------------------------------------ */

/* The file's name tells nobody what it is about. */
static bool file_name(const struct pin_token *token, const char *source,
		      char out[static 2 * HASH_BYTES + 1])
{
	uint8_t hash[HASH_BYTES];
	po_auto_buf text = { 0 };

	buf_init(&text, 65536);
	if (!buf_addf(&text, "%s\n%s\n%s\n%s", token->manufacturer,
		      token->serial, token->label, source) ||
	    !EVP_Digest(text.data, text.len, hash, NULL, EVP_sha256(), NULL))
		return false;
	text_hex_upper(out, hash, sizeof(hash));
	return true;
}

static enum po_status open_file(const struct pin_token *token,
				const char *source, int *ret_fd,
				struct po_error *err)
{
	struct po_error why = { 0 };
	char path[PATH_MAX];
	char name[2 * HASH_BYTES + 1];
	struct stat sb;
	int dir;

	if (dirs_make(DIRS_STATE, "refused-pins", path, &why) != PO_OK)
		return po_fail(err, PO_E_PIN, why.native, "%s", why.text);
	dir = open(path, O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
	if (dir < 0)
		return po_fail(err, PO_E_PIN, errno, "'%s': %s", path,
			       strerror(errno));
	*ret_fd = file_name(token, source, name)
			  ? openat(dir, name,
				   O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW,
				   0600)
			  : -1;
	(void)close(dir);
	if (*ret_fd < 0)
		return po_fail(err, PO_E_PIN, errno, "'%s': %s", path,
			       strerror(errno));
	if (fstat(*ret_fd, &sb) == 0 && S_ISREG(sb.st_mode) &&
	    sb.st_uid == geteuid())
		return PO_OK;
	(void)close(*ret_fd);
	*ret_fd = -1;
	return po_fail(err, PO_E_PIN, 0, "'%s/%s' is not a file of ours", path,
		       name);
}

static enum po_status lock(const struct pin_memory *m, struct po_error *err)
{
	int64_t give_up_ms = clock_monotonic_ms(m->clock) + LOCK_WAIT_MS;
	enum po_status st = PO_OK;

	while (flock(m->fd, LOCK_EX | LOCK_NB) != 0) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return po_fail(err, PO_E_PIN, errno, "flock: %s",
				       strerror(errno));
		if (clock_monotonic_ms(m->clock) > give_up_ms)
			return po_fail(err, PO_E_DEVICE, ETIMEDOUT,
				       "another process has been logging in to "
				       "the token for %d s",
				       LOCK_WAIT_MS / 1000);
		st = clock_sleep_ms(m->clock, LOCK_TICK_MS, err);
		if (st != PO_OK)
			return st;
	}
	return PO_OK;
}

/* ---- the record --------------------------------------------------------- */

static bool get_hex(const json_t *record, const char *name, uint8_t *out,
		    size_t len)
{
	const char *text = json_text(record, name);
	long n = 0;
	uint8_t *bytes = text ? OPENSSL_hexstr2buf(text, &n) : NULL;
	bool ok = bytes && (size_t)n == len;

	if (ok)
		memcpy(out, bytes, len);
	OPENSSL_free(bytes);
	return ok;
}

/* A record that cannot be read counts as none: it was ours, and is replaced. */
static void read_record(struct pin_memory *m)
{
	char text[RECORD_MAX];
	ssize_t n = pread(m->fd, text, sizeof(text), 0);
	json_auto_t *record = NULL;

	if (n <= 0 ||
	    json_parse_object(text, (size_t)n, &record, NULL) != PO_OK)
		return;
	m->refused_s =
		json_integer_value(json_object_get(record, "refused_at"));
	m->has_record = get_hex(record, "salt", m->salt, SALT_BYTES) &&
			get_hex(record, "scrypt", m->hash, HASH_BYTES);
}

static bool hash_pin(const struct secret *pin, const uint8_t *salt,
		     uint8_t out[static HASH_BYTES])
{
	return EVP_PBE_scrypt(secret_reveal(pin), secret_len(pin), salt,
			      SALT_BYTES, SCRYPT_N, SCRYPT_R, SCRYPT_P, 0, out,
			      HASH_BYTES) == 1;
}

enum po_status pin_memory_open(const struct po_clock *clock,
			       const struct pin_token *token,
			       const char *source,
			       struct pin_memory **ret_memory,
			       struct po_error *err)
{
	struct pin_memory *m = calloc(1, sizeof(*m));
	enum po_status st;

	if (!m)
		return po_no_memory(err);
	m->clock = clock;
	m->fd = -1;
	st = open_file(token, source, &m->fd, err);
	if (st == PO_OK)
		st = lock(m, err);
	if (st != PO_OK) {
		pin_memory_free(m);
		if (st != PO_E_PIN)
			return st;
		return po_context(err, st,
				  "the PIN is withheld, because a refused one "
				  "could not be remembered (give the program a "
				  "writable state directory, or use "
				  "--retry-pin)");
	}
	read_record(m);
	*ret_memory = m;
	return PO_OK;
}

void pin_memory_free(struct pin_memory *memory)
{
	if (!memory)
		return;
	if (memory->fd >= 0)
		(void)close(memory->fd); /* and with it the lock */
	free(memory);
}

enum po_status pin_memory_check(const struct pin_memory *memory,
				const struct secret *pin, struct po_error *err)
{
	uint8_t hash[HASH_BYTES];
	char date[32];

	if (!memory->has_record)
		return PO_OK;
	if (!hash_pin(pin, memory->salt, hash))
		return po_no_memory(err);
	if (CRYPTO_memcmp(hash, memory->hash, HASH_BYTES) != 0)
		return PO_OK;
	text_utc(date, memory->refused_s);
	return po_fail(err, PO_E_PIN, 0,
		       "the token refused this PIN on %s, so it is not sent "
		       "again; correct it, or say --retry-pin",
		       date);
}

enum po_status pin_memory_keep(struct pin_memory *memory,
			       const struct secret *pin, struct po_error *err)
{
	uint8_t salt[SALT_BYTES], hash[HASH_BYTES];
	char salt_hex[2 * SALT_BYTES + 1], hash_hex[2 * HASH_BYTES + 1];
	char text[RECORD_MAX];
	enum po_status st = rng_bytes(memory->clock, salt, sizeof(salt), err);
	int n;

	if (st != PO_OK)
		return st;
	if (!hash_pin(pin, salt, hash))
		return po_no_memory(err);
	text_hex_upper(salt_hex, salt, sizeof(salt));
	text_hex_upper(hash_hex, hash, sizeof(hash));
	n = snprintf(
		text, sizeof(text),
		"{\"refused_at\":%lld,\"salt\":\"%s\",\"scrypt\":\"%s\"}\n",
		(long long)clock_now_s(memory->clock), salt_hex, hash_hex);
	if (n < 0 || (size_t)n >= sizeof(text) ||
	    ftruncate(memory->fd, 0) != 0 ||
	    pwrite(memory->fd, text, (size_t)n, 0) != n ||
	    fsync(memory->fd) != 0)
		return po_fail(err, PO_E_PIN, errno,
			       "the refused PIN could not be remembered: %s",
			       strerror(errno));
	memory->has_record = true;
	return PO_OK;
}

void pin_memory_forget(struct pin_memory *memory)
{
	if (memory->has_record && ftruncate(memory->fd, 0) != 0)
		log_debug(LOG_CRYPTOKI, "a refused PIN stays remembered: %s",
			  strerror(errno));
	memory->has_record = false;
}
