/* The driver of the simplifier. A formula is rewritten bottom-up over the shared graph: nodes by
 * ascending id, so that the arguments of a node are in simple form when its turn comes, and each
 * node once in a session, because the result is remembered.
 *
 * Invariants. The result of a node has its shape and type (a plain number may stand for a scalar).
 * It has no more operations than the node with its arguments simplified, counted as trees;
 * otherwise that one is taken. Only the stable forms (rules.def) may be longer. A node with a label
 * is used by its name: it stays as it is inside of other formulas, unless a stable form or an
 * assumption changed it. It ends: each node is rewritten once, and what a pattern rule puts in its
 * place is simplified in turn at most DEPTH levels deep.
 *
 * Chains. A sum of n terms is n - 1 nodes, each a user of the one before. Taking each apart would
 * take n^2 steps; so a link that only the next link uses is not rewritten by itself
 * (tg_memo_entry.inner), and the last one takes the whole chain apart.
 *
 * See J. Carette, Understanding Expression Simplification, ISSAC 2004, for what "simpler" may mean;
 * here: fewer operations. */
#include "runtime/graph/simplifier.h"
#include "base/alloc.h"
#include "runtime/graph/assume.h"
#include "runtime/graph/loop.h"
#include "runtime/graph/ruled.h"

#include <stdio.h>
#include <string.h>

enum { DEPTH = 12 };

/* Steps that a run may take: some for each of its nodes, and some anyway. One node may take as many
 * as NODE_STEPS, and more when it is the end of a long chain, which it takes apart alone. */
enum { STEPS = 200000, STEPS_A_NODE = 400, NODE_STEPS = 100000, STEPS_A_LINK = 60 };

struct tg_simplifier {
    tg_memo memo;
    tg_laws why;          /* of the last result */
    tg_pattern *patterns; /* of all laws, or NULL: not read yet */
    short first_law[128];
    uint64_t runs;  /* begun so far */
    uint64_t steps; /* of the last run */
    char met[160];  /* where the last run met its budget: a sentence, or empty */
};

/* ---- the memo ---- */

static tg_memo_entry *find(const tg_memo *m, const tg_node *n) {
    for (size_t i = n->hash & (m->cap - 1);; i = (i + 1) & (m->cap - 1))
        if (!m->slot[i].key || m->slot[i].key == n) return &m->slot[i];
}

static bool set_cap(tg_memo *m, size_t cap) {
    tg_memo bigger = {.cap = cap};
    bigger.slot = tg_alloc_array(cap, sizeof *bigger.slot);
    if (!bigger.slot) return false;
    for (size_t i = 0; i < m->cap; i++)
        if (m->slot[i].key) *find(&bigger, m->slot[i].key) = m->slot[i];
    bigger.count = m->count;
    tg_free(m->slot);
    *m = bigger;
    return true;
}

tg_memo_entry *tg_memo_at(tg_rt *rt, tg_memo *m, tg_node *n) {
    if (m->count * 2 >= m->cap && !set_cap(m, m->cap ? 2 * m->cap : 256)) {
        tg_fail_memory(&rt->c);
        return NULL;
    }
    tg_memo_entry *e = find(m, n);
    if (!e->key) {
        *e = (tg_memo_entry){.key = n, .cost = -1};
        m->count++;
    }
    return e;
}

static void forget(tg_memo *m) {
    tg_free(m->slot);
    *m = (tg_memo){0};
}

/* Entries of dying nodes go; the table is filled anew, in place, since an open table has no holes.
 */
static void forget_dying(tg_rt *rt) {
    tg_memo *m = &rt->simplifier->memo;
    size_t left = 0;
    for (size_t i = 0; i < m->cap; i++) {
        tg_memo_entry *e = &m->slot[i];
        if (!e->key) continue;
        if (!tg_node_survives(e->key) || (e->val && !tg_node_survives(e->val)))
            e->key = NULL;
        else
            left++;
    }
    m->count = left;
    if (!m->cap) return;
    size_t cap = 256;
    while (cap < left * 2 + 2) cap *= 2;
    if (!set_cap(m, cap)) forget(m); /* the memo is only a memory: without room it starts anew */
}

