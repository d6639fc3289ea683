/* ?name. What is said of an operation or builtin is in its record, of a function written in tg the
 * comment above its definition and the definition itself; the rest is found by asking: the shape
 * rule of the operation's samples, an operation of its values where they are not finite, a function
 * of its derivative. Here it is laid out, always in the same order. */
#include "interp/help.h"
#include "base/nearest.h"
#include "interp/blame.h"
#include "interp/call.h"
#include "interp/convert.h"
#include "interp/foreign.h"
#include "interp/help_page.h"
#include "interp/help_search.h"
#include "interp/help_shapes.h"
#include "interp/kinks.h"
#include "interp/names.h"
#include "interp/related.h"
#include "interp/show.h"
#include "interp/source.h"
#include "interp/topics.h"
#include "runtime/graph/assume.h"
#include "runtime/ops/document.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- kinks ---- */

static void add_kinks(const tg_page *p) {
    tg_page_text(p,
                 "At a kink the slope is a convention, the same however the function is spelled.");
    for (const tg_kink *k = tg_kinks; k->what; k++) {
        tg_str line = {0}, forms = {0};
        tg_str_addf(&line, "\n%s: slope %s at x = %s", k->what, k->slope, k->at);
        tg_page_text(p, tg_str_text(&line));
        for (const char *at = k->spelled; *at; at++) {
            if (strncmp(at, " | ", 3) == 0) {
                tg_str_add(&forms, "\n  ");
                at += 2;
            } else {
                tg_str_addc(&forms, *at);
            }
        }
        tg_str_addf(p->out, "  %s\n", tg_str_text(&forms));
        if (k->why) tg_str_addf(p->out, "  (%s)\n", k->why);
        if (line.failed || forms.failed) p->out->failed = true;
        tg_str_free(&line);
        tg_str_free(&forms);
    }
}

/* That of the spellings, which " | " separates, which is a call of the name and nothing else; its
 * length in *n. NULL: there is none. */
static const char *call_among(const char *spelled, const char *name, size_t *n) {
    const size_t len = strlen(name);
    for (const char *at = spelled; at; at = strstr(at, " | ") ? strstr(at, " | ") + 3 : NULL) {
        *n = strcspn(at, "|");
        while (*n > 0 && at[*n - 1] == ' ') --*n;
        if (strncmp(at, name, len) == 0 && at[len] == '(' &&
            (size_t)(strchr(at, ')') - at) + 1 == *n)
            return at;
    }
    return NULL;
}

static void add_kinks_of(const tg_page *p, const char *name) {
    enum { MOST = 3 };
    tg_str s = {0};
    int found = 0;
    for (const tg_kink *k = tg_kinks; k->what; k++) {
        size_t n;
        const char *call = call_among(k->spelled, name, &n);
        if (!call || ++found > MOST) continue;
        tg_str_addf(&s, "%.*s has slope %s at x = %s\n", (int)n, call, k->slope, k->at);
    }
    if (found > MOST) tg_str_add(&s, "and others: ?kinks\n");
    tg_page_row(p, "kinks", tg_str_text(&s));
    tg_str_free(&s);
}

/* ---- where an operation has no finite value ---- */

static bool value_at(tg_rt *rt, const tg_op *op, int n, const double *x, double *y) {
    tg_tensor *in[2] = {NULL, NULL}, *t = NULL;
    static const tg_attrs none;
    bool ok = true;
    for (int i = 0; ok && i < n; i++) ok = (in[i] = tg_tensor_scalar(&rt->c, TG_F64, x[i])) != NULL;
    if (ok) t = tg_op_apply(rt, op, n, in, NULL, &none);
    if (t) *y = tg_view_get(&t->v, 0);
    for (int i = 0; i < n; i++) tg_tensor_drop(in[i]);
    tg_tensor_drop(t);
    tg_clear(&rt->c);
    return t != NULL;
}

