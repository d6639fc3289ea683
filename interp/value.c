/* Holding and dropping values, making containers.
 *
 * Containers, functions and scopes can be nested to any depth (t = (t, 1) in a loop), so dropping
 * does not recurse: what falls to no holders is put on a list, linked through the objects
 * themselves, and the list is worked off. */
#include "interp/interp.h"
#include "base/alloc.h"
#include "base/str.h"

#include <math.h>
#include <string.h>

typedef struct graveyard {
    tg_items *items;
    tg_function *functions;
    tg_env *envs;
} graveyard;

static void bury_env(graveyard *g, tg_env *e) {
    if (!e || --e->refs > 0) return;
    e->dying = g->envs;
    g->envs = e;
}

static void bury_function(graveyard *g, tg_function *f) {
    if (!f || --f->refs > 0) return;
    f->dying = g->functions;
    g->functions = f;
}

static void free_stream(tg_stream *s) {
    tg_value_drop(s->title);
    for (int i = 0; i < s->nparts; i++) tg_tensor_drop(s->part[i]);
    tg_free(s->order);
    tg_free(s);
}

static void bury(graveyard *g, tg_value v) {
    switch (v.tag) {
    case TG_V_STRING:
        if (--v.as.text->refs == 0) tg_free(v.as.text);
        break;
    case TG_V_TENSOR: tg_tensor_drop(v.as.tensor); break;
    case TG_V_FORMULA: tg_node_drop(v.as.node); break;
    case TG_V_LIST:
    case TG_V_TUPLE:
    case TG_V_RECORD:
        if (--v.as.items->refs == 0) {
            v.as.items->dying = g->items;
            g->items = v.as.items;
        }
        break;
    case TG_V_FUNCTION: bury_function(g, v.as.function); break;
    case TG_V_RANGE:
        if (--v.as.range->refs == 0) tg_free(v.as.range);
        break;
    case TG_V_STREAM:
        if (--v.as.stream->refs == 0) free_stream(v.as.stream);
        break;
    case TG_V_NONE:
    case TG_V_NUMBER:
    case TG_V_BOOL:
    case TG_V_OP:
    case TG_V_BUILTIN:
    case TG_V_UNKNOWN: break;
    }
}

static void leave_ring(tg_env *e) {
    if (!e->next) return;
    e->next->prev = e->prev;
    e->prev->next = e->next;
    e->next = e->prev = NULL;
}

static void work_off(graveyard *g) {
    while (g->items || g->functions || g->envs) {
        if (g->items) {
            tg_items *t = g->items;
            g->items = t->dying;
            for (int i = 0; i < t->n; i++) bury(g, t->v[i]);
            if (t->said) bury(g, (tg_value){.tag = TG_V_STRING, .as.text = t->said});
            tg_free(t);
        } else if (g->functions) {
            tg_function *f = g->functions;
            g->functions = f->dying;
            bury_env(g, f->env);
            bury_function(g, f->primal);
            bury_function(g, f->rule);
            bury(g, f->native);
            bury(g, f->given);
            tg_unit_drop(f->unit);
            tg_free(f);
        } else {
            tg_env *e = g->envs;
            g->envs = e->dying;
            for (size_t i = 0; i < e->n; i++) bury(g, e->items[i].value);
            bury_env(g, e->parent);
            leave_ring(e);
            tg_free(e->items);
            tg_free(e->slots);
            tg_free(e);
        }
    }
}

void tg_value_drop(tg_value v) {
    graveyard g = {0};
    bury(&g, v);
    work_off(&g);
}

tg_value tg_value_hold(tg_value v) {
    switch (v.tag) {
    case TG_V_STRING: v.as.text->refs++; break;
    case TG_V_TENSOR: tg_tensor_hold(v.as.tensor); break;
    case TG_V_FORMULA: tg_node_hold(v.as.node); break;
    case TG_V_LIST:
    case TG_V_TUPLE:
    case TG_V_RECORD: v.as.items->refs++; break;
    case TG_V_FUNCTION: v.as.function->refs++; break;
    case TG_V_RANGE: v.as.range->refs++; break;
    case TG_V_STREAM: v.as.stream->refs++; break;
    case TG_V_NONE:
    case TG_V_NUMBER:
    case TG_V_BOOL:
    case TG_V_OP:
    case TG_V_BUILTIN:
    case TG_V_UNKNOWN: break;
    }
    return v;
}

