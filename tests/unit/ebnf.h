/* A grammar in the EBNF of the W3C, read from its file: to derive sentences from it at random, and
 * to recognise them. For tests/unit/test_grammar.c only. */
#ifndef TG_TESTS_EBNF_H
#define TG_TESTS_EBNF_H

#include "base/str.h"
#include "grammar/parse.h"
#include "grammar/token.h"

#include <ctype.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- the grammar, read ---- */

enum { MAX_NODES = 4096, MAX_RULES = 128, UNKNOWN_SIZE = 1000000 };

typedef enum part { LITERAL, CLASS, REF, SEQ, ALT, OPT, STAR, PLUS } part;

typedef struct node {
    part kind;
    const char *text; /* of LITERAL and CLASS: what stands between the quotes or brackets */
    int len;
    int rule;        /* of REF */
    int first, next; /* children, as a list; -1 ends it */
    int least;       /* tokens in the shortest sentence */
    int visits;      /* by derive */
} node;

typedef struct rule {
    char name[32];
    int body; /* -1 until it is defined */
    bool capital, token, used;
} rule;

static node nodes[MAX_NODES];
static rule rules[MAX_RULES];
static int node_count, rule_count;
static const char *at; /* where the grammar is being read */

static int new_node(part kind) {
    assert_true(node_count < MAX_NODES);
    nodes[node_count] = (node){.kind = kind, .first = -1, .next = -1, .least = UNKNOWN_SIZE};
    return node_count++;
}

static int find_rule(const char *name, size_t n) {
    for (int i = 0; i < rule_count; i++)
        if (strlen(rules[i].name) == n && memcmp(rules[i].name, name, n) == 0) return i;
    assert_true(rule_count < MAX_RULES && n < sizeof rules[0].name);
    rule *r = &rules[rule_count];
    memcpy(r->name, name, n);
    r->body = -1;
    r->capital = isupper((unsigned char)name[0]);
    return rule_count++;
}

static void skip_blank(void) {
    for (;;) {
        at += strspn(at, " \t\r\n");
        if (strncmp(at, "/*", 2) != 0) return;
        at = strstr(at, "*/");
        assert_non_null(at);
        at += 2;
    }
}

static size_t word_length(void) {
    size_t n = 0;
    while (isalnum((unsigned char)at[n])) n++;
    return n;
}

/* A word that begins the next rule: `word ::=`. */
static bool at_rule(void) {
    size_t n = word_length();
    return n > 0 && strncmp(at + n + strspn(at + n, " "), "::=", 3) == 0;
}

static int read_choice(void);

static int read_item(void) {
    int x;
    if (*at == '(') {
        at++;
        x = read_choice();
        assert_int_equal(*at, ')');
        at++;
    } else if (*at == '"' || *at == '\'' || *at == '[') {
        x = new_node(*at == '[' ? CLASS : LITERAL);
        char end = *at == '[' ? ']' : *at;
        nodes[x].text = ++at;
        at = strchr(at, end);
        assert_non_null(at);
        nodes[x].len = (int)(at++ - nodes[x].text);
    } else {
        size_t n = word_length();
        if (n == 0) fail_msg("tg.ebnf: cannot read %.20s", at);
        x = new_node(REF);
        nodes[x].rule = find_rule(at, n);
        at += n;
    }
    for (; *at && strchr("?*+", *at); at++) {
        int outer = new_node(*at == '?' ? OPT : *at == '*' ? STAR : PLUS);
        nodes[outer].first = x;
        x = outer;
    }
    skip_blank();
    return x;
}

static int read_sequence(void) {
    int seq = new_node(SEQ), *link = &nodes[seq].first;
    skip_blank();
    while (*at && *at != '|' && *at != ')' && !at_rule()) {
        int x = read_item();
        *link = x;
        link = &nodes[x].next;
    }
    return seq;
}

