/* Commands about the session as a whole: its folder, its end, and the shell beside it. */
#include "command/colon/colon.h"

#include "base/process.h"
#include "base/str.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- paths ---- */

/* What was typed as a path: quotes around it are taken off, and ~ is the home folder. */
static bool typed_path(const tg_colon_call *call, tg_str *out) {
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

static tg_status refuse_path(tg_state *s, const char *doing, const char *path, const char *why) {
    tg_str message = {0};
    tg_str_addf(&message, "cannot %s %s: %s", doing, path, why);
    tg_status status = tg_refuse(s, tg_str_text(&message), NULL);
    tg_str_free(&message);
    return status;
}

static tg_status say(tg_state *s, tg_str *out) {
    tg_status status = TG_DONE;
    if (out->failed)
        status = tg_refuse(s, "out of memory", NULL);
    else
        tg_print(s, tg_str_text(out));
    tg_str_free(out);
    return status;
}

/* ---- :cd ---- */

static tg_status cd_command(const tg_colon_call *call) {
    static char before[PATH_MAX];
    char here[PATH_MAX], there[PATH_MAX];
    tg_str path = {0}, out = {0};
    const char *home = getenv("HOME");
    if (!typed_path(call, &path)) return TG_FAILED;
    const char *to = tg_str_text(&path);
    if (path.len == 0) to = home && home[0] ? home : "/";
    if (strcmp(to, "-") == 0) to = before[0] ? before : ".";
    const bool known = getcwd(here, sizeof here) != NULL;
    tg_status status = TG_DONE;
    if (chdir(to) != 0) {
        status = refuse_path(call->s, "go to", to, strerror(errno));
    } else {
        const bool found = getcwd(there, sizeof there) != NULL;
        if (known) strcpy(before, here);
        tg_str_addf(&out, "%s\n", found ? there : to);
        status = say(call->s, &out);
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
    return say(call->s, &out);
}

/* ---- the end ---- */

bool tg_colon_leaving;

tg_status tg_colon_quit(const tg_colon_call *call) {
    (void)call;
    tg_colon_leaving = true;
    return TG_DONE;
}

const tg_colon tg_colons_session[] = {
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
