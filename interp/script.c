/* A session written as a script that does it again.
 *
 * Entries stand as they were typed, those that failed up to the statement that did. What such a
 * statement has left behind, a loop that was interrupted say, is written as values, and the random
 * generator is set to where it was. Numbers are the shortest decimals that read back as the same
 * bits. A file that was loaded stands there whole; one that is used is named by where it is from
 * the script's folder, or absolutely. Answers that later entries speak of (ans, _2) get names. */
#include "interp/journal.h"
#include "base/alloc.h"
#include "interp/convert.h"
#include "interp/module.h"
#include "runtime/graph/print.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_WRITTEN = 2000000, NESTED_MOST = 10000 }; /* elements of a tensor */

/* ---- values ---- */

static void add_number(tg_str *out, double x) {
    char text[40];
    if (x != x || x - x != 0) {
        tg_str_add(out, x != x ? "nan" : x > 0 ? "inf" : "-inf");
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (strtod(text, NULL) == x) break;
    }
    tg_str_add(out, text);
}

static const char *const casts[TG_DTYPES] = {
    [TG_BOOL] = "",     [TG_U8] = "byte",    [TG_I32] = "int32",
    [TG_I64] = "int64", [TG_F32] = "single", [TG_F64] = ""};

static void add_elements(tg_str *out, const tg_view *v, int axis, int64_t *at) {
    if (axis == v->rank) {
        double x = tg_view_get(v, (*at)++);
        if (v->dtype == TG_BOOL)
            tg_str_add(out, x != 0 ? "true" : "false");
        else
            add_number(out, x);
        return;
    }
    tg_str_addc(out, '[');
    for (int64_t i = 0; i < v->dim[axis]; i++) {
        if (i) tg_str_add(out, ", ");
        add_elements(out, v, axis + 1, at);
    }
    tg_str_addc(out, ']');
}

/* The tensor as an expression, read with `precision double`. */
static void add_tensor(tg_str *out, const tg_tensor *t) {
    const tg_view *v = &t->v;
    const char *cast = casts[v->dtype];
    int64_t at = 0;
    const bool empty = tg_view_count(v) == 0;
    if (cast[0]) tg_str_addf(out, "%s(", cast);
    if (empty) {
        tg_str_add(out, v->dtype == TG_BOOL ? "bool(zeros(" : "zeros(");
        for (int i = 0; i < v->rank; i++)
            tg_str_addf(out, i ? ", %lld" : "%lld", (long long)v->dim[i]);
        tg_str_add(out, v->dtype == TG_BOOL ? "))" : ")");
    } else {
        add_elements(out, v, 0, &at);
    }
    if (cast[0]) tg_str_addc(out, ')');
}

static void add_string(tg_str *out, const tg_text *t) {
    tg_str_addc(out, '"');
    for (size_t i = 0; i < t->len; i++) {
        const char c = t->bytes[i];
        if (c == '\n')
            tg_str_add(out, "\\n");
        else if (c == '\t')
            tg_str_add(out, "\\t");
        else if (strchr("\"\\{", c) && c)
            tg_str_addf(out, "\\%c", c);
        else
            tg_str_addc(out, c);
    }
    tg_str_addc(out, '"');
}

/* The text by which a function was defined; false: it cannot stand elsewhere. */
static bool add_function(tg_str *out, const char *name, const tg_function *f) {
    if (f->by || f->env) return false;
    if (f->primal && f->primal->name) {
        tg_str_addf(out, "%s = %s'", name, f->primal->name);
        return true;
    }
    if (!f->def || f->primal) return false;
    const tg_span at = f->def->span;
    const bool named = f->def->kind == TG_AST_FUNCTION && f->name && strcmp(f->name, name) == 0;
    if (!named && f->def->kind == TG_AST_FUNCTION) {
        tg_str_addf(out, "%s = %s", name, f->name);
        return true;
    }
    if (!named) tg_str_addf(out, "%s = ", name);
    tg_str_addn(out, at.src->text + at.lo, at.hi - at.lo);
    if (f->rule && f->rule->def) {
        const tg_span rule = f->rule->def->span;
        tg_str_addc(out, '\n');
        tg_str_addn(out, rule.src->text + rule.lo, rule.hi - rule.lo);
    }
    return true;
}

