/* Running graphviz: its `dot` reads the text and writes the picture. What it has to say goes to the
 * user's own standard error. */
#include "base/process.h"
#include "runtime/export/dot.h"

#include <string.h>

bool tg_dot_draw(tg_rt *rt, const tg_str *dot, const char *format, tg_str *picture, bool *missing) {
    char option[16] = "-T";
    strncat(option, format, sizeof option - 3);
    const char *const argv[] = {"dot", option, NULL};
    tg_process p = {.argv = argv,
                    .input = tg_str_text(dot),
                    .input_len = dot->len,
                    .out = picture,
                    .interrupted = rt->c.interrupt_waits ? NULL : &rt->c.interrupted};
    tg_process_end end = tg_process_run(&p);
    *missing = end == TG_PROCESS_MISSING;
    if (*missing) return true;
    if (end == TG_PROCESS_STOPPED) return tg_check_interrupt(&rt->c);
    if (end == TG_PROCESS_REFUSED)
        return tg_fail(&rt->c, TG_ERR_FILE, "cannot run dot: %s", strerror(p.code));
    if (p.code != 0) return tg_fail(&rt->c, TG_ERR_FILE, "graphviz's dot failed");
    return !picture->failed || tg_fail_memory(&rt->c);
}