tg_memo *tg_simplify_memo(tg_rt *rt) {
    return &rt->simplifier->memo;
}

tg_node *tg_simplified_part(const tg_rt *rt, const tg_node *n) {
    static const int harmless[] = {TG_LAW_ARITHMETIC, TG_LAW_LINEARITY, TG_LAW_BROADCAST,
                                   TG_LAW_TRANSPOSE,  TG_LAW_RESHAPE,   TG_LAW_COMMON_OPERAND};
    const tg_memo *m = &rt->simplifier->memo;
    const tg_memo_entry *e = m->cap ? find(m, n) : NULL;
    if (!e || !e->val || e->used || e->stable) return NULL;
    tg_laws rest = e->why;
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        rest.w[harmless[i] / 64] &= ~(UINT64_C(1) << harmless[i] % 64);
    for (size_t i = 0; i < sizeof rest.w / sizeof *rest.w; i++)
        if (rest.w[i]) return NULL;
    return e->val;
}

void tg_simplify_forget(tg_rt *rt) {
    forget(&rt->simplifier->memo);
}

bool tg_simplify_init(tg_rt *rt) {
    rt->simplifier = tg_alloc_array(1, sizeof *rt->simplifier);
    return rt->simplifier && tg_graph_on_sweep(rt, forget_dying);
}

void tg_simplify_free(tg_rt *rt) {
    struct tg_simplifier *s = rt->simplifier;
    if (!s) return;
    forget(&s->memo);
    tg_free(s->patterns);
    tg_free(s);
    rt->simplifier = NULL;
}

/* The simple form as a part of another formula, where labels count. Its laws become laws of the
 * node under way. */
static tg_node *as_part(tg_simp *s, const tg_memo_entry *e) {
    bool unit = e->val->op == s->unit; /* a direction, by that name or another */
    if (e->key->label && !e->stable && !e->used && !unit) return e->key;
    tg_laws_add(&s->why, &e->why);
    s->used |= e->used;
    s->stable = s->stable || e->stable;
    return e->val;
}

tg_node *tg_simp_arg(tg_simp *s, tg_node *arg, bool *raw) {
    *raw = false;
    const tg_memo_entry *e = tg_memo_at(s->rt, s->memo, arg);
    if (!e) return NULL;
    if (e->val) return as_part(s, e);
    *raw = e->inner;
    return arg;
}

/* ---- the budget ---- */

bool tg_simp_step(tg_simp *s, uint64_t n) {
    s->steps += n;
    if (s->most == 0 || (s->steps <= s->most && s->steps - s->node_steps <= s->node_most))
        return true;
    if (!s->met) s->met = s->under;
    tg_simp_note(s, TG_LAW_BUDGET);
    return false;
}

static void record_budget(tg_simp *s) {
    struct tg_simplifier *all = s->rt->simplifier;
    all->steps = s->steps;
    all->met[0] = 0;
    if (!s->met) return;
    snprintf(all->met, sizeof all->met, "the budget of %llu rewrites was met at %.100s",
             (unsigned long long)(s->steps > s->most ? s->most : s->node_most),
             s->met->label ? s->met->label : s->met->op->name);
}

bool tg_simplify_budget_met(tg_rt *rt, tg_str *out) {
    tg_str_add(out, rt->simplifier->met);
    return rt->simplifier->met[0] != 0;
}

const tg_pattern *tg_simp_patterns(tg_rt *rt) {
    struct tg_simplifier *s = rt->simplifier;
    if (s->patterns) return s->patterns;
    tg_pattern *all = tg_alloc_array(TG_LAWS, sizeof *all);
    if (!all) {
        tg_fail_memory(&rt->c);
        return NULL;
    }
    for (int i = 0; i < TG_LAWS; i++)
        if (!tg_simp_read_pattern(rt, i, &all[i])) {
            tg_free(all);
            return NULL;
        }
    short last[128];
    for (int i = 0; i < 128; i++) last[i] = -1;
    for (int i = TG_LAWS - 1; i >= 0; i--) {
        short *next = &last[(int)all[i].kind & 127];
        all[i].next = *next;
        if (all[i].ast) *next = (short)i;
    }
    memcpy(s->first_law, last, sizeof last);
    return s->patterns = all;
}

