/* Builtins about texts: their characters and parts.
 *
 * A text is UTF-8, and a character is a Unicode code point: what codes counts, `for c in s` walks
 * over and s[i] picks. Letters have a small and a capital form by the table below: the alphabets of
 * Europe, one code point for one, the same on every machine (the C library's towlower asks the
 * locale). */
#include "base/alloc.h"
#include "base/str.h"
#include "interp/blame.h"
#include "interp/convert.h"

#include <math.h>
#include <string.h>

enum { LOOK = 1 << 16 }; /* characters between two looks for an interrupt */

static bool text_of(tg_interp *in, const tg_argument *a, const char *what, const tg_text **out) {
    if (a->value.tag != TG_V_STRING)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s must be a string, not %s", what,
                       tg_value_kind(a->value));
    *out = a->value.as.text;
    return true;
}

/* The built text as a value; frees it. */
static bool give(tg_interp *in, tg_str *s, tg_value *out) {
    bool ok = s->failed ? tg_fail_memory(&in->rt.c)
                        : tg_value_string(&in->rt.c, tg_str_text(s), s->len, out);
    tg_str_free(s);
    return ok;
}

/* ---- characters ---- */

bool tg_text_characters(tg_interp *in, const tg_text *t, tg_value *out) {
    int64_t n = tg_text_length(t);
    tg_value made;
    if (n > TG_MAX_ITEMS)
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "a list holds at most %d things", TG_MAX_ITEMS);
    if (!tg_value_items(&in->rt.c, TG_V_LIST, (int)n, &made)) return false;
    const char *at = t->bytes, *end = at + t->len;
    for (int i = 0; at < end; i++) {
        size_t len = (size_t)tg_utf8_next(at, (size_t)(end - at), NULL);
        if ((i % LOOK == 0 && !tg_check_interrupt(&in->rt.c)) ||
            !tg_value_string(&in->rt.c, at, len, &made.as.items->v[i])) {
            tg_value_drop(made);
            return false;
        }
        at += len;
    }
    return tg_value_seal(&in->rt.c, made, out);
}

static bool run_codes(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    const tg_text *t;
    if (!text_of(in, &args[0], "the argument of codes", &t)) return false;
    int64_t count = tg_text_length(t);
    tg_tensor *made = tg_tensor_new(&in->rt.c, TG_I64, 1, &count);
    if (!made) return false;
    int64_t *code = made->v.data;
    const char *at = t->bytes, *end = at + t->len;
    for (int64_t i = 0; i < count; i++) {
        unsigned c;
        if (i % LOOK == 0 && !tg_check_interrupt(&in->rt.c)) {
            tg_tensor_drop(made);
            return false;
        }
        at += tg_utf8_next(at, (size_t)(end - at), &c);
        code[i] = c;
    }
    *out = (tg_value){.tag = TG_V_TENSOR, .as.tensor = made};
    return true;
}

/* Appends the character c in UTF-8. */
static void add_character(tg_str *s, unsigned c) {
    if (c < 0x80) {
        tg_str_addc(s, (char)c);
        return;
    }
    if (c < 0x800) {
        tg_str_addc(s, (char)(0xC0 | c >> 6));
    } else {
        if (c < 0x10000) {
            tg_str_addc(s, (char)(0xE0 | c >> 12));
        } else {
            tg_str_addc(s, (char)(0xF0 | c >> 18));
            tg_str_addc(s, (char)(0x80 | (c >> 12 & 0x3F)));
        }
        tg_str_addc(s, (char)(0x80 | (c >> 6 & 0x3F)));
    }
    tg_str_addc(s, (char)(0x80 | (c & 0x3F)));
}

static bool run_chars(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    tg_tensor *t;
    tg_str s = {0};
    if (!tg_to_tensor(in, args[0].value, "the argument of chars", &t)) return false;
    bool ok = t->v.rank <= 1 || tg_fail(&in->rt.c, TG_ERR_SHAPE,
                                        "chars wants a vector of code points, not the shape %s",
                                        tg_shape_text(&in->rt, t->v.rank, t->v.dim));
    for (int64_t i = 0; ok && i < tg_view_count(&t->v); i++) {
        double c = tg_view_get(&t->v, i);
        bool is = c >= 1 && c <= 0x10FFFF && c == floor(c) && (c < 0xD800 || c > 0xDFFF);
        if (!is)
            ok = tg_fail(&in->rt.c, TG_ERR_VALUE, "%.15g is not the code point of a character", c);
        else
            add_character(&s, (unsigned)c);
        ok = ok && (i % LOOK != 0 || tg_check_interrupt(&in->rt.c));
    }
    tg_tensor_drop(t);
    if (ok) return give(in, &s, out);
    tg_str_free(&s);
    return false;
}

