/* Advice: tables of what other languages write where tg writes something else. Nothing here decides
 * what is an error; it only words it. */
#include "grammar/advice.h"
#include "grammar/parser.h"

#include <stdio.h>
#include <string.h>

/* Words that are not tg: before what was not expected ("def f"), or, if `found`, themselves not
 * expected ("} elif"). */
static const struct {
    const char *words; /* separated by spaces, with one at each end */
    const char *help;
    bool found;
} strange_words[] = {
    {" def function func fn fun sub proc ",
     "a function is written f(x) = expression, or f(x) = { ... }", false},
    {" lambda ", "a function without a name is written x -> expression", false},
    {" end endif endfor endwhile endfunction done fi esac ", "a block ends with }", true},
    {" elif elseif elsif ", "write } else if condition {", true},
    {" then do begin ", "a body stands in braces: { ... }", true},
    {" print println printf puts echo disp display ", "a call needs brackets: print(x)", false},
    {" let const local auto global ", "a name is defined by name = expression", false},
    {" var Variable tensor ", "a variable is written x = var(0)", false},
    {" import include from require load source ", "write use \"file.tg\", or use name for a module",
     false},
    {" until unless loop foreach switch match case try catch except class struct ",
     "there are for x in e { }, while c { }, repeat n { } and if c { } else { }", false},
    {" None null nil NULL undefined nothing ", "write none", false},
    {" True TRUE ", "write true", false},
    {" False FALSE ", "write false", false},
    {" NaN NAN ", "write nan", false},
    {" Inf Infinity INF ", "write inf", false},
    {" rule ", "rule f(x) = g * ... gives a function a derivative, with g the incoming cotangent",
     false},
    {" input ", "an input is declared by input X[N, 3]", false},
    {" integrate integral quad antiderivative ",
     "tg has no integrals; a sum comes near one: h * sum(f(a + h * (arange(n) + 0.5)))", false},
    {" help doc docs man ", "?name explains a name, ??word finds one: ?grad, ??norm, ?topics",
     false},
    {" is equals ", "equality is written ==", true},
    {" xor ", "write a != b", true},
    {" float int double single ", "numbers have no declared type: name = expression", false},
};

enum { STRANGE_WORDS = sizeof strange_words / sizeof *strange_words };

static int find_word(const char *word, size_t n) {
    for (int i = 0; n > 0 && i < STRANGE_WORDS; i++)
        for (const char *at = strange_words[i].words; (at = strchr(at, ' ')) != NULL; at++)
            if (strncmp(at + 1, word, n) == 0 && at[n + 1] == ' ') return i;
    return -1;
}

const char *tg_advice_on_word(const char *word) {
    int row = find_word(word, strlen(word));
    return row < 0 ? NULL : strange_words[row].help;
}

/* `found`: the token is the one that was not expected. */
static const char *on_word(const tg_parser *p, tg_token t, bool found) {
    int row = t.kind == TG_TOK_NAME ? find_word(p->src->text + t.lo, t.hi - t.lo) : -1;
    return row < 0 || (found && !strange_words[row].found) ? NULL : strange_words[row].help;
}

/* ---- bad tokens ---- */

static const struct {
    const char *text, *help;
} strange_signs[] = {
    {"&&", "write and"},
    {"||", "write or"},
    {"!", "write not x; \"is not equal\" is !=, and n! is prod(arange(1, n + 1))"},
    {"!==", "write !="},
    {"===", "write =="},
    {"~=", "write !="},
    {"<>", "write !="},
    {"~", "write not"},
    {"&", "write and"},
    {"|", "write or"},
    {"|>", "write f(x)"},
    {"=>", "a function is written x -> expression; \"at least\" is >="},
    {"//", "a comment begins with #; a whole quotient is floor(a / b)"},
    {"/*", "a comment begins with # and ends with the line"},
    {"**=", "write x := x ^ e"},
    {"^=", "write x := x ^ e"},
    {"%=", "write x := x % e"},
    {"@=", "write x := x @ e"},
    {"\\", "A \\ b is written solve(A, b), and lstsq(A, b) for least squares"},
    {"<<", "write x * 2^n"},
    {">>", "write floor(x / 2^n)"},
    {"$", "names have no $; in a string, {expression} puts a value in"},
    {"`", "a string stands in double quotes: \"...\""},
    {"“", "a string stands in straight double quotes: \"...\""},
    {"”", "a string stands in straight double quotes: \"...\""},
    {"‘", "a string stands in straight double quotes: \"...\""},
    {"’", "a string stands in straight double quotes: \"...\"; a transpose is '"},
    {"″", "write ''"},
    {"‴", "write '''"},
    {"⁗", "write ''''"},
    {"∫", "tg has no integrals; a sum comes near one: h * sum(f(a + h * (arange(n) + 0.5)))"},
    {"∈", "write in"},
    {"∧", "write and"},
    {"∨", "write or"},
    {"¬", "write not"},
    {"√", "write sqrt(x)"},
    {"∑", "write sum(x)"},
    {"∏", "write prod(x)"},
    {"ⁿ", "write x^n"},
    {"≈", "for formulas same(a, b), for numbers abs(a - b) < 1e-9"},
    {"←", "write :="},
    {"⇒", "a function is written x -> expression"},
};

