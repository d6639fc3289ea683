/* Statements. What begins with a keyword is told by it; anything else is a list of expressions, and
 * the sign behind the list decides: "=" makes it definitions (or, of a call, the definition of a
 * function), ":=" stores, and otherwise it is a value.
 *
 * input, assume, rule, precision, format and use are words only where a statement begins and what
 * follows makes sense of them, and `where` only behind the expression of a statement; everywhere
 * else they are names. */
#include "grammar/parser.h"
#include "base/nearest.h"

#include <stdio.h>
#include <string.h>

/* expressions = expression { "," expression }; pushes them. */
static bool expressions(tg_parser *p) {
    for (;;) {
        if (!tg_parser_push(p, tg_parse_level(p, TG_LEVEL_EXPRESSION))) return false;
        if (p->tok.kind != TG_TOK_COMMA || tg_parser_line_ended(p)) return true;
        tg_parser_advance(p);
    }
}

/* One expression as it is, several as a tuple. */
static tg_ast *list_value(tg_parser *p, size_t mark) {
    if (p->count - mark == 1) return p->stack[p->count = mark];
    return tg_parser_collect(p, TG_AST_TUPLE, p->stack[mark]->span.lo, p->prev.hi, mark);
}

/* ---- e where R = e1, S = e2 ---- */

/* On the line of the expression the word is always this; at the beginning of a line it may be the
 * operation where(c, a, b), unless a name and "=" follow it. */
static bool at_parts(const tg_parser *p) {
    if (p->tok.kind != TG_TOK_NAME || !tg_parser_is_word(p, p->tok, "where")) return false;
    if (!tg_parser_line_ended(p)) return true;
    tg_lexer ahead = p->lex;
    tg_token next = tg_lex_next(&ahead);
    if (next.kind != TG_TOK_NAME || next.flags & TG_TOK_AFTER_LINE) return false;
    next = tg_lex_next(&ahead);
    return next.kind == TG_TOK_ASSIGN && !(next.flags & TG_TOK_AFTER_LINE);
}

/* part = NAME "=" expression; pushes it. */
static bool part(tg_parser *p) {
    tg_token name = p->tok;
    if (name.kind != TG_TOK_NAME)
        return tg_parser_expected(p, "a name for a part of the expression") != NULL;
    tg_ast *node = tg_parser_node(p, TG_AST_ARG, name.lo, name.hi, 1);
    if (!node || !(node->name = tg_parser_name(p, name))) return false;
    tg_parser_advance(p);
    if (p->tok.kind != TG_TOK_ASSIGN || tg_parser_line_ended(p))
        return tg_parser_expected(p, "\"=\" behind the name of the part") != NULL;
    tg_parser_advance(p);
    if (!(node->kids[0] = tg_parse_level(p, TG_LEVEL_EXPRESSION))) return false;
    node->span.hi = p->prev.hi;
    return tg_parser_push(p, node);
}

/* parts = "where" part { "," part }; e itself where none follow. */
static tg_ast *with_parts(tg_parser *p, tg_ast *e) {
    size_t mark = p->count;
    if (!e || !at_parts(p)) return e;
    if (!tg_parser_push(p, e)) return NULL;
    do {
        tg_parser_advance(p);
        if (!part(p)) return NULL;
    } while (p->tok.kind == TG_TOK_COMMA && !tg_parser_line_ended(p));
    return tg_parser_collect(p, TG_AST_WHERE, e->span.lo, p->prev.hi, mark);
}

/* ---- definitions and stores ---- */

/* Pushes the arguments of `head`, which was read as a call, as parameters. */
static bool parameters(tg_parser *p, const tg_ast *head) {
    size_t mark = p->count;
    for (int i = 1; i < head->n; i++)
        if (!tg_parser_push(p, head->kids[i])) return false;
    return tg_parse_parameters(p, mark);
}

