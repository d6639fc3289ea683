/* Commands about files: loading and saving, the log, and the editor.
 *
 * A script that :save writes begins with a line that has a checksum of what follows, so that only
 * what tg has written, and nobody changed since, is overwritten without asking. The log is a
 * transcript: what is typed stands behind `tg> `, and tg --check can replay it. */
#include "command/colon/colon.h"
#include "command/colon/typed.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/hash.h"
#include "base/process.h"
#include "base/str.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

/* ---- reading and writing, with errors of the session ---- */

static tg_status refuse_ctx(tg_state *s, const tg_ctx *c, const char *help) {
    return tg_refuse(s, c->diag.msg, help);
}

/* The file's text, owned; NULL: the session has the error. */
static char *read_file(tg_state *s, const char *path, size_t *len) {
    tg_ctx c;
    char *text = NULL;
    if (!tg_ctx_init(&c)) {
        tg_refuse(s, "out of memory", NULL);
        return NULL;
    }
    text = tg_file_read(&c, path, len);
    if (!text) refuse_ctx(s, &c, NULL);
    tg_ctx_free(&c);
    return text;
}

static tg_status write_file(tg_state *s, const char *path, const tg_str *text) {
    tg_ctx c;
    if (text->failed || !tg_ctx_init(&c)) return tg_refuse(s, "out of memory", NULL);
    tg_status status = TG_DONE;
    if (!tg_file_save_atomic(&c, path, tg_str_text(text), text->len))
        status = refuse_ctx(s, &c, NULL);
    tg_ctx_free(&c);
    return status;
}

/* ---- :load and :reload ---- */

static char **loaded; /* absolute paths, in the order of their first loading */
static size_t nloaded, loaded_cap;

static void remember(const char *path) {
    char real[PATH_MAX];
    if (!realpath(path, real)) return;
    for (size_t i = 0; i < nloaded; i++)
        if (strcmp(loaded[i], real) == 0) return;
    void *p = loaded;
    bool ok = tg_grow(&p, &loaded_cap, nloaded + 1, sizeof *loaded);
    loaded = p;
    char *copy = ok ? tg_alloc_text(real, strlen(real)) : NULL;
    if (!copy) return; /* :reload will not know of it */
    loaded[nloaded++] = copy;
}

static tg_status load(const tg_colon_call *call, const char *path) {
    return tg_run_file(call->s, path, TG_ENTRY | (call->flags & ~(TG_ECHO | TG_MAY_GO_ON)));
}

static tg_status load_command(const tg_colon_call *call) {
    tg_str path = {0};
    if (!tg_typed_path(call, &path)) return TG_FAILED;
    if (!tg_file_exists(tg_str_text(&path))) {
        tg_str longer = {0};
        tg_str_addf(&longer, "%s.tg", tg_str_text(&path));
        if (!longer.failed && tg_file_exists(longer.text)) {
            tg_str_free(&path);
            path = longer;
        } else {
            tg_str_free(&longer);
        }
    }
    tg_status status = load(call, tg_str_text(&path));
    remember(tg_str_text(&path)); /* one that failed can be mended and reloaded */
    tg_str_free(&path);
    return status;
}

static tg_status reload_command(const tg_colon_call *call) {
    int used;
    tg_status status = tg_reload(call->s, &used);
    if (status == TG_DONE && used == 0 && nloaded == 0)
        return tg_refuse(call->s, "there is nothing to read again",
                         ":load a file first, or `use` one");
    for (size_t i = 0; status == TG_DONE && i < nloaded; i++) status = load(call, loaded[i]);
    return status;
}

/* ---- :save ---- */

#define MARK "# Saved by tg "

static void add_mark(tg_str *out, const char *text, size_t len) {
    tg_str_addf(out, MARK "%s, checksum %016llx\n", tg_version(),
                (unsigned long long)tg_hash_bytes(text, len));
}

typedef enum there { NOT_THERE, OURS, CHANGED, FOREIGN } there;

static there what_is_there(tg_state *s, const char *path) {
    size_t len;
    there is = FOREIGN;
    if (access(path, F_OK) != 0) return NOT_THERE;
    char *text = read_file(s, path, &len);
    const char *end = text ? memchr(text, '\n', len) : NULL;
    const char *sum = end ? strstr(text, ", checksum ") : NULL;
    if (end && strncmp(text, MARK, strlen(MARK)) == 0 && sum && sum < end) {
        const size_t rest = len - (size_t)(end + 1 - text);
        is = strtoull(sum + 11, NULL, 16) == tg_hash_bytes(end + 1, rest) ? OURS : CHANGED;
    }
    tg_free(text);
    return is;
}

