/* SPDX-License-Identifier: Apache-2.0 */
#include "audit/ledger_file.h"

#include "base/clock.h"
#include "base/text.h"

#include <dirent.h>
#include <errno.h>
#include <libgen.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define SHA256_BYTES 32
#define TAIL_FIRST 4096
#define TAIL_MAX (2 * LEDGER_RECORD_MAX + 2) /* a torn line, and a whole one */
#define LOCK_TICK_MAX_MS 4
#define NUMBER_DIGITS 8

enum po_status ledger_fail(struct po_error *err, int e, const char *what,
			   const char *path)
{
	return po_fail(err, PO_E_CONFIG, e, "cannot %s '%s': %s", what, path,
		       strerror(e));
}

/* ---- a line -------------------------------------------------------------- */

bool ledger_sha256(const void *data, size_t len,
		   char out[static LEDGER_HASH_LEN + 1])
{
	static const char digits[] = "0123456789abcdef";
	uint8_t hash[SHA256_BYTES];

	if (!EVP_Digest(data, len, hash, NULL, EVP_sha256(), NULL))
		return false;
	for (size_t i = 0; i < sizeof(hash); i++) {
		out[2 * i] = digits[hash[i] >> 4];
		out[2 * i + 1] = digits[hash[i] & 15];
	}
	out[LEDGER_HASH_LEN] = '\0';
	return true;
}

bool ledger_is_hash(const char *text)
{
	return strlen(text) == LEDGER_HASH_LEN &&
	       strspn(text, "0123456789abcdef") == LEDGER_HASH_LEN;
}

/* The number behind {"seq": ; 0: none. */
static uint64_t seq_of(const char *line, size_t len)
{
	static const char head[] = "{\"seq\":";
	const char *from = line + sizeof(head) - 1;
	const char *comma;
	char digits[20];
	uint64_t seq = 0;

	if (len < sizeof(head) || memcmp(line, head, sizeof(head) - 1) != 0)
		return 0;
	comma = memchr(from, ',', len - (sizeof(head) - 1));
	if (!comma || (size_t)(comma - from) >= sizeof(digits))
		return 0;
	memcpy(digits, from, (size_t)(comma - from));
	digits[comma - from] = '\0';
	return text_to_uint(digits, INT64_MAX, &seq) ? seq : 0;
}

bool ledger_line_place(const char *line, size_t len,
		       struct ledger_place *ret_place)
{
	static const char member[] = LEDGER_HASH_MEMBER;
	struct ledger_place place;
	const char *end;

	if (len <= LEDGER_HASH_BYTES)
		return false;
	end = line + len - LEDGER_HASH_BYTES;
	if (memcmp(end, member, sizeof(member) - 1) != 0 ||
	    memcmp(line + len - 2, "\"}", 2) != 0)
		return false;
	place.seq = seq_of(line, len);
	memcpy(place.hash, end + sizeof(member) - 1, LEDGER_HASH_LEN);
	place.hash[LEDGER_HASH_LEN] = '\0';
	if (place.seq == 0 || !ledger_is_hash(place.hash))
		return false;
	*ret_place = place;
	return true;
}

/* ---- the end of a file --------------------------------------------------- */

/* What the last len bytes show; false: one would have to see more. */
static bool look(const char *text, size_t len, struct ledger_tail *tail,
		 bool *ret_is_record)
{
	bool is_whole = (off_t)len == tail->size;
	const char *last = memrchr(text, '\n', len);
	const char *before =
		last ? memrchr(text, '\n', (size_t)(last - text)) : NULL;
	const char *line = before ? before + 1 : text;

	tail->end = tail->size - (off_t)len;
	*ret_is_record = true;
	if (!last)
		return is_whole && len <= LEDGER_RECORD_MAX;
	if (!before && !is_whole)
		return false;
	tail->end += last + 1 - text;
	*ret_is_record =
		ledger_line_place(line, (size_t)(last - line), &tail->place);
	return true;
}

static enum po_status read_end(int fd, const char *path, char *text, size_t len,
			       off_t size, struct po_error *err)
{
	off_t at = size - (off_t)len;
	size_t done = 0;

	while (done < len) {
		ssize_t n =
			pread(fd, text + done, len - done, at + (off_t)done);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return ledger_fail(err, n < 0 ? errno : EIO, "read",
					   path);
		done += (size_t)n;
	}
	return PO_OK;
}

static size_t at_most(off_t size, size_t max)
{
	return size < (off_t)max ? (size_t)size : max;
}

static enum po_status read_much(int fd, const char *path,
				struct ledger_tail *tail, bool *ret_is_record,
				struct po_error *err)
{
	size_t len = at_most(tail->size, TAIL_MAX);
	char *text = malloc(len + 1);
	enum po_status st;

	if (!text)
		return po_no_memory(err);
	st = read_end(fd, path, text, len, tail->size, err);
	if (st == PO_OK && !look(text, len, tail, ret_is_record))
		*ret_is_record = false;
	free(text);
	return st;
}