static void bad_number(tg_parser *p, const char *text, int n) {
    int whole = 0;
    while (whole < n && ((text[whole] >= '0' && text[whole] <= '9') || text[whole] == '.')) whole++;
    tg_parser_fail(p, p->tok.lo, p->tok.hi, "\"%.*s\" is not a number", n > 40 ? 40 : n, text);
    char next = text[whole];
    if (next == '_')
        tg_help(p->c, "digits are not grouped: write 1000, or 1e3");
    else if (whole == 1 && text[0] == '0' && (next == 'x' || next == 'b' || next == 'o'))
        tg_help(p->c, "numbers are decimal");
    else if ((next == 'e' || next == 'E') && whole + 1 == n)
        tg_help(p->c, "an exponent needs digits: 1e-3");
    else if (whole < n && n <= 40)
        tg_help(p->c, "to multiply, write %.*s * %.*s", whole, text, n - whole, text + whole);
}

static void bad_token(tg_parser *p) {
    const char *text = p->src->text + p->tok.lo;
    int n = (int)(p->tok.hi - p->tok.lo);
    if ((text[0] >= '0' && text[0] <= '9') || text[0] == '.') {
        bad_number(p, text, n);
        return;
    }
    unsigned code;
    if (tg_utf8_next(text, (size_t)n, &code) < n || (code >= ' ' && code < 0x7F))
        tg_parser_fail(p, p->tok.lo, p->tok.hi, "\"%.*s\" means nothing in tg", n, text);
    else if (code < ' ' || code == 0x7F || code == 0xFEFF || (code >= 0x80 && code < 0xA0) ||
             (code >= 0x200B && code <= 0x200F) || (code >= 0x2028 && code <= 0x202F) ||
             (code >= 0x205F && code <= 0x206F))
        tg_parser_fail(p, p->tok.lo, p->tok.hi, "an invisible character, U+%04X", code);
    else
        tg_parser_fail(p, p->tok.lo, p->tok.hi,
                       "the character \"%.*s\" (U+%04X) means nothing in tg", n, text, code);
    for (size_t i = 0; i < sizeof strange_signs / sizeof *strange_signs; i++)
        if (strlen(strange_signs[i].text) == (size_t)n &&
            memcmp(strange_signs[i].text, text, (size_t)n) == 0)
            tg_help(p->c, "%s", strange_signs[i].help);
}

/* ---- tokens out of place ---- */

static bool begins_operand(tg_token_kind kind) {
    return kind == TG_TOK_NUMBER || kind == TG_TOK_NAME || kind == TG_TOK_QUOTE ||
           (kind >= TG_TOK_TRUE && kind <= TG_TOK_NONE);
}

/* 'abc': the tg way to write it, if it ends on its line. */
static void single_quotes(tg_parser *p) {
    const char *text = p->src->text + p->tok.hi;
    size_t n = strcspn(text, "'\n");
    if (text[n] == '\'' && n > 0 && n < 60)
        tg_help(p->c, "a string stands in double quotes: \"%.*s\"", (int)n, text);
    else
        tg_help(
            p->c,
            "a string stands in double quotes; the ' of a transpose follows its operand directly");
}

static bool inside(const tg_parser *p, tg_bracket what) {
    return p->open && p->open->what == what;
}

static const char *on_sign(const tg_parser *p) {
    bool square = inside(p, TG_BRACKET_SQUARE);
    switch (p->tok.kind) {
    case TG_TOK_ASSIGN:
        return "\"=\" defines a name and begins no expression; did you mean \"==\"?";
    case TG_TOK_STORE: return "\":=\" stores into a name and is a statement of its own";
    case TG_TOK_SEMICOLON:
        return square ? "rows are brackets of their own: [[1, 2], [3, 4]]" : NULL;
    case TG_TOK_FOR: return "\"for\" begins a statement: for x in e { ... }";
    case TG_TOK_COLON:
        if (p->tok.flags & TG_TOK_AFTER_LINE || p->prev.hi == 0)
            return "commands that begin with : belong to the prompt, not into a script";
        if (p->prev.kind == TG_TOK_QUOTE) return "the keys of a record are plain names: {a: 1}";
        return square ? "slices stand in an index: x[0:3]; a range is 1..10"
                      : "a body stands in { }, a range is 1..10, a record is {name: value}";
    case TG_TOK_UNKNOWN: return "a choice is written if c { a } else { b }, or where(c, a, b)";
    case TG_TOK_ARROW: return "a function is written x -> expression, or (x, y) -> expression";
    default: return NULL;
    }
}

/* Two operands side by side. */
static const char *on_operand(const tg_parser *p) {
    tg_token_kind next = tg_parser_peek(p).kind;
    if (p->tok.flags & TG_TOK_AFTER_LINE) return NULL;
    if (inside(p, TG_BRACKET_SQUARE) || inside(p, TG_BRACKET_ROUND))
        return "a comma separates what stands in brackets";
    if (next == TG_TOK_ASSIGN || next == TG_TOK_STORE || p->prev.kind == TG_TOK_RBRACE)
        return "a new line or \";\" separates statements";
    if (p->prev.kind == TG_TOK_NUMBER) return "to multiply, write *";
    return p->prev.kind == TG_TOK_NAME ? "a call needs brackets, a product *" : NULL;
}

void tg_advice_add(tg_parser *p) {
    tg_token_kind kind = p->tok.kind;
    if (kind == TG_TOK_BAD) {
        bad_token(p);
        return;
    }
    if (kind == TG_TOK_PRIME) {
        single_quotes(p);
        return;
    }
    bool operand = begins_operand(kind);
    const char *help = operand || kind == TG_TOK_LBRACE ? on_word(p, p->prev, false) : NULL;
    if (!help) help = on_word(p, p->tok, true);
    if (!help) help = operand ? on_operand(p) : on_sign(p);
    if (help) tg_help(p->c, "%s", help);
}