/* The folder that the path is in, absolute. False: there is none. */
static bool folder_of(const char *path, char *out) {
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    snprintf(folder, sizeof folder, "%.*s", slash ? (int)(slash - path) + 1 : 1,
             slash ? path : ".");
    return realpath(folder, out) != NULL;
}

static size_t count(const char *text, const char *what) {
    size_t n = 0;
    for (const char *at = text; (at = strstr(at, what)); at += strlen(what)) n++;
    return n;
}

static tg_status save_to(tg_state *s, const char *path) {
    char folder[PATH_MAX];
    const char *text;
    tg_str out = {0}, said = {0};
    tg_status status = tg_save_text(s, folder_of(path, folder) ? folder : NULL, &text);
    if (status != TG_DONE) return status;
    add_mark(&out, text, strlen(text));
    tg_str_add(&out, text);
    const size_t lines = count(text, "\n"), lost = count(text, "# too large to be written: ") +
                                                   count(text, " that cannot be written here\n");
    status = write_file(s, path, &out);
    tg_str_free(&out);
    if (status != TG_DONE) return status;
    tg_str_addf(&said, "%s: %zu line%s\n", path, lines, lines == 1 ? "" : "s");
    if (lost)
        tg_str_addf(&said, "%zu value%s could not be written: see the comments there\n", lost,
                    lost == 1 ? "" : "s");
    return tg_colon_say(s, &said);
}

static tg_status save_command(const tg_colon_call *call) {
    tg_colon_call rest = *call;
    const bool anyway = rest.text[0] == '!';
    if (anyway) {
        rest.text++;
        rest.len--;
        while (rest.len > 0 && rest.text[0] == ' ') rest.text++, rest.len--;
    }
    if (rest.len == 0) return tg_refuse(call->s, "the command wants a file", ":save! file.tg");
    tg_str path = {0}, help = {0}, message = {0};
    if (!tg_typed_path(&rest, &path)) return TG_FAILED;
    tg_status status;
    const there is = anyway ? NOT_THERE : what_is_there(call->s, tg_str_text(&path));
    if (is == FOREIGN || is == CHANGED) {
        tg_str_addf(&message,
                    is == FOREIGN ? "%s was not written by :save" : "%s was changed since :save",
                    tg_str_text(&path));
        tg_str_addf(&help, ":save! %s writes over it", tg_str_text(&path));
        status = tg_refuse(call->s, tg_str_text(&message), tg_str_text(&help));
    } else {
        status = save_to(call->s, tg_str_text(&path));
    }
    tg_str_free(&path);
    tg_str_free(&help);
    tg_str_free(&message);
    return status;
}

/* ---- :log ---- */

static FILE *log_file;
static char *log_path;
static tg_state *logged; /* whose log it is */
static bool listening;   /* to what it writes, which goes on to `under` */
static tg_output under;
static tg_str heard;

/* Without the codes of colours. */
static void hear(const char *text, size_t len) {
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\033' && i + 1 < len && text[i + 1] == '[') {
            while (i < len && text[i] != 'm') i++;
            continue;
        }
        tg_str_addc(&heard, text[i]);
    }
}

static void pass_on(void *user, const char *text, size_t len) {
    (void)user;
    hear(text, len);
    tg_colon_pass_on(&under, text, len);
}

static void end_log(void) {
    if (log_file) fclose(log_file);
    log_file = NULL;
    logged = NULL;
    tg_str_free(&heard);
}

void tg_colon_log_begin(tg_state *s) {
    if (log_file && s != logged) end_log(); /* another session: that of the log has been closed */
    listening = log_file != NULL;
    if (listening) under = tg_redirect(s, (tg_output){.write = pass_on});
}

static void log_entry(tg_state *s, const char *text, size_t len, tg_status status) {
    if (status != TG_DONE) {
        if (heard.len > 0 && heard.text[heard.len - 1] != '\n') tg_str_addc(&heard, '\n');
        hear(tg_error(s), strlen(tg_error(s)));
    }
    while (len > 0 && strchr(" \t\r\n", text[len - 1])) len--;
    fputs("tg> ", log_file);
    for (size_t i = 0; i < len; i++) {
        fputc(text[i], log_file);
        if (text[i] == '\n') fputs("...> ", log_file);
    }
    fprintf(log_file, "\n%s", tg_str_text(&heard));
    if (heard.len > 0 && heard.text[heard.len - 1] != '\n') fputc('\n', log_file);
    fflush(log_file);
    if (!ferror(log_file)) return;
    end_log();
    tg_print(s, "note: the log cannot be written any more, and has ended\n");
}