/* function = NAME arguments "=" expression [ parts ] */
static tg_ast *function(tg_parser *p, tg_ast *head) {
    tg_ast *callee = head->kids[0];
    if (callee->kind != TG_AST_NAME || (callee->flags & TG_AST_PARENS)) {
        tg_parser_fail(p, callee->span.lo, callee->span.hi, "a function is defined under a name");
        tg_help(p->c, "write f(x) = ...");
        return NULL;
    }
    size_t mark = p->count;
    if (!parameters(p, head)) return NULL;
    tg_token at = p->tok;
    tg_parser_advance(p);
    if (!tg_parser_push(p, with_parts(p, tg_parse_level(p, TG_LEVEL_EXPRESSION)))) return NULL;
    tg_ast *node = tg_parser_collect(p, TG_AST_FUNCTION, head->span.lo, p->prev.hi, mark);
    if (!node) return NULL;
    node->name = callee->name;
    node->op_span = tg_parser_span(p, at.lo, at.hi);
    return node;
}

/* target = NAME { index | "." NAME }; of "=" only a NAME */
static bool check_target(tg_parser *p, tg_ast *target, bool defines) {
    tg_ast *base = target;
    while ((base->kind == TG_AST_INDEX || base->kind == TG_AST_FIELD) &&
           !(base->flags & TG_AST_PARENS))
        base = base->kids[0];
    if (base->kind == TG_AST_NAME && !(base->flags & TG_AST_PARENS) && (base == target || !defines))
        return true;
    tg_parser_fail(p, target->span.lo, target->span.hi, "\"%s\" needs a name on its left",
                   defines ? "=" : ":=");
    if (base->kind == TG_AST_NAME && base != target)
        tg_help(p->c, "to change a part of a value, write :=");
    else if (target->kind == TG_AST_TUPLE)
        tg_help(p->c, "several names stand without brackets: a, b = ...");
    else if (target->kind == TG_AST_PRIME)
        tg_help(p->c, "a derivative follows from its function");
    else
        tg_help(p->c, "\"==\" compares");
    return false;
}

/* define = NAME { "," NAME } "=" expressions ; store = target { "," target } ":=" expressions
 *        | target ( "+=" | "-=" | "*=" | "/=" ) expression ; one value may have parts
 * At the sign; the targets were pushed since `mark`. */
static tg_ast *assign(tg_parser *p, tg_ast_kind kind, const char *op, size_t mark) {
    tg_token at = p->tok;
    size_t targets = p->count - mark;
    for (size_t i = mark; i < p->count; i++)
        if (!check_target(p, p->stack[i], kind == TG_AST_DEFINE)) return NULL;
    if (op && targets > 1)
        return tg_parser_fail(p, at.lo, at.hi, "\"%s=\" changes one name at a time", op);
    tg_parser_advance(p);
    if (!expressions(p)) return NULL;
    size_t values = p->count - mark - targets;
    if (values != 1 && values != targets) {
        tg_parser_fail(p, at.lo, at.hi, "%zu name%s, but %zu values", targets,
                       targets == 1 ? "" : "s", values);
        if (targets == 1) tg_help(p->c, "a tuple stands in brackets: (a, b)");
        return NULL;
    }
    if (values == 1) {
        tg_ast *value = p->stack[--p->count];
        if (!tg_parser_push(p, with_parts(p, value))) return NULL;
    }
    tg_ast *node = tg_parser_collect(p, kind, p->stack[mark]->span.lo, p->prev.hi, mark);
    if (!node) return NULL;
    node->ntargets = (int)targets;
    node->op = op;
    node->op_span = tg_parser_span(p, at.lo, at.hi);
    return node;
}

static tg_ast *simple(tg_parser *p) {
    size_t mark = p->count;
    if (!expressions(p)) return NULL;
    if (tg_parser_line_ended(p)) return with_parts(p, list_value(p, mark));
    tg_ast *first = p->stack[mark];
    switch (p->tok.kind) {
    case TG_TOK_ASSIGN:
        if (p->count - mark > 1 || first->kind != TG_AST_CALL || (first->flags & TG_AST_PARENS))
            return assign(p, TG_AST_DEFINE, NULL, mark);
        p->count = mark;
        return function(p, first);
    case TG_TOK_STORE: return assign(p, TG_AST_STORE, NULL, mark);
    case TG_TOK_ADD_STORE: return assign(p, TG_AST_STORE, "+", mark);
    case TG_TOK_SUB_STORE: return assign(p, TG_AST_STORE, "-", mark);
    case TG_TOK_MUL_STORE: return assign(p, TG_AST_STORE, "*", mark);
    case TG_TOK_DIV_STORE: return assign(p, TG_AST_STORE, "/", mark);
    default: return with_parts(p, list_value(p, mark));
    }
}

