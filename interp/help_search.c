/* Searching. Everything that has a text is offered with it: topics, builtins, operations, functions
 * of the library, commands, and the user's names with the comments of their definitions. A match is
 * ranked by where the word was found, a name that is the word before one that begins with it, a
 * whole word before a part of one, the first sentence before the rest. */
#include "interp/help_search.h"
#include "base/alloc.h"
#include "base/nearest.h"
#include "interp/source.h"
#include "interp/topics.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SHOWN_MOST = 25, NAME_COLUMN = 17 };

typedef struct match {
    char name[40];
    int rank; /* 0: the word itself */
    int order;
    char excerpt[160];
} match;

typedef struct search {
    tg_interp *in;
    const char *word;
    match *item;
    size_t n, cap;
    tg_nearest near;
    bool failed;
} search;

/* ---- how well does it match? ---- */

/* The word as a word of its own, else anywhere; *whole tells which. NULL: it is not there. */
static const char *find(const char *text, const char *word, bool *whole) {
    const size_t n = strlen(word);
    for (const char *at = text; (at = tg_text_find(at, word)) != NULL; at++)
        if ((at == text || !tg_is_word_byte(at[-1])) && !tg_is_word_byte(at[n])) {
            *whole = true;
            return at;
        }
    *whole = false;
    return tg_text_find(text, word);
}

static size_t first_sentence(const char *text) {
    const char *end = strstr(text, ". ");
    size_t line = strcspn(text, "\n");
    return end && (size_t)(end - text) + 1 < line ? (size_t)(end - text) + 1 : line;
}

enum { IS_NAME, BEGINS_NAME, IN_NAME, WORD_EARLY, WORD_LATE, PART_EARLY, PART_LATE, NOWHERE };

static int rank_of(const char *name, const char *text, const char *word) {
    bool whole;
    const char *in_name = tg_text_find(name, word), *at = find(text, word, &whole);
    if (in_name && strlen(name) == strlen(word)) return IS_NAME;
    if (in_name) return in_name == name ? BEGINS_NAME : IN_NAME;
    if (!at) return NOWHERE;
    const bool early = (size_t)(at - text) < first_sentence(text);
    return whole ? (early ? WORD_EARLY : WORD_LATE) : early ? PART_EARLY : PART_LATE;
}

/* The first sentence, or where that lacks the word, the text around it. */
static void excerpt_of(const char *text, const char *word, char *out, size_t size) {
    bool whole;
    const char *at = find(text, word, &whole), *from = text;
    size_t n = first_sentence(text);
    if (at && (size_t)(at - text) >= n) {
        enum { BEFORE = 24 };
        from = at - text > BEFORE ? at - BEFORE : text;
        while (from > text && from < at && from[-1] != ' ' && from[-1] != '\n') from++;
        n = strlen(from);
    }
    snprintf(out, size, "%s%.*s", from > text ? "... " : "", (int)(n < size ? n : size), from);
    for (char *c = out; *c; c++)
        if (*c == '\n') *c = ' ';
}

static void offer(search *s, const char *name, const char *shown, const char *text) {
    const int rank = rank_of(name, text, s->word);
    tg_nearest_offer(&s->near, name);
    if (rank == NOWHERE) return;
    void *p = s->item;
    bool ok = tg_grow(&p, &s->cap, s->n + 1, sizeof *s->item);
    s->item = p;
    if (!ok) {
        s->failed = true;
        return;
    }
    match *m = &s->item[s->n];
    *m = (match){.rank = rank, .order = (int)s->n};
    s->n++;
    snprintf(m->name, sizeof m->name, "%s", shown);
    excerpt_of(text, s->word, m->excerpt, sizeof m->excerpt);
}

/* ---- everything that has a text ---- */

static void offer_topics(search *s) {
    for (const tg_topic *t = tg_topics; t->words; t++) {
        char shown[40], name[32];
        const char *word = t->words + 1;
        /* the word of the topic that matches best is the one to show */
        for (const char *at = word; *at; at += strcspn(at, " ") + 1)
            if (strlen(s->word) == strcspn(at, " ") && tg_text_find(at, s->word) == at) word = at;
        snprintf(name, sizeof name, "%.*s", (int)strcspn(word, " "), word);
        snprintf(shown, sizeof shown, "?%s", name);
        offer(s, name, shown, t->text);
    }
}