void tg_colon_log_end(tg_state *s, const char *text, size_t len, tg_status status) {
    if (!listening) return;
    tg_redirect(s, under);
    if (log_file && status != TG_MORE) log_entry(s, text, len, status);
    tg_str_free(&heard);
}

static tg_status begin_log(tg_state *s, const char *path) {
    char now[32];
    const time_t t = time(NULL);
    FILE *f = fopen(path, "ae"); /* not for programs that are run */
    if (!f) return tg_colon_refuse_path(s, "write", path, strerror(errno));
    end_log();
    tg_free(log_path);
    log_path = tg_alloc_text(path, strlen(path));
    log_file = f;
    logged = s;
    strftime(now, sizeof now, "%Y-%m-%d %H:%M", localtime(&t));
    fprintf(f, "%s# tg %s, %s\n", ftell(f) > 0 ? "\n" : "", tg_version(), now);
    return TG_DONE;
}

static tg_status log_command(const tg_colon_call *call) {
    tg_str path = {0}, out = {0};
    if (call->len == 0) {
        if (!log_file || call->s != logged) return tg_print(call->s, "there is no log\n"), TG_DONE;
        tg_str_addf(&out, "the log is %s\n", log_path ? log_path : "kept");
        return tg_colon_say(call->s, &out);
    }
    if (call->len == 3 && memcmp(call->text, "off", 3) == 0) {
        if (!log_file) return tg_refuse(call->s, "there is no log to end", NULL);
        end_log();
        return TG_DONE;
    }
    if (!tg_typed_path(call, &path)) return TG_FAILED;
    tg_status status = begin_log(call->s, tg_str_text(&path));
    tg_str_free(&path);
    return status;
}

/* ---- :edit ---- */

static tg_str last; /* what was entered last, or edited last */

void tg_colon_entered(const char *text, size_t len) {
    tg_str_free(&last);
    tg_str_addn(&last, text, len);
}

/* Runs the person's editor on the file. */
static tg_status edit_file(tg_state *s, const char *path) {
    static const char *const usual[] = {"vi", "nano", "ed"};
    const char *editor = getenv("VISUAL");
    tg_process_end end = TG_PROCESS_MISSING;
    tg_process p = {0};
    if (!editor || !editor[0]) editor = getenv("EDITOR");
    fflush(stdout);
    if (editor && editor[0]) { /* may have arguments of its own */
        tg_str line = {0};
        tg_str_addf(&line, "%s \"$@\"", editor);
        const char *const argv[] = {"/bin/sh", "-c", tg_str_text(&line), editor, path, NULL};
        p.argv = argv;
        if (!line.failed) end = tg_process_hand_over(&p);
        p.argv = NULL;
        tg_str_free(&line);
        if (end == TG_PROCESS_DONE && p.code == 127) end = TG_PROCESS_MISSING;
        if (end == TG_PROCESS_MISSING)
            return tg_colon_refuse_path(s, "run the editor", editor, "there is no such program");
    }
    for (size_t i = 0; end == TG_PROCESS_MISSING && i < sizeof usual / sizeof *usual; i++) {
        const char *const argv[] = {usual[i], path, NULL};
        p = (tg_process){.argv = argv};
        end = tg_process_hand_over(&p);
        p.argv = NULL;
    }
    if (end == TG_PROCESS_MISSING)
        return tg_refuse(s, "there is no editor", "set EDITOR to the name of one");
    if (end == TG_PROCESS_REFUSED) return tg_refuse(s, strerror(p.code), NULL);
    if (p.code == 0) return TG_DONE;
    return tg_refuse(s, "the editor ended with an error: nothing is run", NULL);
}

