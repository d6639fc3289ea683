/* The lexer. Names and numbers are scanned by hand; keywords and operators are two tables. An
 * operator is the first row that matches, so a spelling stands before those it starts with. Rows of
 * TG_TOK_BAD are spellings of other languages: taken whole, so that `a && b` gets one good error.
 *
 * Which characters are letters is decided by a table of ranges and not by the C library, whose
 * answer depends on the locale: a program must mean the same everywhere. */
#include "grammar/token.h"
#include "base/str.h"
#include "grammar/parse.h"

#include <string.h>

const char *const tg_keywords[] = {"true",  "false",    "none",   "and", "or",    "not",
                                   "if",    "else",     "for",    "in",  "while", "repeat",
                                   "break", "continue", "return", NULL};

static const struct row {
    const char *text;
    tg_token_kind kind;
} operators[] = {
    {"(", TG_TOK_LPAREN}, {")", TG_TOK_RPAREN}, {"[", TG_TOK_LBRACKET},   {"]", TG_TOK_RBRACKET},
    {"{", TG_TOK_LBRACE}, {"}", TG_TOK_RBRACE}, {",", TG_TOK_COMMA},      {";", TG_TOK_SEMICOLON},
    {"\"", TG_TOK_QUOTE}, {"'", TG_TOK_PRIME},  {"?", TG_TOK_UNKNOWN},    {":=", TG_TOK_STORE},
    {":", TG_TOK_COLON},  {"...", TG_TOK_REST}, {"..", TG_TOK_RANGE},     {".*", TG_TOK_MUL},
    {"./", TG_TOK_DIV},   {".^", TG_TOK_POW},   {".", TG_TOK_DOT},        {"+=", TG_TOK_ADD_STORE},
    {"+", TG_TOK_ADD},    {"->", TG_TOK_ARROW}, {"-=", TG_TOK_SUB_STORE}, {"-", TG_TOK_SUB},
    {"**=", TG_TOK_BAD},  {"**", TG_TOK_POW},   {"*=", TG_TOK_MUL_STORE}, {"*", TG_TOK_MUL},
    {"//", TG_TOK_BAD},   {"/*", TG_TOK_BAD},   {"/=", TG_TOK_DIV_STORE}, {"/", TG_TOK_DIV},
    {"%=", TG_TOK_BAD},   {"%", TG_TOK_MOD},    {"@=", TG_TOK_BAD},       {"@", TG_TOK_MATMUL},
    {"^=", TG_TOK_BAD},   {"^", TG_TOK_POW},    {"===", TG_TOK_BAD},      {"==", TG_TOK_EQ},
    {"=>", TG_TOK_BAD},   {"=", TG_TOK_ASSIGN}, {"!==", TG_TOK_BAD},      {"!=", TG_TOK_NE},
    {"!", TG_TOK_BAD},    {"<=", TG_TOK_LE},    {"<>", TG_TOK_BAD},       {"<<", TG_TOK_BAD},
    {"<", TG_TOK_LT},     {">=", TG_TOK_GE},    {">>", TG_TOK_BAD},       {">", TG_TOK_GT},
    {"&&", TG_TOK_BAD},   {"||", TG_TOK_BAD},   {"|>", TG_TOK_BAD},       {"~=", TG_TOK_BAD},
    {"×", TG_TOK_MUL},    {"⊙", TG_TOK_MUL},    {"÷", TG_TOK_DIV},        {"−", TG_TOK_SUB},
    {"·", TG_TOK_MATMUL}, {"⋅", TG_TOK_MATMUL}, {"≤", TG_TOK_LE},         {"≥", TG_TOK_GE},
    {"≠", TG_TOK_NE},     {"→", TG_TOK_ARROW},  {"ᵀ", TG_TOK_PRIME},      {"′", TG_TOK_PRIME},
    {"∞", TG_TOK_NAME},
};

enum { OPERATORS = sizeof operators / sizeof *operators };

/* ---- characters ---- */

/* Letters outside ASCII, by blocks; within them punctuation is rare and harmless. Superscript
 * digits, ᵀ and the operators above are not in it. */
