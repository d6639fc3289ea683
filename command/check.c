/* tg --check: every document is a test. Each file is replayed in a session of its own (seed 0
 * unless told otherwise) and what tg answers is compared with what the file says; --update writes
 * the answers into the file instead, for the author to review. A .tg file with a neighbour of the
 * same name and the ending .out is run as a script and its output compared with that. A file in
 * which nothing was checked is an error: it says less than it seems to. */
#include "base/alloc.h"
#include "base/file.h"
#include "command/colon/colon.h"
#include "command/command.h"
#include "command/transcript.h"

#include <stdio.h>
#include <string.h>

enum { DIFF_MOST = 60 }; /* lines of a difference that are printed */

typedef struct checker {
    tg_ctx c;
    tg_options options; /* with our own `write` */
    tg_str answer;      /* what the session has written */
    tg_state *s;
    bool update, interrupted;
    int transcripts, mismatches, updated;
} checker;

static void collect(void *user, const char *text, size_t len) {
    checker *k = user;
    tg_str_addn(&k->answer, text, len);
}

static void complain(const char *path, const char *what) {
    fflush(stdout);
    fprintf(stderr, "%s: %s\n", path, what);
}

static void close_session(checker *k) {
    tg_command_watch(NULL);
    tg_close(k->s);
    k->s = NULL;
}

static bool open_session(checker *k, const char *path) {
    if (k->s) close_session(k);
    tg_page_forget();
    k->s = tg_open(&k->options);
    if (!k->s) {
        complain(path, "out of memory");
        return false;
    }
    tg_command_watch(k->s);
    if (!tg_error(k->s)[0]) return true;
    complain(path, tg_error(k->s));
    return false;
}

/* What the session wrote, and the error it ended with, as at the prompt. */
static void take_answer(checker *k, tg_status status, tg_str *out) {
    *out = k->answer;
    k->answer = (tg_str){0};
    if (status == TG_DONE) return;
    if (out->len > 0 && out->text[out->len - 1] != '\n') tg_str_addc(out, '\n');
    tg_str_add(out, tg_error(k->s));
    if (status == TG_INTERRUPTED) k->interrupted = true;
}

/* ---- differences ---- */

static bool same_line(tg_line a, tg_line b) {
    return a.n == b.n && memcmp(a.text, b.text, a.n) == 0;
}

static void print_lines(char mark, const tg_line *l, size_t n) {
    for (size_t i = 0; i < n; i++) {
        if (i == DIFF_MOST) {
            printf("%c ... and %zu more lines\n", mark, n - i);
            return;
        }
        printf("%c %.*s\n", mark, (int)l[i].n, l[i].text);
    }
}

/* What begins and ends alike is context; the rest was expected (-) or given (+). */
static void print_difference(const tg_line *want, size_t nwant, const tg_line *got, size_t ngot) {
    size_t head = 0, tail = 0;
    while (head < nwant && head < ngot && same_line(want[head], got[head])) head++;
    while (tail < nwant - head && tail < ngot - head &&
           same_line(want[nwant - tail - 1], got[ngot - tail - 1]))
        tail++;
    print_lines(' ', want, head);
    print_lines('-', want + head, nwant - head - tail);
    print_lines('+', got + head, ngot - head - tail);
    print_lines(' ', want + nwant - tail, tail);
}

static void print_mismatch(const char *path, const tg_transcript *t, const tg_exchange *x,
                           const tg_str *answer) {
    tg_line *want = NULL, *got = NULL;
    size_t nwant = 0, ngot = 0;
    printf("%s:%d\n", path, x->at + 1);
    if (x->first > x->at) print_lines(' ', t->lines + x->at, (size_t)(x->first - x->at));
    want = tg_alloc_array((size_t)(x->last - x->first) + 1, sizeof *want);
    for (int i = 0; want && i < x->last - x->first; i++)
        want[nwant++] = tg_transcript_expected(t, x, i);
    if (want && tg_lines_split(tg_str_text(answer), answer->len, &got, &ngot))
        print_difference(want, nwant, got, ngot);
    tg_free(got);
    tg_free(want);
}

/* ---- transcripts ---- */

static bool run_exchange(checker *k, const char *path, const tg_exchange *x, tg_str *answer) {
    if ((x->fresh || !k->s) && !open_session(k, path)) return false;
    if (x->fresh && tg_has_suffix(path, ".tg")) { /* the definitions that its comments are about */
        tg_status status = tg_run_file(k->s, path, TG_QUIET);
        tg_str_free(&k->answer);
        if (status != TG_DONE) {
            complain(path, tg_error(k->s));
            return false;
        }
    }
    take_answer(k, tg_colon_or_run(k->s, tg_str_text(&x->code), x->code.len, TG_ECHO), answer);
    return !answer->failed && !k->interrupted;
}

