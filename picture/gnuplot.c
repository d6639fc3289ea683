/* Running gnuplot. It reads the script from its input, no file of the user's (-d), and what it
 * complains of is not shown: scripts are made here, and what could be wrong with the data was
 * looked at before. */
#include "base/process.h"
#include "picture/parts.h"

#include <string.h>

bool tg_gnuplot_run(tg_ctx *c, const tg_str *script, tg_str *out) {
    const char *const argv[] = {"gnuplot", "-d", NULL};
    tg_str complaint = {0};
    if (script->failed) return tg_fail_memory(c);
    tg_process p = {.argv = argv,
                    .input = tg_str_text(script),
                    .input_len = script->len,
                    .out = out,
                    .err = &complaint,
                    .interrupted = c->interrupt_waits ? NULL : &c->interrupted};
    tg_process_end end = tg_process_run(&p);
    bool unknown = strstr(tg_str_text(&complaint), "unknown or ambiguous terminal") != NULL;
    tg_str_free(&complaint);
    switch (end) {
    case TG_PROCESS_MISSING:
        tg_fail(c, TG_ERR_FILE, "a picture needs gnuplot, which is not installed");
        return tg_help(c, "apt-get install gnuplot-nox");
    case TG_PROCESS_STOPPED: return tg_check_interrupt(c);
    case TG_PROCESS_REFUSED:
        return tg_fail(c, TG_ERR_FILE, "cannot run gnuplot: %s", strerror(p.code));
    default: break;
    }
    if (unknown) {
        tg_fail(c, TG_ERR_FILE, "this gnuplot cannot draw such a picture");
        return tg_help(c, "apt-get install gnuplot-nox has one that can");
    }
    if (p.code != 0 || (out->len == 0 && !out->failed))
        return tg_fail(c, TG_ERR_FILE, "gnuplot could not draw this");
    return !out->failed || tg_fail_memory(c);
}
