/* Looking at a session and going back: by difference, not by copy.
 *
 * The shadow is an array beside each scope and one for the cells, with what stood there at the last
 * look. A look compares (ten thousand names are a few tens of microseconds), and only what differs
 * costs memory. So nothing is done where names are bound and values stored, and loops are as fast
 * as ever.
 *
 * Going back exchanges: what stood there comes from the delta, what stands there goes into it, and
 * needs no memory. Names are only ever added at the end of a scope, and deltas are exchanged in the
 * opposite order of their making, so the places of names are right again; `changes` of the scope
 * moves on, by which whoever remembers a place (resolve.c, code_run.c) sees that it may be
 * another's. A cell's version moves on too: plans that keep what they computed from it compute it
 * anew.
 *
 * Labels of formulas and names of cells are by what they print. They are taken off all that goes
 * before they are put on what comes, as one formula may have been under two names. */
#include "interp/snapshot.h"
#include "base/alloc.h"
#include "interp/convert.h"
#include "interp/module.h"
#include "runtime/ops/attrs.h"

#include <string.h>

typedef struct kept_name {
    struct tg_binding was; /* value held */
    const char *label;
    uint64_t number; /* of the last delta that has it */
} kept_name;

typedef struct kept_scope {
    tg_env *env; /* held */
    size_t n, cap;
    const tg_frame *frame;
    uint64_t number;
    kept_name *item;
} kept_scope;

typedef struct kept_cell {
    tg_cell *cell;    /* held */
    tg_tensor *value; /* held */
    const char *name, *was;
    uint64_t number;
} kept_cell;

struct tg_shadow {
    size_t n, cap, ncells, cells_cap;
    kept_scope *scope; /* the user's names, the library's, those that functions keep */
    kept_cell *cell;
    uint64_t serial; /* of the last cell seen */
    uint64_t deltas; /* so far */
    tg_setting setting;
    int used;
    tg_assumed *assumed; /* NULL: not known, or nothing */
    uint64_t assumed_changes;
};

tg_setting tg_setting_now(const tg_interp *in) {
    return (tg_setting){in->rt.precision, in->rt.seed, in->rt.stream, in->rt.tick, in->format};
}

void tg_setting_restore(tg_interp *in, const tg_setting *s) {
    in->rt.precision = s->precision;
    in->rt.seed = s->seed;
    in->rt.stream = s->stream;
    in->rt.tick = s->tick;
    in->format = s->format;
}

static const char *label_of(tg_value v) {
    return v.tag == TG_V_FORMULA ? v.as.node->label : NULL;
}

static bool same_value(tg_value a, tg_value b) {
    if (a.tag != b.tag) return false;
    switch (a.tag) {
    case TG_V_NONE: return true;
    case TG_V_BOOL: return a.as.truth == b.as.truth;
    case TG_V_NUMBER: return tg_attr_bits(a.as.number) == tg_attr_bits(b.as.number);
    case TG_V_FORMULA:
        if (a.unfold != b.unfold || a.derived != b.derived || a.assumed != b.assumed) return false;
        return a.as.node == b.as.node;
    default: return a.as.text == b.as.text; /* the same thing, whatever it is */
    }
}

static bool same_binding(const struct tg_binding *a, const struct tg_binding *b) {
    return a->name == b->name && a->alias == b->alias && same_value(a->value, b->value);
}

/* Grows the array that `items` points to the pointer of. */
static bool grow(void *items, size_t *cap, size_t need, size_t size) {
    void *p;
    memcpy(&p, items, sizeof p);
    bool ok = tg_grow(&p, cap, need, size);
    memcpy(items, &p, sizeof p);
    return ok;
}

/* ---- deltas ---- */

static void free_names(tg_changed_name *c, size_t n) {
    for (size_t i = 0; i < n; i++) {
        tg_value_drop(c[i].old.value);
        tg_env_drop(c[i].env);
    }
    tg_free(c);
}

void tg_delta_free(tg_delta *d) {
    if (!d) return;
    free_names(d->name, d->nnames);
    for (size_t i = 0; i < d->nscopes; i++) tg_env_drop(d->scope[i].env);
    tg_free(d->scope);
    for (size_t i = 0; i < d->ncells; i++) {
        tg_tensor_drop(d->cell[i].value);
        tg_cell_drop(d->cell[i].cell);
    }
    tg_free(d->cell);
    for (size_t i = 0; i < d->nrules; i++) {
        const tg_changed_rule *r = &d->rule[i];
        tg_value_drop((tg_value){.tag = TG_V_FUNCTION, .as.function = r->function});
        if (r->rule) tg_value_drop((tg_value){.tag = TG_V_FUNCTION, .as.function = r->rule});
    }
    tg_free(d->rule);
    tg_assume_copy_free(d->assumed);
    for (int i = 0; i < d->ntail; i++) tg_free(d->tail[i]);
    tg_free(d->tail);
    tg_free(d);
}

