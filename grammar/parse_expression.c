/* Expressions, by operator precedence (V. Pratt, Top down operator precedence, POPL 1973): what
 * binds and how strongly is the table `infix`, and one loop serves all levels. Chains that lean
 * left (sums, postfix operators, comparisons, else if) are loops; what nests recurses and asks the
 * stack guard once a level. */
#include "grammar/parser.h"
#include "base/alloc.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const struct infix {
    const char *op; /* canonical spelling, as the tree has it */
    int level;      /* 0: not an infix operator */
    int right; /* the level of its right operand: one tighter for those that group to the left */
} infix[TG_TOK_COUNT] = {
    [TG_TOK_OR] = {"or", TG_LEVEL_OR, TG_LEVEL_AND},
    [TG_TOK_AND] = {"and", TG_LEVEL_AND, TG_LEVEL_NOT},
    [TG_TOK_EQ] = {"==", TG_LEVEL_COMPARISON, TG_LEVEL_RANGE},
    [TG_TOK_NE] = {"!=", TG_LEVEL_COMPARISON, TG_LEVEL_RANGE},
    [TG_TOK_LT] = {"<", TG_LEVEL_COMPARISON, TG_LEVEL_RANGE},
    [TG_TOK_LE] = {"<=", TG_LEVEL_COMPARISON, TG_LEVEL_RANGE},
    [TG_TOK_GT] = {">", TG_LEVEL_COMPARISON, TG_LEVEL_RANGE},
    [TG_TOK_GE] = {">=", TG_LEVEL_COMPARISON, TG_LEVEL_RANGE},
    [TG_TOK_RANGE] = {"..", TG_LEVEL_RANGE, TG_LEVEL_SUM},
    [TG_TOK_ADD] = {"+", TG_LEVEL_SUM, TG_LEVEL_PRODUCT},
    [TG_TOK_SUB] = {"-", TG_LEVEL_SUM, TG_LEVEL_PRODUCT},
    [TG_TOK_MUL] = {"*", TG_LEVEL_PRODUCT, TG_LEVEL_SIGN},
    [TG_TOK_DIV] = {"/", TG_LEVEL_PRODUCT, TG_LEVEL_SIGN},
    [TG_TOK_MOD] = {"%", TG_LEVEL_PRODUCT, TG_LEVEL_SIGN},
    [TG_TOK_MATMUL] = {"@", TG_LEVEL_PRODUCT, TG_LEVEL_SIGN},
    [TG_TOK_POW] = {"^", TG_LEVEL_POWER,
                    TG_LEVEL_SIGN}, /* to the right, and its exponent may have a sign */
};

/* ---- leaves ---- */

static tg_ast *leaf(tg_parser *p, tg_ast_kind kind, double value) {
    tg_ast *node = tg_parser_node(p, kind, p->tok.lo, p->tok.hi, 0);
    if (!node) return NULL;
    node->number = value;
    tg_parser_advance(p);
    return node;
}

static tg_ast *name_leaf(tg_parser *p) {
    const char *name = tg_parser_name(p, p->tok);
    tg_ast *node = name ? leaf(p, TG_AST_NAME, 0) : NULL;
    if (node) node->name = name;
    return node;
}

/* Scales the digits of `text` without their dot: strtod would look for the dot of the locale. The
 * digits are copied to `out`, which has room for n + 24 bytes. */
static double decimal_value(const char *text, size_t n, char *out) {
    size_t used = 0, at = 0;
    long scale = 0;
    for (bool after_dot = false; at < n && text[at] != 'e' && text[at] != 'E'; at++) {
        if (text[at] == '.') {
            after_dot = true;
            continue;
        }
        out[used++] = text[at];
        scale -= after_dot;
    }
    if (at < n) { /* an exponent too large for long is as good as a hundred million */
        char *end;
        long e = strtol(text + at + 1, &end, 10);
        scale += e > 100000000 ? 100000000 : e < -100000000 ? -100000000 : e;
    }
    snprintf(out + used, 24, "e%ld", scale);
    return strtod(out, NULL);
}

