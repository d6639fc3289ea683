/* A call of a function with a rule of the user's own, over a batch. The body is carried over it as
 * any formula is, and so is what the rule gives: over g and out of the batch, which get slots of
 * their own. For an argument that is the same for the whole batch its contributions are added up.
 * The call prints as one of vmap(f), and is not compared with differences once more. */
#include "base/alloc.h"
#include "runtime/graph/batch_rules.h"
#include "runtime/graph/ruled.h"

#include <string.h>

typedef struct job {
    tg_rt *rt;
    const tg_node *node;
    tg_ruled was;
    const bool *has; /* of the parts */
    int e;
    const tg_size *dim;
    tg_ruled made;
    tg_node **part, **result; /* of made */
    tg_node **from, **to;     /* what changes in the rule's results */
    int pairs;
} job;

/* The slot `like` of a call over the batch. */
static tg_node *slot(job *j, const tg_node *like) {
    tg_type type = like->type;
    if (!tg_batch_has_room(j->rt, j->e + type.rank)) return NULL;
    memmove(type.dim + j->e, type.dim, (size_t)type.rank * sizeof *type.dim);
    memcpy(type.dim, j->dim, (size_t)j->e * sizeof *type.dim);
    type.rank += j->e;
    tg_cell *c = tg_cell_new(j->rt, TG_CELL_SLOT, like->leaf.cell->name, &type, NULL);
    tg_node *n = c ? tg_node_cell(j->rt, c) : NULL;
    tg_cell_drop(c); /* the node holds it */
    return n;
}

/* f(\1, \1) as vmap(f)(\1, \1), with axis=(0, none) where some parts are the same for all. */
static const char *text_of(job *j) {
    const char *text = j->was.text, *open = strchr(text, '(');
    tg_str s = {0};
    bool some = false;
    for (int i = 0; i < j->was.n; i++) some = some || !j->has[i];
    tg_str_add(&s, "vmap(");
    tg_str_addn(&s, text, open ? (size_t)(open - text) : strlen(text));
    for (int i = 0; some && i < j->was.n; i++)
        tg_str_addf(&s, "%s%s", i ? ", " : ", axis=(", j->has[i] ? "0" : "none");
    tg_str_add(&s, some ? "))" : ")");
    tg_str_add(&s, open ? open : "");
    const char *made = s.failed ? NULL : tg_intern(&j->rt->c, tg_str_text(&s), s.len);
    if (s.failed) tg_fail_memory(&j->rt->c);
    tg_str_free(&s);
    return made;
}

static bool carry_result(job *j, int i) {
    tg_node *x = j->was.result[i];
    j->result[i] = NULL;
    if (j->was.part[i]->op != &tg_op_parameter || !tg_ruled_into(j->node, i + TG_RULED_PARTS))
        return true; /* none */
    if (!tg_batch_map(j->rt, j->e, j->dim, j->pairs, j->from, j->to, 1, &x, &x)) return false;
    if (!j->has[i] && j->e > 0) {
        const tg_attrs at = {.n = 2, .v = {(INT64_C(1) << j->e) - 1, 0}};
        x = tg_node_make(j->rt, tg_op_find("sum"), 1, &x, &at);
    }
    j->result[i] = x;
    return x != NULL;
}

static tg_node *make(job *j, tg_node *const *in) {
    const int n = j->was.n;
    j->made = (tg_ruled){.text = text_of(j),
                         .names = j->was.names,
                         .serial = j->was.serial,
                         .unchecked = true,
                         .body = in[0],
                         .g = slot(j, j->was.g),
                         .out = slot(j, j->was.out),
                         .n = n,
                         .part = j->part,
                         .result = j->result};
    if (!j->made.text || !j->made.g || !j->made.out) return NULL;
    for (int i = 0; i < n; i++) {
        j->part[i] = in[TG_RULED_PARTS + i];
        if (!j->has[i]) continue;
        j->from[j->pairs] = j->was.part[i];
        j->to[j->pairs++] = j->part[i];
    }
    j->from[j->pairs] = j->was.g, j->to[j->pairs++] = j->made.g;
    j->from[j->pairs] = j->was.out, j->to[j->pairs++] = j->made.out;
    for (int i = 0; i < n; i++)
        if (!carry_result(j, i)) return NULL;
    return tg_ruled_make(j->rt, &j->made);
}

tg_node *tg_batch_ruled(tg_rt *rt, const tg_node *node, tg_node *const *in, const bool *has, int e,
                        const tg_size *dim) {
    job j = {.rt = rt, .node = node, .was = tg_ruled_of(node), .e = e, .dim = dim};
    size_t n = (size_t)j.was.n;
    tg_node **room = tg_alloc_array(4 * n + 4, sizeof(tg_node *)), *made = NULL;
    if (room) {
        j.has = has + TG_RULED_PARTS;
        j.part = room, j.result = room + n;
        j.from = room + 2 * n, j.to = j.from + n + 2;
        made = make(&j, in);
    } else {
        tg_fail_memory(&rt->c);
    }
    tg_free(room);
    return made;
}