int tg_simp_first_law(const tg_rt *rt, char kind) {
    return rt->simplifier->first_law[(int)kind & 127];
}

uint64_t tg_simplify_steps(const tg_rt *rt) {
    return rt->simplifier->steps;
}

/* ---- one node ---- */

static bool is_sum(const tg_simp *s, const tg_node *n) {
    return n->op == s->add || n->op == s->sub;
}

static bool is_product(const tg_simp *s, const tg_node *n) {
    return n->op == s->mul || n->op == s->div || n->op == s->neg ||
           (n->op == s->pow && tg_node_is_number(n->arg[1]));
}

/* n with its arguments simplified and nothing else done; inner links are settled the same way,
 * deepest first. */
static tg_node *plain(tg_simp *s, tg_node *n) {
    tg_node **stack = NULL, **in = NULL, *made = NULL;
    size_t cap = 0, top = 0, room = 0;
    if (!tg_grow((void **)&stack, &cap, 16, sizeof *stack)) goto memory;
    stack[top++] = n;
    while (top) {
        tg_node *t = stack[top - 1];
        size_t before = top;
        if (!tg_grow((void **)&in, &room, (size_t)t->n + 1, sizeof *in)) goto memory;
        for (int i = 0; i < t->n; i++) {
            bool raw;
            if (!(in[i] = tg_simp_arg(s, t->arg[i], &raw))) goto end;
            if (!raw) continue;
            if (!tg_grow((void **)&stack, &cap, top + 1, sizeof *stack)) goto memory;
            stack[top++] = t->arg[i];
        }
        if (top > before) continue;
        bool same = true;
        for (int i = 0; i < t->n; i++) same = same && in[i] == t->arg[i];
        made = same ? t : tg_node_make(s->rt, t->op, t->n, in, t->at);
        if (!made) goto end;
        if (--top == 0) break;
        tg_memo_entry *e = tg_memo_at(s->rt, s->memo, t);
        if (!e) {
            made = NULL;
            goto end;
        }
        e->val = made;
        e->inner = false;
    }
    goto end;
memory:
    tg_fail_memory(&s->rt->c);
    made = NULL;
end:
    tg_free(stack);
    tg_free(in);
    return made;
}

/* Elementwise operations other than arithmetic: of equal elements once, and without needless
 * expands. */
static tg_node *elementwise(tg_simp *s, tg_node *n) {
    if (n->op == s->where && n->arg[1] == n->arg[2] && tg_simp_fits(&n->arg[1]->type, &n->type)) {
        tg_simp_note(s, TG_LAW_SAME_BRANCHES);
        return n->arg[1];
    }
    if (n->op == s->where && tg_node_is_number(n->arg[0])) { /* decided when it was written */
        const bool yes = n->arg[0]->leaf.number != 0;
        tg_node *taken = n->arg[yes ? 1 : 2];
        if (tg_simp_fits(&taken->type, &n->type)) {
            tg_simp_note(s, yes ? TG_LAW_WHERE_TRUE : TG_LAW_WHERE_FALSE);
            return taken;
        }
    }
    tg_node *in[TG_MAX_TENSORS];
    bool all = n->n > 0, any = false;
    for (int i = 0; i < n->n; i++) {
        tg_node *scalar = tg_simp_scalar_of(s, n->arg[i]);
        in[i] = scalar ? scalar : tg_simp_unexpand(s, n->arg[i]);
        if (!in[i]) return NULL;
        all = all && in[i]->type.rank == 0;
        any = any || in[i] != n->arg[i];
    }
    if (!any) return n;
    if (all && n->type.rank > 0) {
        tg_node *once = tg_node_make(s->rt, n->op, n->n, in, n->at);
        if (!once || !(once = tg_simp_again(s, once))) return NULL;
        tg_simp_note(s, TG_LAW_UNIFORM);
        return tg_simp_uniform(s, once, &n->type);
    }
    tg_node *made = tg_node_make(s->rt, n->op, n->n, in, n->at);
    if (!made) { /* without the expand the operands no longer have the one shape: it was needed */
        if (s->rt->c.diag.kind == TG_ERR_MEMORY) return NULL;
        tg_clear(&s->rt->c);
        return n;
    }
    if (!tg_simp_fits(&made->type, &n->type)) return n;
    tg_simp_note(s, TG_LAW_BROADCAST);
    return made;
}

