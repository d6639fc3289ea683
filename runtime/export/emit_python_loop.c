/* A loop (runtime/graph/loop.h) in Python: a `for` over the turns.
 *
 *     state = np.array([0, 0], dtype=np.float64)
 *     hs = []
 *     for turn in range(len(X)):
 *         row = X[turn]
 *         hs.append(state)
 *         state = np.tanh(state @ W + row)
 *     hs = _stack(hs, (2,), np.float64)
 *
 * The body is a formula with an emitter of its own: its slots are called as the user calls state
 * and row, or as what stands around the loop is called. All new states are computed before the
 * first takes the place of an old one. */
#include "runtime/export/emit_python.h"
#include "base/alloc.h"
#include "runtime/graph/loop.h"

#include <string.h>

typedef struct job {
    tg_emitter *e, body; /* of the formula around, and of the body */
    const tg_node *bundle;
    const tg_loop *loop;
    int nitems, nroots;
    const tg_node **item; /* of this loop in the formula */
    tg_node **root;       /* the next states, then what the items stack */
    const char **name;    /* of each slot */
    const char *turn;
    tg_str *s;
} job;

static void line(const job *j, int more) {
    tg_str_repeat(j->s, ' ', 4 * (1 + j->e->indent + more));
}

/* The items of the loop that the formula has, and the roots of the body. */
static bool list_items(job *j) {
    const tg_emitter *e = j->e;
    const tg_loop *l = j->loop;
    j->item = tg_alloc_array(e->count + 1, sizeof *j->item);
    if (!j->item) return tg_fail_memory(&e->rt->c);
    for (size_t i = 0; i < e->count; i++)
        if (tg_node_is_item(e->node[i]) && e->node[i]->arg[0] == j->bundle)
            j->item[j->nitems++] = e->node[i];
    j->root = tg_alloc_array((size_t)(l->carries + j->nitems) + 1, sizeof *j->root);
    j->name = tg_alloc_array((size_t)l->n + 1, sizeof *j->name);
    if (!j->root || !j->name) return tg_fail_memory(&e->rt->c);
    for (int i = 0; i < l->carries; i++) j->root[j->nroots++] = l->next[i];
    for (int i = 0; i < j->nitems; i++)
        if (tg_item_formula(j->item[i])) j->root[j->nroots++] = tg_item_formula(j->item[i]);
    return true;
}

/* name = the argument i of the loop, as an array of the slot's type */
static bool put_argument(job *j, int i) {
    const tg_node *a = j->bundle->arg[i];
    const bool torch = tg_python_is_torch(j->e), plain = tg_python_is_plain(j->e, a);
    line(j, 0);
    tg_str_addf(j->s, "%s = %s", j->name[i], !plain ? "" : torch ? "torch.tensor(" : "np.asarray(");
    if (!tg_python_expression(j->e, j->s, a)) return false;
    if (plain) {
        tg_str_add(j->s, torch ? ", dtype=" : ", ");
        tg_python_dtype(j->e, j->s, j->loop->slot[i]->type.dtype);
        tg_str_addc(j->s, ')');
    }
    tg_str_addc(j->s, '\n');
    return true;
}

/* What slot i is called; where it is no name that is there already, that is assigned. */
static bool name_slot(job *j, int i) {
    const tg_loop *l = j->loop;
    const bool state = i < l->carries, row = !state && i < l->carries + l->xs;
    const char *outside = tg_emit_info_of(j->e, j->bundle->arg[i])->name;
    tg_emit_info *own = tg_emit_info_of(&j->body, l->slot[i]);
    if (!own && !state && !(row && i == l->carries)) return true; /* nobody looks at it */
    if (state)
        j->name[i] = tg_emit_name(&j->body, l->state_name ? l->state_name : "state");
    else
        j->name[i] = outside ? outside : tg_emit_name(&j->body, row ? "rows" : "fixed");
    if (!j->name[i] || ((state || !outside) && !put_argument(j, i))) return false;
    if (!own) return true;
    own->name = row ? tg_emit_name(&j->body, l->row_name ? l->row_name : "row") : j->name[i];
    return own->name != NULL;
}