static int read_choice(void) {
    int alt = new_node(ALT), *link = &nodes[alt].first;
    for (;;) {
        int x = read_sequence();
        *link = x;
        link = &nodes[x].next;
        if (*at != '|') return alt;
        at++;
    }
}

/* Whether the node is more than one token: it refers to a rule in small letters, or to the TEXT of
 * a string. */
static bool is_structure(int x) {
    if (x < 0) return false;
    if (nodes[x].kind == REF) {
        const rule *r = &rules[nodes[x].rule];
        if (!r->capital || strcmp(r->name, "TEXT") == 0 || is_structure(r->body)) return true;
    }
    return is_structure(nodes[x].first) || is_structure(nodes[x].next);
}

static int add_least(int a, int b) {
    return a + b < UNKNOWN_SIZE ? a + b : UNKNOWN_SIZE;
}

static int least_of(int x) {
    const node *n = &nodes[x];
    if (n->kind == LITERAL || n->kind == CLASS) return 1;
    if (n->kind == REF) return rules[n->rule].token ? 1 : nodes[rules[n->rule].body].least;
    if (n->kind == OPT || n->kind == STAR) return 0;
    int least = n->kind == ALT ? UNKNOWN_SIZE : 0;
    for (int k = n->first; k >= 0; k = nodes[k].next) {
        if (n->kind != ALT)
            least = add_least(least, nodes[k].least);
        else if (nodes[k].least < least)
            least = nodes[k].least;
    }
    return least;
}

static char *read_file(const char *path, size_t *len) {
    FILE *f = fopen(path, "rb");
    if (!f) fail_msg("cannot open %s", path);
    char *text = calloc(1, 1 << 20);
    assert_non_null(text);
    *len = fread(text, 1, (1 << 20) - 1, f);
    fclose(f);
    return text;
}

static char *grammar_text;

static void read_grammar(const char *path) {
    size_t len;
    at = grammar_text = read_file(path, &len);
    for (skip_blank(); *at; skip_blank()) {
        size_t n = word_length();
        int r = find_rule(at, n);
        if (rules[r].body >= 0) fail_msg("two rules %s", rules[r].name);
        at = strstr(at, "::=") + 3;
        rules[r].body = read_choice();
    }
    for (int i = 0; i < rule_count; i++) {
        if (rules[i].body < 0) fail_msg("no rule %s", rules[i].name);
        rules[i].token = rules[i].capital && !is_structure(rules[i].body);
    }
    for (bool changed = true; changed;) {
        changed = false;
        for (int x = 0; x < node_count; x++) {
            int least = least_of(x);
            changed |= least != nodes[x].least;
            nodes[x].least = least;
        }
    }
}

/* ---- sentences at random ---- */

static uint64_t seed = 20240607;

static unsigned below(unsigned n) { /* splitmix64 */
    uint64_t z = seed += 0x9E3779B97F4A7C15u;
    z = (z ^ z >> 30) * 0xBF58476D1CE4E5B9u;
    z = (z ^ z >> 27) * 0x94D049BB133111EBu;
    return (unsigned)((z ^ z >> 31) % n);
}

enum { MAX_WORDS = 4000 };

typedef struct word {
    char text[48];
    int len;
    bool glued; /* no space before it */
} word;

static word words[MAX_WORDS];
static int word_count;
static int in_string; /* deriving STRING, HOLE or PLAIN, outside an expression of theirs */

static void add_utf8(char *out, int *len, unsigned code) {
    unsigned char b[4];
    int n = code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    static const unsigned lead[] = {0, 0, 0xC0, 0xE0, 0xF0};
    for (int i = n - 1; i > 0; i--, code >>= 6) b[i] = (unsigned char)(0x80 | (code & 0x3F));
    b[0] = (unsigned char)(lead[n] | code);
    memcpy(out + *len, b, (size_t)n);
    *len += n;
}

