/* SPDX-License-Identifier: Apache-2.0 */
#include "paper-signer.h"

#include "test-folder.h"
#include "unit.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct paper_signer ps;

void paper_pin(const char *pin)
{
	int fd = open("pin", O_WRONLY | O_CREAT | O_TRUNC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, pin, strlen(pin)), strlen(pin));
	assert_int_equal(close(fd), 0);
}

void paper_signer_up(void)
{
	char *here;

	folder_enter();
	here = getcwd(NULL, 0);
	assert_non_null(here);
	assert_int_equal(setenv("XDG_STATE_HOME", here, 1), 0);
	free(here);
	(void)unsetenv("STATE_DIRECTORY");
	paper_reset();
	paper_pin("739154\n");
	memset(&ps, 0, sizeof(ps));
	fake_clock_init(&ps.clock, PAPER_NOW_S);
	ps.pin.from = "file:pin";
	ps.request = (struct token_signer_request){
		.clock = &ps.clock.clock,
		.module = "/paper/token.so",
		.pin = &ps.pin,
		.kept = &ps.kept,
	};
}

void paper_close(void)
{
	signer_free(ps.signer);
	ps.signer = NULL;
}

void paper_signer_down(void)
{
	paper_close();
	kept_pin_clear(&ps.kept);
	folder_leave();
}

enum po_status paper_open(const char *uri)
{
	paper_close();
	ps.err = (struct po_error){ 0 };
	ps.request.uri = uri;
	return token_signer_open(&ps.request, &ps.signer, &ps.err);
}

enum po_status paper_unlock(void)
{
	ps.err = (struct po_error){ 0 };
	return signer_unlock(ps.signer, &ps.err);
}

void paper_says(const char *text)
{
	if (!strstr(ps.err.text, text))
		fail_msg("no '%s' in '%s'", text, ps.err.text);
}