/* ---- small and capital letters ---- */

/* Capitals lo, lo + step, ... up to hi, each with its small letter `by` code points further. */
static const struct {
    unsigned lo, hi, step, by;
} capitals[] = {
    {'A', 'Z', 1, 32},      {0xC0, 0xD6, 1, 32},     {0xD8, 0xDE, 1, 32},   {0x100, 0x12E, 2, 1},
    {0x132, 0x136, 2, 1},   {0x139, 0x147, 2, 1},    {0x14A, 0x176, 2, 1},  {0x179, 0x17D, 2, 1},
    {0x386, 0x386, 1, 38},  {0x388, 0x38A, 1, 37},   {0x38C, 0x38C, 1, 64}, {0x38E, 0x38F, 1, 63},
    {0x391, 0x3A1, 1, 32},  {0x3A3, 0x3AB, 1, 32},   {0x400, 0x40F, 1, 80}, {0x410, 0x42F, 1, 32},
    {0x460, 0x480, 2, 1},   {0x48A, 0x4BE, 2, 1},    {0x531, 0x556, 1, 48}, {0x1E00, 0x1E94, 2, 1},
    {0x1EA0, 0x1EFE, 2, 1}, {0xFF21, 0xFF3A, 1, 32},
};

static unsigned other_case(unsigned c, bool small) {
    for (size_t i = 0; i < sizeof capitals / sizeof *capitals; i++) {
        unsigned from = small ? 0 : capitals[i].by;
        unsigned lo = capitals[i].lo + from, hi = capitals[i].hi + from;
        if (c >= lo && c <= hi && (c - lo) % capitals[i].step == 0)
            return small ? c + capitals[i].by : c - from;
    }
    return c;
}

static bool recase(tg_interp *in, const tg_argument *args, bool small, tg_value *out) {
    const tg_text *t;
    tg_str s = {0};
    if (!text_of(in, &args[0], small ? "the argument of lower" : "the argument of upper", &t))
        return false;
    const char *at = t->bytes, *end = at + t->len;
    for (size_t i = 0; at < end; i++) {
        unsigned c;
        if (i % LOOK == 0 && !tg_check_interrupt(&in->rt.c)) {
            tg_str_free(&s);
            return false;
        }
        at += tg_utf8_next(at, (size_t)(end - at), &c);
        add_character(&s, other_case(c, small));
    }
    return give(in, &s, out);
}

static bool run_lower(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    return recase(in, args, true, out);
}

static bool run_upper(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    return recase(in, args, false, out);
}

/* ---- parts ---- */

/* A growing list of parts of texts. */
typedef struct parts {
    tg_interp *in;
    tg_value *v;
    size_t n, cap;
} parts;

static bool add_part(parts *p, const char *from, const char *to) {
    void *v = p->v;
    if (p->n >= TG_MAX_ITEMS)
        return tg_fail(&p->in->rt.c, TG_ERR_VALUE, "a list holds at most %d things", TG_MAX_ITEMS);
    bool ok = tg_grow(&v, &p->cap, p->n + 1, sizeof *p->v);
    p->v = v;
    if (!ok) return tg_fail_memory(&p->in->rt.c);
    if ((p->n % LOOK == 0 && !tg_check_interrupt(&p->in->rt.c)) ||
        !tg_value_string(&p->in->rt.c, from, (size_t)(to - from), &p->v[p->n]))
        return false;
    p->n++;
    return true;
}

/* The list of the parts if ok; frees them. */
static bool list_of(parts *p, bool ok, tg_value *out) {
    tg_value made;
    ok = ok && tg_value_items(&p->in->rt.c, TG_V_LIST, (int)p->n, &made);
    for (size_t i = 0; i < p->n; i++) {
        if (ok)
            made.as.items->v[i] = p->v[i];
        else
            tg_value_drop(p->v[i]);
    }
    tg_free(p->v);
    return ok && tg_value_seal(&p->in->rt.c, made, out);
}

/* Bytes of the blank at text[0]: ASCII's, the no-break space and the wide blank of Chinese and
 * Japanese texts; 0: it is none. */