/* v as an expression; false: there is none. */
static bool add_value(tg_interp *in, tg_str *out, tg_value v) {
    static const char *const brackets[] = {
        [TG_V_LIST] = "[]", [TG_V_TUPLE] = "()", [TG_V_RECORD] = "{}"};
    const tg_cell *c = tg_value_cell(v);
    if (!tg_guard(&in->rt.c)) return false;
    switch (v.tag) {
    case TG_V_NUMBER: add_number(out, v.as.number); return true;
    case TG_V_BOOL: tg_str_add(out, v.as.truth ? "true" : "false"); return true;
    case TG_V_STRING: add_string(out, v.as.text); return true;
    case TG_V_OP: tg_str_add(out, v.as.op->name); return true;
    case TG_V_BUILTIN: tg_str_add(out, v.as.builtin->name); return true;
    case TG_V_RANGE:
        add_number(out, v.as.range->lo);
        tg_str_add(out, "..");
        add_number(out, v.as.range->hi);
        return true;
    case TG_V_TENSOR:
        if (tg_view_count(&v.as.tensor->v) > NESTED_MOST) return false;
        add_tensor(out, v.as.tensor);
        return true;
    case TG_V_FORMULA:
        if (!c) return tg_node_print(&in->rt, out, v.as.node, false);
        if (c->kind != TG_CELL_VAR || !c->value || tg_view_count(&c->value->v) > NESTED_MOST)
            return false;
        tg_str_add(out, "var(");
        add_tensor(out, c->value);
        tg_str_addc(out, ')');
        return true;
    case TG_V_LIST:
    case TG_V_TUPLE:
    case TG_V_RECORD:
        tg_str_addc(out, brackets[v.tag][0]);
        for (int i = 0; i < v.as.items->n; i++) {
            if (i) tg_str_add(out, ", ");
            if (v.tag == TG_V_RECORD) tg_str_addf(out, "%s: ", v.as.items->field[i]);
            if (!add_value(in, out, v.as.items->v[i])) return false;
        }
        if (v.tag == TG_V_TUPLE && v.as.items->n == 1) tg_str_addc(out, ',');
        tg_str_addc(out, brackets[v.tag][1]);
        return true;
    default: return false;
    }
}

/* ---- what a statement has left ---- */

static tg_entry_left *new_line(tg_interp *in, tg_entry *e) {
    void *p = e->left;
    bool ok = tg_grow(&p, &e->left_cap, e->nleft + 1, sizeof *e->left);
    e->left = p;
    if (!ok) {
        tg_fail_memory(&in->rt.c);
        return NULL;
    }
    e->left[e->nleft] = (tg_entry_left){.close = ""};
    return &e->left[e->nleft++];
}

static bool leave_text(tg_interp *in, tg_entry *e, const char *text) {
    tg_entry_left *l = new_line(in, e);
    if (l) tg_str_add(&l->text, text);
    return l && (!l->text.failed || tg_fail_memory(&in->rt.c));
}

static bool leave_tensor(tg_interp *in, tg_entry *e, const char *before, const char *name,
                         tg_tensor *t, const char *close) {
    tg_entry_left *l = new_line(in, e);
    if (!l) return false;
    tg_str_addf(&l->text, before, name);
    l->tensor = tg_tensor_hold(t);
    l->close = close;
    return !l->text.failed || tg_fail_memory(&in->rt.c);
}

