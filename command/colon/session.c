/* Commands about the session as a whole: going back, beginning anew, its folder, its end, and the
 * shell beside it. */
#include "command/colon/colon.h"
#include "command/colon/typed.h"

#include "base/process.h"
#include "base/str.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- paths ---- */

bool tg_typed_path(const tg_colon_call *call, tg_str *out) {
    const char *text = call->text;
    size_t n = call->len;
    if (n >= 2 && (text[0] == '"' || text[0] == '\'') && text[n - 1] == text[0]) {
        text++;
        n -= 2;
    }
    const char *home = getenv("HOME");
    if (n > 0 && text[0] == '~' && (n == 1 || text[1] == '/') && home && home[0]) {
        tg_str_add(out, home);
        text++;
        n--;
    }
    tg_str_addn(out, text, n);
    if (!out->failed) return true;
    tg_refuse(call->s, "out of memory", NULL);
    return false;
}

tg_status tg_colon_refuse_path(tg_state *s, const char *doing, const char *path, const char *why) {
    tg_str message = {0};
    tg_str_addf(&message, "cannot %s %s: %s", doing, path, why);
    tg_status status = tg_refuse(s, tg_str_text(&message), NULL);
    tg_str_free(&message);
    return status;
}

/* ---- :cd ---- */

static tg_status cd_command(const tg_colon_call *call) {
    static char before[PATH_MAX];
    char here[PATH_MAX], there[PATH_MAX];
    tg_str path = {0}, out = {0};
    const char *home = getenv("HOME");
    if (!tg_typed_path(call, &path)) return TG_FAILED;
    const char *to = tg_str_text(&path);
    if (path.len == 0) to = home && home[0] ? home : "/";
    if (strcmp(to, "-") == 0) to = before[0] ? before : ".";
    const bool known = getcwd(here, sizeof here) != NULL;
    tg_status status = TG_DONE;
    if (chdir(to) != 0) {
        status = tg_colon_refuse_path(call->s, "go to", to, strerror(errno));
    } else {
        const bool found = getcwd(there, sizeof there) != NULL;
        if (known) strcpy(before, here);
        tg_str_addf(&out, "%s\n", found ? there : to);
        status = tg_colon_say(call->s, &out);
    }
    tg_str_free(&path);
    return status;
}

/* ---- the shell ---- */

static const char *own_shell(void) {
    const char *shell = getenv("SHELL");
    return shell && shell[0] ? shell : "/bin/sh";
}

tg_status tg_colon_shell(const tg_colon_call *call) {
    tg_str command = {0}, out = {0};
    tg_str_addn(&command, call->text, call->len);
    const char *const run[] = {"/bin/sh", "-c", tg_str_text(&command), NULL};
    const char *const alone[] = {own_shell(), NULL};
    tg_process p = {.argv = call->len ? run : alone};
    if (command.failed) return tg_refuse(call->s, "out of memory", NULL);
    fflush(stdout); /* what was said before it stands before what it says */
    const tg_process_end end = tg_process_hand_over(&p);
    tg_str_free(&command);
    if (end == TG_PROCESS_MISSING) return tg_refuse(call->s, "there is no shell to run it", NULL);
    if (end == TG_PROCESS_REFUSED) return tg_refuse(call->s, strerror(p.code), NULL);
    if (p.code == 0) return TG_DONE;
    tg_str_addf(&out, p.code > 128 ? "ended by signal %d\n" : "exit status %d\n",
                p.code > 128 ? p.code - 128 : p.code);
    return tg_colon_say(call->s, &out);
}

/* ---- the end ---- */

bool tg_colon_leaving;

tg_status tg_colon_quit(const tg_colon_call *call) {
    (void)call;
    tg_colon_leaving = true;
    return TG_DONE;
}

/* ---- back and forth ---- */

/* As many as the argument says, one without; what was moved is listed. */
static tg_status move(const tg_colon_call *call, const char *(*step)(tg_state *), const char *did) {
    tg_str out = {0};
    long n = 1;
    if (call->len > 0) {
        char *end;
        n = strtol(call->text, &end, 10);
        if (end != call->text + call->len || n < 1)
            return tg_refuse(call->s, "how many entries? a whole number from 1", NULL);
    }
    tg_status status = TG_DONE;
    for (long i = 0; i < n && status == TG_DONE; i++) {
        const char *text = step(call->s);
        if (text)
            tg_str_addf(&out, "%s: %s\n", did, text);
        else if (i == 0)
            status = TG_FAILED;
        else
            break;
    }
    if (status != TG_DONE) return status;
    return tg_colon_say(call->s, &out);
}

static tg_status undo_command(const tg_colon_call *call) {
    return move(call, tg_undo, "undone");
}

static tg_status redo_command(const tg_colon_call *call) {
    return move(call, tg_redo, "redone");
}

static tg_status reset_command(const tg_colon_call *call) {
    return tg_reset(call->s);
}

static tg_status rebind_command(const tg_colon_call *call) {
    tg_str code = {0};
    tg_str_addf(&code, "rebind(%.*s)", (int)call->len, call->text);
    if (code.failed) return tg_refuse(call->s, "out of memory", NULL);
    tg_status status = tg_run_bytes(call->s, "<prompt>", code.text, code.len, 1,
                                    (call->flags & ~TG_MAY_GO_ON) | TG_ENTRY);
    tg_str_free(&code);
    return status;
}

const tg_colon tg_colons_session[] = {
    {"undo", "[n]",
     "Takes back the last entry, or the last n: the session is as it was before.\n"
     "Names, values of variables and inputs, assumptions, rules, the precision, the format and "
     "the\n"
     "random generator are as before; entries that only showed something go along. The last 100\n"
     "entries are remembered, fewer if that takes more than 256 MB (:mem tells). Files that were\n"
     "written stay written.",
     undo_command},
    {"redo", "[n]", "Does again what :undo took back, until something else is entered.",
     redo_command},
    {"reset", "",
     "A new session: all names are gone, the options of the command are kept.\n"
     ":undo brings everything back.",
     reset_command},
    {"rebind", "name",
     "Lets formulas that still mean an earlier `name` mean the one of now.\n"
     "After W = var(...) a second time, formulas written before keep the first W. :rebind W makes\n"
     "them anew with the second, if that has the type and shape of the first; all of them or none.",
     rebind_command},
    {"cd", "[folder]",
     "Goes to that folder, where relative paths begin; alone: to the home folder.\n"
     "    :cd ~/data     ~ is the home folder\n"
     "    :cd -          the folder before\n"
     "    :cd .          only says where you are",
     cd_command},
    {"quit", "", "Leaves, as Ctrl-D does. Nothing is asked: :save first what you want to keep.",
     tg_colon_quit},
    {0},
};