/* The text as the person leaves it, instead of itself. */
static tg_status edit_text(tg_state *s, tg_str *text) {
    char path[PATH_MAX];
    const char *folder = getenv("TMPDIR");
    size_t len = 0;
    snprintf(path, sizeof path, "%s/tg-XXXXXX.tg", folder && folder[0] ? folder : "/tmp");
    const int file = mkstemps(path, 3);
    if (file < 0) return tg_colon_refuse_path(s, "write", path, strerror(errno));
    close(file);
    if (text->len > 0 && text->text[text->len - 1] != '\n') tg_str_addc(text, '\n');
    tg_status status = write_file(s, path, text);
    if (status == TG_DONE) status = edit_file(s, path);
    char *edited = status == TG_DONE ? read_file(s, path, &len) : NULL;
    unlink(path);
    if (!edited) return TG_FAILED;
    tg_str_free(text);
    tg_str_addn(text, edited, len);
    tg_free(edited);
    return TG_DONE;
}

static tg_status run_edited(const tg_colon_call *call, tg_str *text) {
    tg_str before = {0};
    tg_str_addn(&before, tg_str_text(text), text->len);
    tg_status status = edit_text(call->s, text);
    size_t n = text->len;
    while (n > 0 && strchr(" \t\r\n", text->text[n - 1])) n--;
    if (status == TG_DONE && before.len <= text->len && n <= before.len &&
        memcmp(tg_str_text(text), tg_str_text(&before), n) == 0) {
        tg_print(call->s, "nothing was changed, and nothing is run\n");
    } else if (status == TG_DONE) {
        tg_colon_entered(text->text, n);
        status = tg_colon_or_run(call->s, text->text, n, call->flags & ~TG_MAY_GO_ON);
    }
    tg_str_free(&before);
    return status;
}

static bool looks_like_file(const char *text) {
    return strchr(text, '/') || strchr(text, '.') || tg_file_exists(text);
}

static tg_status edit_command(const tg_colon_call *call) {
    tg_str text = {0}, path = {0};
    tg_status status = TG_FAILED;
    if (call->len == 0) {
        tg_str_addn(&text, tg_str_text(&last), last.len);
        status = run_edited(call, &text);
    } else if (!tg_typed_path(call, &path)) {
        return TG_FAILED;
    } else if (tg_definition(call->s, tg_str_text(&path))) {
        tg_str_add(&text, tg_definition(call->s, tg_str_text(&path)));
        status = run_edited(call, &text);
    } else if (looks_like_file(tg_str_text(&path))) {
        status = edit_file(call->s, tg_str_text(&path));
        if (status == TG_DONE) status = load(call, tg_str_text(&path));
        if (status != TG_FAILED) remember(tg_str_text(&path));
    } else {
        tg_str_addf(&text, "%s is no function written in tg, and no file", tg_str_text(&path));
        tg_refuse(call->s, tg_str_text(&text), ":edit alone edits what was entered last");
    }
    tg_str_free(&text);
    tg_str_free(&path);
    return status;
}

const tg_colon tg_colons_files[] = {
    {"load", "file",
     "Runs a file, as if its lines were entered; what it defines stays.\n"
     "    :load model.tg     may be loaded again and again, unlike use \"model.tg\"\n"
     "    :load model        the ending .tg may be left out\n"
     "Its values are not echoed. :undo takes all of it back at once.",
     load_command},
    {"reload", "",
     "Reads again, in their order, the files that were used, then those that were loaded.\n"
     "Functions and definitions are renewed; so are variables that the files make.",
     reload_command},
    {"save", "file",
     "Writes the session as a script that makes it again.\n"
     "    :save work.tg      then, later: tg work.tg, or :load work.tg\n"
     "    :save! work.tg     also over a file that :save has not written, or that was changed "
     "since\n"
     "Entries stand as they were typed; those that failed or were undone are left out, and so are\n"
     "commands. Where a statement was interrupted or failed half way, what it left is written as\n"
     "values, to the last bit. The precision, the seed and the draws are as they were. What a "
     "script\n"
     "cannot do again is what came from outside: clock(), and files that have changed.",
     save_command},
    {"log", "[file|off]",
     "Writes all that is typed and answered into a file, too; alone: says whether it does.\n"
     "    :log class.tgt     adds to the file; tg --check class.tgt replays it\n"
     "    :log off           ends it",
     log_command},
    {"edit", "[name|file]",
     "Opens your editor, and runs what you leave; alone: with what was entered last.\n"
     "    :edit              the last entry, or the text of the last :edit\n"
     "    :edit f            the function f as it was written\n"
     "    :edit model.tg     the file, which is loaded then\n"
     "The editor is that of VISUAL or EDITOR, else vi, nano or ed. A text with an error is kept "
     "for\n"
     "the next :edit; one that was not changed, or an editor that ends with an error, runs "
     "nothing.",
     edit_command},
    {0},
};