static bool leave_input(tg_interp *in, tg_entry *e, const char *name, const tg_cell *c) {
    tg_str text = {0};
    const bool single = c->type.dtype == TG_F32;
    tg_str_addf(&text, "%sinput %s", single ? "precision single\n" : "", name);
    if (c->type.rank > 0) tg_shape_print(&in->rt, &text, c->type.rank, c->type.dim);
    if (single) tg_str_add(&text, "\nprecision double");
    bool ok = (!text.failed || tg_fail_memory(&in->rt.c)) && leave_text(in, e, tg_str_text(&text));
    tg_str_free(&text);
    return ok && (!c->value || leave_tensor(in, e, "%s := ", name, c->value, ""));
}

static bool leave_name(tg_interp *in, tg_entry *e, const struct tg_binding *b) {
    const tg_cell *c = tg_value_cell(b->value);
    if (b->value.tag == TG_V_TENSOR)
        return leave_tensor(in, e, "%s = ", b->name, b->value.as.tensor, "");
    if (c && c->name == b->name && c->kind == TG_CELL_INPUT) return leave_input(in, e, b->name, c);
    if (c && c->name == b->name && c->value)
        return leave_tensor(in, e, "%s = var(", b->name, c->value, ")");
    tg_str text = {0};
    bool said;
    if (b->value.tag == TG_V_FUNCTION) {
        said = add_function(&text, b->name, b->value.as.function);
    } else {
        tg_str_addf(&text, "%s = ", b->name);
        said = c && c->name ? (tg_str_add(&text, c->name), true)
               : b->value.tag == TG_V_FORMULA && b->value.as.node->label == b->name
                   ? tg_node_print(&in->rt, &text, b->value.as.node, false)
                   : add_value(in, &text, b->value);
    }
    if (!said) {
        tg_clear(&in->rt.c);
        text.len = 0;
        tg_str_addf(&text, "# %s was %s that cannot be written here", b->name,
                    tg_value_kind(b->value));
    }
    bool ok = (!text.failed || tg_fail_memory(&in->rt.c)) && leave_text(in, e, tg_str_text(&text));
    tg_str_free(&text);
    return ok;
}

/* Is the cell the value of a name that is written anyway? */
static bool is_written(const tg_interp *in, const tg_news *news, const tg_cell *c) {
    for (size_t i = 0; i < news->n; i++)
        if (tg_value_cell(in->globals->items[news->name[i]].value) == c) return true;
    return false;
}

static bool is_formula(tg_value v) {
    return v.tag == TG_V_FORMULA && !tg_value_cell(v);
}

bool tg_script_leave(tg_interp *in, tg_entry *e, const tg_news *news) {
    const struct tg_binding *items = in->globals->items;
    bool ok = true;
    for (size_t i = 0; ok && i < news->n; i++) {
        const struct tg_binding *b = &items[news->name[i]];
        if (b->name && !is_formula(b->value) && !tg_module_names_answer(b->name))
            ok = leave_name(in, e, b);
    }
    for (size_t i = 0; ok && i < news->ncells; i++) {
        const tg_cell *c = news->cell[i];
        if (c->name && c->value && !is_written(in, news, c))
            ok = leave_tensor(in, e, "%s := ", c->name, c->value, "");
    }
    /* formulas last, and the older ones first: the younger ones are made of them */
    for (uint64_t after = 0; ok;) {
        const struct tg_binding *next = NULL;
        for (size_t i = 0; i < news->n; i++) {
            const struct tg_binding *b = &items[news->name[i]];
            if (!b->name || !is_formula(b->value) || tg_module_names_answer(b->name)) continue;
            if (b->value.as.node->id <= after) continue;
            if (!next || b->value.as.node->id < next->value.as.node->id) next = b;
        }
        if (!next) break;
        after = next->value.as.node->id;
        ok = leave_name(in, e, next);
    }
    return ok;
}