/* Takes the value of `was`. */
static bool add_name(tg_delta *d, tg_env *env, size_t at, const kept_name *was) {
    if (!grow(&d->name, &d->names_cap, d->nnames + 1, sizeof *d->name)) return false;
    d->name[d->nnames++] = (tg_changed_name){tg_env_hold(env), at, was->was, was->label};
    return true;
}

/* Takes the value of k. */
static bool add_cell(tg_delta *d, tg_cell *cell, const kept_cell *k) {
    if (!grow(&d->cell, &d->cells_cap, d->ncells + 1, sizeof *d->cell)) return false;
    d->cell[d->ncells++] = (tg_changed_cell){tg_cell_hold(cell), k->value, k->name, k->was};
    return true;
}

bool tg_delta_note_rule(tg_interp *in, tg_delta *d, tg_function *f) {
    if (!grow(&d->rule, &d->rules_cap, d->nrules + 1, sizeof *d->rule))
        return tg_fail_memory(&in->rt.c);
    d->rule[d->nrules++] = (tg_changed_rule){f, f->rule};
    f->refs++;
    if (f->rule) f->rule->refs++;
    return true;
}

bool tg_delta_reserve_used(tg_interp *in, tg_delta *d, int n) {
    const size_t more = in->nused > n ? (size_t)(in->nused - n) : 0;
    return grow(&d->tail, &d->tail_cap, more, sizeof *d->tail);
}

static bool same_draws(const tg_setting *a, const tg_setting *b) {
    return a->seed == b->seed && a->stream == b->stream;
}

/* That a result carries an assumption changes nothing. */
static bool same_assumptions(const tg_interp *in, const tg_assumed *was) {
    const tg_assumed *now = in->rt.assumed;
    if (!was) return true;
    for (int i = 0; i < TG_FACTS; i++)
        if (was->fact[i].condition != now->fact[i].condition) return false;
    return was->in_force == now->in_force;
}

bool tg_delta_is_answer(const tg_interp *in, const tg_delta *d) {
    const tg_setting now = tg_setting_now(in);
    if (d->ncells || d->nrules || !same_assumptions(in, d->assumed) || d->used != in->nused ||
        now.precision != d->setting.precision || now.format != d->setting.format ||
        !same_draws(&now, &d->setting))
        return false;
    for (size_t i = 0; i < d->nnames; i++) {
        const tg_changed_name *c = &d->name[i];
        const char *name = c->old.name ? c->old.name : c->env->items[c->at].name;
        if (c->env != in->globals || !name || !tg_module_names_answer(name)) return false;
    }
    return true;
}

bool tg_delta_is_empty(const tg_interp *in, const tg_delta *d) {
    return d->nnames == 0 && d->nscopes == 0 && tg_delta_is_answer(in, d);
}

static size_t own_bytes(tg_interp *in, tg_value v) {
    size_t bytes = 0;
    if (v.tag == TG_V_TENSOR && v.as.tensor->refs == 1 && v.as.tensor->buf->refs == 1)
        return v.as.tensor->buf->bytes;
    if (!tg_is_container(v) || v.as.items->refs > 1 || !tg_guard(&in->rt.c)) return 0;
    for (int i = 0; i < v.as.items->n; i++) bytes += own_bytes(in, v.as.items->v[i]);
    return bytes;
}

size_t tg_delta_bytes(tg_interp *in, const tg_delta *d) {
    size_t bytes = 0;
    for (size_t i = 0; i < d->nnames; i++) bytes += own_bytes(in, d->name[i].old.value);
    for (size_t i = 0; i < d->ncells; i++) {
        const tg_tensor *t = d->cell[i].value;
        if (t && t->refs == 1 && t->buf->refs == 1) bytes += t->buf->bytes;
    }
    return bytes;
}

/* ---- looking ---- */

void tg_news_free(tg_news *news) {
    tg_free(news->name);
    tg_free(news->cell);
    *news = (tg_news){0};
}

static bool tell_name(tg_news *news, size_t at) {
    if (!news) return true;
    if (!grow(&news->name, &news->cap, news->n + 1, sizeof *news->name)) return false;
    news->name[news->n++] = at;
    return true;
}