const char *tg_value_kind(tg_value v) {
    static const char *const kind[] = {
        [TG_V_NONE] = "nothing",       [TG_V_NUMBER] = "a number",
        [TG_V_BOOL] = "a truth value", [TG_V_STRING] = "a string",
        [TG_V_TENSOR] = "a tensor",    [TG_V_FORMULA] = "a formula",
        [TG_V_LIST] = "a list",        [TG_V_TUPLE] = "a tuple",
        [TG_V_RECORD] = "a record",    [TG_V_FUNCTION] = "a function",
        [TG_V_OP] = "a function",      [TG_V_BUILTIN] = "a function",
        [TG_V_RANGE] = "a range",      [TG_V_STREAM] = "a stream of batches",
        [TG_V_UNKNOWN] = "a value",
    };
    if (v.tag == TG_V_FORMULA && !v.as.node->live) /* the stand-in of a value (check.h) */
        return kind[v.as.node->type.rank > 0 ? TG_V_TENSOR : TG_V_NUMBER];
    return kind[v.tag];
}

bool tg_value_string(tg_ctx *c, const char *s, size_t n, tg_value *out) {
    tg_text *t = n < SIZE_MAX / 2 ? tg_alloc(sizeof *t + n + 1) : NULL;
    if (!t) return tg_fail_memory(c);
    t->refs = 1;
    t->bare = false;
    t->len = n;
    if (n) memcpy(t->bytes, s, n);
    t->bytes[n] = 0;
    *out = (tg_value){.tag = TG_V_STRING, .as.text = t};
    return true;
}

int64_t tg_text_length(const tg_text *t) {
    int64_t n = 0;
    for (size_t at = 0; at < t->len; n++)
        at += (size_t)tg_utf8_next(t->bytes + at, t->len - at, NULL);
    return n;
}

bool tg_value_range(tg_ctx *c, double lo, double hi, tg_value *out) {
    struct tg_range *r = tg_alloc(sizeof *r);
    if (!r) return tg_fail_memory(c);
    *r = (struct tg_range){1, lo, hi};
    *out = (tg_value){.tag = TG_V_RANGE, .as.range = r};
    return true;
}

bool tg_range_count(tg_ctx *c, const struct tg_range *r, int64_t *n) {
    double count = floor(r->hi - r->lo + 1e-9) + 1;
    if (!(count < 9e15)) return tg_fail(c, TG_ERR_VALUE, "a range needs two finite ends");
    *n = count > 0 ? (int64_t)count : 0;
    return true;
}

bool tg_value_items(tg_ctx *c, tg_tag tag, int n, tg_value *out) {
    size_t room = sizeof(tg_value) + (tag == TG_V_RECORD ? sizeof(char *) : 0), bytes;
    if (!tg_size_mul((size_t)n, room, &bytes)) return tg_fail_memory(c);
    tg_items *t = tg_alloc_array(1, sizeof *t + bytes);
    if (!t) return tg_fail_memory(c);
    t->refs = 1;
    t->n = n;
    t->v = (tg_value *)(t + 1);
    t->field = tag == TG_V_RECORD ? (const char **)(t->v + n) : NULL;
    *out = (tg_value){.tag = tag, .as.items = t};
    return true;
}

void tg_value_nest_like(tg_value made, tg_value like) {
    made.as.items->depth = like.as.items->depth;
    made.as.items->total = like.as.items->total;
}