__attribute__((noinline)) tg_ast *tg_parse_number(tg_parser *p) {
    char few[128];
    size_t n = p->tok.hi - p->tok.lo;
    char *buffer = n + 24 <= sizeof few ? few : tg_alloc(n + 24);
    if (!buffer) return tg_parser_no_memory(p);
    double value = decimal_value(p->src->text + p->tok.lo, n, buffer);
    if (buffer != few) tg_free(buffer);
    if (isinf(value)) {
        tg_parser_fail(p, p->tok.lo, p->tok.hi,
                       "this number is too large: the largest is about 1.8e308");
        tg_help(p->c, "infinity is written inf");
        return NULL;
    }
    return leaf(p, TG_AST_NUMBER, value);
}

/* ---- lists in brackets ---- */

/* argument = expression | NAME "=" expression */
static tg_ast *argument(tg_parser *p) {
    tg_ast *x = tg_parse_level(p, TG_LEVEL_EXPRESSION);
    if (!x || p->tok.kind != TG_TOK_ASSIGN) return x;
    tg_token at = p->tok;
    if (x->kind != TG_AST_NAME || (x->flags & TG_AST_PARENS)) {
        tg_parser_fail(p, at.lo, at.hi, "\"=\" does not compare");
        tg_help(p->c, "did you mean \"==\"?");
        return NULL;
    }
    tg_parser_advance(p);
    tg_ast *value = tg_parse_level(p, TG_LEVEL_EXPRESSION);
    tg_ast *arg = value ? tg_parser_node(p, TG_AST_ARG, x->span.lo, value->span.hi, 1) : NULL;
    if (!arg) return NULL;
    arg->name = x->name;
    arg->op_span = tg_parser_span(p, at.lo, at.hi);
    arg->kids[0] = value;
    return arg;
}

/* arguments = "(" [ argument { "," argument } [ "," ] ] ")", the named ones last */
bool tg_parse_arguments(tg_parser *p, bool *comma, tg_ast **named) {
    tg_open open;
    tg_parser_open(p, &open, TG_BRACKET_ROUND);
    while (p->tok.kind != TG_TOK_RPAREN) {
        tg_ast *x = argument(p);
        if (!tg_parser_push(p, x)) return false;
        if (x->kind == TG_AST_ARG && !*named) *named = x;
        if (x->kind != TG_AST_ARG && *named) {
            tg_parser_fail(p, x->span.lo, x->span.hi, "this must stand before \"%s = ...\"",
                           (*named)->name);
            tg_help(p->c, "what is given by name comes last");
            return false;
        }
        if (p->tok.kind != TG_TOK_COMMA) break;
        *comma = true;
        tg_parser_advance(p);
    }
    return tg_parser_close(p);
}

bool tg_parse_parameters(tg_parser *p, size_t mark) {
    for (size_t i = mark; i < p->count; i++) {
        tg_ast *x = p->stack[i];
        if (x->kind == TG_AST_ARG) continue;
        if (x->kind != TG_AST_NAME || (x->flags & TG_AST_PARENS)) {
            tg_parser_fail(p, x->span.lo, x->span.hi, "a parameter must be a name");
            if (p->tok.kind == TG_TOK_ASSIGN)
                tg_help(p->c, "f(x) = ... defines a function; \"==\" compares");
            return false;
        }
        tg_ast *arg = tg_parser_node(p, TG_AST_ARG, x->span.lo, x->span.hi, 1);
        if (!arg) return false;
        arg->name = x->name;
        p->stack[i] = arg;
    }
    return true;
}

/* At the `->`: lambda = ( NAME | "(" [ parameters ] ")" ) "->" expression. The parameters were
 * pushed since `mark`. */
static tg_ast *lambda(tg_parser *p, uint32_t lo, size_t mark, int level) {
    tg_token at = p->tok;
    if (level > TG_LEVEL_EXPRESSION) {
        tg_parser_fail(p, at.lo, at.hi,
                       "a function that is part of an expression stands in brackets");
        tg_help(p->c, "write (x -> ...)");
        return NULL;
    }
    if (!tg_parse_parameters(p, mark)) return NULL;
    tg_parser_advance(p);
    if (!tg_parser_push(p, tg_parse_level(p, TG_LEVEL_EXPRESSION))) return NULL;
    tg_ast *node = tg_parser_collect(p, TG_AST_LAMBDA, lo, p->prev.hi, mark);
    if (node) node->op_span = tg_parser_span(p, at.lo, at.hi);
    return node;
}

