/* What depends on what, by names. A name stands for a node; the names that it is directly made of
 * are those met first on the ways down from it. Walking down from each name would look at a part
 * that thousands of names share thousands of times, so what is below a node is handed up once, in
 * ascending order of ids, which is an order of evaluation: a node without a name passes on what its
 * arguments have, one with a name is itself what its users have. What is above is handed down in
 * the same way. Each carries a bounded number of names, so that all of it is linear. */
#include "interp/names.h"
#include "base/alloc.h"
#include "interp/call.h"
#include "interp/convert.h"
#include "interp/module.h"
#include "interp/resolve.h"

#include <stdlib.h>
#include <string.h>

static const uint32_t NOBODY = UINT32_MAX;

/* Bounded sets of rows: `links` places each. */
typedef struct sets {
    uint32_t *item;
    uint32_t *n;
    bool *more;
} sets;

typedef struct lister {
    tg_interp *in;
    tg_names *out;
    size_t links;
    tg_node **root; /* of all rows ... */
    size_t *owner_row;
    size_t nroots, cap, row_cap;
    tg_node **node; /* all that these reach, ascending */
    size_t count;
    uint32_t *owner; /* of each node: the row whose name it goes by, or NOBODY */
    sets below, above, needs, users;
    bool failed;
} lister;

/* ---- sets ---- */

static bool make_sets(sets *s, size_t n, size_t links) {
    s->item = tg_alloc_array(n * links, sizeof *s->item);
    s->n = tg_alloc_array(n, sizeof *s->n);
    s->more = tg_alloc_array(n, sizeof *s->more);
    return s->item && s->n && s->more;
}

static void free_sets(sets *s) {
    tg_free(s->item);
    tg_free(s->n);
    tg_free(s->more);
}

static void put(const lister *l, sets *s, size_t at, uint32_t row) {
    uint32_t *item = s->item + at * l->links;
    for (uint32_t i = 0; i < s->n[at]; i++)
        if (item[i] == row) return;
    if (s->n[at] == l->links)
        s->more[at] = true;
    else
        item[s->n[at]++] = row;
}

static void put_all(const lister *l, sets *to, size_t at, const sets *from, size_t which) {
    for (uint32_t i = 0; i < from->n[which]; i++) put(l, to, at, from->item[which * l->links + i]);
    if (from->more[which]) to->more[at] = true;
}

/* ---- roots ---- */

static void add_root(lister *l, size_t row, tg_node *n) {
    void *root = l->root, *rows = l->owner_row;
    bool ok = tg_grow(&root, &l->cap, l->nroots + 1, sizeof *l->root) &&
              tg_grow(&rows, &l->row_cap, l->nroots + 1, sizeof *l->owner_row);
    l->root = root;
    l->owner_row = rows;
    if (!ok) {
        l->failed = true;
        return;
    }
    l->root[l->nroots] = n;
    l->owner_row[l->nroots++] = row;
}

static void add_roots(lister *l, size_t row, tg_value v) {
    if (v.tag == TG_V_FORMULA) add_root(l, row, v.as.node);
    if (!tg_is_container(v) || !tg_is_live(v) || !tg_guard(&l->in->rt.c)) return;
    for (int i = 0; i < v.as.items->n; i++) add_roots(l, row, v.as.items->v[i]);
}

/* Its number in l->node, or l->count. No plan is being made, so `place` is free for it. */
static size_t place_of(const lister *l, const tg_node *n) {
    return n->place < l->count && l->node[n->place] == n ? n->place : l->count;
}

/* A node goes by the name that it prints under, else by the first that stands for it. */
static void find_owners(lister *l) {
    for (size_t i = 0; i < l->count; i++) l->owner[i] = NOBODY;
    for (size_t i = 0; i < l->nroots; i++) {
        const char *printed = tg_node_name(l->root[i]);
        uint32_t *owner = &l->owner[place_of(l, l->root[i])];
        const uint32_t row = (uint32_t)l->owner_row[i];
        if (*owner == NOBODY || (printed && l->out->row[row].name == printed)) *owner = row;
    }
}

static void hand_up(lister *l) {
    for (size_t i = 0; i < l->count; i++)
        for (int k = 0; k < l->node[i]->n; k++) {
            size_t a = place_of(l, l->node[i]->arg[k]);
            if (a == l->count) continue;
            if (l->owner[a] == NOBODY)
                put_all(l, &l->below, i, &l->below, a);
            else
                put(l, &l->below, i, l->owner[a]);
        }
    for (size_t i = 0; i < l->nroots; i++) {
        size_t at = place_of(l, l->root[i]), row = l->owner_row[i];
        if (l->owner[at] == row)
            put_all(l, &l->needs, row, &l->below, at);
        else
            put(l, &l->needs, row, l->owner[at]);
    }
}