/* An elementwise operation of one or two numbers is tried at a few places. */
static void add_undefined(tg_interp *in, const tg_page *p, const tg_op *op) {
    static const double one[][2] = {{0, 0}, {-1, 0}, {1, 0}, {2, 0}};
    static const double two[][2] = {{0, 0},  {1, 0}, {-1, 0},    {-1, 0.5}, {0, -1},
                                    {-2, 0}, {2, 0}, {-1, -0.5}, {0, 1}};
    const char *name = op->shown ? op->shown : op->name;
    tg_str s = {0};
    int n = 0, told = 0;
    if (op->class != TG_CLASS_ELEMENTWISE) return;
    while (n < 3 && op->param[n].name && op->param[n].kind == TG_P_TENSOR) n++;
    const double(*tried)[2] = n == 1 ? one : two;
    const size_t places = n == 1 ? sizeof one / sizeof *one : n == 2 ? sizeof two / sizeof *two : 0;
    for (size_t i = 0; i < places && told < 3; i++) {
        double y;
        if (!value_at(&in->rt, op, n, tried[i], &y) || isfinite(y)) continue;
        tg_str_add(&s, told++ ? ", " : "");
        if (op->style == TG_PRINT_INFIX)
            tg_str_addf(&s, tried[i][0] < 0 ? "(%g) %s %g is " : "%g %s %g is ", tried[i][0],
                        op->symbol, tried[i][1]);
        else if (n == 1)
            tg_str_addf(&s, "%s(%g) is ", name, tried[i][0]);
        else
            tg_str_addf(&s, "%s(%g, %g) is ", name, tried[i][0], tried[i][1]);
        tg_str_add(&s, isnan(y) ? "nan" : y > 0 ? "inf" : "-inf");
    }
    tg_page_row(p, "not finite", tg_str_text(&s));
    tg_str_free(&s);
}

/* ---- rows that several pages have ---- */

static void add_related(const tg_page *p, int n, const char *const *name) {
    tg_str s = {0};
    for (int i = 0; i < n; i++) tg_str_addf(&s, "%s%s", i ? ", " : "", name[i]);
    tg_page_row(p, "see also", tg_str_text(&s));
    tg_str_free(&s);
}

/* The example as it is typed, its answer below. */
static void add_example(const tg_page *p, const char *example, const char *value) {
    tg_str s = {0};
    if (!example || !value || strcmp(value, "...") == 0) return;
    tg_page_code(p, "example", example);
    tg_op_add_value(&s, value);
    tg_page_code(p, "", tg_str_text(&s));
    tg_str_free(&s);
}

static void add_defined(const tg_page *p, const char *file) {
    tg_str s = {0};
    tg_str_addf(&s, "in C, %s", file);
    tg_page_row(p, "defined", tg_str_text(&s));
    tg_str_free(&s);
}

/* ---- operations and builtins ---- */

static void add_rules(const tg_page *p, const tg_op *op) {
    tg_str s = {0};
    for (int i = 0; i < TG_MAX_TENSORS && op->param[i].name; i++) {
        bool list = op->param[i].kind == TG_P_LIST;
        if (!list && op->param[i].kind != TG_P_TENSOR) break;
        tg_str_addf(&s, "%s%s: %s\n", list ? "each of " : "", op->param[i].name,
                    tg_op_rule_text(op, i));
    }
    tg_page_row(p, "derivative", tg_str_text(&s));
    tg_str_free(&s);
}

static void add_op(tg_interp *in, const tg_page *p, const tg_op *op) {
    const char *related[TG_RELATED];
    tg_str head = {0}, shapes = {0};
    tg_op_operator(&head, op);
    if (head.len) tg_str_add(&head, ", ");
    tg_op_signature(&head, op);
    tg_page_head(p, tg_str_text(&head));
    tg_page_text(p, op->doc);
    tg_shape_rule(op, &shapes);
    tg_page_row(p, "shape", tg_str_text(&shapes));
    add_rules(p, op);
    add_undefined(in, p, op);
    add_kinks_of(p, op->shown ? op->shown : op->name);
    add_example(p, op->example, op->value);
    add_defined(p, tg_op_file(op));
    const char *name = tg_intern(&in->rt.c, op->name, strlen(op->name));
    const tg_value self = {.tag = TG_V_OP, .as.op = op};
    add_related(p, name ? tg_related(in, name, self, related) : 0, related);
    if (head.failed || shapes.failed || !name) p->out->failed = true;
    tg_str_free(&head);
    tg_str_free(&shapes);
}