static bool tell_cell(tg_news *news, tg_cell *c) {
    if (!news) return true;
    if (!grow(&news->cell, &news->cells_cap, news->ncells + 1, sizeof(tg_cell *))) return false;
    news->cell[news->ncells++] = c;
    return true;
}

/* The k-th name of the scope is not what it was, or is new. */
static bool keep_name(kept_scope *k, size_t at, tg_delta *d) {
    static const struct tg_binding none;
    kept_name *was = &k->item[at];
    const struct tg_binding *now = at < k->env->n ? &k->env->items[at] : &none;
    if (d && was->number != d->number) {
        if (!add_name(d, k->env, at, was)) return false;
        was->number = d->number;
    } else {
        tg_value_drop(was->was.value);
    }
    was->was = *now;
    tg_value_hold(now->value);
    was->label = label_of(now->value);
    return true;
}

static bool look_at_scope(tg_interp *in, kept_scope *k, tg_delta *d, tg_news *news) {
    tg_env *e = k->env;
    const size_t before = k->n;
    if (e->n > k->n) {
        if (!grow(&k->item, &k->cap, e->n, sizeof *k->item)) return false;
        memset(k->item + k->n, 0, (e->n - k->n) * sizeof *k->item);
        k->n = e->n;
    }
    for (size_t i = 0; i < k->n; i++) {
        const struct tg_binding *b = &e->items[i];
        if (i < e->n && same_binding(b, &k->item[i].was)) {
            const char *label = label_of(b->value);
            if (label == k->item[i].label) continue;
        } else if (e == in->globals && i < e->n && !tell_name(news, i)) {
            return false;
        }
        if (!keep_name(k, i, d)) return false;
    }
    if (d && (before != e->n || k->frame != e->frame) && k->number != d->number) {
        if (!grow(&d->scope, &d->scopes_cap, d->nscopes + 1, sizeof *d->scope)) return false;
        d->scope[d->nscopes++] = (tg_changed_scope){tg_env_hold(e), before, k->frame};
        k->number = d->number;
    }
    k->n = e->n;
    k->frame = e->frame;
    return true;
}

static void forget_scope(kept_scope *k) {
    for (size_t i = 0; i < k->n; i++) tg_value_drop(k->item[i].was.value);
    tg_free(k->item);
    k->env->kept = false;
    tg_env_drop(k->env);
}

/* From here on the scope is looked at; how it stands now is nothing new. */
static bool add_scope(tg_interp *in, tg_shadow *s, tg_env *e) {
    if (!grow(&s->scope, &s->cap, s->n + 1, sizeof *s->scope)) return false;
    s->scope[s->n++] = (kept_scope){.env = tg_env_hold(e), .frame = e->frame};
    e->kept = true;
    return look_at_scope(in, &s->scope[s->n - 1], NULL, NULL);
}

/* Functions put the scopes that they keep at the beginning of the ring. */
static bool look_at_ring(tg_interp *in, tg_shadow *s, tg_delta *d) {
    size_t left = 2;
    for (size_t i = 2; i < s->n; i++) {
        kept_scope *k = &s->scope[i];
        if (k->env->refs == 1)
            forget_scope(k);
        else
            s->scope[left++] = *k;
    }
    s->n = left;
    for (size_t i = 2; i < s->n; i++)
        if (!look_at_scope(in, &s->scope[i], d, NULL)) return false;
    tg_env *anchor = in->globals;
    for (tg_env *e = anchor->next; e && e != anchor && !e->kept; e = e->next)
        if (!add_scope(in, s, e)) return false;
    return true;
}

static bool look_at_cell(kept_cell *k, tg_delta *d, tg_news *news) {
    tg_cell *c = k->cell;
    if (c->value == k->value && c->name == k->name && c->was == k->was) return true;
    if (c->value != k->value && !tell_cell(news, c)) return false;
    if (d && k->number != d->number) {
        if (!add_cell(d, c, k)) return false;
        k->number = d->number;
    } else {
        tg_tensor_drop(k->value);
    }
    k->value = tg_tensor_hold(c->value);
    k->name = c->name;
    k->was = c->was;
    return true;
}

/* A var without a value is the parameter of a function that was differentiated. */
static bool is_of_user(const tg_cell *c) {
    return c->kind == TG_CELL_INPUT || (c->kind == TG_CELL_VAR && c->value);
}

/* A new cell was without value and name before: what is gone back to must not find sizes in it.
 * Those without a name are nobody's but the interpreter's. */
