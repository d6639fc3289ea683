/* What the commands share: paths as they are typed, and what they are refused with. */
#ifndef TG_COLON_TYPED_H
#define TG_COLON_TYPED_H

#include "base/str.h"
#include "command/colon/colon.h"

/* The argument as a path: quotes around it are taken off, and ~ is the home folder. False: refused.
 */
bool tg_typed_path(const tg_colon_call *call, tg_str *out);
/* "cannot read x: why". Returns TG_FAILED. */
tg_status tg_colon_refuse_path(tg_state *s, const char *doing, const char *path, const char *why);

/* ---- files.c: the log, and what :edit begins with ---- */

/* Before and after each text that is run. */
void tg_colon_log_begin(tg_state *s);
void tg_colon_log_end(tg_state *s, const char *text, size_t len, tg_status status);
void tg_colon_entered(const char *text, size_t len);

#endif