/* ---- declarations ---- */

static tg_ast *name_here(tg_parser *p, const char *what) {
    if (p->tok.kind != TG_TOK_NAME) return tg_parser_expected(p, what);
    const char *name = tg_parser_name(p, p->tok);
    tg_ast *node = name ? tg_parser_node(p, TG_AST_NAME, p->tok.lo, p->tok.hi, 0) : NULL;
    if (!node) return NULL;
    node->name = name;
    tg_parser_advance(p);
    return node;
}

/* size = INTEGER | NAME | "?" */
static tg_ast *size(tg_parser *p) {
    static const char what[] = "a size: a whole number, a name, or ?";
    tg_token t = p->tok;
    if (t.kind == TG_TOK_NAME) return name_here(p, what);
    if (t.kind == TG_TOK_UNKNOWN) {
        tg_parser_advance(p);
        return tg_parser_node(p, TG_AST_REST, t.lo, t.hi, 0);
    }
    if (t.kind != TG_TOK_NUMBER) return tg_parser_expected(p, what);
    if (strspn(p->src->text + t.lo, "0123456789") < t.hi - t.lo)
        return tg_parser_fail(p, t.lo, t.hi, "a size must be a whole number, written in digits");
    return tg_parse_number(p);
}

/* declaration = NAME [ "[" size { "," size } [ "," ] "]" ] */
static tg_ast *declaration(tg_parser *p) {
    size_t mark = p->count;
    tg_ast *name = name_here(p, "the name of an input");
    if (!name || p->tok.kind != TG_TOK_LBRACKET || tg_parser_line_ended(p)) return name;
    uint32_t lo = p->tok.lo;
    tg_open open;
    if (!tg_parser_push(p, name)) return NULL;
    tg_parser_open(p, &open, TG_BRACKET_SQUARE);
    do {
        if (p->count > mark + 1) tg_parser_advance(p);
        if (p->tok.kind == TG_TOK_RBRACKET && p->count > mark + 1) break;
        if (!tg_parser_push(p, size(p))) return NULL;
    } while (p->tok.kind == TG_TOK_COMMA);
    if (!tg_parser_close(p)) return NULL;
    tg_ast *node = tg_parser_collect(p, TG_AST_INDEX, name->span.lo, p->prev.hi, mark);
    if (node) node->op_span = tg_parser_span(p, lo, p->prev.hi);
    return node;
}

/* input = "input" declaration { "," declaration } */
static tg_ast *input(tg_parser *p) {
    uint32_t lo = p->tok.lo;
    size_t mark = p->count;
    do {
        tg_parser_advance(p);
        if (!tg_parser_push(p, declaration(p))) return NULL;
    } while (p->tok.kind == TG_TOK_COMMA && !tg_parser_line_ended(p));
    return tg_parser_collect(p, TG_AST_INPUT, lo, p->prev.hi, mark);
}

/* assume = "assume" expressions */
static tg_ast *assume(tg_parser *p) {
    uint32_t lo = p->tok.lo;
    size_t mark = p->count;
    tg_parser_advance(p);
    if (!expressions(p)) return NULL;
    return tg_parser_collect(p, TG_AST_ASSUME, lo, p->prev.hi, mark);
}