static void write_left(const tg_entry *e, bool counts, tg_str *out) {
    const bool single = e->after.precision == TG_F32;
    if (e->nleft > 0) {
        tg_str_add(out, e->kind == TG_ENTRY_OUTSIDE
                            ? "# values that were set from outside\n"
                            : "# what came next did not come to its end; it left these values\n");
        if (single) tg_str_add(out, "precision double\n");
    }
    for (size_t i = 0; i < e->nleft; i++) {
        const tg_entry_left *l = &e->left[i];
        const bool large = l->tensor && tg_view_count(&l->tensor->v) > MOST_WRITTEN;
        tg_str_addf(out, "%s%s", large ? "# too large to be written: " : "", tg_str_text(&l->text));
        if (l->tensor && !large) add_tensor(out, l->tensor);
        tg_str_addf(out, "%s\n", large ? "..." : l->close);
    }
    if (e->nleft > 0 && single) tg_str_add(out, "precision single\n");
    if (!e->drawn && !(counts && (e->counted || e->nleft > 0))) return;
    tg_str_addf(out, "seed(%llu, draws=%llu", (unsigned long long)e->after.seed,
                (unsigned long long)e->after.stream);
    if (counts) tg_str_addf(out, ", stores=%llu", (unsigned long long)e->after.tick);
    tg_str_add(out, ")\n");
}

/* ---- answers ---- */

/* Something to be put in place of the bytes [lo, hi) of a text. */
typedef struct edit {
    uint32_t lo, hi;
    char text[32];
    const char *path; /* not NULL: of a file that is used */
} edit;

typedef struct edits {
    edit *item;
    size_t n, cap;
} edits;

/* Answers so far, over all entries. */
typedef struct answers {
    size_t given; /* up to the statement that is looked at */
    bool *wanted; /* by number */
    size_t count;
    bool counting; /* the first time: which are wanted */
    edits *edit;
} answers;

static bool add_edit(edits *l, uint32_t lo, uint32_t hi, edit **out) {
    void *p = l->item;
    bool ok = tg_grow(&p, &l->cap, l->n + 1, sizeof *l->item);
    l->item = p;
    if (!ok) return false;
    l->item[l->n] = (edit){.lo = lo, .hi = hi};
    *out = &l->item[l->n++];
    return true;
}

static bool note_answer(void *user, const tg_ast *e) {
    answers *a = user;
    edit *x;
    if (e->kind != TG_AST_NAME || !tg_module_names_answer(e->name)) return true;
    const size_t back = e->name[0] == 'a' ? 1 : (size_t)(e->name[1] - '0');
    if (back > a->given) return true;
    if (a->counting) a->wanted[a->given - back] = true;
    if (a->counting) return true;
    if (!add_edit(a->edit, e->span.lo, e->span.hi, &x)) return false;
    snprintf(x->text, sizeof x->text, "answer_%zu", a->given - back + 1);
    return true;
}

static bool was_answered(const tg_entry *e, uint32_t lo) {
    for (size_t i = 0; i < e->nanswers; i++)
        if (e->answer[i] == lo) return true;
    return false;
}

static bool answers_of(tg_interp *in, const tg_entry *e, answers *a) {
    tg_source *src = tg_source_new(e->src->name, e->src->text, e->len);
    tg_unit *unit = NULL;
    if (!src) return tg_fail_memory(&in->rt.c);
    bool ok = tg_parse(&in->rt.c, src, &unit) == TG_PARSE_OK;
    for (int i = 0; ok && i < unit->n; i++) {
        const tg_ast *s = unit->statements[i];
        ok = tg_ast_walk(&in->rt.c, s, note_answer, a) || tg_fail_memory(&in->rt.c);
        if (!ok || !was_answered(e, s->span.lo)) continue;
        edit *x;
        if (!a->counting && a->wanted[a->given]) {
            ok = add_edit(a->edit, s->span.lo, s->span.lo, &x) || tg_fail_memory(&in->rt.c);
            if (ok) snprintf(x->text, sizeof x->text, "answer_%zu = ", a->given + 1);
        }
        a->given++;
    }
    if (unit) tg_unit_drop(unit);
    tg_source_drop(src);
    return ok;
}

/* ---- the script ---- */

