/* Where the values of an emitted C function are, and in which loop each is computed.
 *
 * Elementwise operations of one shape share a loop: an operation joins an earlier loop over its
 * shape when all that it reads is ready there. Inside, it reads the same element as it writes, so
 * what the loop alone uses is a variable in it and takes no memory. All else has a part of one
 * workspace, or of the results; a part that is not read any more serves the next value of the same
 * shape. */
#include "runtime/export/emit_c.h"
#include "base/alloc.h"

#include <string.h>

/* Loops that are looked at for company, and the operations that one takes: a compiler must find
 * registers for them. */
enum { LOOK_BACK = 32, MOST = 48, SPARE_BUFFERS = 64 };

tg_c_spot *tg_c_spot_of(const tg_c_writer *c, const tg_node *n) {
    return &c->spot[tg_emit_info_of(c->w.e, n) - c->w.e->info];
}

bool tg_c_is_elementwise(const tg_node *n) {
    return n->op->class == TG_CLASS_ELEMENTWISE;
}

bool tg_c_is_look(const tg_node *n) {
    return !tg_emit_is_leaf(n) && !tg_c_is_elementwise(n) && n->op->c[0] == '=';
}

/* ---- groups ---- */

/* A loop over n's shape in which all of n's arguments, ready at group `ready`, can be read. */
static int loop_for(const tg_c_writer *c, const tg_node *n, int ready) {
    int least = c->ngroups - LOOK_BACK;
    for (int g = c->ngroups - 1; g >= ready && g >= 0 && g > least; g--) {
        const tg_c_group *group = &c->group[g];
        if (group->loop && group->count < MOST &&
            tg_type_same_shape(&c->w.e->node[group->first]->type, &n->type))
            return g;
    }
    return -1;
}

static void append(tg_c_writer *c, int i, int g, bool loop) {
    c->spot[i].group = g;
    if (g == c->ngroups) {
        c->group[c->ngroups++] = (tg_c_group){.first = i, .last = i, .count = 1, .loop = loop};
        return;
    }
    c->spot[c->group[g].last].next = i;
    c->group[g].last = i;
    c->group[g].count++;
}

static void make_groups(tg_c_writer *c) {
    const tg_emitter *e = c->w.e;
    for (size_t i = 0; i < e->count; i++) {
        const tg_node *n = e->node[i];
        int ready = -1;
        c->spot[i] = (tg_c_spot){TG_C_WRITTEN, -1, -1, -1};
        for (int k = 0; k < n->n; k++) {
            int group = tg_c_spot_of(c, n->arg[k])->group;
            if (group > ready) ready = group;
        }
        c->spot[i].group = ready;
        if (tg_emit_is_leaf(n) || !e->info[i].name) continue;
        int g = tg_c_is_elementwise(n) ? loop_for(c, n, ready) : -1;
        append(c, (int)i, g < 0 ? c->ngroups : g, tg_c_is_elementwise(n));
    }
}

/* ---- places ---- */

static int result_of(const tg_c_writer *c, size_t i) {
    const tg_emitter *e = c->w.e;
    for (int k = 0; k < e->ask->n; k++)
        if (e->info[i].name && e->info[i].name == c->result[k]) return k;
    return -1;
}

/* The group in which a value is read last; of a value in a loop, INT32_MAX when others read it. */
static void note_use(const tg_c_writer *c, int *last, const tg_node *of, int group) {
    size_t i = (size_t)(tg_c_spot_of(c, of) - c->spot);
    if (group > last[i]) last[i] = group;
}

/* owner[i]: the group that reads node i, which is written in place there. */
static void find_uses(const tg_c_writer *c, int *last, int *owner) {
    const tg_emitter *e = c->w.e;
    for (size_t i = 0; i < e->count; i++) last[i] = -1;
    for (int k = 0; k < e->ask->n; k++) note_use(c, last, e->root[k], INT32_MAX);
    for (size_t i = e->count; i-- > 0;) {
        const tg_node *n = e->node[i];
        const tg_node *user = e->info[i].user;
        owner[i] = c->spot[i].group;
        if (!e->info[i].name && user && !tg_emit_is_leaf(n))
            owner[i] = owner[tg_c_spot_of(c, user) - c->spot];
        for (int k = 0; k < n->n; k++) {
            note_use(c, last, n->arg[k], owner[i]);
            /* what reads a view reads what it looks at */
            if (tg_c_is_look(n)) note_use(c, last, n->arg[k], last[i]);
        }
    }
}

static int take_buffer(tg_c_writer *c, int *busy, const tg_node *n, int group, int until) {
    int from = c->nbuffers > SPARE_BUFFERS ? c->nbuffers - SPARE_BUFFERS : 0;
    for (int b = from; b < c->nbuffers; b++)
        if (busy[b] < group && tg_type_same_shape(&c->buffer[b]->type, &n->type)) {
            busy[b] = until;
            return b;
        }
    c->buffer[c->nbuffers] = n;
    busy[c->nbuffers] = until;
    return c->nbuffers++;
}

static void place(tg_c_writer *c, const int *last, int *busy) {
    const tg_emitter *e = c->w.e;
    for (size_t i = 0; i < e->count; i++)
        if (e->info[i].arg >= 0)
            c->spot[i].kind = e->node[i]->type.rank ? TG_C_ARRAY : TG_C_NUMBER;
        else if (tg_emit_is_leaf(e->node[i]) && e->info[i].name)
            c->spot[i].kind = TG_C_ARRAY; /* a table in the source */
    for (int g = 0; g < c->ngroups; g++)
        for (int i = c->group[g].first; i >= 0; i = c->spot[i].next) {
            const tg_node *n = e->node[i];
            tg_c_spot *spot = &c->spot[i];
            if (tg_c_is_look(n))
                spot->kind = TG_C_VIEW;
            else if (result_of(c, (size_t)i) >= 0)
                spot->kind = TG_C_ARRAY;
            else if (n->type.rank == 0 || (c->group[g].loop && last[i] == g))
                spot->kind = TG_C_NUMBER;
            else
                spot->kind = TG_C_ARRAY, spot->buffer = take_buffer(c, busy, n, g, last[i]);
        }
}

bool tg_c_plan(tg_c_writer *c) {
    tg_emitter *e = c->w.e;
    size_t n = e->count + 1;
    c->spot = tg_alloc_array(n, sizeof *c->spot);
    c->group = tg_alloc_array(n, sizeof *c->group);
    c->buffer = tg_alloc_array(n, sizeof *c->buffer);
    int *last = tg_alloc_array(n, sizeof *last), *other = tg_alloc_array(n, sizeof *other);
    bool ok = c->spot && c->group && c->buffer && last && other;
    if (ok) {
        make_groups(c);
        find_uses(c, last, other);
        place(c, last, other);
    }
    tg_free(last);
    tg_free(other);
    return ok || tg_fail_memory(&e->rt->c);
}

void tg_c_plan_free(tg_c_writer *c) {
    tg_free(c->spot);
    tg_free(c->group);
    tg_free(c->buffer);
    tg_free(c->result);
}
