/* Reading, comparing and rewriting transcripts. A file is kept as its lines; an exchange says which
 * of them are its answer, so that rewriting copies everything else as it was, byte for byte. */
#include "command/transcript.h"
#include "base/alloc.h"
#include "base/file.h"

#include <string.h>

static bool begins(tg_line l, const char *with) {
    size_t n = strlen(with);
    return l.n >= n && memcmp(l.text, with, n) == 0;
}

static tg_line trimmed(tg_line l) {
    while (l.n > 0 && strchr(" \t\r", l.text[l.n - 1])) l.n--;
    return l;
}

static bool is_blank(tg_line l) {
    return trimmed(l).n == 0;
}

static bool is(tg_line l, const char *text) {
    l = trimmed(l);
    return l.n == strlen(text) && memcmp(l.text, text, l.n) == 0;
}

bool tg_has_suffix(const char *path, const char *suffix) {
    size_t n = strlen(path), m = strlen(suffix);
    return n >= m && strcmp(path + n - m, suffix) == 0;
}

static bool split(const char *text, size_t len, tg_line **lines, size_t *n, size_t *cap) {
    for (size_t lo = 0; lo < len;) {
        const char *end = memchr(text + lo, '\n', len - lo);
        size_t hi = end ? (size_t)(end - text) : len;
        void *p = *lines;
        if (!tg_grow(&p, cap, *n + 1, sizeof **lines)) return false;
        *lines = p;
        (*lines)[(*n)++] = (tg_line){text + lo, hi - lo};
        lo = hi + 1;
    }
    return true;
}

bool tg_lines_split(const char *text, size_t len, tg_line **lines, size_t *n) {
    size_t cap = 0;
    *lines = NULL;
    *n = 0;
    if (!split(text, len, lines, n, &cap)) {
        tg_free(*lines);
        *lines = NULL;
        return false;
    }
    for (size_t i = 0; i < *n; i++) (*lines)[i] = trimmed((*lines)[i]);
    while (*n > 0 && (*lines)[*n - 1].n == 0) --*n;
    return true;
}

/* ---- reading ---- */

/* The line without the prefix. False: it has another one. A line that is the prefix but for its
 * trailing blanks is blank. */
static bool without_prefix(tg_line l, tg_line prefix, tg_line *out) {
    if (l.n >= prefix.n && memcmp(l.text, prefix.text, prefix.n) == 0) {
        *out = (tg_line){l.text + prefix.n, l.n - prefix.n};
        return true;
    }
    tg_line short_prefix = trimmed(prefix), short_line = trimmed(l);
    *out = (tg_line){l.text + l.n, 0};
    return short_line.n == short_prefix.n &&
           memcmp(short_line.text, short_prefix.text, short_line.n) == 0;
}

/* Reads one exchange whose prompt is line *i; stops before a line that belongs to another, at `end`
 * at the latest. */
static bool read_exchange(tg_transcript *t, int *i, int end, tg_line prefix, bool fresh) {
    void *p = t->items;
    if (!tg_grow(&p, &t->cap, t->n + 1, sizeof *t->items)) return false;
    t->items = p;
    tg_exchange *x = &t->items[t->n++];
    *x = (tg_exchange){.at = *i, .prefix = prefix, .fresh = fresh};
    tg_line l;
    without_prefix(t->lines[(*i)++], prefix, &l);
    tg_str_addn(&x->code, l.text + 4, l.n - 4);
    while (*i < end && without_prefix(t->lines[*i], prefix, &l) &&
           (begins(l, "...> ") || is(l, "...>"))) {
        tg_str_addc(&x->code, '\n');
        if (l.n > 5) tg_str_addn(&x->code, l.text + 5, l.n - 5);
        ++*i;
    }
    x->first = x->last = *i;
    bool after_blank = false;
    while (*i < end && without_prefix(t->lines[*i], prefix, &l) && !begins(l, "tg> ")) {
        if (after_blank && begins(l, "#")) break; /* a comment */
        after_blank = is_blank(l);
        ++*i;
        if (!after_blank) x->last = *i;
    }
    return !x->code.failed;
}

/* Lines [i, end) of a .tgt file or a fenced block. */
static bool read_block(tg_transcript *t, int i, int end, tg_line prefix, bool fresh) {
    while (i < end) {
        tg_line l;
        if (!without_prefix(t->lines[i], prefix, &l) || !begins(l, "tg> ")) {
            i++;
            continue;
        }
        if (!read_exchange(t, &i, end, prefix, fresh)) return false;
        fresh = false;
    }
    return true;
}

static bool read_markdown(tg_transcript *t) {
    bool fresh = true;
    for (int i = 0; i < (int)t->nlines; i++) {
        tg_line l = t->lines[i];
        size_t indent = 0;
        while (indent < l.n && l.text[indent] == ' ') indent++;
        tg_line fence = {l.text + indent, l.n - indent}, prefix = {l.text, indent};
        if (!begins(fence, "```")) continue;
        bool ours = is(fence, "```tg") || is(fence, "```tg new");
        int first = ++i;
        while (i < (int)t->nlines &&
               (t->lines[i].n < indent ||
                !is((tg_line){t->lines[i].text + indent, t->lines[i].n - indent}, "```")))
            i++;
        size_t before = t->n;
        if (ours && !read_block(t, first, i, prefix, fresh || is(fence, "```tg new"))) return false;
        if (t->n > before) fresh = false;
    }
    return true;
}