/* The parts of a node that is a sum or product of what came before are taken from `raw`; others
 * have simple arguments. */
static tg_node *rewrite(tg_simp *s, tg_node *raw, tg_node **simple) {
    *simple = NULL;
    if (is_sum(s, raw)) return tg_simp_sum(s, raw);
    if (is_product(s, raw)) return tg_simp_product(s, raw);
    tg_node *n = *simple = plain(s, raw);
    if (!n || n->n == 0 || tg_node_is_ruled(n) || n->op == &tg_op_parameter || tg_node_is_item(n))
        return n;
    if (is_sum(s, n)) return tg_simp_sum(s, n);
    if (is_product(s, n)) return tg_simp_product(s, n); /* the exponent became a number */
    tg_node *symmetric = tg_simp_symmetric(s, n);
    if (symmetric != n) return symmetric;
    tg_node *folded = tg_simp_fold(s, n);
    if (folded != n) return folded;
    int mask = tg_simp_linear_mask(n);
    if (mask) return tg_simp_linear(s, n, mask);
    if (n->op->class == TG_CLASS_ELEMENTWISE && n->n <= TG_MAX_TENSORS) return elementwise(s, n);
    return tg_simp_structure(s, n);
}

/* The new form if it is right and no longer; else the old one. */
static tg_node *choose(tg_simp *s, tg_node *raw, tg_node *simple, tg_node *made) {
    if (made == raw || made == simple) return made;
    bool fits = tg_simp_fits(&made->type, &raw->type);
    if (!simple && fits && !s->stable) {
        double old = tg_simp_cost(s, raw), new = tg_simp_part_cost(s, made);
        if (old < 0 || new < 0) return NULL;
        if (new <= old) return made;
    }
    if (!simple && !(simple = plain(s, raw))) return NULL;
    if (!fits) return simple;
    double old = tg_simp_cost(s, simple), new = tg_simp_part_cost(s, made);
    if (old < 0 || new < 0) return NULL;
    return new <= old ? made : simple;
}

/* The pattern rules at the top of n, until none applies. */
static tg_node *by_rules(tg_simp *s, tg_node *n) {
    int law;
    bool stable;
    uint32_t used = s->used;
    tg_node *made = tg_simp_rule(s, n, &law, &stable);
    if (!made || law < 0) return made;
    double old = tg_simp_cost(s, n), new = tg_simp_part_cost(s, made);
    if (old < 0 || new < 0) return NULL;
    if (!tg_simp_fits(&made->type, &n->type) || (!stable && new > old)) {
        s->used = used;
        return n;
    }
    tg_simp_note(s, law);
    /* parts made of directions keep their names: computed is unit in any case */
    s->stable = s->stable || (stable && law != TG_LAW_UNIT && law != TG_LAW_UNIT_ALL);
    return tg_simp_again(s, made);
}

static bool settle(tg_simp *s, tg_node *n) {
    tg_laws why = s->why;
    uint32_t used = s->used;
    bool was_stable = s->stable;
    s->why = (tg_laws){0}, s->used = 0, s->stable = false;
    tg_node *under = s->under;
    s->under = n;
    if (s->depth == 0) s->node_steps = s->steps;
    tg_node *simple, *made;
    if (tg_simp_step(s, 1)) {
        made = rewrite(s, n, &simple);
        if (made) made = choose(s, n, simple, made);
        if (made) made = tg_simp_assumed(s, made);
        if (made) made = by_rules(s, made);
        if (made && made != n) made = tg_simp_again(s, made);
    } else {
        made = plain(s, n);
    }
    tg_memo_entry *e = made ? tg_memo_at(s->rt, s->memo, n) : NULL;
    bool shared = false;
    if (e) {
        e->val = made;
        e->inner = false;
        e->why = s->why, e->used = s->used, e->stable = s->stable;
        shared = e->shared;
    }
    if (shared && made != n && (e = tg_memo_at(s->rt, s->memo, made))) e->shared = true;
    s->why = why, s->used = used, s->stable = was_stable;
    s->under = under;
    return e != NULL;
}

