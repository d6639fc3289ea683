/* What all languages have in common: which nodes are assigned to a name and which are written where
 * they are used, what everything is called, and how sizes read.
 *
 * A node is assigned when the user named it, when it is used twice, or when the expression in which
 * it would stand grows beyond what a reader, or a parser, takes in: so nesting is bounded, and a
 * formula of any size is a list of short lines. */
#include "runtime/export/emit.h"
#include "base/alloc.h"
#include "runtime/graph/loop.h"
#include "runtime/graph/poly.h"
#include "runtime/graph/simplify.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum { INLINE_OPS = 8, LITERAL = 64 };

bool tg_emit_is_leaf(const tg_node *n) {
    return n->op->class == TG_CLASS_LEAF;
}

tg_emit_info *tg_emit_info_of(const tg_emitter *e, const tg_node *n) {
    size_t lo = 0, hi = e->count;
    while (lo < hi) {
        size_t mid = (lo + hi) / 2;
        if (e->node[mid]->id < n->id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < e->count && e->node[lo] == n ? &e->info[lo] : NULL;
}

/* ---- names ---- */

/* Greek letters from U+03B1 on, as names. */
static const char *const greek[] = {
    "alpha", "beta",   "gamma",   "delta", "epsilon", "zeta", "eta",  "theta", "iota",
    "kappa", "lambda", "mu",      "nu",    "xi",      "o",    "pi",   "rho",   "sigma",
    "sigma", "tau",    "upsilon", "phi",   "chi",     "psi",  "omega"};

/* A name of ASCII letters, as all languages have them. */
static void spell_name(tg_str *s, const char *name) {
    size_t n = strlen(name);
    unsigned code;
    if (n == 0 || name[0] == '_' || isdigit((unsigned char)name[0]))
        tg_str_addc(s, 'v'); /* what begins with _ is ours */
    for (size_t i = 0; i < n;) {
        int bytes = tg_utf8_next(name + i, n - i, &code);
        if (bytes == 1)
            tg_str_addc(s, isalnum((unsigned char)name[i]) ? name[i] : '_');
        else if (code >= 0x3B1 && code < 0x3B1 + 25)
            tg_str_add(s, greek[code - 0x3B1]);
        else
            tg_str_addf(s, "u%04X", code);
        i += (size_t)bytes;
    }
}

/* Where the name is in the table, or would go. */
static size_t place(const char **table, size_t cap, const char *name) {
    size_t at = ((uintptr_t)name >> 4) * 2654435761u & (cap - 1);
    while (table[at] && table[at] != name) at = (at + 1) & (cap - 1);
    return at;
}

static bool take(tg_emitter *e, const char *name) {
    if (2 * (e->nused + 1) > e->used_cap) {
        size_t cap = e->used_cap ? 2 * e->used_cap : 256;
        const char **table = tg_alloc_array(cap, sizeof *table);
        if (!table) return tg_fail_memory(&e->rt->c);
        for (size_t i = 0; i < e->used_cap; i++)
            if (e->used[i]) table[place(table, cap, e->used[i])] = e->used[i];
        tg_free(e->used);
        e->used = table;
        e->used_cap = cap;
    }
    e->used[place(e->used, e->used_cap, name)] = name;
    e->nused++;
    return true;
}

static bool is_taken(const tg_emitter *e, const char *name) {
    return e->used_cap && e->used[place(e->used, e->used_cap, name)] == name;
}

const char *tg_emit_name(tg_emitter *e, const char *base) {
    tg_str s = {0};
    spell_name(&s, base);
    size_t stem = s.len;
    const char *name = s.failed ? NULL : tg_intern(&e->rt->c, s.text, s.len);
    for (int i = 2; name && is_taken(e, name); i++) { /* x, x_2, x_3 */
        s.text[s.len = stem] = 0;
        tg_str_addf(&s, "_%d", i);
        name = s.failed ? NULL : tg_intern(&e->rt->c, s.text, s.len);
    }
    tg_str_free(&s);
    if (!name) tg_fail_memory(&e->rt->c);
    return name && take(e, name) ? name : NULL;
}

static bool reserve(tg_emitter *e) {
    for (const char *const *word = e->target->reserved; *word; word++) {
        const char *name = tg_intern(&e->rt->c, *word, strlen(*word));
        if (!name) return tg_fail_memory(&e->rt->c);
        if (!is_taken(e, name) && !take(e, name)) return false;
    }
    return true;
}

/* ---- sizes ---- */

static const char *symbol_text(const tg_emitter *e, tg_size symbol) {
    for (int i = 0; i < e->nsizes; i++)
        if (e->size[i].symbol == symbol) return e->size[i].name;
    return "?"; /* all symbols are listed before anything is written */
}

static void size_term(const tg_emitter *e, tg_str *s, const tg_term *t) {
    uint64_t coef = t->coef < 0 ? 0 - (uint64_t)t->coef : (uint64_t)t->coef;
    if (coef != 1 || t->degree == 0) tg_str_addf(s, "%llu", (unsigned long long)coef);
    for (int i = 0; i < t->degree; i++) {
        const tg_atom *a = &e->rt->sizes->atom[t->atom[i]];
        if (i > 0 || coef != 1) tg_str_add(s, " * ");
        if (a->divisor == 0) {
            tg_str_add(s, symbol_text(e, a->self));
        } else { /* ceil(n / k) of whole numbers that are not negative */
            bool python = !e->target->sizes_given;
            tg_str_add(s, "((");
            tg_emit_size_text(e, s, a->inner, true);
            tg_str_addf(s, " + %lld) %s %lld)", (long long)a->divisor - 1, python ? "//" : "/",
                        (long long)a->divisor);
        }
    }
}

void tg_emit_size_text(const tg_emitter *e, tg_str *s, tg_size size, bool bare) {
    if (size >= 0 || size == -1) {
        tg_str_addf(s, "%lld", (long long)size);
        return;
    }
    const tg_poly *p = tg_poly_of(e->rt, size);
    bool brackets = !bare && (p->n > 1 || p->term[0].degree > 1 || p->term[0].coef != 1);
    if (brackets) tg_str_addc(s, '(');
    int first = 0; /* a positive term leads */
    while (first < p->n && p->term[first].coef < 0) first++;
    if (first == p->n) first = 0;
    if (p->term[first].coef < 0) tg_str_addc(s, '-');
    size_term(e, s, &p->term[first]);
    for (int i = 0; i < p->n; i++) {
        if (i == first) continue;
        tg_str_add(s, p->term[i].coef < 0 ? " - " : " + ");
        size_term(e, s, &p->term[i]);
    }
    if (brackets) tg_str_addc(s, ')');
}

/* ---- what there is ---- */

/* Counts users, and carries names over to the stable forms. */
bool tg_emit_look(tg_emitter *e) {
    tg_node **named;
    size_t n;
    if (!tg_node_collect(e->rt, e->ask->n, e->ask->root, &named, &n)) return false;
    for (size_t i = 0; i < n; i++) {
        const tg_node *twin = named[i]->stable ? named[i]->stable : named[i];
        tg_emit_info *info = tg_emit_info_of(e, twin);
        if (info && named[i]->label && !tg_emit_is_leaf(twin)) info->label = named[i]->label;
    }
    tg_free(named);
    e->precision = TG_F32;
    for (size_t i = 0; i < e->count; i++) {
        const tg_node *x = e->node[i];
        e->info[i].arg = -1;
        for (int k = 0; k < x->n; k++) {
            tg_emit_info *a = tg_emit_info_of(e, x->arg[k]);
            a->users++;
            a->user = x;
        }
        if (x->type.dtype == TG_F64 && !x->type.weak) e->precision = TG_F64;
    }
    for (int i = 0; i < e->ask->n; i++) tg_emit_info_of(e, e->root[i])->users++;
    bool floats = false;
    for (size_t i = 0; i < e->count; i++)
        floats = floats || (tg_dtype_is_float(e->node[i]->type.dtype) && !e->node[i]->type.weak);
    if (!floats) e->precision = TG_F64;
    return true;
}

static bool check_spellings(const tg_emitter *e, size_t count, tg_node *const *node) {
    for (size_t i = 0; i < count; i++) {
        const tg_op *op = node[i]->op;
        bool loop = tg_node_is_loop(node[i]) || tg_node_is_item(node[i]);
        const char *text = tg_emit_is_leaf(node[i])   ? ""
                           : loop && e->target->loops ? ""
                                                      : e->target->spelling(op);
        if (text && strcmp(text, TG_NO_SPELLING) != 0) continue;
        if (op->class != TG_CLASS_RANDOM) {
            tg_fail(&e->rt->c, TG_ERR_VALUE, "%s cannot be written in %s", op->name,
                    e->target->name);
            return loop && tg_help(&e->rt->c, "\"numpy\" and \"torch\" have loops");
        }
        tg_fail(&e->rt->c, TG_ERR_VALUE,
                "a formula that draws its own random numbers (%s) cannot be written in %s",
                op->name, e->target->name);
        return tg_help(&e->rt->c, "let the numbers come in through an input, or fix them with "
                                  "value(...)");
    }
    return true;
}

/* ---- parameters ---- */

const tg_view *tg_emit_literal(const tg_emitter *e, const tg_node *n) {
    if (tg_emit_info_of(e, n)->arg >= 0) return NULL;
    if (n->op == &tg_op_const) return &n->leaf.tensor->v;
    return n->op == &tg_op_cell && n->leaf.cell->value ? &n->leaf.cell->value->v : NULL;
}

static bool is_parameter(const tg_node *n) {
    if (n->op == &tg_op_const) return tg_view_count(&n->leaf.tensor->v) > LITERAL;
    if (n->op != &tg_op_cell) return false;
    const tg_cell *c = n->leaf.cell;
    return c->kind != TG_CELL_LIFT || c->name || !c->value || tg_view_count(&c->value->v) > LITERAL;
}

static bool before(const tg_node *a, const tg_node *b) {
    bool cell_a = a->op == &tg_op_cell, cell_b = b->op == &tg_op_cell;
    if (cell_a && cell_b) return a->leaf.cell->serial < b->leaf.cell->serial;
    return cell_a != cell_b ? cell_a : a->id < b->id;
}

static bool list_parameters(tg_emitter *e) {
    size_t n = 0;
    for (size_t i = 0; i < e->count; i++) n += is_parameter(e->node[i]);
    e->param = tg_alloc_array(n + 1, sizeof *e->param);
    if (!e->param) return tg_fail_memory(&e->rt->c);
    for (size_t i = 0; i < e->count; i++) {
        if (!is_parameter(e->node[i])) continue;
        int at = e->nparams++;
        for (; at > 0 && before(e->node[i], e->param[at - 1].node); at--)
            e->param[at] = e->param[at - 1];
        e->param[at].node = e->node[i];
    }
    for (int i = 0; i < e->nparams; i++) {
        const tg_node *x = e->param[i].node;
        const char *base = x->op == &tg_op_cell ? x->leaf.cell->name : x->label;
        e->param[i].name = tg_emit_name(e, base ? base : x->op == &tg_op_cell ? "x" : "constant");
        if (!e->param[i].name) return false;
        tg_emit_info *info = tg_emit_info_of(e, x);
        info->name = e->param[i].name;
        info->arg = i;
    }
    return true;
}

/* ---- size symbols ---- */

static bool gather_type(tg_emitter *e, tg_size_binding *set, const tg_type *t) {
    for (int k = 0; k < t->rank; k++)
        if (t->dim[k] < 0 && !tg_size_symbols(e->rt, set, t->dim[k])) return false;
    return true;
}

static bool gather(tg_emitter *e, size_t count, tg_node *const *node, tg_size_binding *set) {
    for (size_t i = 0; i < count; i++) {
        const tg_node *x = node[i];
        if (!gather_type(e, set, &x->type)) return false;
        if (x->op == &tg_op_size && !tg_size_symbols(e->rt, set, x->leaf.size)) return false;
        for (int k = 0; x->at && !tg_emit_is_leaf(x) && k < x->at->n; k++) {
            bool size = x->at->sizes >> k & 1 && x->at->v[k] < -1;
            if (size && !tg_size_symbols(e->rt, set, x->at->v[k])) return false;
        }
    }
    return true;
}

static bool list_sizes(tg_emitter *e, size_t count, tg_node *const *node) {
    tg_size_binding set = {0};
    bool ok = gather(e, count, node, &set);
    e->size = tg_alloc_array(set.n + 1, sizeof *e->size);
    if (!e->size) ok = tg_fail_memory(&e->rt->c);
    for (size_t i = 0; ok && i < set.n; i++) {
        tg_emit_size *z = &e->size[e->nsizes++];
        const char *name = tg_size_symbol_name(e->rt, set.items[i].symbol);
        *z = (tg_emit_size){set.items[i].symbol, tg_emit_name(e, name ? name : "n"), -1, -1};
        ok = z->name != NULL;
        for (int k = e->nparams - 1; k >= 0; k--) {
            const tg_type *t = &e->param[k].node->type;
            for (int a = t->rank - 1; a >= 0; a--)
                if (t->dim[a] == z->symbol) z->param = k, z->axis = a;
        }
    }
    tg_size_binding_free(&set);
    return ok;
}

/* ---- assignments ---- */

bool tg_emit_choose(tg_emitter *e) {
    int next = 0;
    char base[24];
    for (size_t i = 0; i < e->count; i++) {
        const tg_node *x = e->node[i];
        tg_emit_info *info = &e->info[i];
        if (tg_emit_is_leaf(x)) continue;
        info->ops = 1;
        for (int k = 0; k < x->n; k++) {
            const tg_emit_info *a = tg_emit_info_of(e, x->arg[k]);
            if (!a->name) info->ops += a->ops;
        }
        bool root = false; /* a formula asked for needs no name before it is returned */
        for (int k = 0; k < e->ask->n && !root; k++) root = e->root[k] == x;
        bool named = info->label && !(root && info->users == 1 && e->ask->n == 1);
        bool inlined = !e->target->inlines || e->target->inlines(e, x);
        if (tg_node_is_loop(x)) continue;
        const bool item = tg_node_is_item(x);
        if (!item && !named && inlined && info->users < 2 && info->ops < INLINE_OPS) continue;
        if (!item && root && info->users == 1 && !named) continue;
        snprintf(base, sizeof base, "t%d", ++next);
        if (named) next--;
        info->name = tg_emit_name(e, named ? info->label : base);
        if (!info->name) return false;
        if (i % 256 == 0 && !tg_check_interrupt(&e->rt->c)) return false;
    }
    return true;
}

/* ---- the request ---- */

static const tg_emit_target *const targets[] = {&tg_emit_numpy, &tg_emit_torch, &tg_emit_c};

static const tg_emit_target *find_target(tg_rt *rt, const char *name) {
    for (size_t i = 0; i < sizeof targets / sizeof *targets; i++)
        if (strcmp(targets[i]->name, name) == 0) return targets[i];
    tg_fail(&rt->c, TG_ERR_VALUE, "emit does not know the target \"%s\"", name);
    tg_help(&rt->c, "the targets are \"numpy\", \"torch\" and \"c\"");
    return NULL;
}

static bool name_function(tg_emitter *e, const char *own) {
    tg_str s = {0};
    tg_str_add(&s, own);
    for (const char *const *word = e->target->library; word && *word; word++)
        if (strcmp(*word, own) == 0) {
            tg_str_add(&s, "_of");
            break;
        }
    if (!s.failed) e->function = tg_emit_name(e, s.text);
    if (s.failed) tg_fail_memory(&e->rt->c);
    tg_str_free(&s);
    return e->function != NULL;
}

/* `all`: what is written, in bodies of loops too. */
static bool prepare_names(tg_emitter *e, size_t count, tg_node *const *all) {
    if (!tg_emit_look(e) || !reserve(e)) return false;
    const char *own = e->ask->name                               ? e->ask->name
                      : e->ask->n == 1 && e->ask->root[0]->label ? e->ask->root[0]->label
                                                                 : "f";
    return name_function(e, own) && list_parameters(e) && list_sizes(e, count, all) &&
           tg_emit_choose(e);
}

static bool prepare(tg_emitter *e) {
    const tg_emit_request *ask = e->ask;
    e->root = tg_alloc_array((size_t)ask->n + 1, sizeof *e->root);
    if (!e->root) return tg_fail_memory(&e->rt->c);
    for (int i = 0; i < ask->n; i++)
        if (!(e->root[i] = tg_node_stable(e->rt, ask->root[i]))) return false;
    if (!tg_node_collect(e->rt, ask->n, e->root, &e->node, &e->count)) return false;
    e->info = tg_alloc_array(e->count + 1, sizeof *e->info);
    if (!e->info) return tg_fail_memory(&e->rt->c);
    tg_node **all;
    size_t count;
    if (!tg_emit_all_nodes(e->rt, ask->n, e->root, &all, &count)) return false;
    bool ok = check_spellings(e, count, all) && prepare_names(e, count, all);
    tg_free(all);
    return ok;
}

bool tg_emit(tg_rt *rt, tg_str *out, const tg_emit_request *ask) {
    tg_emitter e = {.rt = rt, .ask = ask, .out = out, .target = find_target(rt, ask->target)};
    if (!e.target) return false;
    bool ok = prepare(&e) && e.target->write(&e);
    tg_free(e.root);
    tg_free(e.node);
    tg_free(e.info);
    tg_free(e.param);
    tg_free(e.size);
    tg_free(e.used);
    return ok && out->failed ? tg_fail_memory(&rt->c) : ok;
}