enum po_status ledger_read_tail(int fd, const char *path,
				struct ledger_tail *ret_tail,
				struct po_error *err)
{
	struct ledger_tail tail = { .place = { .seq = 0 } };
	char text[TAIL_FIRST];
	bool is_record = true;
	enum po_status st = PO_OK;
	struct stat sb;
	size_t len;

	if (fstat(fd, &sb) != 0)
		return ledger_fail(err, errno, "examine", path);
	tail.size = sb.st_size;
	len = at_most(tail.size, sizeof(text));
	if (len > 0)
		st = read_end(fd, path, text, len, tail.size, err);
	if (st == PO_OK && len > 0 && !look(text, len, &tail, &is_record))
		st = read_much(fd, path, &tail, &is_record, err);
	if (st != PO_OK)
		return st;
	if (!is_record)
		return po_fail(err, PO_E_CONFIG, 0,
			       "'%s' does not end in a record; 'p11oauth audit "
			       "verify' looks closer, and a file that is moved "
			       "away is begun anew",
			       path);
	*ret_tail = tail;
	return PO_OK;
}

enum po_status ledger_lock(const struct ledger *ledger, int fd, int how,
			   struct po_error *err)
{
	int64_t give_up_ms =
		clock_monotonic_ms(ledger->clock) + LEDGER_LOCK_WAIT_MS;
	int64_t tick_ms = 1;

	while (flock(fd, how | LOCK_NB) != 0) {
		enum po_status st;

		if (errno != EWOULDBLOCK && errno != EINTR)
			return ledger_fail(err, errno, "lock", ledger->path);
		if (clock_monotonic_ms(ledger->clock) > give_up_ms)
			return po_fail(err, PO_E_CONFIG, ETIMEDOUT,
				       "another process has held '%s' for %d s",
				       ledger->path,
				       LEDGER_LOCK_WAIT_MS / 1000);
		st = clock_sleep_ms(ledger->clock, tick_ms, err);
		if (st != PO_OK)
			return st;
		if (tick_ms < LOCK_TICK_MAX_MS)
			tick_ms *= 2;
	}
	return PO_OK;
}

/* ---- the full files ------------------------------------------------------ */

bool ledger_numbered(const char *path, unsigned int number,
		     char out[static PATH_MAX])
{
	int n = snprintf(out, PATH_MAX, "%s.%0*u", path, NUMBER_DIGITS, number);

	return n > 0 && n < PATH_MAX;
}

unsigned int ledger_number_in(const char *name)
{
	const char *dot = strrchr(name, '.');
	uint64_t number = 0;

	if (!dot || strlen(dot + 1) != NUMBER_DIGITS ||
	    !text_to_uint(dot + 1, LEDGER_NUMBER_MAX, &number))
		return 0;
	return (unsigned int)number;
}

static int compare(const void *a, const void *b)
{
	const unsigned int *x = a, *y = b;

	return (*x > *y) - (*x < *y);
}

static bool add_number(struct ledger_numbers *numbers, unsigned int number)
{
	unsigned int *items = reallocarray(numbers->items, numbers->count + 1,
					   sizeof(*items));

	if (!items)
		return false;
	items[numbers->count++] = number;
	numbers->items = items;
	return true;
}

static enum po_status read_folder(DIR *dir, const char *name,
				  struct ledger_numbers *numbers,
				  struct po_error *err)
{
	size_t len = strlen(name);
	const struct dirent *entry;

	while ((entry = readdir(dir))) {
		const char *found = entry->d_name;
		unsigned int number = 0;

		if (strncmp(found, name, len) == 0 &&
		    strlen(found) == len + 1 + NUMBER_DIGITS)
			number = ledger_number_in(found);
		if (number > 0 && !add_number(numbers, number))
			return po_no_memory(err);
	}
	return PO_OK;
}

enum po_status ledger_numbers_of(const char *path,
				 struct ledger_numbers *ret_numbers,
				 struct po_error *err)
{
	struct ledger_numbers numbers = { 0 };
	char folder[PATH_MAX], name[PATH_MAX];
	enum po_status st;
	DIR *dir;

	if (snprintf(folder, sizeof(folder), "%s", path) >= PATH_MAX)
		return ledger_fail(err, ENAMETOOLONG, "open", path);
	memcpy(name, folder, sizeof(name)); /* both functions write into it */
	dir = opendir(dirname(folder));
	if (!dir)
		return ledger_fail(err, errno, "open", path);
	st = read_folder(dir, basename(name), &numbers, err);
	(void)closedir(dir);
	if (st != PO_OK) {
		ledger_numbers_clear(&numbers);
		return st;
	}
	if (numbers.count > 1)
		qsort(numbers.items, numbers.count, sizeof(*numbers.items),
		      compare);
	*ret_numbers = numbers;
	return PO_OK;
}

void ledger_numbers_clear(struct ledger_numbers *numbers)
{
	free(numbers->items);
	*numbers = (struct ledger_numbers){ 0 };
}