/* rule = "rule" NAME arguments [ "unchecked" ] "=" expressions */
static tg_ast *rule(tg_parser *p) {
    uint32_t lo = p->tok.lo;
    tg_parser_advance(p);
    tg_ast *head = tg_parse_level(p, TG_LEVEL_POWER);
    if (!head) return NULL;
    if (head->kind != TG_AST_CALL || (head->flags & TG_AST_PARENS) ||
        head->kids[0]->kind != TG_AST_NAME) {
        tg_parser_fail(p, head->span.lo, head->span.hi, "a rule is given for a function by name");
        tg_help(p->c, "rule f(x) = g * ..., with g the incoming cotangent and out the value f(x)");
        return NULL;
    }
    bool unchecked = !tg_parser_line_ended(p) && tg_parser_is_word(p, p->tok, "unchecked");
    if (unchecked) tg_parser_advance(p);
    if (p->tok.kind != TG_TOK_ASSIGN || tg_parser_line_ended(p)) {
        tg_parser_expected(p, "\"=\" and the rule");
        if (p->tok.kind != TG_TOK_END)
            tg_help(p->c, "rule %s(...) = g * ..., with g the incoming cotangent",
                    head->kids[0]->name);
        return NULL;
    }
    size_t mark = p->count;
    if (!parameters(p, head)) return NULL;
    tg_token at = p->tok;
    tg_parser_advance(p);
    size_t values = p->count;
    if (!expressions(p) || !tg_parser_push(p, list_value(p, values))) return NULL;
    tg_ast *node = tg_parser_collect(p, TG_AST_RULE, lo, p->prev.hi, mark);
    if (!node) return NULL;
    node->name = head->kids[0]->name;
    node->op_span = tg_parser_span(p, at.lo, at.hi);
    if (unchecked) node->flags |= TG_AST_UNCHECKED;
    return node;
}

/* precision = "precision" ( "single" | "double" )
 * format = "format" ( "short" | "long" | "sci" ) */
static tg_ast *setting(tg_parser *p, tg_ast_kind kind, const char *const *words,
                       const char *advice) {
    uint32_t lo = p->tok.lo;
    tg_parser_advance(p);
    int i = 0;
    while (words[i] && !tg_parser_is_word(p, p->tok, words[i])) i++;
    if (!words[i]) {
        const char *name = p->tok.kind == TG_TOK_NAME ? tg_parser_name(p, p->tok) : "";
        const char *meant = name ? tg_nearest_in(name, words) : NULL;
        tg_parser_fail(p, p->tok.lo, p->tok.hi, "%s", advice);
        if (meant) tg_help(p->c, "did you mean %s?", meant);
        return NULL;
    }
    tg_ast *node = tg_parser_node(p, kind, lo, p->tok.hi, 0);
    if (!node || !(node->name = tg_parser_name(p, p->tok))) return NULL;
    tg_parser_advance(p);
    return node;
}

/* use = "use" ( NAME | string without holes ) */
static tg_ast *use(tg_parser *p) {
    tg_ast *node = tg_parser_node(p, TG_AST_USE, p->tok.lo, p->tok.hi, 0);
    if (!node) return NULL;
    tg_parser_advance(p);
    if (p->tok.kind == TG_TOK_NAME) {
        node->name = tg_parser_name(p, p->tok);
        if (!node->name) return NULL;
        node->len = strlen(node->name);
        tg_parser_advance(p);
    } else {
        tg_ast *s = tg_parse_string(p);
        if (!s) return NULL;
        if (s->n != 1 || s->kids[0]->kind != TG_AST_TEXT)
            return tg_parser_fail(p, s->span.lo, s->span.hi,
                                  "\"use\" needs the plain name of a file");
        node->flags = TG_AST_QUOTED;
        node->name = s->kids[0]->name;
        node->len = s->kids[0]->len;
    }
    node->span.hi = p->prev.hi;
    return node;
}

/* Whether `next`, on the line of the word assume, begins a condition: `assume(x > 0)` and `assume
 * [a] == b` do, the name assume in `assume[0]` and `assume = 1` stands for itself. */
static bool begins_condition(tg_token next) {
    switch (next.kind) {
    case TG_TOK_NAME:
    case TG_TOK_NUMBER:
    case TG_TOK_QUOTE:
    case TG_TOK_TRUE:
    case TG_TOK_FALSE:
    case TG_TOK_NONE:
    case TG_TOK_NOT:
    case TG_TOK_IF:
    case TG_TOK_ADD:
    case TG_TOK_SUB:
    case TG_TOK_LPAREN:
    case TG_TOK_LBRACE: return true;
    case TG_TOK_LBRACKET: return next.flags & TG_TOK_AFTER_SPACE;
    default: return false;
    }
}