/* Reads one character of a class: as it is, or #x and hexadecimal digits. */
static const char *class_char(const char *s, const char *end, unsigned *code) {
    if (end - s > 2 && s[0] == '#' && s[1] == 'x') {
        char *rest;
        *code = (unsigned)strtoul(s + 2, &rest, 16);
        return rest;
    }
    return s + tg_utf8_next(s, (size_t)(end - s), code);
}

static bool in_class(const node *c, unsigned code) {
    const char *s = c->text, *end = s + c->len;
    bool negated = *s == '^', found = false;
    if (negated) s++;
    while (s < end) {
        unsigned lo, hi;
        s = class_char(s, end, &lo);
        hi = lo;
        if (s + 1 < end && *s == '-') s = class_char(s + 1, end, &hi);
        found |= code >= lo && code <= hi;
    }
    return found != negated;
}

static unsigned pick_from_class(const node *c) {
    static const unsigned other[] = {'a', ' ', '7', '\n', '#', '\'', ':', 0xE9, 0x4E2D, 0x1F600};
    unsigned code;
    if (c->text[0] == '^') {
        do code = other[below(sizeof other / sizeof *other)];
        while (!in_class(c, code));
        return code;
    }
    const char *s = c->text, *end = s + c->len;
    unsigned picked = 0;
    for (unsigned seen = 1; s < end; seen++) { /* each range with the same chance */
        unsigned lo, hi;
        s = class_char(s, end, &lo);
        hi = lo;
        if (s + 1 < end && *s == '-') s = class_char(s + 1, end, &hi);
        if (below(seen) == 0) picked = lo + below(hi - lo + 1);
    }
    return picked;
}

/* One token, by its lexical rule. */
static void spell(int x, char *out, int *len) {
    const node *n = &nodes[x];
    int k = n->first;
    unsigned seen = 0;
    assert_true(*len < 40);
    switch (n->kind) {
    case LITERAL:
        memcpy(out + *len, n->text, (size_t)n->len);
        *len += n->len;
        break;
    case CLASS: add_utf8(out, len, pick_from_class(n)); break;
    case REF: spell(rules[n->rule].body, out, len); break;
    case SEQ:
        for (; k >= 0; k = nodes[k].next) spell(k, out, len);
        break;
    case ALT:
        for (int a = k; a >= 0; a = nodes[a].next)
            if (below(++seen) == 0) k = a;
        spell(k, out, len);
        break;
    case OPT:
        if (below(2)) spell(k, out, len);
        break;
    case PLUS: spell(k, out, len); /* fall through */
    case STAR:
        if (below(3) == 0 && *len < 20) spell(k, out, len);
        break;
    }
}

/* The words that a random NAME may not be. */
static bool is_reserved(const char *text) {
    for (int i = 0; tg_declaring_words[i]; i++)
        if (strcmp(text, tg_declaring_words[i]) == 0) return true;
    return tg_is_keyword(text);
}

static void emit(int x) {
    assert_true(word_count < MAX_WORDS);
    word *w = &words[word_count++];
    bool prime = nodes[x].kind == REF && strcmp(rules[nodes[x].rule].name, "PRIME") == 0;
    do {
        *w = (word){0};
        spell(x, w->text, &w->len);
    } while (nodes[x].kind == REF && is_reserved(w->text));
    w->glued = prime || in_string > 1;
    if (in_string) in_string = 2;
}

/* An alternative that fits into the budget; with a large one, rather a long alternative. */
static int choose(const node *n, int budget) {
    int chosen = -1;
    unsigned seen = 0;
    int least = budget > 6 && below(2) ? 2 : 0;
    for (; chosen < 0 && least >= 0; least -= 2)
        for (int k = n->first; k >= 0; k = nodes[k].next)
            if (nodes[k].least >= least && nodes[k].least <= budget && below(++seen) == 0)
                chosen = k;
    for (int k = n->first; k >= 0 && chosen < 0; k = nodes[k].next)
        if (nodes[k].least == n->least) chosen = k;
    return chosen;
}

/* Whether an optional or repeated part comes (again). Few repeat, so that the outer levels leave
 * something to the inner. */