static size_t blank(const char *text, const char *end) {
    unsigned c;
    if (text == end) return 0;
    int len = tg_utf8_next(text, (size_t)(end - text), &c);
    bool is = c == ' ' || (c >= '\t' && c <= '\r') || c == 0xA0 || c == 0x3000;
    return is ? (size_t)len : 0;
}

static bool run_words(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    const tg_text *t;
    parts p = {.in = in};
    if (!text_of(in, &args[0], "the argument of words", &t)) return false;
    bool ok = true;
    const char *at = t->bytes, *end = at + t->len;
    while (ok && at < end) {
        size_t skip;
        while ((skip = blank(at, end)) > 0) at += skip;
        const char *from = at;
        while (at < end && blank(at, end) == 0) at += tg_utf8_next(at, (size_t)(end - at), NULL);
        if (at > from) ok = add_part(&p, from, at);
    }
    return list_of(&p, ok, out);
}

/* What ends the file's last line begins no further one; lines of Windows end in two characters. */
static bool run_lines(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    const tg_text *t;
    parts p = {.in = in};
    if (!text_of(in, &args[0], "the argument of lines", &t)) return false;
    bool ok = true;
    const char *at = t->bytes, *end = at + t->len;
    while (ok && at < end) {
        const char *stop = memchr(at, '\n', (size_t)(end - at)), *last = stop ? stop : end;
        ok = add_part(&p, at, last > at && stop && last[-1] == '\r' ? last - 1 : last);
        at = stop ? stop + 1 : end;
    }
    return list_of(&p, ok, out);
}

/* The first place of `part`, not empty, in [at, end); NULL: none. memchr finds where it may begin.
 */
static const char *find(const char *at, const char *end, const tg_text *part) {
    while ((size_t)(end - at) >= part->len) {
        at = memchr(at, part->bytes[0], (size_t)(end - at) - part->len + 1);
        if (!at || memcmp(at, part->bytes, part->len) == 0) return at;
        at++;
    }
    return NULL;
}

static bool part_argument(tg_interp *in, const tg_argument *a, const char *what,
                          const tg_text **out) {
    if (!text_of(in, a, what, out)) return false;
    return (*out)->len > 0 || tg_fail(&in->rt.c, TG_ERR_VALUE, "%s must not be empty", what);
}

static bool run_split_text(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    const tg_text *t, *between;
    parts p = {.in = in};
    if (!text_of(in, &args[0], "the first argument of split_text", &t) ||
        !part_argument(in, &args[1], "what stands between the parts", &between)) {
        if (in->rt.c.diag.kind == TG_ERR_VALUE)
            tg_help(&in->rt.c, "for c in s { ... } walks over the characters");
        return false;
    }
    bool ok = true;
    const char *at = t->bytes, *end = at + t->len;
    for (const char *stop = at; ok && stop; at = stop ? stop + between->len : end) {
        stop = find(at, end, between);
        ok = add_part(&p, at, stop ? stop : end);
    }
    return list_of(&p, ok, out);
}

static bool run_join(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    tg_value list = args[0].value;
    const tg_text *between = NULL;
    if (args[1].value.tag != TG_V_NONE &&
        !text_of(in, &args[1], "what is put between the texts", &between))
        return false;
    bool empty = list.tag == TG_V_TENSOR && tg_view_count(&list.as.tensor->v) == 0;
    if (!empty && list.tag != TG_V_LIST && list.tag != TG_V_TUPLE) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "join wants a list of strings, not %s",
                tg_value_kind(list));
        return list.tag == TG_V_STRING && tg_help(&in->rt.c, "a + b joins two strings");
    }
    tg_str s = {0};
    for (int i = 0; !empty && i < list.as.items->n; i++) {
        tg_value v = list.as.items->v[i];
        bool is = v.tag == TG_V_STRING;
        if (!is) tg_fail(&in->rt.c, TG_ERR_TYPE, "join wants strings, not %s", tg_value_kind(v));
        if (!is) tg_help(&in->rt.c, "text(x) is a value as a string");
        if (!is || (i % LOOK == 0 && !tg_check_interrupt(&in->rt.c))) {
            tg_str_free(&s);
            return false;
        }
        if (i > 0 && between) tg_str_addn(&s, between->bytes, between->len);
        tg_str_addn(&s, v.as.text->bytes, v.as.text->len);
    }
    return give(in, &s, out);
}