bool tg_value_seal(tg_ctx *c, tg_value made, tg_value *out) {
    tg_items *items = made.as.items;
    int depth = 0;
    int64_t total = items->n;
    items->numbers = true;
    for (int i = 0; i < items->n; i++) {
        tg_value x = items->v[i];
        items->numbers = items->numbers && x.tag == TG_V_NUMBER;
        bool holds = x.tag == TG_V_LIST || x.tag == TG_V_TUPLE || x.tag == TG_V_RECORD;
        if (holds && x.as.items->depth > depth) depth = x.as.items->depth;
        if (holds && total <= TG_MAX_ITEMS) total += x.as.items->total;
    }
    items->depth = depth + 1;
    items->total = total;
    if (depth < TG_MAX_NESTING && total <= TG_MAX_ITEMS) {
        *out = made;
        return true;
    }
    tg_value_drop(made);
    if (total > TG_MAX_ITEMS)
        return tg_fail(c, TG_ERR_VALUE, "tuples, lists and records hold at most %d things in all",
                       TG_MAX_ITEMS);
    return tg_fail(c, TG_ERR_DEPTH, "tuples, lists and records can be nested at most %d deep",
                   TG_MAX_NESTING);
}

tg_value tg_value_tensor(tg_tensor *t) {
    if (t->v.rank > 0) return (tg_value){.tag = TG_V_TENSOR, .as.tensor = t};
    double x = tg_view_get(&t->v, 0);
    tg_value v = t->v.dtype == TG_BOOL ? tg_value_bool(x != 0) : tg_value_number(x);
    tg_tensor_drop(t);
    return v;
}

tg_value tg_value_formula(tg_node *n, uint32_t assumed) {
    return (tg_value){.tag = TG_V_FORMULA, .assumed = assumed, .as.node = tg_node_hold(n)};
}

tg_value *tg_value_field(tg_value record, const char *interned_name) {
    for (int i = 0; i < record.as.items->n; i++)
        if (record.as.items->field[i] == interned_name) return &record.as.items->v[i];
    return NULL;
}

/* ---- environments ---- */

enum { HASH_FROM = 12 }; /* smaller scopes are searched from end to end */

tg_env *tg_env_new(tg_env *parent) {
    tg_env *e = tg_alloc_array(1, sizeof *e);
    if (!e) return NULL;
    e->refs = 1;
    e->parent = tg_env_hold(parent);
    return e;
}

enum { CALL_ITEMS = 12, MOST_IDLE = 256 };

tg_env *tg_env_new_call(tg_interp *in, const tg_frame *frame, tg_env *parent) {
    size_t n = (size_t)frame->n;
    tg_env *e = in->idle;
    if (e && n < CALL_ITEMS) {
        in->idle = e->dying;
        in->nidle--;
        e->refs = 1;
        e->parent = tg_env_hold(parent);
    } else {
        e = tg_env_new(parent);
        if (!e) return NULL;
        e->cap = n < CALL_ITEMS ? CALL_ITEMS : n + 1;
        e->items = tg_alloc_array(e->cap, sizeof *e->items);
        if (!e->items) {
            tg_env_drop(e);
            return NULL;
        }
    }
    e->frame = frame;
    e->n = n;
    return e;
}

void tg_env_give_back(tg_interp *in, tg_env *e) {
    if (e->refs > 1 || e->next || e->cap != CALL_ITEMS || in->nidle == MOST_IDLE) {
        tg_env_drop(e);
        return;
    }
    for (size_t i = 0; i < e->n; i++) {
        tg_value v = e->items[i].value;
        e->items[i] = (struct tg_binding){0};
        if (v.tag > TG_V_BOOL) tg_value_drop(v);
    }
    if (e->parent) tg_env_drop(e->parent);
    e->parent = NULL;
    e->frame = NULL;
    e->n = 0;
    e->dying = in->idle;
    in->idle = e;
    in->nidle++;
}

void tg_env_join_ring(tg_interp *in, tg_env *e) {
    tg_env *anchor = in->globals;
    if (!anchor->next) anchor->next = anchor->prev = anchor;
    for (; e && e != in->library && !e->next; e = e->parent) {
        e->next = anchor->next;
        e->prev = anchor;
        e->next->prev = e;
        anchor->next = e;
    }
}

