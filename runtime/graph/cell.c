/* Cells: the places that formulas refer to and `:=` writes. They form a ring in order of
 * declaration, so that a size symbol can be looked up among all inputs that still exist. */
#include "runtime/graph/graph.h"
#include "base/alloc.h"

tg_cell *tg_cell_new(tg_rt *rt, tg_cell_kind kind, const char *name, const tg_type *type,
                     tg_tensor *value) {
    tg_graph *g = rt->graph;
    tg_cell *c = tg_alloc_array(1, sizeof *c);
    if (!c) {
        tg_fail_memory(&rt->c);
        return NULL;
    }
    *c =
        (tg_cell){.refs = 1, .kind = kind, .name = name, .type = *type, .serial = ++g->next_serial};
    if (kind != TG_CELL_LIFT && kind != TG_CELL_TURN)
        c->type.weak = false; /* a lifted plain number stays one */
    if (value) c->value = tg_tensor_hold(value);
    c->prev = g->cells.prev;
    c->next = &g->cells;
    c->prev->next = c->next->prev = c;
    return c;
}

tg_cell *tg_cell_hold(tg_cell *c) {
    if (c) c->refs++;
    return c;
}

void tg_cell_drop(tg_cell *c) {
    if (!c || --c->refs > 0) return;
    c->prev->next = c->next;
    c->next->prev = c->prev;
    tg_tensor_drop(c->value);
    tg_free(c);
}

static tg_cell *unless_end(tg_rt *rt, tg_cell *c) {
    return c == &rt->graph->cells ? NULL : c;
}

tg_cell *tg_cell_newest(tg_rt *rt) {
    return unless_end(rt, rt->graph->cells.prev);
}

tg_cell *tg_cell_before(tg_rt *rt, const tg_cell *c) {
    return unless_end(rt, c->prev);
}