/* ---- a run ---- */

/* Nodes under n without a simple form, arguments before users, and how often each is used among
 * them. */
static bool pending(tg_simp *s, tg_node *n, tg_node ***out, size_t *count) {
    typedef struct frame {
        tg_node *node;
        int next;
    } frame;
    frame *stack = NULL;
    tg_node **list = NULL;
    size_t cap = 0, top = 0, list_cap = 0, found = 0;
    uint64_t run = ++s->rt->simplifier->runs;
    if (!tg_grow((void **)&stack, &cap, 64, sizeof *stack)) goto memory;
    stack[top++] = (frame){.node = n};
    while (top) {
        frame *f = &stack[top - 1];
        if (f->next < f->node->n && !tg_simp_is_kept(s, f->node)) {
            tg_node *a = f->node->arg[f->next++];
            tg_memo_entry *e = tg_memo_at(s->rt, s->memo, a);
            if (!e) goto fail;
            if (e->run != run) e->run = run, e->users = 0, e->inner = false;
            if (e->users++) e->shared = true;
            if (e->val || e->users > 1) continue;
            if (!tg_grow((void **)&stack, &cap, top + 1, sizeof *stack)) goto memory;
            stack[top++] = (frame){.node = a};
            continue;
        }
        if (!tg_grow((void **)&list, &list_cap, found + 1, sizeof *list)) goto memory;
        list[found++] = f->node;
        top--;
    }
    tg_free(stack);
    *out = list;
    *count = found;
    return true;
memory:
    tg_fail_memory(&s->rt->c);
fail:
    tg_free(stack);
    tg_free(list);
    return false;
}

/* Marks arguments of n that n alone uses and will take apart itself. */
static bool mark_inner(tg_simp *s, const tg_node *n) {
    bool sum = is_sum(s, n), product = is_product(s, n);
    if (!sum && !product) return true;
    for (int i = 0; i < n->n; i++) {
        tg_node *a = n->arg[i];
        tg_memo_entry *e = tg_memo_at(s->rt, s->memo, a);
        if (!e) return false;
        if (e->val || e->users != 1 || tg_simp_is_closed(s, a) || a->op == s->neg) continue;
        e->inner = (sum && is_sum(s, a)) || (product && n->op != s->pow && n->op != s->neg &&
                                             is_product(s, a) && a->op != s->pow);
    }
    return true;
}

/* A kept node is its own simple form. */
static bool settle_kept(tg_simp *s, tg_node *n) {
    tg_memo_entry *e = tg_memo_at(s->rt, s->memo, n);
    if (e) e->val = n;
    return e != NULL;
}

/* Gives n, and what is under it, a simple form in the memo. */
static bool simplify_all(tg_simp *s, tg_node *n) {
    tg_node **list;
    size_t count;
    if (!pending(s, n, &list, &count)) return false;
    if (s->depth == 0) {
        s->most += STEPS + STEPS_A_NODE * (uint64_t)count;
        s->node_most = NODE_STEPS + STEPS_A_LINK * (uint64_t)count;
    }
    bool ok = true;
    for (size_t i = 0; i < count && ok; i++)
        ok = tg_simp_is_kept(s, list[i]) || mark_inner(s, list[i]);
    for (size_t i = 0; i < count && ok; i++) {
        tg_memo_entry *e = tg_memo_at(s->rt, s->memo, list[i]);
        ok = e != NULL;
        if (!ok) break;
        if ((i & 255) == 0) ok = tg_check_interrupt(&s->rt->c);
        if (!ok || e->val || (e->inner && list[i] != n)) continue;
        ok = tg_simp_is_kept(s, list[i]) ? settle_kept(s, list[i]) : settle(s, list[i]);
    }
    tg_free(list);
    return ok;
}