static tg_ast *name(tg_parser *p, int level) {
    tg_ast *x = name_leaf(p);
    if (!x || p->tok.kind != TG_TOK_ARROW || tg_parser_line_ended(p)) return x;
    size_t mark = p->count;
    return tg_parser_push(p, x) ? lambda(p, x->span.lo, mark, level) : NULL;
}

/* group = "(" expression ")" ; tuple = "(" [ expression "," [ expression { "," expression } [ "," ]
 * ] ] ")" */
static tg_ast *group(tg_parser *p, int level) {
    uint32_t lo = p->tok.lo;
    size_t mark = p->count;
    bool comma = false;
    tg_ast *named = NULL;
    if (!tg_parse_arguments(p, &comma, &named)) return NULL;
    if (p->tok.kind == TG_TOK_ARROW && !tg_parser_line_ended(p)) return lambda(p, lo, mark, level);
    if (named) {
        tg_parser_fail(p, named->op_span.lo, named->op_span.hi, "\"=\" does not compare");
        tg_help(p->c, "did you mean \"==\"? A record is written {%s: ...}", named->name);
        return NULL;
    }
    if (p->count - mark != 1 || comma)
        return tg_parser_collect(p, TG_AST_TUPLE, lo, p->prev.hi, mark);
    tg_ast *x = p->stack[p->count = mark];
    x->flags |= TG_AST_PARENS;
    x->span = tg_parser_span(p, lo, p->prev.hi);
    return x;
}

/* bracket = "[" [ expression { "," expression } [ "," ] ] "]" */
static tg_ast *bracket(tg_parser *p) {
    uint32_t lo = p->tok.lo;
    size_t mark = p->count;
    tg_open open;
    tg_parser_open(p, &open, TG_BRACKET_SQUARE);
    while (p->tok.kind != TG_TOK_RBRACKET) {
        if (!tg_parser_push(p, tg_parse_level(p, TG_LEVEL_EXPRESSION))) return NULL;
        if (p->tok.kind != TG_TOK_COMMA) break;
        tg_parser_advance(p);
    }
    if (!tg_parser_close(p)) return NULL;
    return tg_parser_collect(p, TG_AST_BRACKET, lo, p->prev.hi, mark);
}

/* field = NAME ":" expression */
static tg_ast *entry(tg_parser *p) {
    if (p->tok.kind != TG_TOK_NAME) return tg_parser_expected(p, "the name of a field");
    uint32_t lo = p->tok.lo;
    const char *key = tg_parser_name(p, p->tok);
    if (!key) return NULL;
    tg_parser_advance(p);
    tg_token at = p->tok;
    if (at.kind != TG_TOK_COLON) return tg_parser_expected(p, "\":\" and the field's value");
    tg_parser_advance(p);
    tg_ast *value = tg_parse_level(p, TG_LEVEL_EXPRESSION);
    tg_ast *arg = value ? tg_parser_node(p, TG_AST_ARG, lo, value->span.hi, 1) : NULL;
    if (!arg) return NULL;
    arg->name = key;
    arg->op_span = tg_parser_span(p, at.lo, at.hi);
    arg->kids[0] = value;
    return arg;
}

/* record = "{" [ field { "," field } [ "," ] ] "}" */
static tg_ast *record(tg_parser *p) {
    uint32_t lo = p->tok.lo;
    size_t mark = p->count;
    tg_open open;
    tg_parser_open(p, &open, TG_BRACKET_RECORD);
    while (p->tok.kind != TG_TOK_RBRACE) {
        if (!tg_parser_push(p, entry(p))) return NULL;
        if (p->tok.kind != TG_TOK_COMMA) break;
        tg_parser_advance(p);
    }
    if (!tg_parser_close(p)) return NULL;
    return tg_parser_collect(p, TG_AST_RECORD, lo, p->prev.hi, mark);
}

/* `{}` and `{ name: ...` are records, any other `{` opens a block. */
static tg_ast *braces(tg_parser *p) {
    tg_lexer ahead = p->lex;
    tg_token first = tg_lex_next(&ahead);
    if (first.kind == TG_TOK_RBRACE) return record(p);
    if (first.kind == TG_TOK_NAME && tg_lex_next(&ahead).kind == TG_TOK_COLON) return record(p);
    return tg_parse_block(p);
}