void tg_env_clear_ring(tg_env *anchor) {
    while (anchor->next && anchor->next != anchor) {
        tg_env *e = tg_env_hold(anchor->next);
        leave_ring(e);
        tg_env_clear(e);
        tg_env_drop(e);
    }
}

tg_env *tg_env_hold(tg_env *e) {
    if (e) e->refs++;
    return e;
}

void tg_env_drop(tg_env *e) {
    graveyard g = {0};
    bury_env(&g, e);
    work_off(&g);
}

void tg_env_clear(tg_env *e) {
    size_t n = e->n;
    e->n = 0;
    e->frame = NULL;
    if (e->slots) memset(e->slots, 0, e->nslots * sizeof *e->slots);
    for (size_t i = 0; i < n; i++) tg_value_drop(e->items[i].value);
}

static size_t slot_of(const tg_env *e, const char *name) {
    size_t at = ((uintptr_t)name >> 3) * 11400714819323198485u & (e->nslots - 1);
    while (e->slots[at] && e->items[e->slots[at] - 1].name != name) at = (at + 1) & (e->nslots - 1);
    return at;
}

struct tg_binding *tg_env_binding(tg_env *e, const char *name) {
    if (e->slots) {
        size_t k = e->slots[slot_of(e, name)];
        return k ? &e->items[k - 1] : NULL;
    }
    for (size_t i = 0; i < e->n; i++)
        if (e->items[i].name == name) return &e->items[i];
    return NULL;
}

tg_value *tg_env_find(tg_env *e, const char *name) {
    struct tg_binding *b = tg_env_binding(e, name);
    return b ? &b->value : NULL;
}

static void fill_slots(tg_env *e) {
    for (size_t i = 0; i < e->n; i++)
        if (e->items[i].name) e->slots[slot_of(e, e->items[i].name)] = i + 1;
}

void tg_env_find_anew(tg_env *e) {
    e->changes++;
    if (!e->slots) return;
    memset(e->slots, 0, e->nslots * sizeof *e->slots);
    fill_slots(e);
}

/* Rebuilds the hash index for at least `need` names. */
static bool reindex(tg_env *e, size_t need) {
    size_t nslots = 64;
    while (nslots < need * 2) nslots *= 2;
    size_t *slots = tg_alloc_array(nslots, sizeof *slots);
    if (!slots) return false;
    tg_free(e->slots);
    e->slots = slots;
    e->nslots = nslots;
    fill_slots(e);
    return true;
}

bool tg_env_reserve(tg_env *e, size_t more) {
    void *items = e->items;
    size_t need = e->n + more;
    bool ok = tg_grow(&items, &e->cap, need, sizeof *e->items);
    e->items = items;
    return ok && (need < HASH_FROM || need * 2 <= e->nslots || e->frame || reindex(e, need));
}

/* The place that a scope has for a name that is not defined yet; NULL: none was foreseen, and from
 * here on the scope is one like the global one. */
static struct tg_binding *foreseen(tg_env *e, const char *name) {
    for (int i = 0; e->frame && i < e->frame->n; i++)
        if (e->frame->name[i] == name) return &e->items[i];
    e->frame = NULL;
    return NULL;
}

bool tg_env_set(tg_env *e, const char *name, tg_value v) {
    struct tg_binding *old = tg_env_binding(e, name);
    if (old) {
        tg_value was = old->value;
        *old = (struct tg_binding){.name = name, .value = v};
        tg_value_drop(was);
        return true;
    }
    struct tg_binding *place = foreseen(e, name);
    if (place) {
        *place = (struct tg_binding){.name = name, .value = v};
        return true;
    }
    if (!tg_env_reserve(e, 1)) {
        tg_value_drop(v);
        return false;
    }
    e->items[e->n++] = (struct tg_binding){.name = name, .value = v};
    e->changes++;
    if (e->slots) e->slots[slot_of(e, name)] = e->n;
    return true;
}