tg_node *tg_simp_again(tg_simp *s, tg_node *n) {
    tg_memo_entry *e = tg_memo_at(s->rt, s->memo, n);
    if (!e) return NULL;
    if (!e->val) {
        if (s->depth >= DEPTH || !tg_simp_step(s, 1)) return n;
        if (!tg_guard(&s->rt->c)) return NULL;
        s->depth++;
        bool ok = simplify_all(s, n);
        s->depth--;
        if (!ok || !(e = tg_memo_at(s->rt, s->memo, n))) return NULL;
    }
    tg_laws_add(&s->why, &e->why);
    s->used |= e->used;
    s->stable = s->stable || e->stable;
    return e->val;
}

void tg_simp_name_ops(tg_simp *s) {
    const struct {
        const tg_op **op;
        const char *name;
    } names[] = {
        {&s->add, "add"},
        {&s->sub, "sub"},
        {&s->neg, "neg"},
        {&s->mul, "mul"},
        {&s->div, "div"},
        {&s->pow, "pow"},
        {&s->expand, "expand"},
        {&s->zeros, "zeros"},
        {&s->ones, "ones"},
        {&s->sum, "sum"},
        {&s->mean, "mean"},
        {&s->transpose, "transpose"},
        {&s->where, "where"},
        {&s->eye, "eye"},
        {&s->sigmoid, "sigmoid"},
        {&s->matmul, "matmul"},
        {&s->matvec, "matvec"},
        {&s->vecmat, "vecmat"},
        {&s->zeros_like, "zeros_like"},
        {&s->ones_like, "ones_like"},
        {&s->vdot, "vdot"},
        {&s->norm, "norm"},
        {&s->unit, "unit"},
    };
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        *names[i].op = tg_op_find(names[i].name);
}

static bool is_pending(const tg_rt *rt) {
    return rt->c.diag.kind != TG_ERR_NONE;
}

tg_node *tg_simplify_around(tg_rt *rt, tg_node *n, int nkeep, tg_node *const *keep,
                            uint32_t *used) {
    tg_memo own = {0}; /* what holds around kept nodes does not hold elsewhere */
    bool apart = nkeep > 0 || tg_assume_usable(rt) != tg_assume_in_force(rt);
    tg_simp s = {
        .rt = rt, .memo = apart ? &own : &rt->simplifier->memo, .nkeep = nkeep, .keep = keep};
    tg_simp_name_ops(&s);
    if (used) *used = 0;
    bool before = is_pending(rt);
    const tg_memo_entry *known = tg_memo_at(rt, s.memo, n);
    bool ok = known && (known->val || tg_named_begin(&s, n)) && simplify_all(&s, n);
    tg_named_end(&s);
    record_budget(&s);
    /* A part that asked a question in vain took "no" for an answer: right, but not simple. */
    if (!before && is_pending(rt)) ok = false;
    if (!ok) forget(s.memo);
    tg_node *made = ok ? n : NULL;
    tg_memo_entry *e = made ? tg_memo_at(rt, s.memo, n) : NULL;
    if (e) {
        made = e->val;
        rt->simplifier->why = e->why;
        if (used) *used = e->used;
        tg_assume_note(rt, e->used);
    }
    forget(&own);
    return e ? made : NULL;
}

tg_node *tg_simplify(tg_rt *rt, tg_node *n, uint32_t *used) {
    tg_simp s = {.rt = rt, .memo = &rt->simplifier->memo};
    tg_simp_name_ops(&s);
    tg_node *made = tg_simplify_around(rt, n, 0, NULL, used);
    bool before = is_pending(rt);
    if (made) made = tg_simp_spell(&s, made);
    return !before && is_pending(rt) ? NULL : made;
}

bool tg_simplify_used(const tg_rt *rt, int law) {
    return tg_laws_has(&rt->simplifier->why, law);
}

void tg_simplify_why(tg_rt *rt, tg_str *out) {
    for (int i = 0; i < TG_LAWS; i++) {
        if (!tg_laws_has(&rt->simplifier->why, i)) continue;
        tg_str_add(out, tg_simp_law_name(i));
        tg_str_addc(out, '\n');
    }
}