static void add_builtin(tg_interp *in, const tg_page *p, const tg_builtin *b) {
    const char *related[TG_RELATED];
    tg_page_head(p, b->signature);
    tg_page_text(p, b->doc);
    add_example(p, b->example, b->value);
    add_defined(p, tg_builtin_file(b));
    const char *name = tg_intern(&in->rt.c, b->name, strlen(b->name));
    const tg_value self = {.tag = TG_V_BUILTIN, .as.builtin = b};
    add_related(p, name ? tg_related(in, name, self, related) : 0, related);
}

/* ---- functions written in tg ---- */

/* The definition, if that is a line; else how long it is. */
static void add_definition(const tg_page *p, const tg_function *f) {
    tg_str s = {0};
    tg_source_add(&f->def->span, &s);
    int lines = 1;
    for (const char *at = tg_str_text(&s); (at = strchr(at, '\n')) != NULL; at++) lines++;
    if (lines == 1) {
        tg_page_code(p, "definition", tg_str_text(&s));
    } else {
        tg_str_free(&s);
        tg_str_addf(&s, "%d lines: :source %s", lines, f->name ? f->name : "");
        tg_page_row(p, "definition", tg_str_text(&s));
    }
    tg_str_free(&s);
}

/* The user's rule as written, or f' as the formula that it is. */
static void add_derivative(tg_interp *in, const tg_page *p, tg_value v) {
    const tg_function *f = v.as.function;
    tg_value slope;
    tg_str s = {0};
    if (f->rule) {
        tg_source_add(&f->rule->def->span, &s);
        tg_page_code(p, "derivative", tg_str_text(&s));
    } else if (!tg_is_library_text(f->def->span.src) && tg_function_is_quiet(in, f) &&
               tg_function_derivative(in, v, &slope)) {
        const bool echo = in->echo;
        in->echo = false; /* remarks on what is not continuous are for those who differentiate */
        bool ok = tg_show_slope(in, slope, &s);
        in->echo = echo;
        if (ok) tg_page_code(p, "derivative", tg_str_text(&s));
        tg_value_drop(slope);
    }
    tg_clear(&in->rt.c);
    tg_str_free(&s);
}

static void add_function(tg_interp *in, const tg_page *p, const char *name, tg_value v) {
    const tg_function *f = v.as.function;
    const char *related[TG_RELATED];
    tg_str s = {0};
    tg_function_signature(&s, f);
    tg_page_head(p, f->name ? tg_str_text(&s) : name);
    tg_str_free(&s);
    tg_source_comment(f, &s);
    tg_page_text(p, tg_str_text(&s));
    tg_str_free(&s);
    add_definition(p, f);
    tg_shape_rule_tried(in, f, &s);
    tg_page_row(p, "shape", tg_str_text(&s));
    tg_str_free(&s);
    add_derivative(in, p, v);
    add_kinks_of(p, name);
    tg_source_examples(f, &s);
    tg_page_code(p, "example", tg_str_text(&s));
    tg_str_free(&s);
    tg_source_where(&f->def->span, &s);
    tg_page_row(p, "defined", tg_str_text(&s));
    add_related(p, tg_related(in, name, v, related), related);
    tg_str_free(&s);
}

/* ---- the user's values ---- */

static void add_assumed(tg_interp *in, const tg_page *p, tg_value v) {
    const tg_cell *c = tg_value_cell(v);
    uint32_t on = c ? tg_assume_on_cell(&in->rt, c) : 0;
    tg_str s = {0};
    for (int i = 0; i < TG_FACTS; i++)
        if (on >> i & 1) tg_str_addf(&s, "%s%s", s.len ? ", " : "", tg_assume_text(&in->rt, i));
    tg_page_row(p, "assumed", tg_str_text(&s));
    tg_str_free(&s);
}

