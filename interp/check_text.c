/* tg_check_text: from a text to its findings.
 *
 * A text that cannot be parsed is tried again behind the statement that failed, which ends where a
 * line begins without a blank or a closing bracket: so one mistake does not hide the next. Nothing
 * else is said of such a text, as names that were not read would seem to be unknown. */
#include "interp/check.h"
#include "base/alloc.h"
#include "base/hash.h"
#include "interp/api.h"
#include "interp/blame.h"

#include <string.h>

/* ---- findings ---- */

/* Has this been told? From now on it has. */
static bool is_told(tg_checker *k, const tg_diag *d) {
    uint64_t key =
        tg_hash_text(d->msg) ^ ((uint64_t)d->at.lo << 32 | d->at.hi) * 0x9E3779B97F4A7C15u;
    if (d->at.src) key ^= tg_hash_text(d->at.src->name);
    for (size_t i = 0; i < k->ntold; i++)
        if (k->told[i] == key) return true;
    void *p = k->told;
    if (!tg_grow(&p, &k->told_cap, k->ntold + 1, sizeof *k->told)) return false;
    k->told = p;
    k->told[k->ntold++] = key;
    return false;
}

static int last_column(const tg_diag *d, int line) {
    int last, column;
    size_t lo, hi;
    tg_source_place(d->at.src, d->at.hi, &last, &column, &lo, &hi);
    return last == line ? column : 0;
}

bool tg_check_tell(tg_interp *in, tg_finding_kind kind) {
    tg_checker *k = in->checking;
    tg_diag *d = &in->rt.c.diag;
    if (d->kind == TG_ERR_MEMORY || d->kind == TG_ERR_INTERRUPT) return false;
    if (!is_told(k, d)) {
        size_t lo, hi;
        bool colours = in->colours & TG_COLOURS_ERROR, warning = kind == TG_FINDING_WARNING;
        tg_finding f = {.kind = kind, .message = d->msg, .help = d->help};
        if (d->at.src) {
            f.file = d->at.src->name;
            tg_source_place(d->at.src, d->at.lo, &f.line, &f.column, &lo, &hi);
            f.last_column = last_column(d, f.line);
        }
        k->text.len = 0;
        if (!tg_report_as(in, warning ? "warning:" : "error:",
                          warning ? TG_INK_WARNING : TG_INK_ERROR, colours, &k->text))
            return tg_fail_memory(&in->rt.c);
        f.report = tg_str_text(&k->text);
        k->tell(k->user, &f);
    }
    tg_clear(&in->rt.c);
    tg_blame_release(in);
    return true;
}

/* ---- parsing on behind an error ---- */

/* Where the next statement seems to begin behind `at`; the text's length: nowhere. */
static size_t next_start(const tg_source *src, size_t at) {
    while (at < src->len) {
        const char *end = memchr(src->text + at, '\n', src->len - at);
        if (!end) break;
        at = (size_t)(end - src->text) + 1;
        if (at < src->len && !strchr(" \t\r\n)]}#", src->text[at])) return at;
    }
    return src->len;
}

/* The same text with blanks up to `at`: places stay what they are. */
static tg_source *text_from(tg_interp *in, const tg_source *src, size_t at) {
    tg_source *rest = tg_source_new(src->name, src->text, src->len);
    if (!rest) {
        tg_fail_memory(&in->rt.c);
        return NULL;
    }
    rest->first_line = src->first_line;
    for (size_t i = 0; i < at; i++)
        if (rest->text[i] != '\n') rest->text[i] = ' ';
    return rest;
}

enum { SYNTAX_MOST = 20 };

/* The pending error of a text that could not be parsed, and those behind it. */
static bool tell_syntax(tg_interp *in, tg_source *src) {
    tg_source *rest = NULL;
    bool ok = true;
    for (int i = 0; ok && i < SYNTAX_MOST; i++) {
        const tg_diag *d = &in->rt.c.diag;
        size_t at = d->kind == TG_ERR_SYNTAX && d->at.src ? next_start(src, d->at.lo) : src->len;
        tg_unit *unit = NULL;
        ok = tg_check_tell(in, TG_FINDING_ERROR);
        tg_source_drop(rest);
        rest = NULL;
        if (!ok || at >= src->len) break;
        rest = text_from(in, src, at);
        ok = rest != NULL;
        if (!ok || tg_parse(&in->rt.c, rest, &unit) == TG_PARSE_OK) {
            tg_unit_drop(unit);
            break;
        }
    }
    tg_source_drop(rest);
    return ok;
}

bool tg_check_source(tg_interp *in, tg_source *src) {
    tg_unit *unit = NULL;
    if (tg_parse(&in->rt.c, src, &unit) != TG_PARSE_OK) return tell_syntax(in, src);
    tg_unit_drop(unit);
    return true;
}

tg_status tg_check_text(tg_state *s, const char *name, const char *text, size_t len,
                        void (*tell)(void *user, const tg_finding *finding), void *user) {
    tg_interp *in = tg_api_enter(s);
    tg_checker k = {.tell = tell, .user = user};
    tg_source *src = tg_source_new(name, text, len);
    bool ok = src ? true : tg_fail_memory(&in->rt.c);
    in->checking = &k;
    ok = ok && tg_check_source(in, src);
    in->checking = NULL;
    tg_source_drop(src);
    tg_str_free(&k.text);
    tg_free(k.told);
    return tg_api_leave(s, ok);
}