static bool run_trim(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    const tg_text *t;
    if (!text_of(in, &args[0], "the argument of trim", &t)) return false;
    const char *from = t->bytes, *to = from + t->len, *end = to;
    size_t skip;
    while ((skip = blank(from, end)) > 0) from += skip;
    while (to > from) {
        size_t start = tg_utf8_start(from, (size_t)(to - from) - 1);
        if (blank(from + start, to) == 0) break;
        to = from + start;
    }
    return tg_value_string(&in->rt.c, from, (size_t)(to - from), out);
}

static bool run_replace(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    const tg_text *t, *part, *by;
    if (!text_of(in, &args[0], "the first argument of replace", &t) ||
        !part_argument(in, &args[1], "the text to be replaced", &part) ||
        !text_of(in, &args[2], "the text that replaces it", &by))
        return false;
    tg_str s = {0};
    const char *at = t->bytes, *end = at + t->len, *found;
    for (size_t i = 1; (found = find(at, end, part)) != NULL; i++) {
        tg_str_addn(&s, at, (size_t)(found - at));
        tg_str_addn(&s, by->bytes, by->len);
        at = found + part->len;
        if (i % LOOK == 0 && !tg_check_interrupt(&in->rt.c)) {
            tg_str_free(&s);
            return false;
        }
    }
    tg_str_addn(&s, at, (size_t)(end - at));
    return give(in, &s, out);
}

/* ---- questions ---- */

static bool run_contains(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    const tg_text *t, *part;
    if (!text_of(in, &args[0], "the first argument of contains", &t) ||
        !text_of(in, &args[1], "the second argument of contains", &part))
        return false;
    *out = tg_value_bool(part->len == 0 || find(t->bytes, t->bytes + t->len, part) != NULL);
    return true;
}

static bool run_starts_with(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    const tg_text *t, *part;
    if (!text_of(in, &args[0], "the first argument of starts_with", &t) ||
        !text_of(in, &args[1], "the second argument of starts_with", &part))
        return false;
    *out = tg_value_bool(t->len >= part->len && memcmp(t->bytes, part->bytes, part->len) == 0);
    return true;
}

const tg_builtin tg_builtins_text[] = {
    {"codes", "codes(s)",
     "The characters of a string as numbers: the vector of their Unicode code points, int64. "
     "chars(codes) is the way back.",
     "codes(\"tg∂\")", "[116, 103, 8706]", run_codes, false, false},
    {"chars", "chars(codes)",
     "The string of the characters that have these Unicode code points: codes(s) backwards.",
     "chars([116, 103])", "\"tg\"", run_chars, false, false},
    {"words", "words(s)", "The list of the words of a string: what stands between its blanks.",
     "words(\"to be or not\")", "[\"to\", \"be\", \"or\", \"not\"]", run_words, false, false},
    {"lines", "lines(s)", "The list of the lines of a string, without what ends them.",
     "lines(\"one\\ntwo\\n\")", "[\"one\", \"two\"]", run_lines, false, false},
    {"split_text", "split_text(s, at)",
     "The list of the parts of a string between the places where `at` stands. words(s) splits at "
     "blanks, lines(s) at the ends of lines; join(list, at) is the way back.",
     "split_text(\"a, b, c\", \", \")", "[\"a\", \"b\", \"c\"]", run_split_text, false, false},
    {"join", "join(list, between=\"\")",
     "The strings of a list one after the other, with a string between them.",
     "join([\"a\", \"b\", \"c\"], \"-\")", "\"a-b-c\"", run_join, false, false},
    {"trim", "trim(s)", "A string without the blanks and line ends at its two ends.",
     "trim(\"  a b \")", "\"a b\"", run_trim, false, false},
    {"replace", "replace(s, old, new)",
     "A string with a new text wherever the old one stands in it.",
     "replace(\"one two one\", \"one\", \"1\")", "\"1 two 1\"", run_replace, false, false},
    {"contains", "contains(s, part)", "Does a text stand somewhere in a string?",
     "contains(\"softmax\", \"max\")", "true", run_contains, false, false},
    {"starts_with", "starts_with(s, start)", "Does a string begin with that text?",
     "starts_with(\"softmax\", \"soft\")", "true", run_starts_with, false, false},
    {"lower", "lower(s)",
     "A string in small letters: of the Latin, Greek, Cyrillic and Armenian alphabets.",
     "lower(\"Hello\")", "\"hello\"", run_lower, false, false},
    {"upper", "upper(s)",
     "A string in capital letters: of the Latin, Greek, Cyrillic and Armenian alphabets.",
     "upper(\"Hello\")", "\"HELLO\"", run_upper, false, false},
    {0},
};
