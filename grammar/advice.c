/* Advice: tables of what other languages write where tg writes something else. Nothing here decides
 * what is an error; it only words it. */
#include "grammar/advice.h"
#include "grammar/parser.h"

#include <stdio.h>
#include <string.h>

/* Words that are not tg, as they appear before or in place of what was expected. */
static const struct {
    const char *words; /* separated by spaces, with one at each end */
    const char *help;
} strange_words[] = {
    {" def function func fn fun sub proc ",
     "a function is written f(x) = expression, or f(x) = { ... }"},
    {" lambda ", "a function without a name is written x -> expression"},
    {" end endif endfor endwhile endfunction done fi esac ", "a block ends with }"},
    {" elif elseif elsif elsif ", "write } else if condition {"},
    {" then do begin ", "a body stands in braces: { ... }"},
    {" print println printf puts echo disp display ", "a call needs brackets: print(x)"},
    {" let const local auto global ", "a name is defined by name = expression"},
    {" var Variable tensor ", "a variable is written x = var(0)"},
    {" import include from require load source ",
     "write use \"file.tg\", or use name for a module"},
    {" until unless loop foreach switch match case try catch except class struct ",
     "there are for x in e { }, while c { }, repeat n { } and if c { } else { }"},
    {" None null nil NULL undefined nothing ", "write none"},
    {" True TRUE ", "write true"},
    {" False FALSE ", "write false"},
    {" NaN NAN ", "write nan"},
    {" Inf Infinity INF ", "write inf"},
    {" is equals ", "equality is written =="},
    {" xor ", "write a != b"},
    {" float int double single ", "numbers have no declared type: name = expression"},
};

const char *tg_advice_on_word(const char *word) {
    size_t n = strlen(word);
    for (size_t i = 0; i < sizeof strange_words / sizeof *strange_words; i++)
        for (const char *at = strange_words[i].words; (at = strstr(at + 1, word)) != NULL;)
            if (at[-1] == ' ' && at[n] == ' ' && n > 0) return strange_words[i].help;
    return NULL;
}

static const char *on_token(const tg_parser *p, tg_token t) {
    char word[16];
    size_t n = t.hi - t.lo;
    if (t.kind != TG_TOK_NAME || n >= sizeof word) return NULL;
    memcpy(word, p->src->text + t.lo, n);
    word[n] = 0;
    return tg_advice_on_word(word);
}

/* ---- bad tokens ---- */

static const struct {
    const char *text, *help;
} strange_signs[] = {
    {"&&", "write and"},
    {"||", "write or"},
    {"!", "write not x; \"is not equal\" is !="},
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
    {"<<", "write x * 2^n"},
    {">>", "write floor(x / 2^n)"},
    {"\\", "to solve A @ x = b write solve(A, b)"},
    {"$", "names have no $; in a string, {expression} puts a value in"},
    {"`", "a string stands in double quotes: \"...\""},
    {"“", "a string stands in straight double quotes: \"...\""},
    {"”", "a string stands in straight double quotes: \"...\""},
    {"‘", "a string stands in straight double quotes: \"...\""},
    {"’", "a string stands in straight double quotes: \"...\"; a transpose is '"},
    {"∈", "write in"},
    {"∧", "write and"},
    {"∨", "write or"},
    {"¬", "write not"},
    {"√", "write sqrt(x)"},
    {"∑", "write sum(x)"},
    {"∏", "write prod(x)"},
    {"ⁿ", "write x^n"},
    {"≈", "write abs(a - b) < 1e-9, or same(a, b)"},
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
             (code >= 0x200B && code <= 0x206F))
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

void tg_advice_add(tg_parser *p) {
    tg_token t = p->tok, before = p->prev;
    const char *help = NULL;
    if (t.kind == TG_TOK_BAD) {
        bad_token(p);
        return;
    }
    if (t.kind == TG_TOK_PRIME) {
        single_quotes(p);
        return;
    }
    if (before.kind == TG_TOK_NAME && (begins_operand(t.kind) || t.kind == TG_TOK_LBRACE))
        help = on_token(p, before);
    if (!help) help = on_token(p, t);
    if (help) {
        /* found */
    } else if (t.kind == TG_TOK_ASSIGN) {
        help = "\"=\" defines a name and stands once in a statement; did you mean \"==\"?";
    } else if (t.kind == TG_TOK_STORE) {
        help = "\":=\" stores into a name and is a statement of its own";
    } else if (t.kind == TG_TOK_SEMICOLON && inside(p, TG_BRACKET_SQUARE)) {
        help = "rows are brackets of their own: [[1, 2], [3, 4]]";
    } else if (t.kind == TG_TOK_FOR && inside(p, TG_BRACKET_SQUARE)) {
        help = "\"for\" is a statement: for x in e { ... }";
    } else if (t.kind == TG_TOK_COLON && inside(p, TG_BRACKET_SQUARE)) {
        help = "slices stand in an index: x[0:3]; a range is 1..10";
    } else if (t.kind == TG_TOK_COLON) {
        help = "a body stands in { }, a range is 1..10, a record is {name: value}";
    } else if (t.kind == TG_TOK_UNKNOWN) {
        help = "a choice is written if c { a } else { b }, or where(c, a, b)";
    } else if (t.kind == TG_TOK_ARROW) {
        help = "a function is written x -> expression, or (x, y) -> expression";
    } else if (before.kind == TG_TOK_NUMBER && t.kind == TG_TOK_NAME) {
        help = "to multiply, write *";
    } else if (begins_operand(t.kind) &&
               (inside(p, TG_BRACKET_SQUARE) || inside(p, TG_BRACKET_ROUND))) {
        help = "a \",\" separates what stands in brackets";
    } else if (before.kind == TG_TOK_NAME && begins_operand(t.kind)) {
        help = "a call needs brackets, a product *";
    }
    if (help) tg_help(p->c, "%s", help);
}