/* primary = NUMBER | NAME | string | "true" | "false" | "none" | group | tuple | bracket | record |
 * block | if */
static tg_ast *primary(tg_parser *p, int level) {
    switch (p->tok.kind) {
    case TG_TOK_NUMBER: return tg_parse_number(p);
    case TG_TOK_NAME: return name(p, level);
    case TG_TOK_QUOTE: return tg_parse_string(p);
    case TG_TOK_TRUE: return leaf(p, TG_AST_BOOL, 1);
    case TG_TOK_FALSE: return leaf(p, TG_AST_BOOL, 0);
    case TG_TOK_NONE: return leaf(p, TG_AST_NONE, 0);
    case TG_TOK_LPAREN: return group(p, level);
    case TG_TOK_LBRACKET: return bracket(p);
    case TG_TOK_LBRACE: return braces(p);
    case TG_TOK_IF: return tg_parse_if(p);
    default: return tg_parser_expected(p, "an expression");
    }
}

/* ---- postfix operators ---- */

static tg_ast *call(tg_parser *p, tg_ast *callee) {
    size_t mark = p->count;
    uint32_t lo = p->tok.lo;
    bool comma = false;
    tg_ast *named = NULL;
    if (!tg_parser_push(p, callee) || !tg_parse_arguments(p, &comma, &named)) return NULL;
    tg_ast *node = tg_parser_collect(p, TG_AST_CALL, callee->span.lo, p->prev.hi, mark);
    if (node) node->op_span = tg_parser_span(p, lo, p->prev.hi);
    return node;
}

static bool ends_axis(const tg_parser *p) {
    return p->tok.kind == TG_TOK_COLON || p->tok.kind == TG_TOK_COMMA ||
           p->tok.kind == TG_TOK_RBRACKET;
}

/* axis = "..." | expression | [ expression ] ":" [ expression ] [ ":" [ expression ] ] */
static tg_ast *axis(tg_parser *p) {
    if (p->tok.kind == TG_TOK_REST) return leaf(p, TG_AST_REST, 0);
    uint32_t lo = p->tok.lo;
    tg_ast *start = NULL;
    if (p->tok.kind != TG_TOK_COLON && !(start = tg_parse_level(p, TG_LEVEL_EXPRESSION)))
        return NULL;
    if (p->tok.kind != TG_TOK_COLON) return start;
    tg_ast *slice = tg_parser_node(p, TG_AST_SLICE, lo, 0, 3);
    if (!slice) return NULL;
    slice->kids[0] = start;
    for (int i = 1; i < 3 && p->tok.kind == TG_TOK_COLON; i++) {
        tg_parser_advance(p);
        if (!ends_axis(p) && !(slice->kids[i] = tg_parse_level(p, TG_LEVEL_EXPRESSION)))
            return NULL;
    }
    slice->span.hi = p->prev.hi;
    return slice;
}

/* index = "[" axis { "," axis } [ "," ] "]" */
static tg_ast *index_of(tg_parser *p, tg_ast *base) {
    size_t mark = p->count;
    uint32_t lo = p->tok.lo;
    tg_open open;
    if (!tg_parser_push(p, base)) return NULL;
    tg_parser_open(p, &open, TG_BRACKET_SQUARE);
    do {
        if (p->count > mark + 1) tg_parser_advance(p); /* the comma */
        if (p->tok.kind == TG_TOK_RBRACKET && p->count > mark + 1) break;
        if (!tg_parser_push(p, axis(p))) return NULL;
    } while (p->tok.kind == TG_TOK_COMMA);
    if (!tg_parser_close(p)) return NULL;
    tg_ast *node = tg_parser_collect(p, TG_AST_INDEX, base->span.lo, p->prev.hi, mark);
    if (node) node->op_span = tg_parser_span(p, lo, p->prev.hi);
    return node;
}

static tg_ast *field(tg_parser *p, tg_ast *base) {
    tg_parser_advance(p);
    if (p->tok.kind != TG_TOK_NAME) return tg_parser_expected(p, "the name of a field");
    const char *name_of = tg_parser_name(p, p->tok);
    tg_ast *node = name_of ? tg_parser_node(p, TG_AST_FIELD, base->span.lo, p->tok.hi, 1) : NULL;
    if (!node) return NULL;
    node->name = name_of;
    node->op_span = tg_parser_span(p, p->tok.lo, p->tok.hi);
    node->kids[0] = base;
    tg_parser_advance(p);
    return node;
}