static void add_kind(const tg_page *p, const tg_names *table, const tg_name_info *r) {
    tg_str s = {0};
    tg_str_addf(&s, "%s%s%s%s%s", r->kind, r->shape[0] ? " " : "", r->shape, r->type[0] ? ", " : "",
                r->type);
    if (r->bytes) tg_str_addf(&s, ", %zu bytes", r->bytes);
    tg_page_row(p, "kind", tg_str_text(&s));
    tg_str_free(&s);
    tg_names_add(table, &r->needs, &s);
    tg_page_row(p, "made of", tg_str_text(&s));
    tg_str_free(&s);
    tg_names_add(table, &r->users, &s);
    tg_page_row(p, "used by", tg_str_text(&s));
    tg_str_free(&s);
}

static bool add_value(tg_interp *in, const tg_page *p, const char *name, tg_value v) {
    enum { LINKS = 8 };
    tg_str s = {0};
    if (!tg_show_echo(in, name, v, p->out)) return false;
    tg_names table = {0};
    bool ok = tg_names_list(in, LINKS, &table);
    for (size_t i = 0; i < table.n; i++)
        if (table.row[i].name == name) add_kind(p, &table, &table.row[i]);
    tg_names_free(&table);
    tg_str_free(&s);
    if (!ok) return false;
    add_assumed(in, p, v);
    if (v.tag == TG_V_FORMULA && v.as.node->n > 0) {
        tg_source_where(&v.as.node->written, &s);
        tg_page_row(p, "written", tg_str_text(&s));
    }
    tg_str_free(&s);
    return true;
}

/* ---- topics and commands ---- */

/* Of an operator also what its operation's record says. */
static void add_topic(tg_interp *in, const tg_page *p, const tg_topic *t, const tg_op *op) {
    const char *related[TG_RELATED];
    tg_str all = {0}, shapes = {0};
    tg_page_text(p, t->text);
    if (op) {
        tg_shape_rule(op, &shapes);
        tg_page_row(p, "shape", tg_str_text(&shapes));
        add_rules(p, op);
        tg_str_addf(&all, "%s(), ", op->name);
    }
    add_example(p, t->example, t->value);
    if (strstr(t->words, " assume "))
        for (int i = 0; i < TG_FACTS; i++)
            if (tg_assume_in_force(&in->rt) >> i & 1)
                tg_page_code(p, "assumed now", tg_assume_text(&in->rt, i));
    tg_str_addf(&all, "%s %s", t->text, t->example);
    add_related(p, tg_related_in_text(in, tg_str_text(&all), related), related);
    tg_str_free(&all);
    tg_str_free(&shapes);
}

static bool begins_with(const tg_topic *t, const char *word) {
    const size_t n = strlen(word);
    return strncmp(t->words + 1, word, n) == 0 && t->words[1 + n] == ' ';
}

/* What ? alone says, and ?topics: the first word of each topic, by parts. */
static void add_topics(const tg_page *p) {
    tg_str s = {0};
    const tg_topic_part *part = tg_topic_parts;
    tg_page_text(p, "?name explains a name, ?word a statement, an operator or a subject, ?:name a "
                    "command of the prompt, and ??word finds what has to do with a word.");
    for (const tg_topic *t = tg_topics; t->words; t++) {
        const bool last = !t[1].words;
        tg_str_addf(&s, "%s%.*s", s.len ? "  " : "", (int)strcspn(t->words + 1, " "), t->words + 1);
        if (last) tg_str_add(&s, "  kinks");
        if (!last && !(part[1].title && begins_with(&t[1], part[1].first))) continue;
        tg_page_row(p, part->title, tg_str_text(&s));
        tg_str_free(&s);
        part++;
    }
}

