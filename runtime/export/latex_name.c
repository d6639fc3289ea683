/* Names and numbers in LaTeX. A name of one letter is that letter, a Greek letter is one however it
 * is spelt, what follows `_` and trailing digits are a subscript, and a longer name is set in
 * italics as one word. Letters that LaTeX's own fonts lack are named by their code, so that every
 * formula compiles. */
#include "runtime/export/latex.h"
#include "runtime/graph/print.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* In the order of Unicode from U+0391 and U+03B1; NULL: none there. Capitals that look like Latin
 * letters have no command. */
static const char *const capitals[] = {
    "A",       "B",        "\\Gamma",   "\\Delta", "E",    "Z",     "H",      "\\Theta", "I",
    "K",       "\\Lambda", "M",         "N",       "\\Xi", "O",     "\\Pi",   "P",       NULL,
    "\\Sigma", "T",        "\\Upsilon", "\\Phi",   "X",    "\\Psi", "\\Omega"};
static const char *const small[] = {"\\alpha",   "\\beta", "\\gamma",    "\\delta", "\\epsilon",
                                    "\\zeta",    "\\eta",  "\\theta",    "\\iota",  "\\kappa",
                                    "\\lambda",  "\\mu",   "\\nu",       "\\xi",    "o",
                                    "\\pi",      "\\rho",  "\\varsigma", "\\sigma", "\\tau",
                                    "\\upsilon", "\\phi",  "\\chi",      "\\psi",   "\\omega"};

/* The command of a letter spelt out, with or without a capital: "alpha", "Gamma". NULL: none. */
static const char *greek_word(const char *s, size_t n) {
    static const char *const *const tables[] = {small, capitals};
    for (int t = 0; t < 2; t++)
        for (size_t i = 0; i < 25; i++) {
            const char *c = tables[t][i];
            if (c && c[0] == '\\' && strlen(c + 1) == n && memcmp(c + 1, s, n) == 0) return c;
        }
    return n == 6 && memcmp(s, "lambda", 6) == 0 ? "\\lambda" : NULL;
}

static const char *greek_letter(unsigned code) {
    if (code >= 0x391 && code < 0x391 + 25) return capitals[code - 0x391];
    if (code >= 0x3B1 && code < 0x3B1 + 25) return small[code - 0x3B1];
    return NULL;
}

/* The accented letters of Western Europe, which LaTeX composes. */
static bool is_accented(unsigned code) {
    return code >= 0xC0 && code <= 0xFF && code != 0xD0 && code != 0xD7 && code != 0xDE &&
           code != 0xF0 && code != 0xF7 && code != 0xFE;
}

/* A letter within a word or alone. */
static void add_letter(tg_str *s, const char *text, int bytes, unsigned code) {
    const char *greek = greek_letter(code);
    if (bytes == 1)
        tg_str_addn(s, text, 1);
    else if (greek)
        tg_str_addf(s, "%s ", greek);
    else if (is_accented(code)) {
        tg_str_add(s, "\\text{");
        tg_str_addn(s, text, (size_t)bytes);
        tg_str_addc(s, '}');
    } else
        tg_str_addf(s, "\\text{U+%04X}", code);
}

static void add_word(tg_str *s, const char *text, size_t n) {
    const char *greek = greek_word(text, n);
    unsigned code;
    int bytes = n ? tg_utf8_next(text, n, &code) : 0;
    if (greek) {
        tg_str_add(s, greek);
    } else if ((size_t)bytes == n) {
        if (n && greek_letter(code))
            tg_str_add(s, greek_letter(code));
        else if (n)
            add_letter(s, text, bytes, code);
    } else {
        bool digits = true;
        for (size_t i = 0; i < n; i++) digits = digits && isdigit((unsigned char)text[i]);
        if (!digits) tg_str_add(s, "\\mathit{");
        for (size_t i = 0; i < n; i += (size_t)bytes) {
            bytes = tg_utf8_next(text + i, n - i, &code);
            add_letter(s, text + i, bytes, code);
        }
        if (!digits) tg_str_addc(s, '}');
    }
}

