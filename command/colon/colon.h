/* Commands of the prompt: lines that begin with `:`. They look at a session from outside, and are
 * no part of the language: they work at the prompt, in transcripts and with -e, not in scripts. */
#ifndef TG_COLON_H
#define TG_COLON_H

#include "base/str.h"
#include "tg.h"

#include <stdbool.h>
#include <stddef.h>

/* What follows the command's name, without blanks around it. */
typedef struct tg_colon_call {
    tg_state *s;
    const char *text;
    size_t len;
    int flags; /* of tg_run_bytes */
} tg_colon_call;

typedef struct tg_colon {
    const char *name;      /* without the colon */
    const char *arguments; /* as help shows them: "statement", "[file]"; "": none */
    const char *doc;       /* one line for the list; lines behind it are for :help :name */
    tg_status (*run)(const tg_colon_call *call);
} tg_colon;

/* The i-th of all, in the order in which :help lists them; NULL past the end. */
const tg_colon *tg_colon_at(int i);
/* The tables, one a file; each ends with a row without a name. To add a command, add a row. */
extern const tg_colon tg_colons_session[];
extern const tg_colon tg_colons_ask[];
extern const tg_colon tg_colons_files[];
extern const tg_colon tg_colons_measure[];
extern const tg_colon tg_colons_page[];

/* Prints and frees the text. */
tg_status tg_colon_say(tg_state *s, tg_str *out);
/* Writes where `to` says. */
void tg_colon_pass_on(const tg_output *to, const char *text, size_t len);
/* "62.7 KB", "1.57 M": three digits. */
void tg_colon_add_bytes(tg_str *out, double bytes);
void tg_colon_add_flops(tg_str *out, double flops);

tg_status tg_colon_shell(const tg_colon_call *call); /* !command */
tg_status tg_colon_quit(const tg_colon_call *call);
/* :quit was said; the prompt leaves. A transcript goes on. */
extern bool tg_colon_leaving;

/* Around what runs: what it shows is kept for :page. */
void tg_page_listen(tg_state *s);
void tg_page_rest(tg_state *s);
/* Nothing is kept: another session begins. */
void tg_page_forget(void);

/* tg_run_bytes, or the command that the text is. */
tg_status tg_colon_or_run(tg_state *s, const char *text, size_t len, int flags);

#endif