static void hand_down(lister *l) {
    for (size_t i = 0; i < l->nroots; i++) {
        size_t at = place_of(l, l->root[i]), row = l->owner_row[i];
        if (l->owner[at] != row) put(l, &l->above, at, (uint32_t)row);
    }
    for (size_t i = l->count; i-- > 0;)
        for (int k = 0; k < l->node[i]->n; k++) {
            size_t a = place_of(l, l->node[i]->arg[k]);
            if (a == l->count) continue;
            if (l->owner[i] == NOBODY)
                put_all(l, &l->above, a, &l->above, i);
            else if (l->owner[i] != l->owner[a])
                put(l, &l->above, a, l->owner[i]);
        }
    for (size_t i = 0; i < l->count; i++)
        if (l->owner[i] != NOBODY) put_all(l, &l->users, l->owner[i], &l->above, i);
}

static bool link_formulas(lister *l) {
    if (l->nroots == 0) return true;
    if (!tg_node_collect_shown(&l->in->rt, (int)l->nroots, l->root, &l->node, &l->count))
        return false;
    l->owner = tg_alloc_array(l->count, sizeof *l->owner);
    if (!l->owner || !make_sets(&l->below, l->count, l->links) ||
        !make_sets(&l->above, l->count, l->links))
        return tg_fail_memory(&l->in->rt.c);
    for (size_t i = 0; i < l->count; i++) l->node[i]->place = (uint32_t)i;
    find_owners(l);
    hand_up(l);
    hand_down(l);
    return true;
}

/* ---- functions ---- */

static bool is_own(const tg_frame *frame, const char *name) {
    for (int i = 0; frame && i < frame->n; i++)
        if (frame->name[i] == name) return true;
    return false;
}

/* The user's names in the text, but for the function's own. */
static void link_text(lister *l, size_t row, const tg_frame *frame, const tg_ast *e) {
    if (!e || !tg_guard(&l->in->rt.c)) return;
    const bool names = e->kind == TG_AST_NAME && !is_own(frame, e->name);
    const struct tg_binding *b = names ? tg_env_binding(l->in->globals, e->name) : NULL;
    if (b) {
        const size_t at = (size_t)(b - l->in->globals->items);
        if (at != row) {
            put(l, &l->needs, row, (uint32_t)at);
            put(l, &l->users, at, (uint32_t)row);
        }
    }
    for (int i = 0; i < e->n; i++) link_text(l, row, frame, e->kids[i]);
}

static void link_functions(lister *l) {
    const tg_env *g = l->in->globals;
    for (size_t i = 0; i < g->n; i++) {
        const tg_value v = g->items[i].value;
        const tg_function *f = v.tag == TG_V_FUNCTION ? v.as.function : NULL;
        while (f && f->primal) f = f->primal;
        if (!f || !f->def) continue;
        link_text(l, i, tg_frame_of(l->in, f->unit, f->def), f->def->kids[f->def->n - 1]);
    }
}

/* ---- what each is ---- */

static const char *kind_of(tg_value v) {
    const tg_cell *c = tg_value_cell(v);
    switch (v.tag) {
    case TG_V_UNKNOWN:
    case TG_V_NONE: return "none";
    case TG_V_NUMBER: return "number";
    case TG_V_BOOL: return "bool";
    case TG_V_STRING: return "string";
    case TG_V_TENSOR: return "tensor";
    case TG_V_FORMULA:
        if (c) return c->kind == TG_CELL_INPUT ? "input" : "var";
        return v.as.node->op == &tg_op_size ? "size" : v.derived ? "gradient" : "formula";
    case TG_V_LIST: return "list";
    case TG_V_TUPLE: return "tuple";
    case TG_V_RECORD: return "record";
    case TG_V_RANGE: return "range";
    case TG_V_STREAM: return "batches";
    case TG_V_FUNCTION:
    case TG_V_OP:
    case TG_V_BUILTIN: return "function";
    }
    return "";
}

static void add_fields(const tg_items *items, tg_str *out) {
    enum { MOST = 4 };
    tg_str_addc(out, '{');
    for (int i = 0; i < items->n && i < MOST; i++)
        tg_str_addf(out, "%s%s", i ? ", " : "", items->field[i]);
    tg_str_add(out, items->n > MOST ? ", ...}" : "}");
}

static void add_parameters(const tg_function *f, tg_str *out) {
    tg_str s = {0};
    while (f->primal) f = f->primal;
    if (f->def) tg_function_signature(&s, f);
    const char *open = strchr(tg_str_text(&s), '(');
    if (open) tg_str_add(out, open);
    tg_str_free(&s);
}

