/* ?name. What is said of an operation or builtin is in its record, of a function written in tg the
 * comment above its definition and the definition itself; here it is only laid out. */
#include "interp/help.h"
#include "interp/blame.h"
#include "interp/kinks.h"
#include "interp/show.h"
#include "interp/topics.h"
#include "runtime/ops/document.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

static void add_kinks(tg_str *s) {
    tg_str_add(s,
               "At a kink the slope is a convention, the same however the function is spelled.\n");
    for (const tg_kink *k = tg_kinks; k->what; k++) {
        tg_str_addf(s, "\n%s: slope %s at x = %s\n  ", k->what, k->slope, k->at);
        for (const char *p = k->spelled; *p; p++) {
            if (strncmp(p, " | ", 3) == 0) {
                tg_str_add(s, "\n  ");
                p += 2;
            } else {
                tg_str_addc(s, *p);
            }
        }
        tg_str_addc(s, '\n');
        if (k->why) tg_str_addf(s, "  (%s)\n", k->why);
    }
}

/* Examples stand as they are typed, their answers below. */
static void add_topic(tg_str *s, const tg_topic *t) {
    tg_str_addf(s, "%s\nExample: %s\n", t->text, t->example);
    for (const char *line = t->value; *line;) {
        size_t n = strcspn(line, "\n");
        tg_str_add(s, "  ");
        tg_str_addn(s, line, n);
        tg_str_addc(s, '\n');
        line += n + (line[n] == '\n');
    }
}

/* What ? alone says, and ?topics: the first word of each topic. */
static void add_topics(tg_str *s) {
    tg_str_add(s, "?name explains a name, ?word a statement, an operator or a subject, and ??word "
                  "finds what has to do with it.\nTopics:");
    for (const tg_topic *t = tg_topics; t->words; t++)
        tg_str_addf(s, " %.*s", (int)strcspn(t->words + 1, " "), t->words + 1);
    tg_str_add(s, " kinks\n");
}

/* ---- ??word ---- */

static bool mentions(const char *text, const char *word) {
    size_t n = strlen(word);
    for (; text && *text; text++) {
        size_t i = 0;
        while (i < n && tolower((unsigned char)text[i]) == tolower((unsigned char)word[i])) i++;
        if (i == n) return true;
    }
    return false;
}

/* name and the first sentence of what is said of it. */
static void add_found(tg_str *s, const char *name, const char *doc) {
    size_t n = strcspn(doc, "\n"), most = 70;
    const char *end = strstr(doc, ". ");
    if (end && (size_t)(end - doc) < n) n = (size_t)(end - doc);
    tg_str_addf(s, "%-16s ", name);
    if (n > most) {
        for (n = most; n > 0 && doc[n] != ' ';) n--;
        tg_str_addn(s, doc, n);
        tg_str_add(s, " ...\n");
    } else {
        tg_str_addn(s, doc, n);
        tg_str_addc(s, '\n');
    }
}

/* The line of comment above a definition of the library's; "" in *room where there is none. */
static const char *comment_of(const tg_function *f, tg_str *room);

static bool search(tg_interp *in, tg_str *s, const char *word) {
    size_t before = s->len;
    const tg_op *op;
    const tg_builtin *b;
    for (const tg_topic *t = tg_topics; t->words; t++)
        if (mentions(t->words, word) || mentions(t->text, word)) {
            char name[40];
            size_t n = strcspn(t->words + 1, " ");
            snprintf(name, sizeof name, "?%.*s", (int)n, t->words + 1);
            add_found(s, name, t->text);
        }
    for (int i = 0; (b = tg_builtin_at(i)); i++)
        if (mentions(b->name, word) || mentions(b->doc, word)) add_found(s, b->name, b->doc);
    for (int i = 0; (op = tg_op_at(i)); i++) {
        const char *name = tg_intern(&in->rt.c, op->name, strlen(op->name));
        if (!name) return tg_fail_memory(&in->rt.c);
        bool found = op->doc && (mentions(name, word) || mentions(op->doc, word));
        if (found && tg_env_find(in->library, name)) add_found(s, name, op->doc);
    }
    for (size_t i = 0; i < in->library->n; i++) {
        const struct tg_binding *binding = &in->library->items[i];
        if (binding->value.tag != TG_V_FUNCTION || !binding->value.as.function->def) continue;
        tg_str comment = {0};
        const char *doc = comment_of(binding->value.as.function, &comment);
        if (mentions(binding->name, word) || mentions(doc, word)) add_found(s, binding->name, doc);
        if (comment.failed) s->failed = true;
        tg_str_free(&comment);
    }
    if (s->len == before) tg_str_addf(s, "nothing is said of %s; ? lists the topics\n", word);
    return true;
}