enum { INPUT, RULE, PRECISION, FORMAT, USE, ASSUME };
const char *const tg_declaring_words[] = {"input", "rule",   "precision", "format",
                                          "use",   "assume", NULL};

static tg_ast *word_or_name(tg_parser *p) {
    static const char *const precisions[] = {"single", "double", NULL};
    static const char *const formats[] = {"short", "long", "sci", NULL};
    tg_token next = tg_parser_peek(p);
    bool name = next.kind == TG_TOK_NAME;
    int word = 0;
    if (next.flags & TG_TOK_AFTER_LINE) return simple(p);
    while (tg_declaring_words[word] && !tg_parser_is_word(p, p->tok, tg_declaring_words[word]))
        word++;
    if (name && word == INPUT) return input(p);
    if (name && word == RULE) return rule(p);
    if (name && word == PRECISION)
        return setting(p, TG_AST_PRECISION, precisions,
                       "there are two precisions: single and double");
    if (name && word == FORMAT)
        return setting(p, TG_AST_FORMAT, formats, "there are three formats: short, long and sci");
    if ((name || next.kind == TG_TOK_QUOTE) && word == USE) return use(p);
    if (begins_condition(next) && word == ASSUME) return assume(p);
    return simple(p);
}

/* ---- control ---- */

/* block = "{" [ statements ] "}" */
tg_ast *tg_parse_block(tg_parser *p) {
    uint32_t lo = p->tok.lo;
    size_t mark = p->count;
    tg_open open;
    if (!tg_parser_guard(p)) return NULL;
    tg_parser_open(p, &open, TG_BRACKET_BLOCK);
    if (!tg_parse_statements(p, TG_TOK_RBRACE) || !tg_parser_close(p)) return NULL;
    return tg_parser_collect(p, TG_AST_BLOCK, lo, p->prev.hi, mark);
}

tg_ast *tg_parse_body(tg_parser *p, const char *owner) {
    if (p->tok.kind == TG_TOK_LBRACE) return tg_parse_block(p);
    char what[48];
    snprintf(what, sizeof what, "\"{\" and the body of \"%s\"", owner);
    tg_parser_expected(p, what);
    if (p->tok.kind == TG_TOK_COLON)
        tg_help(p->c, owner[0] == 'f' ? "a range is written 1..10" : "the body stands in { }");
    if (p->tok.kind == TG_TOK_ASSIGN) tg_help(p->c, "did you mean \"==\"?");
    return NULL;
}

/* if = "if" expression block { "else" "if" expression block } [ "else" block ]. A loop: a long
 * chain is not deep. */
tg_ast *tg_parse_if(tg_parser *p) {
    tg_ast *first = NULL, **link = &first;
    while (p->tok.kind == TG_TOK_IF) {
        uint32_t lo = p->tok.lo;
        tg_parser_advance(p);
        tg_ast *condition = tg_parse_level(p, TG_LEVEL_EXPRESSION);
        tg_ast *body = condition ? tg_parse_body(p, "if") : NULL;
        tg_ast *node = body ? tg_parser_node(p, TG_AST_IF, lo, 0, 3) : NULL;
        if (!node) return NULL;
        node->kids[0] = condition;
        node->kids[1] = body;
        node->n = 2;
        *link = node;
        if (p->tok.kind != TG_TOK_ELSE) break;
        tg_parser_advance(p);
        node->n = 3;
        link = &node->kids[2];
        if (p->tok.kind != TG_TOK_IF && !(*link = tg_parse_body(p, "else"))) return NULL;
        if (*link) break;
    }
    for (tg_ast *x = first; x && x->kind == TG_AST_IF; x = x->n == 3 ? x->kids[2] : NULL)
        x->span.hi = p->prev.hi;
    return first;
}