static size_t first_entry(const tg_journal *j) {
    size_t at = j->n;
    while (at > 0 && j->done[at - 1]->kind != TG_ENTRY_RESET) at--;
    return at;
}

/* `path` as seen from the folder if it lies below. */
static const char *from_folder(const char *folder, const char *path) {
    const size_t n = folder ? strlen(folder) : 0;
    return n && strncmp(folder, path, n) == 0 && path[n] == '/' ? path + n + 1 : path;
}

static int by_place(const void *a, const void *b) {
    const edit *x = a, *y = b;
    if (x->lo != y->lo) return x->lo < y->lo ? -1 : 1;
    return (x->hi > y->hi) - (x->hi < y->hi);
}

static void write_text(const tg_entry *e, const char *folder, edits *l, tg_str *out) {
    size_t at = 0, end = e->len;
    if (l->n > 1) qsort(l->item, l->n, sizeof *l->item, by_place);
    while (end > 0 && strchr(" \t\r\n;", e->src->text[end - 1])) end--;
    if (end == 0 || e->kind == TG_ENTRY_MODULE) return;
    if (e->kind == TG_ENTRY_FILE) tg_str_addf(out, "# from %s\n", e->src->name);
    for (size_t i = 0; i < l->n && l->item[i].lo <= end; i++) {
        const edit *x = &l->item[i];
        tg_str_addn(out, e->src->text + at, x->lo - at);
        if (x->path)
            tg_str_addf(out, "use \"%s\"", from_folder(folder, x->path));
        else
            tg_str_add(out, x->text);
        at = x->hi;
    }
    if (at < end) tg_str_addn(out, e->src->text + at, end - at);
    tg_str_addc(out, '\n');
}

static bool write_entry(tg_interp *in, const tg_entry *e, const char *folder, answers *a,
                        tg_str *out) {
    edits l = {0};
    bool ok = true;
    a->edit = &l;
    if (e->src && e->len > 0) {
        for (size_t i = 0; ok && i < e->nuses; i++) {
            edit *x;
            ok = add_edit(&l, e->use[i].lo, e->use[i].hi, &x) || tg_fail_memory(&in->rt.c);
            if (ok) x->path = e->use[i].path;
        }
        ok = ok && answers_of(in, e, a);
        if (ok) write_text(e, folder, &l, out);
    }
    a->edit = NULL;
    tg_free(l.item);
    if (ok) write_left(e, in->rt.drew_live, out);
    return ok;
}

bool tg_script_write(tg_interp *in, const char *folder, tg_str *out) {
    const tg_journal *j = in->journal;
    const size_t first = first_entry(j);
    answers a = {.counting = true};
    const tg_setting *from = first > 0 ? &j->done[first - 1]->after : &j->opening;
    for (size_t i = first; i < j->n; i++) a.count += j->done[i]->nanswers;
    a.wanted = tg_alloc_array(a.count + 1, sizeof *a.wanted);
    bool ok = a.wanted || tg_fail_memory(&in->rt.c);
    for (size_t i = first; ok && i < j->n; i++)
        if (j->done[i]->src && j->done[i]->len > 0) ok = answers_of(in, j->done[i], &a);
    a.given = 0;
    a.counting = false;
    if (ok && from->precision == TG_F32) tg_str_add(out, "precision single\n");
    if (ok && (from->seed || from->stream || in->rt.stream || in->rt.drew_live)) {
        tg_str_addf(out, "seed(%llu", (unsigned long long)from->seed);
        if (from->stream) tg_str_addf(out, ", draws=%llu", (unsigned long long)from->stream);
        if (in->rt.drew_live && from->tick)
            tg_str_addf(out, ", stores=%llu", (unsigned long long)from->tick);
        tg_str_add(out, ")\n");
    }
    for (size_t i = first; ok && i < j->n; i++) ok = write_entry(in, j->done[i], folder, &a, out);
    tg_free(a.wanted);
    return ok && (!out->failed || tg_fail_memory(&in->rt.c));
}