static void add_builtin(tg_str *s, const tg_builtin *b) {
    tg_str_addf(s, "%s\n%s\n", b->signature, b->doc);
    if (b->example && b->value && strcmp(b->value, "...") != 0) {
        tg_str_addf(s, "Example: %s\n", b->example);
        if (b->value[0]) tg_str_addf(s, "  %s\n", b->value);
    }
}

/* The lines of comment right above the definition. */
static void add_comment(tg_str *s, const tg_span *span) {
    const char *text = span->src->text, *begin = text + span->lo;
    const char *top = begin;
    while (top > text) {
        const char *line = top - 1;
        while (line > text && line[-1] != '\n') line--;
        if (*line != '#') break;
        top = line;
    }
    if (top > text && top[-1] != '\n') return;
    while (top < begin && *top == '#') {
        const char *end = strchr(top, '\n');
        top += strspn(top, "# ");
        if (strncmp(top, "tg> ", 4) == 0) {
            tg_str_add(s, "Example: ");
            top += 4;
        }
        tg_str_addn(s, top, (size_t)(end + 1 - top));
        top = end + 1;
    }
}

static void add_source(tg_str *s, const tg_ast *def) {
    tg_str_addn(s, def->span.src->text + def->span.lo, def->span.hi - def->span.lo);
    tg_str_addc(s, '\n');
}

static void add_function(tg_str *s, const tg_function *f) {
    for (; f->primal; f = f->primal) tg_str_add(s, "The derivative of\n");
    if (!f->def) return;
    add_comment(s, &f->def->span);
    add_source(s, f->def);
    if (f->rule) add_source(s, f->rule->def);
}

/* The operation that is written with that sign or word. */
static const tg_op *op_of(const char *sign) {
    const tg_op *op;
    for (int i = 0; (op = tg_op_at(i)); i++)
        if ((op->style == TG_PRINT_INFIX || op->style == TG_PRINT_PREFIX) && op->symbol &&
            strcmp(op->symbol, sign) == 0)
            return op;
    return NULL;
}

static const char *comment_of(const tg_function *f, tg_str *room) {
    add_comment(room, &f->def->span);
    return tg_str_text(room);
}

bool tg_help_statement(tg_interp *in, tg_env *env, const tg_ast *e) {
    const tg_value *v = e->name ? tg_lookup(in, env, e->name) : NULL;
    const tg_topic *topic = e->name && !v ? tg_topic_find(e->name) : NULL;
    const tg_op *op = e->name && !v ? op_of(e->name) : NULL;
    tg_str s = {0};
    bool ok = true;
    if (e->flags & TG_AST_SEARCH) {
        ok = search(in, &s, e->name ? e->name : "");
    } else if (!e->name || (!v && strcmp(e->name, "topics") == 0)) {
        add_topics(&s);
    } else if (!v && strcmp(e->name, "kinks") == 0) {
        add_kinks(&s);
    } else if (topic) {
        add_topic(&s, topic);
    } else if (op) {
        tg_op_describe(&s, op);
    } else if (!v) {
        ok = tg_blame_name(in, env, e->name);
    } else if (v->tag == TG_V_OP) {
        tg_op_describe(&s, v->as.op);
    } else if (v->tag == TG_V_BUILTIN) {
        add_builtin(&s, v->as.builtin);
    } else if (v->tag == TG_V_FUNCTION) {
        add_function(&s, v->as.function);
    } else {
        ok = tg_show_echo(in, e->name, *v, &s);
    }
    if (ok && s.failed) ok = tg_fail_memory(&in->rt.c);
    if (ok) tg_write(in, tg_str_text(&s), s.len);
    tg_str_free(&s);
    return ok;
}