static const struct range {
    unsigned lo, hi;
} letters[] = {
    {0xAA, 0xAA},       {0xB5, 0xB5},       {0xBA, 0xBA},       {0xC0, 0xD6},
    {0xD8, 0xF6},       {0xF8, 0x2FF},      {0x370, 0x37D},     {0x37F, 0x1D3F},
    {0x1D41, 0x1FFF},   {0x2100, 0x214F},   {0x2202, 0x2202},   {0x2207, 0x2207},
    {0x2C00, 0x2DFF},   {0x3005, 0x3007},   {0x3021, 0x3029},   {0x3031, 0x3035},
    {0x3041, 0x318F},   {0x31A0, 0x31FF},   {0x3400, 0x4DBF},   {0x4E00, 0xD7FF},
    {0xF900, 0xFDFF},   {0xFE70, 0xFEFC},   {0xFF21, 0xFF3A},   {0xFF41, 0xFF5A},
    {0xFF66, 0xFFDC},   {0x10000, 0x1CFFF}, {0x1D400, 0x1D7FF}, {0x1E000, 0x1EFFF},
    {0x20000, 0x3FFFD},
};

/* What may follow in a name but not begin one: combining marks and subscripts. */
static const struct range marks[] = {
    {0x300, 0x36F}, {0x2080, 0x209C}, {0x20D0, 0x20F0}, {0xFE00, 0xFE0F}, {0xFF10, 0xFF19},
};

static bool within(const struct range *r, size_t n, unsigned c) {
    for (size_t i = 0; i < n; i++)
        if (c >= r[i].lo && c <= r[i].hi) return true;
    return false;
}

static bool is_digit(char c) {
    return c >= '0' && c <= '9';
}

bool tg_is_keyword(const char *word) {
    for (int i = 0; tg_keywords[i]; i++)
        if (strcmp(tg_keywords[i], word) == 0) return true;
    return false;
}

/* Bytes of the character at `at` if it may stand in a name (`first`: begin one), else 0. */
static uint32_t name_char(const tg_lexer *l, uint32_t at, bool first) {
    if (at >= l->len) return 0;
    unsigned char b = (unsigned char)l->text[at];
    if (b < 0x80) {
        bool letter = (b >= 'a' && b <= 'z') || (b >= 'A' && b <= 'Z') || b == '_';
        return letter || (!first && is_digit((char)b));
    }
    unsigned code;
    uint32_t n = (uint32_t)tg_utf8_next(l->text + at, l->len - at, &code);
    if (within(letters, sizeof letters / sizeof *letters, code)) return n;
    return !first && within(marks, sizeof marks / sizeof *marks, code) ? n : 0;
}

/* Bytes of the white space at `at` (spaces that papers and web pages hold included), else 0. */
static uint32_t space_char(const tg_lexer *l, uint32_t at) {
    unsigned char b = (unsigned char)l->text[at];
    if (b < 0x80) return b == ' ' || (b >= '\t' && b <= '\r');
    if (b != 0xC2 && b != 0xE2 && b != 0xE3) return 0;
    unsigned code;
    uint32_t n = (uint32_t)tg_utf8_next(l->text + at, l->len - at, &code);
    bool space = code == 0xA0 || (code >= 0x2000 && code <= 0x200A) || code == 0x202F ||
                 code == 0x205F || code == 0x3000;
    return space ? n : 0;
}

/* Bytes of the superscript digit at `at`, else 0. */
static uint32_t super_char(const tg_lexer *l, uint32_t at) {
    if (at >= l->len || ((unsigned char)l->text[at] != 0xC2 && (unsigned char)l->text[at] != 0xE2))
        return 0;
    unsigned code;
    uint32_t n = (uint32_t)tg_utf8_next(l->text + at, l->len - at, &code);
    bool super = code == 0xB9 || code == 0xB2 || code == 0xB3 || code == 0x2070 ||
                 (code >= 0x2074 && code <= 0x2079);
    return super ? n : 0;
}

/* ---- tokens ---- */

/* Moves over white space and comments; the flags for the token behind them. */
static int skip(tg_lexer *l) {
    uint32_t from = l->at;
    int flags = 0;
    while (l->at < l->len) {
        if (l->text[l->at] == '#') {
            const char *end = memchr(l->text + l->at, '\n', l->len - l->at);
            l->at = end ? (uint32_t)(end - l->text) : l->len;
            continue;
        }
        uint32_t n = space_char(l, l->at);
        if (n == 0) break;
        if (l->text[l->at] == '\n') flags |= TG_TOK_AFTER_LINE;
        l->at += n;
    }
    return l->at > from ? flags | TG_TOK_AFTER_SPACE : flags;
}

static uint32_t digits(const tg_lexer *l, uint32_t at) {
    while (at < l->len && is_digit(l->text[at])) at++;
    return at;
}

static char char_at(const tg_lexer *l, uint32_t at) {
    return at < l->len ? l->text[at] : 0;
}