static bool look_at_cells(tg_interp *in, tg_shadow *s, tg_delta *d, tg_news *news) {
    size_t left = 0;
    for (size_t i = 0; i < s->ncells; i++) {
        kept_cell *k = &s->cell[i];
        if (k->cell->refs == 1) {
            tg_tensor_drop(k->value);
            tg_cell_drop(k->cell);
        } else {
            s->cell[left++] = *k;
        }
    }
    s->ncells = left;
    for (size_t i = 0; i < s->ncells; i++)
        if (!look_at_cell(&s->cell[i], d, news)) return false;
    uint64_t newest = s->serial;
    for (tg_cell *c = tg_cell_newest(&in->rt); c && c->serial > s->serial;
         c = tg_cell_before(&in->rt, c)) {
        if (c->serial > newest) newest = c->serial;
        if (!is_of_user(c)) continue;
        if (!grow(&s->cell, &s->cells_cap, s->ncells + 1, sizeof *s->cell)) return false;
        s->cell[s->ncells++] = (kept_cell){.cell = tg_cell_hold(c)};
        if (!look_at_cell(&s->cell[s->ncells - 1], c->name ? d : NULL, c->name ? news : NULL))
            return false;
    }
    s->serial = newest;
    return true;
}

static bool look_at_assumed(tg_interp *in, tg_shadow *s, tg_delta *d) {
    if (in->rt.assumed->changes == s->assumed_changes) return true;
    if (d && !d->assumed) {
        d->assumed = s->assumed;
        s->assumed = NULL;
    }
    tg_assume_copy_free(s->assumed);
    s->assumed = tg_assume_copy(&in->rt);
    s->assumed_changes = in->rt.assumed->changes;
    return s->assumed != NULL;
}

bool tg_shadow_begin(tg_interp *in, tg_shadow *s, tg_delta *d) {
    d->number = ++s->deltas;
    d->setting = s->setting;
    d->used = s->used;
    if (s->assumed) return true;
    s->assumed = tg_assume_copy(&in->rt);
    s->assumed_changes = in->rt.assumed->changes;
    return s->assumed != NULL;
}

bool tg_shadow_look(tg_interp *in, tg_shadow *s, tg_delta *d, tg_news *news) {
    bool ok = look_at_scope(in, &s->scope[0], d, news) &&
              look_at_scope(in, &s->scope[1], d, NULL) && look_at_ring(in, s, d) &&
              look_at_cells(in, s, d, news) && look_at_assumed(in, s, d) &&
              (!d || tg_delta_reserve_used(in, d, d->used));
    s->setting = tg_setting_now(in);
    s->used = in->nused;
    return ok || tg_fail_memory(&in->rt.c);
}

tg_shadow *tg_shadow_new(tg_interp *in) {
    tg_shadow *s = tg_alloc_array(1, sizeof *s);
    if (s && add_scope(in, s, in->globals) && add_scope(in, s, in->library) &&
        tg_shadow_look(in, s, NULL, NULL))
        return s;
    tg_shadow_free(s);
    tg_fail_memory(&in->rt.c);
    return NULL;
}

void tg_shadow_free(tg_shadow *s) {
    if (!s) return;
    for (size_t i = 0; i < s->n; i++) forget_scope(&s->scope[i]);
    tg_free(s->scope);
    for (size_t i = 0; i < s->ncells; i++) {
        tg_tensor_drop(s->cell[i].value);
        tg_cell_drop(s->cell[i].cell);
    }
    tg_free(s->cell);
    tg_assume_copy_free(s->assumed);
    tg_free(s);
}

/* ---- going back ---- */

static kept_scope *kept_of(tg_shadow *s, const tg_env *e) {
    for (size_t i = 0; i < s->n; i++)
        if (s->scope[i].env == e) return &s->scope[i];
    return NULL;
}

/* A plain tensor prints by its name where a constant of a formula is made of it. */
static void label_tensor(tg_interp *in, tg_value v, const char *name, bool on) {
    if (v.tag != TG_V_TENSOR || !name || v.as.tensor->refs <= 2) return;
    tg_node *n = tg_node_const(&in->rt, v.as.tensor, on ? name : NULL);
    if (n && !on && n->label == name) n->label = NULL;
    if (!n) tg_clear(&in->rt.c);
}