static bool save(checker *k, const char *path, const tg_str *text) {
    if (text->failed) return tg_fail_memory(&k->c);
    if (!tg_file_save_atomic(&k->c, path, tg_str_text(text), text->len)) return false;
    printf("%s: updated\n", path);
    k->updated++;
    return true;
}

static bool check_exchanges(checker *k, const char *path, const tg_transcript *t) {
    tg_str *answers = tg_alloc_array(t->n, sizeof *answers);
    bool *changed = tg_alloc_array(t->n, sizeof *changed), ok = answers && changed, any = false;
    if (!ok) tg_fail_memory(&k->c);
    for (size_t i = 0; ok && i < t->n; i++) {
        ok = run_exchange(k, path, &t->items[i], &answers[i]);
        if (!ok) break;
        k->transcripts++;
        changed[i] = !tg_transcript_matches(t, &t->items[i], &answers[i]);
        any |= changed[i];
        if (!changed[i] || k->update) continue;
        k->mismatches++;
        print_mismatch(path, t, &t->items[i], &answers[i]);
    }
    if (ok && any && k->update) {
        tg_str text = {0};
        tg_transcript_rewrite(t, answers, changed, &text);
        ok = save(k, path, &text);
        tg_str_free(&text);
    }
    for (size_t i = 0; answers && i < t->n; i++) tg_str_free(&answers[i]);
    tg_free(answers);
    tg_free(changed);
    return ok;
}

/* ---- scripts ---- */

static bool compare_script(checker *k, const char *path, const char *out_path,
                           const tg_str *answer) {
    size_t len, nwant = 0, ngot = 0;
    tg_line *want = NULL, *got = NULL;
    char *text = tg_file_read(&k->c, out_path, &len);
    if (!text) return false;
    bool ok = tg_lines_split(text, len, &want, &nwant) &&
              tg_lines_split(tg_str_text(answer), answer->len, &got, &ngot);
    bool same = ok && nwant == ngot;
    for (size_t i = 0; same && i < nwant; i++) same = same_line(want[i], got[i]);
    if (!ok) {
        tg_fail_memory(&k->c);
    } else if (!same && k->update) {
        ok = save(k, out_path, answer);
    } else if (!same) {
        k->mismatches++;
        printf("%s: its output differs from %s\n", path, out_path);
        print_difference(want, nwant, got, ngot);
    }
    tg_free(want);
    tg_free(got);
    tg_free(text);
    return ok;
}

/* Runs path and compares its output with out_path. */
static bool check_script(checker *k, const char *path, const char *out_path) {
    tg_str answer = {0};
    if (!open_session(k, path)) return false;
    take_answer(k, tg_run_file(k->s, path, TG_QUIET), &answer);
    k->transcripts++;
    bool ok = !k->interrupted && compare_script(k, path, out_path, &answer);
    tg_str_free(&answer);
    return ok;
}

/* ---- files ---- */

/* False: something other than a mismatch, recorded in k->c or already reported. */
static bool check_file(checker *k, const char *path) {
    tg_transcript t;
    tg_str out_path = {0};
    int before = k->transcripts;
    if (!tg_transcript_read(&k->c, path, &t)) return false;
    bool ok = check_exchanges(k, path, &t);
    tg_transcript_free(&t);
    if (ok && tg_has_suffix(path, ".tg")) {
        tg_str_addn(&out_path, path, strlen(path) - 3);
        tg_str_add(&out_path, ".out");
        if (!out_path.failed && tg_file_exists(out_path.text))
            ok = check_script(k, path, out_path.text);
        tg_str_free(&out_path);
    }
    if (ok && k->transcripts == before) {
        complain(path, "nothing here is checked: it has no line `tg> ...`");
        ok = false;
    }
    return ok;
}

int tg_check(const tg_options *options, int nfiles, char *const *files, bool update) {
    checker k = {.options = *options, .update = update};
    int failed = 0;
    if (!tg_ctx_init(&k.c)) return EXIT_ERROR;
    k.options.write = collect;
    k.options.user = &k;
    for (int i = 0; i < nfiles && !k.interrupted; i++) {
        tg_clear(&k.c);
        if (!check_file(&k, files[i]) && !k.interrupted) {
            if (k.c.diag.kind != TG_ERR_NONE) complain(files[i], k.c.diag.msg);
            failed++;
        }
        if (k.s) close_session(&k);
        tg_str_free(&k.answer);
    }
    tg_ctx_free(&k.c);
    if (k.interrupted) return EXIT_INTERRUPTED;
    printf("%d file%s, %d transcript%s, %d mismatch%s", nfiles, nfiles == 1 ? "" : "s",
           k.transcripts, k.transcripts == 1 ? "" : "s", k.mismatches,
           k.mismatches == 1 ? "" : "es");
    if (k.updated) printf(", %d updated", k.updated);
    if (failed) printf(", %d that could not be checked", failed);
    putchar('\n');
    return k.mismatches || failed ? EXIT_ERROR : EXIT_DONE;
}
