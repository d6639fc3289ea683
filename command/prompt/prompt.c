/* The prompt: read, run, show, and never lose anything. Text that is right so far but goes on is
 * asked for line by line; Ctrl-C drops what was typed, or stops what runs; Ctrl-D on an empty line
 * leaves. What was pasted, or recalled from the history, may be many lines with commands among
 * them: one entry, which runs part by part up to the first error.
 *
 * An entry is in the history before it runs, so that one that ends the process is there too. */
#include "command/prompt/prompt.h"

#include "base/alloc.h"
#include "base/wrap.h"
#include "command/colon/colon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

/* What is being entered. */
typedef struct entry {
    tg_str text;
    size_t ran;   /* so much of it was run: parts before one that goes on */
    tg_scan scan; /* over all of it: which brackets are open */
} entry;

enum { SLOW_TO_PARSE = 4096 }; /* bytes; of longer text the brackets are counted first */

static bool only_blanks(const char *s) {
    return s[strspn(s, " \t\r\n")] == 0;
}

static void answer(tg_state *s, tg_status status) {
    fflush(stdout);
    if (status == TG_FAILED || status == TG_INTERRUPTED) tg_command_complain(s);
}

static bool is_command(const char *text) {
    text += strspn(text, " \t");
    return *text == ':' || *text == '!';
}

/* Bytes of the first part: all up to a line that is a command, or the command's own lines. */
static size_t part_length(const char *text, size_t len) {
    const bool command = is_command(text);
    tg_scan scan = {.text = text};
    for (;;) {
        const char *end = memchr(text + scan.len, '\n', len - scan.len);
        if (!end) return len;
        scan.len = (size_t)(end - text) + 1;
        while (tg_scan_next(&scan) != TG_SCAN_END) {}
        scan.hi = scan.len;
        if (scan.depth == 0 && (command || is_command(end + 1))) return scan.len;
    }
}

static tg_status run_part(tg_state *s, const char *text, size_t len, int flags) {
    tg_command_watch(s);
    if (tg_command_interrupted) tg_interrupt(s); /* between the editor and here */
    tg_status status = tg_colon_or_run(s, text, len, flags);
    tg_command_watch(NULL); /* while a line is edited Ctrl-C belongs to the editor */
    return status;
}

/* Runs what is complete of it; `last`: no more will come. True: it goes on. */
static bool run_entry(tg_state *s, entry *e, bool last) {
    tg_status status = TG_DONE;
    bool remembered = false;
    while (status == TG_DONE && e->ran < e->text.len) {
        const char *text = e->text.text + e->ran;
        const size_t left = e->text.len - e->ran, n = part_length(text, left);
        const bool may_go_on = n == left && !last;
        if (may_go_on && !is_command(text) && tg_goes_on(s, text, n)) return true;
        if (!remembered && !(may_go_on && is_command(text)))
            tg_editor_remember(tg_str_text(&e->text));
        remembered = remembered || !(may_go_on && is_command(text));
        status = run_part(s, text, n, TG_ECHO | (may_go_on ? TG_MAY_GO_ON : 0));
        if (status == TG_MORE) return true;
        if (status == TG_DONE) e->ran += n;
        fflush(stdout);
    }
    if (!remembered) tg_editor_remember(tg_str_text(&e->text));
    answer(s, status);
    return false;
}

/* In fast input that is long (pasted where the terminal does not say that it is), text with open
 * brackets goes on: to parse it anew for each line would take quadratic time. */
static bool surely_goes_on(entry *e) {
    e->scan.text = e->text.text;
    e->scan.len = e->text.len;
    while (tg_scan_next(&e->scan) != TG_SCAN_END) {}
    return e->text.len > SLOW_TO_PARSE && e->scan.depth > 0 && tg_editor_more_waits();
}

/* ---- init.tg ---- */

static void run_init(tg_state *s) {
    const char *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
    tg_str path = {0};
    struct stat st;
    if (config && config[0] == '/')
        tg_str_addf(&path, "%s/tg/init.tg", config);
    else if (home && home[0] == '/')
        tg_str_addf(&path, "%s/.config/tg/init.tg", home);
    if (path.len && !path.failed && stat(path.text, &st) == 0 && S_ISREG(st.st_mode)) {
        tg_command_watch(s);
        answer(s, tg_run_file(s, path.text, TG_ENTRY));
        tg_command_watch(NULL);
    }
    tg_str_free(&path);
}

/* ---- the loop ---- */

/* One line more. True: it goes on. */
static bool take_line(tg_state *s, entry *e, const char *line, bool more) {
    if (more) tg_str_addc(&e->text, '\n');
    tg_str_add(&e->text, line);
    if (e->text.failed) {
        fputs("error: out of memory: the line is dropped\n", stderr);
        return false;
    }
    if (!more && only_blanks(tg_str_text(&e->text))) return false;
    return surely_goes_on(e) || run_entry(s, e, false);
}

static void greet(tg_state *s) {
    tg_str text = {0}, wrapped = {0};
    tg_str_addf(&text, "tg %s: ? explains, :help lists the commands, Ctrl-D leaves.\n",
                tg_version());
    tg_wrap_text(&wrapped, tg_str_text(&text), tg_columns(s));
    tg_print(s, tg_str_text(&wrapped));
    tg_str_free(&text);
    tg_str_free(&wrapped);
}

/* Does the line begin as one of a session that was copied? */
static bool is_copied(const char *line) {
    return strncmp(line + strspn(line, " "), "tg> ", 4) == 0;
}

static bool more_comes_soon(void) {
    static const struct timespec moment = {.tv_nsec = 30000000};
    if (tg_editor_more_waits()) return true;
    nanosleep(&moment, NULL);
    return tg_editor_more_waits();
}

/* Such a line, where the terminal did not say that it was pasted, with those that come along: as
 * one paste. */
static char *copied(char *line) {
    tg_str text = {0};
    char *next = NULL;
    tg_str_add(&text, line);
    tg_free(line);
    while (more_comes_soon() && tg_editor_read("...> ", "", &next) == TG_EDIT_LINE) {
        tg_str_addf(&text, "\n%s", next);
        tg_free(next);
    }
    char *clean = text.failed ? NULL : tg_paste_clean(text.text, text.len);
    tg_str_free(&text);
    return clean;
}

int tg_prompt(tg_state *s, bool init) {
    entry e = {0};
    bool more = false;
    int status = EXIT_DONE;
    greet(s);
    if (init) run_init(s);
    tg_editor_open(s);
    tg_command_watch(NULL);
    while (!tg_colon_leaving) {
        char *line = NULL;
        fflush(stdout);
        if (tg_command_interrupted) clearerr(stdout); /* a write cut short is no failure */
        tg_edit got = tg_editor_read(more ? "...> " : "tg> ", tg_str_text(&e.text), &line);
        if (got == TG_EDIT_LINE) {
            if (!more && is_copied(line)) line = copied(line);
            more = line && take_line(s, &e, line, more);
            tg_free(line);
        } else if (got == TG_EDIT_INTERRUPT) {
            more = false;
        } else if (got == TG_EDIT_END && more) {
            putchar('\n');
            run_entry(s, &e, true); /* this is all there will be: its error is shown */
            more = false;
        } else {
            if (got == TG_EDIT_FAILED) status = EXIT_ERROR;
            putchar('\n');
            break;
        }
        if (!more) {
            tg_str_free(&e.text);
            e = (entry){0};
        }
    }
    tg_str_free(&e.text);
    tg_editor_close();
    return status;
}