static void add_shape(tg_interp *in, tg_value v, tg_str *out) {
    const tg_type t = v.tag == TG_V_TENSOR || v.tag == TG_V_FORMULA ? tg_type_of(v) : (tg_type){0};
    if (t.rank > 0) tg_shape_print(&in->rt, out, t.rank, t.dim);
    if (v.tag == TG_V_RECORD) add_fields(v.as.items, out);
    if (v.tag == TG_V_TUPLE || v.tag == TG_V_LIST)
        tg_str_addf(out, "%d item%s", v.as.items->n, v.as.items->n == 1 ? "" : "s");
    if (v.tag == TG_V_RANGE) tg_str_addf(out, "%.15g..%.15g", v.as.range->lo, v.as.range->hi);
    if (v.tag == TG_V_FUNCTION) add_parameters(v.as.function, out);
}

/* Of its own elements; of what a container holds in all. */
static size_t bytes_of(tg_interp *in, tg_value v) {
    const tg_cell *c = tg_value_cell(v);
    const tg_tensor *t = v.tag == TG_V_TENSOR ? v.as.tensor : c ? c->value : NULL;
    size_t sum = t ? (size_t)tg_view_count(&t->v) * tg_dtype_size(t->v.dtype) : 0;
    if (v.tag == TG_V_STRING) return v.as.text->len;
    if (!tg_is_container(v) || !tg_guard(&in->rt.c)) return sum;
    for (int i = 0; i < v.as.items->n; i++) sum += bytes_of(in, v.as.items->v[i]);
    return sum;
}

static bool describe(lister *l) {
    const tg_env *g = l->in->globals;
    for (size_t i = 0; i < g->n; i++) {
        tg_name_info *r = &l->out->row[i];
        const tg_value v = g->items[i].value;
        tg_str shape = {0};
        const bool typed = v.tag == TG_V_TENSOR || v.tag == TG_V_FORMULA;
        add_shape(l->in, v, &shape);
        *r = (tg_name_info){.name = g->items[i].name ? g->items[i].name : "",
                            .kind = kind_of(v),
                            .shape = tg_arena_copy(&l->out->arena, tg_str_text(&shape), shape.len),
                            .type = typed && strcmp(kind_of(v), "size") != 0
                                        ? tg_dtype_name(tg_type_of(v).dtype)
                                        : "",
                            .bytes = bytes_of(l->in, v)};
        const bool ok = r->shape && !shape.failed;
        tg_str_free(&shape);
        if (!ok) return false;
        if (r->name[0] != '_' || !tg_module_names_answer(r->name)) /* ans is enough */
            add_roots(l, i, v);
    }
    tg_clear(&l->in->rt.c); /* what is nested too deep is left out */
    return !l->failed;
}

static int ascending(const void *a, const void *b) {
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

static bool copy_links(lister *l, sets *s, size_t row, tg_name_links *out) {
    const size_t n = s->n[row];
    uint32_t *at = tg_arena_alloc(&l->out->arena, (n + 1) * sizeof *at);
    if (!at) return false;
    memcpy(at, s->item + row * l->links, n * sizeof *at);
    qsort(at, n, sizeof *at, ascending);
    *out = (tg_name_links){at, n, s->more[row]};
    return true;
}

bool tg_names_list(tg_interp *in, size_t links, tg_names *out) {
    lister l = {.in = in, .out = out, .links = links};
    const size_t n = in->globals->n;
    *out = (tg_names){0};
    out->row = tg_alloc_array(n, sizeof *out->row);
    bool ok =
        out->row && make_sets(&l.needs, n, links) && make_sets(&l.users, n, links) && describe(&l);
    if (!ok) tg_fail_memory(&in->rt.c);
    ok = ok && link_formulas(&l);
    if (ok) {
        link_functions(&l);
        tg_clear(&in->rt.c);
    }
    for (size_t i = 0; ok && i < n; i++)
        ok = (copy_links(&l, &l.needs, i, &out->row[i].needs) &&
              copy_links(&l, &l.users, i, &out->row[i].users)) ||
             tg_fail_memory(&in->rt.c);
    if (ok) out->n = n;
    tg_free(l.root);
    tg_free(l.owner_row);
    tg_free(l.node);
    tg_free(l.owner);
    free_sets(&l.below);
    free_sets(&l.above);
    free_sets(&l.needs);
    free_sets(&l.users);
    return ok;
}

void tg_names_free(tg_names *t) {
    tg_free(t->row);
    tg_arena_free(&t->arena);
    *t = (tg_names){0};
}

void tg_names_add(const tg_names *t, const tg_name_links *links, tg_str *out) {
    for (size_t i = 0; i < links->n; i++)
        tg_str_addf(out, "%s%s", i ? ", " : "", t->row[links->at[i]].name);
    if (links->more) tg_str_add(out, " and others");
}