/* The command of that name, or the only one that begins so. */
static bool add_command(tg_interp *in, const tg_page *p, const char *name) {
    tg_help_row row;
    tg_nearest near = tg_nearest_of_few(name + 1);
    const size_t n = strlen(name);
    int found = -1, alike = 0;
    char meant[32] = "";
    for (int i = 0; in->more_help && in->more_help(i, &row); i++) {
        const int before = near.within;
        tg_nearest_offer(&near, row.name + 1);
        if (near.within < before) snprintf(meant, sizeof meant, "%s", row.name);
        if (strncmp(row.name, name, n) != 0) continue;
        alike = row.name[n] ? alike + 1 : 1;
        found = i;
        if (!row.name[n]) break;
    }
    if (alike == 1 && in->more_help(found, &row)) {
        tg_str head = {0};
        tg_str_addf(&head, "%s%s%s", row.name, row.arguments[0] ? " " : "", row.arguments);
        tg_page_head(p, tg_str_text(&head));
        tg_str_addf(p->out, "%s\n", row.text);
        tg_str_free(&head);
        return true;
    }
    tg_fail(&in->rt.c, TG_ERR_NAME, alike ? "%s can be several commands" : "there is no command %s",
            name);
    return meant[0] ? tg_help(&in->rt.c, "did you mean ?%s?", meant)
                    : tg_help(&in->rt.c, ":help lists the commands");
}

/* ---- the statement ---- */

/* The operation that is written with that sign or word. */
static const tg_op *op_of(const char *sign) {
    const tg_op *op;
    for (int i = 0; (op = tg_op_at(i)); i++)
        if ((op->style == TG_PRINT_INFIX || op->style == TG_PRINT_PREFIX) && op->symbol &&
            strcmp(op->symbol, sign) == 0)
            return op;
    return NULL;
}

/* Neither a name nor a topic: what may have been meant. */
static bool blame_word(tg_interp *in, tg_env *env, const char *word) {
    tg_nearest near = tg_nearest_to(word);
    for (size_t i = 0; i < in->library->n; i++) tg_nearest_offer(&near, in->library->items[i].name);
    const char *topic = tg_topic_nearest(word, near.within);
    tg_blame_name(in, env, word);
    if (topic) return tg_help(&in->rt.c, "did you mean ?%s?", topic);
    return in->rt.c.diag.help[0]
               ? false
               : tg_help(&in->rt.c, "??%s searches for it, ? lists the topics", word);
}

static bool add_named(tg_interp *in, const tg_page *p, const char *name, tg_value v) {
    if (v.tag == TG_V_OP) {
        add_op(in, p, v.as.op);
    } else if (v.tag == TG_V_BUILTIN) {
        add_builtin(in, p, v.as.builtin);
    } else if (v.tag == TG_V_FUNCTION && v.as.function->def) {
        add_function(in, p, name, v);
    } else {
        return add_value(in, p, name, v);
    }
    return true;
}

static bool add_page(tg_interp *in, tg_env *env, const tg_ast *e, tg_str *s) {
    const tg_page p = tg_page_begin(in, s);
    const char *name = e->name;
    const tg_value *v = name ? tg_lookup(in, env, name) : NULL;
    const tg_topic *topic = name && !v ? tg_topic_find(name) : NULL;
    const tg_op *op = name && !v ? op_of(name) : NULL;
    if (e->flags & TG_AST_SEARCH) return tg_help_search(in, &p, name);
    if (name && name[0] == ':' && name[1] && name[1] != '=') return add_command(in, &p, name);
    if (v) return add_named(in, &p, name, *v);
    if (!name || strcmp(name, "topics") == 0)
        add_topics(&p);
    else if (strcmp(name, "kinks") == 0)
        add_kinks(&p);
    else if (topic)
        add_topic(in, &p, topic, op);
    else if (op)
        add_op(in, &p, op);
    else
        return blame_word(in, env, name);
    return true;
}

bool tg_help_statement(tg_interp *in, tg_env *env, const tg_ast *e) {
    tg_str s = {0};
    bool ok = add_page(in, env, e, &s);
    if (ok && s.failed) ok = tg_fail_memory(&in->rt.c);
    if (ok) tg_write(in, tg_str_text(&s), s.len);
    tg_str_free(&s);
    return ok;
}