static void exchange_names(tg_interp *in, tg_shadow *s, tg_delta *d) {
    for (size_t i = 0; i < d->nnames; i++) {
        tg_changed_name *c = &d->name[i];
        if (c->at >= c->env->n) c->env->items[c->at] = (struct tg_binding){0};
        const struct tg_binding *now = &c->env->items[c->at];
        const char *label = label_of(now->value);
        /* kept in the shadow until the second pass */
        kept_scope *k = kept_of(s, c->env);
        if (k && c->at < k->n) k->item[c->at].label = label;
    }
    for (size_t i = 0; i < d->nnames; i++) {
        tg_changed_name *c = &d->name[i];
        const struct tg_binding *now = &c->env->items[c->at];
        if (label_of(now->value) == now->name && now->name && now->value.tag == TG_V_FORMULA)
            now->value.as.node->label = NULL;
        if (c->env == in->globals) label_tensor(in, now->value, now->name, false);
    }
    for (size_t i = 0; i < d->nnames; i++) {
        tg_changed_name *c = &d->name[i];
        struct tg_binding *at = &c->env->items[c->at];
        const struct tg_binding was = *at;
        kept_scope *k = kept_of(s, c->env);
        const char *label = k && c->at < k->n ? k->item[c->at].label : NULL;
        *at = c->old;
        if (at->value.tag == TG_V_FORMULA && c->label) at->value.as.node->label = c->label;
        if (c->env == in->globals) label_tensor(in, at->value, at->name, true);
        c->old = was;
        c->label = label;
    }
}

static void exchange_scopes(tg_delta *d) {
    for (size_t i = 0; i < d->nscopes; i++) {
        tg_changed_scope *c = &d->scope[i];
        const size_t n = c->env->n;
        const tg_frame *frame = c->env->frame;
        c->env->n = c->n;
        c->env->frame = c->frame;
        c->n = n;
        c->frame = frame;
        tg_env_find_anew(c->env);
    }
}

static void exchange_cells(tg_delta *d) {
    for (size_t i = 0; i < d->ncells; i++) {
        tg_changed_cell *c = &d->cell[i];
        const tg_changed_cell was = *c;
        c->value = c->cell->value;
        c->name = c->cell->name;
        c->was = c->cell->was;
        c->cell->value = was.value;
        c->cell->name = was.name;
        c->cell->was = was.was;
        c->cell->version++;
    }
}

static void exchange_rules(tg_delta *d) {
    for (size_t i = d->nrules; i-- > 0;) {
        tg_changed_rule *r = &d->rule[i];
        tg_function *rule = r->function->rule;
        r->function->rule = r->rule;
        r->rule = rule;
    }
    for (size_t i = 0; i < d->nrules / 2; i++) { /* forth again in the order of their making */
        const tg_changed_rule r = d->rule[i];
        d->rule[i] = d->rule[d->nrules - 1 - i];
        d->rule[d->nrules - 1 - i] = r;
    }
}

static void exchange_used(tg_interp *in, tg_delta *d) {
    const int n = in->nused;
    while (in->nused > d->used) d->tail[d->ntail++] = in->used[--in->nused];
    while (d->ntail > 0 && in->nused < d->used) in->used[in->nused++] = d->tail[--d->ntail];
    d->used = n;
}

/* The shadow shows how things stand now, which takes no memory: its arrays only get shorter, or as
 * long as they have been. */
static void look_again(tg_shadow *s, tg_delta *d) {
    for (size_t i = 0; i < d->nscopes; i++) {
        kept_scope *k = kept_of(s, d->scope[i].env);
        if (!k) continue;
        for (size_t at = k->n; at < k->env->n; at++) k->item[at] = (kept_name){0};
        if (k->env->n > k->n) k->n = k->env->n;
        k->frame = k->env->frame;
        k->number = 0;
    }
    for (size_t i = 0; i < d->nnames; i++) {
        kept_scope *k = kept_of(s, d->name[i].env);
        if (!k) continue;
        keep_name(k, d->name[i].at, NULL);
        k->item[d->name[i].at].number = 0;
    }
    for (size_t i = 0; i < d->nscopes; i++) {
        kept_scope *k = kept_of(s, d->scope[i].env);
        if (k) k->n = k->env->n;
    }
    for (size_t i = 0; i < s->ncells; i++) {
        look_at_cell(&s->cell[i], NULL, NULL);
        s->cell[i].number = 0;
    }
}

void tg_delta_exchange(tg_interp *in, tg_shadow *s, tg_delta *d) {
    const tg_setting setting = tg_setting_now(in);
    exchange_names(in, s, d);
    exchange_scopes(d);
    exchange_cells(d);
    exchange_rules(d);
    exchange_used(in, d);
    in->globals->changes++; /* of the library's names too */
    tg_setting_restore(in, &d->setting);
    d->setting = setting;
    if (d->assumed) {
        tg_assume_exchange(&in->rt, d->assumed);
        tg_assume_copy_free(s->assumed);
        s->assumed = NULL;
    }
    s->setting = tg_setting_now(in);
    s->used = in->nused;
    look_again(s, d);
}