static tg_ast *prime(tg_parser *p, tg_ast *base) {
    tg_ast *node = tg_parser_node(p, TG_AST_PRIME, base->span.lo, p->tok.hi, 1);
    if (!node) return NULL;
    node->op_span = tg_parser_span(p, p->tok.lo, p->tok.hi);
    node->kids[0] = base;
    tg_parser_advance(p);
    return node;
}

static tg_ast *binary(tg_parser *p, const char *op, tg_token at, tg_ast *a, tg_ast *b) {
    tg_ast *node = tg_parser_node(p, TG_AST_BINARY, a->span.lo, b->span.hi, 2);
    if (!node) return NULL;
    node->op = op;
    node->op_span = tg_parser_span(p, at.lo, at.hi);
    node->kids[0] = a;
    node->kids[1] = b;
    return node;
}

/* The digits of a superscript, by the last byte of each, which Unicode did not put in order for 1,
 * 2 and 3. */
static double super_value(const char *text, size_t n) {
    static const char minus[] = "⁻";
    double value = 0;
    bool negative = n > 3 && memcmp(text, minus, 3) == 0;
    for (size_t i = negative ? 3 : 0; i < n;) {
        unsigned code;
        i += (size_t)tg_utf8_next(text + i, n - i, &code);
        value = value * 10 + (code == 0xB9   ? 1
                              : code == 0xB2 ? 2
                              : code == 0xB3 ? 3
                                             : (int)code - 0x2070);
    }
    return negative ? -value : value;
}

static tg_ast *superscript(tg_parser *p, tg_ast *base) {
    tg_token at = p->tok;
    tg_ast *exponent = leaf(p, TG_AST_NUMBER, super_value(p->src->text + at.lo, at.hi - at.lo));
    return exponent ? binary(p, "^", at, base, exponent) : NULL;
}

/* postfix = primary { arguments | index | "." NAME | "'" | SUPERSCRIPT } */
static tg_ast *postfix(tg_parser *p, tg_ast *x) {
    while (x && !tg_parser_line_ended(p)) {
        switch (p->tok.kind) {
        case TG_TOK_LPAREN: x = call(p, x); break;
        case TG_TOK_LBRACKET: x = index_of(p, x); break;
        case TG_TOK_DOT: x = field(p, x); break;
        case TG_TOK_SUPER: x = superscript(p, x); break;
        case TG_TOK_PRIME: /* not `a 'b'`: a string in single quotes */
            if (p->tok.flags & TG_TOK_AFTER_SPACE) return x;
            x = prime(p, x);
            break;
        default: return x;
        }
    }
    return x;
}

/* ---- prefix and infix operators ---- */

/* `x++` would read as x + (+ the next line). */
static bool is_step(const tg_parser *p, tg_token sign, tg_token before) {
    if (before.kind != sign.kind || before.hi != sign.lo) return false;
    return (p->tok.flags & TG_TOK_AFTER_LINE) || p->tok.kind == TG_TOK_END ||
           p->tok.kind == TG_TOK_SEMICOLON || p->tok.kind == TG_TOK_RPAREN ||
           p->tok.kind == TG_TOK_RBRACE;
}

static __attribute__((noinline)) tg_ast *no_step(tg_parser *p, tg_token sign) {
    char c = p->src->text[sign.lo];
    tg_parser_fail(p, sign.lo - 1, sign.hi, "tg has no \"%c%c\"", c, c);
    tg_help(p->c, "write x %c= 1", c);
    return NULL;
}

/* sign = ( "-" | "+" ) sign | power */
static tg_ast *sign(tg_parser *p) {
    tg_token at = p->tok, before = p->prev;
    tg_parser_advance(p);
    if (is_step(p, at, before)) return no_step(p, at);
    tg_ast *x = tg_parse_level(p, TG_LEVEL_SIGN);
    if (!x) return NULL;
    if (at.kind == TG_TOK_ADD) { /* means nothing, so it makes no node */
        x->flags |= TG_AST_PARENS;
        x->span.lo = at.lo;
        return x;
    }
    tg_ast *node = tg_parser_node(p, TG_AST_UNARY, at.lo, x->span.hi, 1);
    if (!node) return NULL;
    node->op = "-";
    node->op_span = tg_parser_span(p, at.lo, at.hi);
    node->kids[0] = x;
    return node;
}