/* for = "for" NAME { "," NAME } ( "in" | ":=" ) expression block */
static tg_ast *for_each(tg_parser *p) {
    uint32_t lo = p->tok.lo;
    size_t mark = p->count;
    do {
        tg_parser_advance(p);
        if (!tg_parser_push(p, name_here(p, "the name of a loop variable"))) return NULL;
    } while (p->tok.kind == TG_TOK_COMMA && !tg_parser_line_ended(p));
    size_t targets = p->count - mark;
    tg_token at = p->tok;
    if ((at.kind != TG_TOK_IN && at.kind != TG_TOK_STORE) || tg_parser_line_ended(p)) {
        tg_parser_expected(p, "\"in\" or \":=\"");
        if (at.kind != TG_TOK_END && at.kind != TG_TOK_BAD)
            tg_help(p->c, "as in for i in 1..10 { ... }");
        return NULL;
    }
    tg_parser_advance(p);
    if (!tg_parser_push(p, tg_parse_level(p, TG_LEVEL_EXPRESSION)) ||
        !tg_parser_push(p, tg_parse_body(p, "for")))
        return NULL;
    tg_ast *node = tg_parser_collect(p, TG_AST_FOR, lo, p->prev.hi, mark);
    if (!node) return NULL;
    node->ntargets = (int)targets;
    node->op_span = tg_parser_span(p, at.lo, at.hi);
    if (at.kind == TG_TOK_STORE) node->flags = TG_AST_STORES;
    return node;
}

/* while = "while" expression body ; repeat = "repeat" expression body */
static tg_ast *loop(tg_parser *p, tg_ast_kind kind) {
    tg_token at = p->tok;
    tg_parser_advance(p);
    tg_ast *head = tg_parse_level(p, TG_LEVEL_EXPRESSION);
    if (!head) return NULL;
    if (head->kind == TG_AST_BLOCK &&
        p->tok.kind != TG_TOK_LBRACE) { /* `repeat { ... }`: that was the body */
        tg_parser_fail(p, at.lo, at.hi,
                       kind == TG_AST_REPEAT ? "repeat how many times?" : "while what is true?");
        tg_help(p->c, "write %s { ... }; a loop without an end is while true { ... }",
                kind == TG_AST_REPEAT ? "repeat 10" : "while condition");
        return NULL;
    }
    tg_ast *body = tg_parse_body(p, kind == TG_AST_REPEAT ? "repeat" : "while");
    tg_ast *node = body ? tg_parser_node(p, kind, at.lo, body->span.hi, 2) : NULL;
    if (!node) return NULL;
    node->kids[0] = head;
    node->kids[1] = body;
    return node;
}

static bool statement_ended(const tg_parser *p) {
    return p->tok.kind == TG_TOK_END || p->tok.kind == TG_TOK_SEMICOLON ||
           p->tok.kind == TG_TOK_RBRACE || tg_parser_line_ended(p);
}

/* return = "return" [ expressions [ parts ] ] */
static tg_ast *give_back(tg_parser *p) {
    uint32_t lo = p->tok.lo;
    tg_parser_advance(p);
    if (statement_ended(p)) return tg_parser_node(p, TG_AST_RETURN, lo, p->prev.hi, 0);
    size_t mark = p->count;
    tg_ast *value = expressions(p) ? with_parts(p, list_value(p, mark)) : NULL;
    tg_ast *node = value ? tg_parser_node(p, TG_AST_RETURN, lo, value->span.hi, 1) : NULL;
    if (node) node->kids[0] = value;
    return node;
}

static tg_ast *lone_word(tg_parser *p, tg_ast_kind kind) {
    tg_parser_advance(p);
    return tg_parser_node(p, kind, p->prev.lo, p->prev.hi, 0);
}

/* What can be asked for besides names: keywords, and all signs but brackets and what ends a
 * statement. */
static bool can_be_asked(tg_token t) {
    if (t.kind == TG_TOK_PRIME) return !(t.flags & TG_TOK_AFTER_SPACE);
    if (t.kind >= TG_TOK_TRUE && t.kind <= TG_TOK_RETURN) return true;
    return t.kind >= TG_TOK_COLON && t.kind < TG_TOK_COUNT && t.kind != TG_TOK_UNKNOWN;
}