static void put_header(job *j) {
    const tg_loop *l = j->loop;
    line(j, 0);
    tg_str_addf(j->s, "for %s in %srange(", j->turn, l->reverse ? "reversed(" : "");
    if (l->xs > 0)
        tg_str_addf(j->s, "len(%s)", j->name[l->carries]);
    else
        tg_emit_size_text(j->e, j->s, tg_loop_turns(j->bundle), true);
    tg_str_add(j->s, l->reverse ? ")):\n" : "):\n");
    for (int i = l->carries; i < l->carries + l->xs; i++) {
        const tg_emit_info *own = tg_emit_info_of(&j->body, l->slot[i]);
        if (!own) continue;
        line(j, 1);
        tg_str_addf(j->s, "%s = %s[%s]\n", own->name, j->name[i], j->turn);
    }
}

static bool put_turn(job *j) {
    const int carries = j->loop->carries;
    int next = carries;
    put_header(j);
    if (!tg_python_lines(&j->body, j->s)) return false;
    for (int i = 0; i < j->nitems; i++) {
        if (!tg_item_formula(j->item[i])) continue;
        line(j, 1);
        tg_str_addf(j->s, "%s.append(", tg_emit_info_of(j->e, j->item[i])->name);
        if (!tg_python_expression(&j->body, j->s, j->root[next++])) return false;
        tg_str_add(j->s, ")\n");
    }
    line(j, 1);
    for (int i = 0; i < carries; i++) tg_str_addf(j->s, i ? ", %s" : "%s", j->name[i]);
    tg_str_add(j->s, carries ? " = " : "pass");
    for (int i = 0; i < carries; i++) {
        tg_str_add(j->s, i ? ", " : "");
        if (!tg_python_expression(&j->body, j->s, j->root[i])) return false;
    }
    tg_str_addc(j->s, '\n');
    return true;
}

/* The lists become arrays; what the formula calls the last states is these. */
static void put_items(const job *j, bool before) {
    for (int i = 0; i < j->nitems; i++) {
        const tg_node *n = j->item[i], *formula = tg_item_formula(n);
        const char *name = tg_emit_info_of(j->e, n)->name;
        if (before && !formula) continue;
        line(j, 0);
        if (before) {
            tg_str_addf(j->s, "%s = []\n", name);
        } else if (!formula) {
            tg_str_addf(j->s, "%s = %s\n", name, j->name[tg_item_carry(n)]);
        } else {
            tg_str_addf(j->s, "%s = _stack(%s%s, ", name, name, j->loop->reverse ? "[::-1]" : "");
            tg_python_shape(j->e, j->s, formula->type.rank, formula->type.dim);
            tg_str_add(j->s, ", ");
            tg_python_dtype(j->e, j->s, n->type.dtype);
            tg_str_add(j->s, ")\n");
        }
    }
}

static bool put_loop(job *j) {
    bool ok = true;
    for (int i = 0; ok && i < j->loop->n; i++) ok = name_slot(j, i);
    ok = ok && (j->turn = tg_emit_name(&j->body, "turn")) && tg_emit_choose(&j->body);
    if (!ok) return false;
    put_items(j, true);
    if (!put_turn(j)) return false;
    put_items(j, false);
    return true;
}

bool tg_python_loop(tg_emitter *e, tg_str *s, const tg_node *bundle) {
    job j = {.e = e, .bundle = bundle, .loop = tg_loop_of(bundle), .s = s};
    bool ok = tg_guard(&e->rt->c) && list_items(&j);
    if (ok) {
        const tg_emit_request ask = {.n = j.nroots, .root = j.root};
        ok = tg_emit_open_body(e, &ask, &j.body) && put_loop(&j);
        tg_emit_close_body(e, &j.body);
    }
    tg_free(j.item);
    tg_free(j.root);
    tg_free(j.name);
    return ok;
}