static bool goes_on(const node *n, int budget) {
    if (budget < nodes[n->first].least + 1) return false;
    return n->kind == OPT ? below(4) > 0 : below(3) == 0;
}

/* Derives a sentence of about `budget` tokens. */
static void derive(int x, int budget) {
    const node *n = &nodes[x];
    nodes[x].visits++;
    switch (n->kind) {
    case LITERAL:
    case CLASS: emit(x); return;
    case REF: {
        const rule *r = &rules[n->rule];
        int outer = in_string;
        if (r->token) {
            emit(x);
            return;
        }
        bool hole = strcmp(r->name, "HOLE") == 0;
        in_string = !r->capital ? 0 : hole ? 2 : 1;
        derive(r->body, budget);
        in_string = outer;
        return;
    }
    case SEQ: {
        int spare = budget - n->least;
        for (int k = n->first; k >= 0; k = nodes[k].next) {
            /* Mostly all goes to one part, which leaves what it does not use to the next. */
            bool share = below(8) == 0 || (k != n->first && nodes[k].next >= 0);
            int more = spare <= 0 ? 0 : share ? (int)below((unsigned)spare + 1) : spare;
            int before = word_count;
            derive(k, nodes[k].least + more);
            int used = word_count - before - nodes[k].least;
            spare -= used > 0 ? used : 0;
        }
        return;
    }
    case ALT: derive(choose(n, budget), budget); return;
    default:
        for (int rounds = 0; rounds < 8; rounds++) {
            bool must = n->kind == PLUS && rounds == 0;
            if (!must && !goes_on(n, budget)) return;
            int before = word_count;
            derive(n->first, budget);
            budget -= word_count - before;
            if (n->kind == OPT) return;
        }
    }
}

static char sentence[MAX_WORDS * 49];

static size_t join(void) {
    size_t len = 0;
    for (int i = 0; i < word_count; i++) {
        if (i > 0 && !words[i].glued) sentence[len++] = ' ';
        memcpy(sentence + len, words[i].text, (size_t)words[i].len);
        len += (size_t)words[i].len;
    }
    sentence[len] = 0;
    return len;
}

/* ---- the recogniser ---- */

/* For a part of the grammar and a position it computes the set of positions where that part may
 * end, and remembers it for rules: general, with no lookahead to get wrong, and fast enough as the
 * grammar has no left recursion. */

typedef enum shape { PLAIN, WORD, TEXT, FORMAT, NEWLINE } shape;

/* One token of the text: the rules NAME, TEXT, FORMAT and NEWLINE match only what has their shape.
 */
typedef struct tok {
    shape shape;
    tg_token_kind kind;
    const char *text;
    int len;
} tok;

typedef struct set {
    int n, cap, few[4], *many;
} set;

static const int *items(const set *s) {
    return s->many ? s->many : s->few;
}

static void add(set *s, int pos) {
    for (int i = s->n - 1; i >= 0; i--)
        if (items(s)[i] == pos) return;
    if (s->n >= (s->many ? s->cap : 4)) {
        s->cap = s->n * 2;
        int *many = malloc((size_t)s->cap * sizeof *many);
        assert_non_null(many);
        memcpy(many, items(s), (size_t)s->n * sizeof *many);
        free(s->many);
        s->many = many;
    }
    (s->many ? s->many : s->few)[s->n++] = pos;
}

/* What is matched: the tokens, or with `text` the characters of one of them. */
typedef struct input {
    const char *text;
    const tok *tokens;
    int len;
    set **memo; /* of tokens: the ends of rule r from p, at [r * (len + 1) + p] */
} input;

static void match(const input *in, int x, int pos, set *out);

static bool match_whole(int r, const char *text, int len) {
    input in = {text, NULL, len, NULL};
    set ends = {0};
    match(&in, rules[r].body, 0, &ends);
    bool found = false;
    for (int i = 0; i < ends.n; i++) found |= items(&ends)[i] == len;
    free(ends.many);
    return found;
}