void tg_latex_name(tg_str *s, const char *name, size_t len) {
    const char *part = len > 1 ? memchr(name + 1, '[', len - 1) : NULL;
    if (part && name[len - 1] == ']') { /* s[0], a part of the state of a loop */
        tg_latex_name(s, name, (size_t)(part - name));
        tg_str_add(s, "_{");
        tg_str_addn(s, part + 1, len - (size_t)(part - name) - 2);
        tg_str_addc(s, '}');
        return;
    }
    const char *bar = len > 1 ? memchr(name + 1, '_', len - 1) : NULL;
    size_t stem = bar ? (size_t)(bar - name) : len;
    while (!bar && stem > 1 && isdigit((unsigned char)name[stem - 1])) stem--;
    if (name[0] == '_') { /* a name that begins with it has no stem */
        tg_str_add(s, "\\_");
        if (len > 1) tg_latex_name(s, name + 1, len - 1);
        return;
    }
    add_word(s, name, stem);
    const char *rest = name + stem + (bar != NULL);
    size_t left = len - (size_t)(rest - name);
    if (!left) {
        if (bar) tg_str_add(s, "\\_");
        return;
    }
    tg_str_add(s, "_{");
    while (left) { /* a_b_c is a with the subscript b, c */
        const char *next = memchr(rest, '_', left);
        size_t n = next ? (size_t)(next - rest) : left;
        add_word(s, rest, n);
        left -= n + (next != NULL);
        rest += n + (next != NULL);
        if (next) tg_str_addc(s, ',');
    }
    tg_str_addc(s, '}');
}

void tg_latex_number(tg_str *s, double x) {
    static const double pi = 3.14159265358979323846;
    if (isnan(x) || isinf(x) || fabs(x) == pi) {
        tg_str_add(s, isnan(x)   ? "\\text{NaN}"
                      : isinf(x) ? x < 0 ? "-\\infty" : "\\infty"
                      : x < 0    ? "-\\pi"
                                 : "\\pi");
        return;
    }
    tg_str t = {0};
    tg_number_print(&t, x);
    const char *text = tg_str_text(&t), *e = strchr(text, 'e');
    if (!e) {
        tg_str_add(s, text);
    } else {
        size_t n = (size_t)(e - text);
        bool one = n == 1 && text[0] == '1';
        if (!one) {
            tg_str_addn(s, text, n);
            tg_str_add(s, " \\cdot ");
        }
        tg_str_addf(s, "10^{%s}", e + 1);
    }
    if (t.failed) s->failed = true;
    tg_str_free(&t);
}

/* The bytes of the name at p: letters, digits, `_` and all that is not ASCII. */
static size_t name_length(const char *p) {
    size_t n = 0;
    while (isalnum((unsigned char)p[n]) || p[n] == '_' || (unsigned char)p[n] >= 0x80) n++;
    return n;
}

void tg_latex_text(tg_str *s, const char *text) {
    static const char *const words[] = {"none", "true", "false", "axis", "keep"};
    for (const char *p = text; *p;) {
        size_t n = isdigit((unsigned char)*p) ? 0 : name_length(p);
        if (n == 0) {
            if (*p == '*')
                tg_str_add(s, " \\cdot ");
            else if (strchr("{}#$%&", *p))
                tg_str_addf(s, "\\%c", *p);
            else if (*p == ' ')
                tg_str_add(s, "\\ ");
            else
                tg_str_addc(s, *p);
            p++;
            continue;
        }
        bool word = false;
        for (size_t i = 0; i < sizeof words / sizeof *words; i++)
            word = word || (strlen(words[i]) == n && memcmp(words[i], p, n) == 0);
        if (word) {
            tg_str_add(s, "\\text{");
            tg_str_addn(s, p, n);
            tg_str_addc(s, '}');
        } else {
            tg_latex_name(s, p, n);
        }
        p += n;
    }
}