/* Comments `# tg> ...` of a .tg file. */
static bool read_comments(tg_transcript *t) {
    for (int i = 0; i < (int)t->nlines;) {
        tg_line l = t->lines[i];
        size_t at = 0;
        while (at < l.n && (l.text[at] == ' ' || l.text[at] == '#')) at++;
        tg_line rest = {l.text + at, l.n - at}, prefix = {l.text, at};
        bool comment = memchr(prefix.text, '#', prefix.n) != NULL;
        if (!comment || !begins(rest, "tg> "))
            i++;
        else if (!read_exchange(t, &i, (int)t->nlines, prefix, t->n == 0))
            return false;
    }
    return true;
}

static bool has_fences(const tg_transcript *t) {
    for (size_t i = 0; i < t->nlines; i++)
        if (begins(t->lines[i], "```tg")) return true;
    return false;
}

bool tg_transcript_read(tg_ctx *c, const char *path, tg_transcript *t) {
    *t = (tg_transcript){0};
    t->text = tg_file_read(c, path, &t->len);
    if (!t->text) return false;
    bool ok = split(t->text, t->len, &t->lines, &t->nlines, &t->lines_cap);
    if (ok && tg_has_suffix(path, ".tg"))
        ok = read_comments(t);
    else if (ok && !tg_has_suffix(path, ".tgt") && has_fences(t))
        ok = read_markdown(t);
    else if (ok)
        ok = read_block(t, 0, (int)t->nlines, (tg_line){t->text, 0}, true);
    if (ok) return true;
    tg_transcript_free(t);
    return tg_fail_memory(c);
}

void tg_transcript_free(tg_transcript *t) {
    for (size_t i = 0; i < t->n; i++) tg_str_free(&t->items[i].code);
    tg_free(t->items);
    tg_free(t->lines);
    tg_free(t->text);
    *t = (tg_transcript){0};
}

/* ---- comparing ---- */

tg_line tg_transcript_expected(const tg_transcript *t, const tg_exchange *x, int i) {
    tg_line l;
    without_prefix(t->lines[x->first + i], x->prefix, &l);
    return trimmed(l);
}

/* Wildcard matching with one point to go back to: the latest dots, which take one line more. */
static bool match_lines(const tg_transcript *t, const tg_exchange *x, const tg_line *got,
                        size_t n) {
    int want = 0, nwant = x->last - x->first, dots = -1;
    size_t i = 0, dots_at = 0;
    while (i < n || want < nwant) {
        tg_line l = want < nwant ? tg_transcript_expected(t, x, want) : (tg_line){0};
        if (want < nwant && is(l, "...")) {
            dots = want++;
            dots_at = i;
        } else if (want < nwant && i < n && l.n == got[i].n &&
                   memcmp(l.text, got[i].text, l.n) == 0) {
            want++;
            i++;
        } else if (dots >= 0 && dots_at < n) {
            want = dots + 1;
            i = ++dots_at;
        } else {
            return false;
        }
    }
    return true;
}

bool tg_transcript_matches(const tg_transcript *t, const tg_exchange *x, const tg_str *answer) {
    tg_line *got;
    size_t n;
    if (!tg_lines_split(tg_str_text(answer), answer->len, &got, &n)) return false;
    bool same = match_lines(t, x, got, n);
    tg_free(got);
    return same;
}

/* ---- rewriting ---- */

static void add_answer(const tg_exchange *x, const tg_str *answer, tg_str *out) {
    tg_line *got;
    size_t n;
    if (!tg_lines_split(tg_str_text(answer), answer->len, &got, &n)) {
        out->failed = true;
        return;
    }
    for (size_t i = 0; i < n; i++) {
        tg_line prefix = got[i].n ? x->prefix : trimmed(x->prefix);
        tg_str_addn(out, prefix.text, prefix.n);
        tg_str_addn(out, got[i].text, got[i].n);
        tg_str_addc(out, '\n');
    }
    tg_free(got);
}

void tg_transcript_rewrite(const tg_transcript *t, const tg_str *answers, const bool *changed,
                           tg_str *out) {
    const char *copied = t->text, *end = t->text + t->len;
    for (size_t i = 0; i < t->n; i++) {
        const tg_exchange *x = &t->items[i];
        if (!changed[i]) continue;
        const char *first = (size_t)x->first < t->nlines ? t->lines[x->first].text : end;
        tg_str_addn(out, copied, (size_t)(first - copied));
        if (out->len > 0 && out->text[out->len - 1] != '\n') tg_str_addc(out, '\n');
        add_answer(x, &answers[i], out);
        copied = (size_t)x->last < t->nlines ? t->lines[x->last].text : end;
    }
    tg_str_addn(out, copied, (size_t)(end - copied));
}