static bool at_number(const tg_lexer *l) {
    char c = char_at(l, l->at);
    return is_digit(c) || (c == '.' && is_digit(char_at(l, l->at + 1)));
}

/* number = digits ["." [digits]] [exponent] | "." digits [exponent]. The first dot of `1..10` is
 * not part of it. Letters or digits stuck to its end (2x, 1_000, 0x1F, 1.2.3) make the whole a bad
 * token. */
static tg_token_kind number(tg_lexer *l) {
    uint32_t at = digits(l, l->at);
    if (char_at(l, at) == '.' && char_at(l, at + 1) != '.') at = digits(l, at + 1);
    char e = char_at(l, at);
    if (e == 'e' || e == 'E') {
        char sign = char_at(l, at + 1);
        uint32_t exponent = at + 1 + (sign == '+' || sign == '-');
        if (is_digit(char_at(l, exponent))) at = digits(l, exponent);
    }
    l->at = at;
    bool bad = char_at(l, at) == '.' && is_digit(char_at(l, at + 1));
    if (bad) at = digits(l, at + 1);
    for (uint32_t n; (n = name_char(l, at, false)) != 0; at += n) bad = true;
    if (bad) l->at = at;
    return bad ? TG_TOK_BAD : TG_TOK_NUMBER;
}

static tg_token_kind name(tg_lexer *l, uint32_t first) {
    uint32_t lo = l->at;
    l->at += first;
    for (uint32_t n; (n = name_char(l, l->at, false)) != 0;) l->at += n;
    size_t len = l->at - lo;
    if (len > 8) return TG_TOK_NAME; /* no keyword is longer */
    for (int i = 0; tg_keywords[i]; i++)
        if (strncmp(tg_keywords[i], l->text + lo, len) == 0 && tg_keywords[i][len] == 0)
            return (tg_token_kind)(TG_TOK_TRUE + i);
    return TG_TOK_NAME;
}

/* ["⁻"] superscript digits; false when none stand here. */
static bool superscript(tg_lexer *l) {
    static const char minus[] = "⁻";
    uint32_t at = l->at;
    if (l->len - at > 3 && memcmp(l->text + at, minus, 3) == 0) at += 3;
    uint32_t first = at;
    for (uint32_t n; (n = super_char(l, at)) != 0;) at += n;
    if (at == first) return false;
    l->at = at;
    return true;
}

static tg_token_kind operator(tg_lexer *l) {
    const char *here = l->text + l->at;
    for (int i = 0; i < OPERATORS; i++) {
        const char *text = operators[i].text;
        if (text[0] != here[0]) continue; /* the text ends in 0, so here[0] can be read */
        size_t n = strlen(text);
        if (n <= l->len - l->at && memcmp(text, here, n) == 0) {
            l->at += (uint32_t)n;
            return operators[i].kind;
        }
    }
    l->at += (uint32_t)tg_utf8_next(here, l->len - l->at, NULL);
    return TG_TOK_BAD;
}

tg_token tg_lex_next(tg_lexer *l) {
    tg_token t = {.flags = skip(l)};
    t.lo = l->at;
    uint32_t first = name_char(l, l->at, true);
    if (l->at >= l->len)
        t.kind = TG_TOK_END;
    else if (first)
        t.kind = name(l, first);
    else if (at_number(l))
        t.kind = number(l);
    else if (superscript(l))
        t.kind = TG_TOK_SUPER;
    else
        t.kind = operator(l);
    t.hi = l->at;
    return t;
}

tg_lexer tg_lex_start(const tg_source *src) {
    bool mark = src->len >= 3 && memcmp(src->text, "\xEF\xBB\xBF", 3) == 0;
    return (tg_lexer){src->text, (uint32_t)src->len, mark ? 3 : 0};
}

bool tg_lex_check(tg_ctx *c, const tg_source *src) {
    for (size_t i = 0; i < src->len;) {
        unsigned char b = (unsigned char)src->text[i];
        size_t n = b < 0x80 ? 1 : (size_t)tg_utf8_next(src->text + i, src->len - i, NULL);
        if (b != 0 && (b < 0x80 || n > 1)) {
            i += n;
            continue;
        }
        if (b == 0) {
            tg_fail(c, TG_ERR_SYNTAX, "a NUL byte: this is not a text");
        } else {
            tg_fail(c, TG_ERR_SYNTAX, "byte 0x%02X: this text is not UTF-8", b);
            tg_help(c, "save it in the encoding UTF-8");
        }
        c->diag.at = (tg_span){src, (uint32_t)i, (uint32_t)i + 1};
        return false;
    }
    return true;
}