static bool is_token(int r, const tok *t) {
    static const char *const names[] = {
        [WORD] = "NAME", [TEXT] = "TEXT", [FORMAT] = "FORMAT", [NEWLINE] = "NEWLINE"};
    const char *name = rules[r].name;
    for (int s = WORD; s <= NEWLINE; s++)
        if ((strcmp(name, names[s]) == 0) != (t->shape == (shape)s)) return false;
    return match_whole(r, t->text, t->len);
}

static void match_ref(const input *in, int r, int pos, set *out) {
    if (in->text) {
        match(in, rules[r].body, pos, out);
        return;
    }
    if (rules[r].token) {
        if (pos < in->len && is_token(r, &in->tokens[pos])) add(out, pos + 1);
        return;
    }
    set **memo = &in->memo[r * (in->len + 1) + pos];
    if (!*memo) {
        *memo = calloc(1, sizeof **memo);
        assert_non_null(*memo);
        match(in, rules[r].body, pos, *memo);
    }
    for (int i = 0; i < (*memo)->n; i++) add(out, items(*memo)[i]);
}

static void match_leaf(const input *in, const node *n, int pos, set *out) {
    if (pos >= in->len) return;
    if (!in->text) {
        const tok *t = &in->tokens[pos];
        bool spelt = t->shape == PLAIN || t->shape == WORD;
        if (spelt && t->len == n->len && memcmp(t->text, n->text, (size_t)n->len) == 0)
            add(out, pos + 1);
    } else if (n->kind == LITERAL) {
        if (in->len - pos >= n->len && memcmp(in->text + pos, n->text, (size_t)n->len) == 0)
            add(out, pos + n->len);
    } else {
        unsigned code;
        int bytes = tg_utf8_next(in->text + pos, (size_t)(in->len - pos), &code);
        if (in_class(n, code)) add(out, pos + bytes);
    }
}

/* Adds to `out` the positions where a sentence of node x that starts at `pos` may end. */
static void match(const input *in, int x, int pos, set *out) {
    const node *n = &nodes[x];
    set reached = {0};
    switch (n->kind) {
    case LITERAL:
    case CLASS: match_leaf(in, n, pos, out); return;
    case REF: match_ref(in, n->rule, pos, out); return;
    case ALT:
        for (int k = n->first; k >= 0; k = nodes[k].next) match(in, k, pos, out);
        return;
    case OPT:
        add(out, pos);
        match(in, n->first, pos, out);
        return;
    case SEQ:
        add(&reached, pos);
        for (int k = n->first; k >= 0; k = nodes[k].next) {
            set next = {0};
            for (int i = 0; i < reached.n; i++) match(in, k, items(&reached)[i], &next);
            free(reached.many);
            reached = next;
        }
        break;
    case STAR:
    case PLUS:
        if (n->kind == STAR)
            add(&reached, pos);
        else
            match(in, n->first, pos, &reached);
        for (int i = 0; i < reached.n; i++) match(in, n->first, items(&reached)[i], &reached);
        break;
    }
    for (int i = 0; i < reached.n; i++) add(out, items(&reached)[i]);
    free(reached.many);
}

/* Whether the tokens are a sentence of the rule `start`. */
static bool recognise(const char *start, const tok *tokens, int n) {
    size_t slots = (size_t)rule_count * ((size_t)n + 1);
    input in = {NULL, tokens, n, calloc(slots, sizeof(set *))};
    assert_non_null(in.memo);
    set ends = {0};
    match_ref(&in, find_rule(start, strlen(start)), 0, &ends);
    bool found = false;
    for (int i = 0; i < ends.n; i++) found |= items(&ends)[i] == n;
    free(ends.many);
    for (size_t i = 0; i < slots; i++) {
        if (in.memo[i]) free(in.memo[i]->many);
        free(in.memo[i]);
    }
    free(in.memo);
    return found;
}

#endif
