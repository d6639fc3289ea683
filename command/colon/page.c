/* :page shows what a statement says through a pager, and alone once more what was said last. Only
 * when asked, and only to a person: where the session does not write to a terminal, it says it as
 * ever.
 *
 * What is said is heard on its way out. The last of it is kept up to a bound, so that it can be
 * paged after the fact; of longer output nothing is kept, rather than a part that looks whole. */
#include "command/colon/colon.h"

#include "base/process.h"
#include "base/str.h"
#include "base/terminal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { KEPT_MOST = 1 << 20 };

/* ---- the last output ---- */

static struct {
    tg_output under; /* where it goes */
    tg_str text;
    bool fresh;  /* what comes next is the first of a new output */
    bool failed; /* too much, or no memory: `text` is of no use */
} last;

static void keep(const char *text, size_t len) {
    if (last.fresh) {
        last.text.len = 0;
        last.fresh = last.failed = false;
    }
    if (!last.failed && last.text.len + len <= KEPT_MOST) tg_str_addn(&last.text, text, len);
    if (last.text.failed || last.text.len + len > KEPT_MOST) {
        last.failed = true;
        tg_str_free(&last.text);
    }
}

static void hear(void *user, const char *text, size_t len) {
    (void)user;
    keep(text, len);
    tg_colon_pass_on(&last.under, text, len);
}

void tg_page_listen(tg_state *s) {
    last.under = tg_redirect(s, (tg_output){.write = hear});
    last.fresh = true;
}

void tg_page_forget(void) {
    tg_str_free(&last.text);
    last.failed = false;
}

void tg_page_rest(tg_state *s) {
    tg_redirect(s, last.under);
}

/* ---- paging ---- */

static bool on_terminal(void) {
    return !last.under.write && isatty(STDIN_FILENO) && tg_terminal_obeys(STDOUT_FILENO);
}

/* False: there is no such program. */
static bool run_pager(const char *text, size_t len) {
    const char *wanted = getenv("PAGER");
    const char *const usual[] = {"less", "-R", NULL};
    const char *const own[] = {"/bin/sh", "-c", wanted, NULL};
    const bool given = wanted && wanted[0];
    tg_process p = {.argv = given ? own : usual, .input = text, .input_len = len};
    fflush(stdout);
    return tg_process_hand_over(&p) == TG_PROCESS_DONE && !(given && p.code >= 126 && p.code < 128);
}

static tg_status show(tg_state *s, const char *text, size_t len) {
    if (!on_terminal() || len == 0) {
        tg_colon_pass_on(&last.under, text, len);
        return TG_DONE;
    }
    if (run_pager(text, len)) return TG_DONE;
    tg_colon_pass_on(&last.under, text, len);
    return tg_refuse(s, "there is no pager",
                     "the variable PAGER names one; where it is not set, less is used");
}

/* What the statement says, while it runs. Without memory for all of it, it goes on as ever. */
static void collect(void *user, const char *text, size_t len) {
    tg_str *all = user;
    const bool direct = all->failed;
    if (!direct) tg_str_addn(all, text, len);
    if (!direct && all->failed) hear(NULL, tg_str_text(all), all->len);
    if (all->failed) hear(NULL, text, len);
}

static tg_status page_command(const tg_colon_call *call) {
    if (call->len == 0) {
        const char *why = last.failed ? "the last output was too long to be kept"
                                      : "nothing was shown yet that could be paged";
        if (last.failed || last.text.len == 0)
            return tg_refuse(call->s, why, ":page statement runs one and pages what it shows");
        return show(call->s, last.text.text, last.text.len);
    }
    tg_str all = {0};
    tg_output before = tg_redirect(call->s, (tg_output){collect, &all});
    tg_status status = tg_colon_or_run(call->s, call->text, call->len, call->flags);
    tg_redirect(call->s, before);
    if (status != TG_MORE && !all.failed && all.len > 0) {
        keep(all.text, all.len);
        tg_status shown = show(call->s, all.text, all.len);
        if (status == TG_DONE) status = shown;
    }
    tg_str_free(&all);
    return status;
}

const tg_colon tg_colons_page[] = {
    {"page", "[statement]",
     "What it shows through $PAGER (less); alone: the last output again.\n"
     "Where the output is no terminal it is written as it is. Nothing else is ever paged.",
     page_command},
    {0},
};