static void offer_library(search *s) {
    const tg_op *op;
    const tg_builtin *b;
    for (int i = 0; (b = tg_builtin_at(i)); i++) offer(s, b->name, b->name, b->doc);
    for (int i = 0; (op = tg_op_at(i)); i++)
        if (op->class != TG_CLASS_LEAF && op->doc) offer(s, op->name, op->name, op->doc);
}

/* Functions by the comments above them, formulas by the one behind them on their line. */
static void offer_names(search *s, const tg_env *env, bool own) {
    for (size_t i = 0; i < env->n; i++) {
        const struct tg_binding *b = &env->items[i];
        tg_str text = {0};
        const bool function = b->value.tag == TG_V_FUNCTION && b->value.as.function->def;
        if (!b->name || (!own && !function)) continue;
        if (function) {
            tg_source_comment(b->value.as.function, &text);
            if (!text.len) tg_source_add(&b->value.as.function->def->span, &text);
        } else if (b->value.tag == TG_V_FORMULA) {
            tg_source_line(&b->value.as.node->written, &text);
        } else {
            tg_str_add(&text, tg_value_kind(b->value));
        }
        offer(s, b->name, b->name, tg_str_text(&text));
        if (text.failed) s->failed = true;
        tg_str_free(&text);
    }
}

static void offer_commands(search *s) {
    tg_help_row row;
    for (int i = 0; s->in->more_help && s->in->more_help(i, &row); i++)
        offer(s, row.name + 1, row.name, row.text);
}

/* ---- the list ---- */

static int best_first(const void *a, const void *b) {
    const match *x = a, *y = b;
    return x->rank != y->rank ? x->rank - y->rank : x->order - y->order;
}

/* The text, the word in it marked. */
static void add_marked(const tg_page *p, const char *text, size_t n, const char *word) {
    const size_t len = strlen(word);
    for (const char *end = text + n; text < end;) {
        const char *at = tg_text_find(text, word);
        if (!p->colours || !at || at + len > end) at = end;
        tg_str_addn(p->out, text, (size_t)(at - text));
        if (at == end) break;
        tg_str_add(p->out, tg_ink_on(true, TG_INK_MARK));
        tg_str_addn(p->out, at, len);
        tg_str_add(p->out, tg_ink_off(true));
        text = at + len;
    }
}

static void add_match(const tg_page *p, const match *m, const char *word) {
    int column = NAME_COLUMN, used = tg_utf8_width(m->name, strlen(m->name));
    const int most = p->width - column - 4;
    size_t n = strlen(m->excerpt);
    add_marked(p, m->name, strlen(m->name), word);
    tg_str_repeat(p->out, ' ', used < column ? column - used : 1);
    if (tg_utf8_width(m->excerpt, n) <= most + 4) {
        add_marked(p, m->excerpt, n, word);
        tg_str_addc(p->out, '\n');
        return;
    }
    n = tg_utf8_fit(m->excerpt, n, most);
    while (n > 0 && m->excerpt[n] != ' ') n--;
    add_marked(p, m->excerpt, n, word);
    tg_str_add(p->out, " ...\n");
}

bool tg_help_search(tg_interp *in, const tg_page *p, const char *word) {
    search s = {.in = in, .word = word, .near = tg_nearest_to(word)};
    offer_names(&s, in->globals, true);
    offer_topics(&s);
    offer_library(&s);
    offer_names(&s, in->library, false);
    offer_commands(&s);
    if (s.n) qsort(s.item, s.n, sizeof *s.item, best_first);
    for (size_t i = 0; i < s.n && i < SHOWN_MOST; i++) add_match(p, &s.item[i], word);
    if (s.n > SHOWN_MOST) tg_str_addf(p->out, "and %zu more\n", s.n - SHOWN_MOST);
    if (s.n == 0) {
        tg_str_addf(p->out, "nothing is said of %s", word);
        if (s.near.best) tg_str_addf(p->out, "; did you mean ??%s?", s.near.best);
        tg_str_add(p->out, s.near.best ? "\n" : "; ? lists the topics\n");
    }
    tg_free(s.item);
    return !s.failed || tg_fail_memory(&in->rt.c);
}