/* inversion = "not" inversion | comparison */
static tg_ast *inversion(tg_parser *p, int level) {
    tg_token at = p->tok;
    if (level > TG_LEVEL_NOT) {
        tg_parser_fail(p, at.lo, at.hi, "\"not\" binds more loosely than the operator before it");
        tg_help(p->c, "write (not ...)");
        return NULL;
    }
    tg_parser_advance(p);
    tg_ast *x = tg_parse_level(p, TG_LEVEL_NOT);
    tg_ast *node = x ? tg_parser_node(p, TG_AST_UNARY, at.lo, x->span.hi, 1) : NULL;
    if (!node) return NULL;
    node->op = "not";
    node->op_span = tg_parser_span(p, at.lo, at.hi);
    node->kids[0] = x;
    return node;
}

static tg_ast *prefix(tg_parser *p, int level) {
    switch (p->tok.kind) {
    case TG_TOK_ADD:
    case TG_TOK_SUB: return sign(p);
    case TG_TOK_NOT: return inversion(p, level);
    default: return postfix(p, primary(p, level));
    }
}

/* comparison = range { ( "==" | "!=" | "<" | "<=" | ">" | ">=" ) range }. More than one is a chain:
 * it is read as ((a < b) < c) and then laid flat. */
static tg_ast *comparison(tg_parser *p, tg_ast *x) {
    size_t n = 0;
    for (; infix[p->tok.kind].level == TG_LEVEL_COMPARISON && !tg_parser_line_ended(p); n++) {
        tg_token at = p->tok;
        tg_parser_advance(p);
        tg_ast *right = tg_parse_level(p, TG_LEVEL_RANGE);
        x = right ? binary(p, infix[at.kind].op, at, x, right) : NULL;
        if (!x) return NULL;
    }
    if (n == 1) return x;
    tg_ast *flat = tg_parser_node(p, TG_AST_COMPARE, x->span.lo, x->span.hi, n + 1);
    if (!flat) return NULL;
    flat->ops = tg_arena_alloc(&p->unit->arena, n * sizeof *flat->ops);
    if (!flat->ops) return tg_parser_no_memory(p);
    for (; n > 0; n--, x = x->kids[0]) {
        flat->kids[n] = x->kids[1];
        flat->ops[n - 1] = x->op;
        flat->op_span = x->op_span; /* in the end the first one's */
    }
    flat->kids[0] = x;
    return flat;
}

/* range = sum [ ".." sum ] */
static tg_ast *range(tg_parser *p, tg_ast *from) {
    tg_token at = p->tok;
    tg_parser_advance(p);
    tg_ast *to = tg_parse_level(p, TG_LEVEL_SUM);
    tg_ast *node = to ? binary(p, NULL, at, from, to) : NULL;
    if (!node) return NULL;
    node->kind = TG_AST_RANGE;
    if (p->tok.kind != TG_TOK_RANGE || tg_parser_line_ended(p)) return node;
    tg_parser_fail(p, p->tok.lo, p->tok.hi, "a range has two ends");
    tg_help(p->c, "arange(a, b, step) has a step");
    return NULL;
}

static tg_ast *infix_with(tg_parser *p, tg_ast *left) {
    tg_token at = p->tok;
    const struct infix *row = &infix[at.kind];
    if (row->level == TG_LEVEL_COMPARISON) return comparison(p, left);
    if (row->level == TG_LEVEL_RANGE) return range(p, left);
    tg_parser_advance(p);
    tg_ast *right = tg_parse_level(p, row->right);
    return right ? binary(p, row->op, at, left, right) : NULL;
}

/* One level of the grammar and all that bind tighter: a prefix form, then infix operators as long
 * as they are not looser than `level`. */
tg_ast *tg_parse_level(tg_parser *p, int level) {
    if (!tg_parser_guard(p)) return NULL;
    tg_ast *x = prefix(p, level);
    while (x && infix[p->tok.kind].level >= level && !tg_parser_line_ended(p)) x = infix_with(p, x);
    return x;
}