/* Behind the "?", at a ":" with a name behind it on the line: a command of the prompt. */
static bool at_command(const tg_parser *p) {
    tg_token next = tg_parser_peek(p);
    return p->tok.kind == TG_TOK_COLON && next.kind == TG_TOK_NAME &&
           !(next.flags & TG_TOK_AFTER_LINE);
}

/* ":" and the name at p->tok, interned. */
static const char *command_name(tg_parser *p) {
    tg_str s = {0};
    tg_str_addc(&s, ':');
    tg_str_addn(&s, p->src->text + p->tok.lo, p->tok.hi - p->tok.lo);
    const char *name = s.failed ? tg_parser_no_memory(p) : tg_intern(p->c, tg_str_text(&s), s.len);
    tg_str_free(&s);
    return name;
}

/* help = "?" [ NAME | "?" NAME | ":" NAME | KEYWORD | SIGN ] */
static tg_ast *help(tg_parser *p) {
    uint32_t lo = p->tok.lo;
    int flags = 0;
    tg_parser_advance(p);
    if (p->tok.kind == TG_TOK_UNKNOWN && !tg_parser_line_ended(p)) {
        flags = TG_AST_SEARCH;
        tg_parser_advance(p);
    }
    bool here = !tg_parser_line_ended(p), command = here && !flags && at_command(p);
    if (command) tg_parser_advance(p);
    bool name = here && p->tok.kind == TG_TOK_NAME;
    bool asked = name || (here && !flags && can_be_asked(p->tok));
    if (flags && !name) { /* nor at the end: nobody goes on with a search on the next line */
        tg_parser_fail(p, lo, lo + 2, "a word to search for stands behind ??");
        return tg_help(p->c, "? lists what there is to ask"), NULL;
    }
    tg_ast *node = tg_parser_node(p, TG_AST_HELP, lo, asked ? p->tok.hi : p->prev.hi, 0);
    if (!node) return NULL;
    node->flags = flags;
    if (!asked) return node;
    node->name = command ? command_name(p)
                 : name  ? tg_parser_name(p, p->tok)
                         : tg_intern(p->c, p->src->text + p->tok.lo, p->tok.hi - p->tok.lo);
    if (!node->name) return NULL;
    tg_parser_advance(p);
    return node;
}

static tg_ast *statement(tg_parser *p) {
    switch (p->tok.kind) {
    case TG_TOK_UNKNOWN: return help(p);
    case TG_TOK_FOR: return for_each(p);
    case TG_TOK_WHILE: return loop(p, TG_AST_WHILE);
    case TG_TOK_REPEAT: return loop(p, TG_AST_REPEAT);
    case TG_TOK_BREAK: return lone_word(p, TG_AST_BREAK);
    case TG_TOK_CONTINUE: return lone_word(p, TG_AST_CONTINUE);
    case TG_TOK_RETURN: return give_back(p);
    case TG_TOK_NAME: return word_or_name(p);
    case TG_TOK_ELSE:
        tg_parser_fail(p, p->tok.lo, p->tok.hi, "\"else\" without an \"if\" before it");
        tg_help(p->c, "at the prompt, write } else { on one line");
        return NULL;
    case TG_TOK_RBRACE: return tg_parser_fail(p, p->tok.lo, p->tok.hi, "this \"}\" closes nothing");
    default: return simple(p);
    }
}

/* statements = { NEWLINE | ";" } [ statement { ( NEWLINE | ";" ) { NEWLINE | ";" } statement } {
 * NEWLINE | ";" } ] */
bool tg_parse_statements(tg_parser *p, tg_token_kind end) {
    for (;;) {
        while (p->tok.kind == TG_TOK_SEMICOLON) tg_parser_advance(p);
        if (p->tok.kind == end || p->tok.kind == TG_TOK_END) return true;
        tg_ast *s = statement(p);
        if (!tg_parser_push(p, s)) return false;
        if (p->tok.kind == TG_TOK_SEMICOLON)
            s->flags |= TG_AST_SILENT;
        else if (!statement_ended(p))
            return tg_parser_expected(p, "the end of the statement") != NULL;
    }
}
