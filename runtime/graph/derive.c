/* Finding the steps. While tg_grad sweeps from y down, each finished adjoint is looked at. Where it
 * is worth a line, it gets a mark, a nameless cell that stands for it from there on: so the lines
 * below are written over "dcost/dP" and not over all that this is. Worth a line is a part that the
 * user named, that is differentiated by, that is used several times, or whose derivative is more
 * than a sum or a constant factor away from the line above: the steps that a textbook passes over
 * are passed over here, and named in the line that they lead to.
 *
 * What the rules are called stands in the operations' records (tg_op.taught). */
#include "runtime/graph/derive.h"
#include "base/alloc.h"
#include "runtime/graph/derive_steps.h"
#include "runtime/graph/grad.h"
#include "runtime/graph/print.h"
#include "runtime/graph/ruled.h"
#include "runtime/graph/simplifier.h"
#include "runtime/graph/simplify.h"
#include "runtime/graph/substitute.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN = 40, SMALL = 1500, FULL_OPS = 200 };

/* What is noted of each node under y. */
typedef struct note {
    bool active;               /* depends on a target */
    int step;                  /* its number + 1; 0: none */
    char rules[TG_RULES_TEXT]; /* on the way from the step above, where it has none itself */
} note;

typedef struct finder {
    tg_rt *rt;
    tg_steps *s;
    int n;
    tg_node *const *x;
    tg_node **node; /* under y, ascending id */
    note *note;
    size_t count;
    tg_node **keep; /* those of them that are not leaves: nothing in a line looks inside of them */
    int nkeep;
} finder;

static note *note_of(const finder *f, const tg_node *n) {
    return &f->note[tg_nodes_find(f->node, f->count, n)];
}

static int target_of(const finder *f, const tg_node *n) {
    for (int i = 0; i < f->n; i++)
        if (f->x[i] == n) return i;
    return -1;
}

static bool survey(finder *f, tg_node *y) {
    if (!tg_node_collect(f->rt, 1, &y, &f->node, &f->count)) return false;
    f->note = tg_alloc_array(f->count, sizeof *f->note);
    f->keep = tg_alloc_array(f->count, sizeof *f->keep);
    if (!f->note || !f->keep) return tg_fail_memory(&f->rt->c);
    for (size_t i = 0; i < f->count; i++) {
        tg_node *n = f->node[i];
        f->note[i].active = target_of(f, n) >= 0;
        for (int k = 0; k < n->n && !f->note[i].active; k++)
            f->note[i].active = note_of(f, n->arg[k])->active;
        bool turned = tg_node_is(n, "transpose") && !n->label; /* A'' is to be A */
        if (n->n > 0 && !turned) f->keep[f->nkeep++] = n;
    }
    return true;
}

/* ---- what the rules are called ---- */

/* The rule by which user sends its adjoint to argument k. *passes: a textbook does not stop for it.
 * taught = general { "|" of the k-th argument alone } ; each may begin with "~": passes. */
static void rule_name(const finder *f, const tg_node *user, int k, char *out, size_t room,
                      bool *passes) {
    const char *name = user->op->shown ? user->op->shown : user->op->name, *t = user->op->taught;
    int active = 0;
    for (int i = 0; i < user->n; i++) active += note_of(f, user->arg[i])->active;
    *passes = user->op->class == TG_CLASS_VIEW;
    if (tg_node_is_ruled(user)) {
        name = tg_ruled_of(user).text;
        snprintf(out, room, "rule of %.*s", (int)strcspn(name, "("), name);
        return;
    }
    if (!t) {
        snprintf(out, room,
                 user->op->class == TG_CLASS_ELEMENTWISE ? "chain rule through %s" : "%s", name);
        return;
    }
    for (int i = 0; active == 1 && user->n > 1 && i <= k && strchr(t, '|'); i++)
        t = strchr(t, '|') + 1;
    *passes = *t == '~';
    if (*t == '~') t++;
    snprintf(out, room, "%.*s", (int)strcspn(t, "|"), t);
}

/* Appends `rule` to a list unless it is there. */
static void add_rule(char *list, const char *rule) {
    size_t len = strlen(list), n = strlen(rule);
    for (const char *p = list; n && (p = strstr(p, rule)) != NULL; p++)
        if ((p == list || p[-1] == ' ') && (p[n] == 0 || p[n] == ',')) return;
    if (n == 0 || len + n + 3 > TG_RULES_TEXT) return;
    snprintf(list + len, TG_RULES_TEXT - len, "%s%s", len ? ", " : "", rule);
}

/* The rules of all contributions. *passes: none of them is a reason to stop. */
static void gather_rules(const finder *f, const tg_node *node, int n, const tg_grad_part *part,
                         char *rules, bool *passes) {
    *passes = true;
    for (int i = 0; i < n; i++) {
        const tg_node *user = part[i].user;
        char name[TG_RULES_TEXT];
        bool one;
        if (!user) continue;
        const note *above = note_of(f, user);
        for (const char *p = above->step ? "" : above->rules; *p;) {
            size_t len = strcspn(p, ",");
            snprintf(name, sizeof name, "%.*s", (int)len, p);
            add_rule(rules, name);
            p += len + strspn(p + len, ", ");
        }
        rule_name(f, user, part[i].arg, name, sizeof name, &one);
        *passes = *passes && one;
        add_rule(rules, name);
        if (user->op->class == TG_CLASS_ELEMENTWISE &&
            !tg_type_same_shape(&user->type, &node->type))
            add_rule(rules, "sum over what was broadcast");
    }
}

/* ---- the sweep ---- */

/* A quotient of whose rule part is: -(x / w) / w is to become -x / w^2. */
static bool is_opened(const finder *f, const tg_node *kept, int n, const tg_grad_part *part) {
    if (!tg_node_is(kept, "div") || (kept->label && kept != f->s->y)) return false;
    for (int i = 0; i < n; i++)
        if (part[i].user == kept) return true;
    return false;
}

static tg_node *simple(finder *f, tg_node *adjoint, int n, const tg_grad_part *part, bool *opened) {
    *opened = false;
    if (f->count > SMALL || f->nkeep == 0) return adjoint;
    tg_node **keep = tg_alloc_array((size_t)f->nkeep + 1, sizeof *keep);
    if (!keep) {
        tg_fail_memory(&f->rt->c);
        return NULL;
    }
    int count = 0;
    for (int i = 0; i < f->nkeep; i++)
        if (is_opened(f, f->keep[i], n, part))
            *opened = true;
        else
            keep[count++] = f->keep[i];
    if (count == 0) keep[count++] = tg_node_number(f->rt, 0);
    const char *label = f->s->y->label;
    if (is_opened(f, f->s->y, n, part)) f->s->y->label = NULL;
    tg_node *made = keep[0] ? tg_simplify_around(f->rt, adjoint, count, keep, NULL) : NULL;
    f->s->y->label = label;
    tg_free(keep);
    return made;
}

/* Made of numbers and sizes: -1 / N. */
static bool is_constant(const tg_node *n, int depth) {
    if (n->n == 0)
        return n->op == &tg_op_number || n->op == &tg_op_size || n->op->class != TG_CLASS_LEAF;
    bool is = depth > 0;
    for (int i = 0; i < n->n && is; i++) is = is_constant(n->arg[i], depth - 1);
    return is;
}

/* A constant, or a multiple of a mark, the same in each place: nothing that a line could add. */
static bool says_nothing(const tg_node *n) {
    enum { DEPTH = 4 };
    for (;;) {
        if (tg_node_is(n, "expand") || tg_node_is(n, "neg"))
            n = n->arg[0];
        else if (tg_node_is(n, "mul") && is_constant(n->arg[0], DEPTH))
            n = n->arg[1];
        else if ((tg_node_is(n, "mul") || tg_node_is(n, "div")) && is_constant(n->arg[1], DEPTH))
            n = n->arg[0];
        else
            break;
    }
    return (n->op == &tg_op_cell && !n->leaf.cell->name) || is_constant(n, DEPTH);
}

/* Is it a sum or a multiple of names and numbers, too small to get a name of its own? */
static bool is_small(const tg_node *n) {
    for (int i = 0; i < n->n; i++)
        if (n->arg[i]->n > 0) return false;
    return n->n > 0;
}

/* Does the way that the node itself was made pass? y = (A @ x - b)^2: the bracket is a sum. */
static bool is_plain(const finder *f, const tg_node *node) {
    char name[TG_RULES_TEXT];
    bool passes = node->n > 0;
    for (int k = 0; k < node->n && passes; k++)
        if (note_of(f, node->arg[k])->active) rule_name(f, node, k, name, sizeof name, &passes);
    return passes;
}

static tg_node *add_step(finder *f, tg_node *node, tg_node *local, int parts, int target) {
    tg_steps *s = f->s;
    if (!tg_grow((void **)&s->step, &s->cap, s->n + 1, sizeof *s->step)) {
        tg_fail_memory(&f->rt->c);
        return NULL;
    }
    tg_type type = node->type;
    type.weak = false;
    tg_cell *mark = tg_cell_new(f->rt, TG_CELL_VAR, NULL, &type, NULL);
    if (!mark) return NULL;
    note *own = note_of(f, node);
    tg_derive_step *made = &s->step[s->n++];
    *made = (tg_derive_step){.node = node,
                             .name = tg_node_name(node),
                             .target = target,
                             .mark = mark,
                             .local = local,
                             .parts = parts};
    memcpy(made->rules, own->rules, sizeof made->rules);
    if (node == s->y) snprintf(made->rules, sizeof made->rules, "a variable by itself");
    if (target >= 0) made->name = s->opt->x_name[target];
    own->step = (int)s->n;
    return tg_node_cell(f->rt, mark);
}

static tg_node *finished(void *user, tg_node *node, tg_node *adjoint, int n,
                         const tg_grad_part *part) {
    finder *f = user;
    note *own = note_of(f, node);
    bool passes, opened;
    int target = target_of(f, node);
    gather_rules(f, node, n, part, own->rules, &passes);
    if (node == f->s->y && target < 0) return adjoint;
    tg_node *local = simple(f, adjoint, n, part, &opened);
    if (!local) return NULL;
    bool named = node->label || (node->op == &tg_op_cell && target >= 0);
    bool plain = n == 1 && is_plain(f, node);
    if (target < 0 && !named && (says_nothing(local) || (plain && (passes || is_small(node)))))
        return local;
    tg_node *mark = add_step(f, node, local, n, target);
    if (mark) f->s->step[f->s->n - 1].opened = opened;
    return mark;
}

/* ---- levels, names, what is shown ---- */

static void choose_shown(tg_steps *s) {
    size_t half = SHOWN / 2;
    for (size_t i = 0; i < s->n; i++)
        s->step[i].shown = s->n <= SHOWN || i < half || i >= s->n - half || s->step[i].target >= 0;
}

static bool in_use(const finder *f, const char *name) {
    const tg_derive_options *o = f->s->opt;
    if (strcmp(name, o->y_name) == 0 || (o->taken && o->taken(o->user, name))) return true;
    for (size_t i = 0; i < f->count; i++) {
        const tg_node *n = f->node[i];
        const char *own = tg_node_name(n);
        if (own && strcmp(own, name) == 0) return true;
    }
    return false;
}

/* The next free name of u, v, w, u1, v1, w1, ... */
static const char *fresh_name(const finder *f, int *at) {
    char name[24];
    for (;;) {
        int i = (*at)++;
        if (i < 3)
            snprintf(name, sizeof name, "%c", "uvw"[i]);
        else
            snprintf(name, sizeof name, "%c%d", "uvw"[i % 3], i / 3);
        if (!in_use(f, name)) return tg_intern(&f->rt->c, name, strlen(name));
    }
}

static tg_derive_step *next_nameless(const tg_steps *s) {
    tg_derive_step *found = NULL;
    for (size_t i = 0; i < s->n; i++) {
        tg_derive_step *x = &s->step[i];
        if (!x->name && x->shown && (!found || x->node->id < found->node->id)) found = x;
    }
    return found;
}

static bool name_steps(finder *f) {
    tg_steps *s = f->s;
    int at = 0;
    for (tg_derive_step *x; (x = next_nameless(s)) != NULL;) {
        if (!(x->name = fresh_name(f, &at))) return tg_fail_memory(&f->rt->c);
        x->fresh = true;
    }
    for (size_t i = 0; i < s->n; i++) /* by what the user called it, also where that is no label */
        s->step[i].fresh = s->step[i].fresh || (s->step[i].node->n > 0 && !s->step[i].node->label);
    for (size_t i = 0; i < s->n; i++) {
        char name[200];
        tg_derive_step *x = &s->step[i];
        snprintf(name, sizeof name, "d%s/d%s", s->opt->y_name, x->name ? x->name : "...");
        if (!(x->mark->name = tg_intern(&f->rt->c, name, strlen(name))))
            return tg_fail_memory(&f->rt->c);
    }
    return true;
}

/* ---- the formulas without marks ---- */

/* How much a law tells who reads the line: 0 for what is done everywhere and needs no word ("put
 * together"), 1 for the arithmetic of sums and products, 2 for the rest. */
static int weight(int law) {
    switch (law) {
    case TG_LAW_ARITHMETIC:
    case TG_LAW_ZERO:
    case TG_LAW_LINEARITY:
    case TG_LAW_BROADCAST:
    case TG_LAW_UNIFORM:
    case TG_LAW_TRANSPOSE:
    case TG_LAW_IDENTITY:
    case TG_LAW_RESHAPE:
    case TG_LAW_SAME_BRANCHES:
    case TG_LAW_REASSOCIATE:
    case TG_LAW_NAMED_PART:
    case TG_LAW_SELECT: return 0;
    case TG_LAW_COLLECT:
    case TG_LAW_POWERS:
    case TG_LAW_CANCEL:
    case TG_LAW_COMMON:
    case TG_LAW_ONEHOT:
    case TG_LAW_COUNT: return 1;
    default: return 2;
    }
}

/* The one or two laws that tell most. The assumptions themselves are named behind the laws. */
static void note_laws(tg_rt *rt, tg_derive_step *x) {
    enum { MOST = 2 };
    int found = 0;
    for (int telling = 2; telling > 0; telling--)
        for (int law = 0; law < TG_LAWS && found < MOST; law++) {
            if (weight(law) != telling || !tg_simplify_used(rt, law)) continue;
            if (law == TG_LAW_ASSUMED && x->used) continue;
            size_t have = strlen(x->laws);
            int n = snprintf(x->laws + have, sizeof x->laws - have, "%s%s", have ? "; " : "",
                             tg_simp_law_name(law));
            if (n >= (int)(sizeof x->laws - have)) x->laws[have] = 0; /* no room for it */
            found++;
        }
}

/* What is in a formula besides the named parts: their marks stand for these. */
static bool cells_of(finder *f, tg_node *n, tg_node ***list, size_t *count) {
    const tg_steps *s = f->s;
    tg_node **from = tg_alloc_array(2 * s->n, sizeof *from), **to = from ? from + s->n : NULL;
    int pairs = 0;
    bool ok = from ? true : tg_fail_memory(&f->rt->c);
    for (size_t i = 0; ok && i < s->n; i++) {
        if (s->step[i].node->n == 0) continue;
        from[pairs] = s->step[i].node;
        ok = (to[pairs++] = tg_node_cell(f->rt, s->step[i].mark)) != NULL;
    }
    tg_node *over = ok ? tg_node_substitute_all(f->rt, n, pairs, from, to) : NULL;
    tg_free(from);
    return over && tg_node_collect(f->rt, 1, &over, list, count);
}

/* Does a speak of something that b does not speak of? -1 / x against -1 / u^2, u = sqrt(x). */
static bool says_other(finder *f, tg_node *a, tg_node *b, bool *other) {
    tg_node **in_a = NULL, **in_b = NULL;
    size_t na = 0, nb = 0;
    bool ok = cells_of(f, a, &in_a, &na) && cells_of(f, b, &in_b, &nb);
    *other = false;
    for (size_t i = 0; ok && i < na && !*other; i++) {
        size_t k = 0;
        if (in_a[i]->op != &tg_op_cell) continue;
        while (k < nb && in_b[k] != in_a[i]) k++;
        *other = k == nb;
    }
    tg_free(in_a);
    tg_free(in_b);
    return ok;
}

/* The adjoint simplified with the other parts left as they are, or as grad gives it, which may see
 * through them (the log of a softmax): the one with fewer operations, if it speaks of the same. */
static bool best_form(finder *f, tg_derive_step *x, int nkeep, tg_node *const *keep) {
    uint32_t used = 0;
    tg_grad_options usual = {.simplify = true, .used = &used};
    tg_node *whole = NULL;
    size_t ops, whole_ops;
    bool other;
    x->full = tg_simplify_around(f->rt, x->raw, nkeep, keep, &x->used);
    if (!x->full) return false;
    if (f->count > FULL_OPS) return true;
    if (!tg_grad(f->rt, f->s->y, 1, &x->node, &usual, &whole, NULL) ||
        !tg_nodes_ops(f->rt, 1, &x->full, &ops) || !tg_nodes_ops(f->rt, 1, &whole, &whole_ops))
        return false;
    if (whole_ops >= ops) return true;
    if (!says_other(f, whole, x->full, &other)) return false;
    if (other) return true;
    x->full = whole;
    x->used = used;
    return true;
}

static bool same_text(tg_rt *rt, const tg_node *a, const tg_node *b, bool *same) {
    tg_str s = {0}, t = {0};
    bool ok = a == b || (tg_node_print(rt, &s, a, false) && tg_node_print(rt, &t, b, false));
    if (ok && (s.failed || t.failed)) ok = tg_fail_memory(&rt->c);
    *same = ok && strcmp(tg_str_text(&s), tg_str_text(&t)) == 0;
    tg_str_free(&s);
    tg_str_free(&t);
    return ok;
}

/* n simplified, but for what calls with a rule of the user's own hide. NULL: an error. */
static tg_node *simple_outside(finder *f, tg_node *n) {
    tg_node **closed = tg_alloc_array(f->count, sizeof *closed), *made = NULL;
    int count = 0;
    if (!closed) tg_fail_memory(&f->rt->c);
    for (size_t i = 0; closed && i < f->count; i++)
        if (tg_node_is_ruled(f->node[i])) closed[count++] = f->node[i];
    if (closed)
        made =
            count ? tg_simplify_around(f->rt, n, count, closed, NULL) : tg_simplify(f->rt, n, NULL);
    tg_free(closed);
    return made;
}

/* The laws from the line as written, with the lines above put in, to what stands under it. Where
 * that does not lead there (what is seen through), those from the whole derivative. */
static bool find_laws(finder *f, tg_derive_step *x, int nkeep, tg_node *const *keep) {
    const tg_steps *s = f->s;
    tg_node **from = tg_alloc_array(2 * s->n, sizeof *from), **to = from ? from + s->n : NULL;
    int pairs = 0;
    bool ok = from ? true : tg_fail_memory(&f->rt->c);
    for (size_t i = 0; ok && &s->step[i] < x; i++) {
        from[pairs] = tg_node_cell(f->rt, s->step[i].mark);
        to[pairs] = s->step[i].full ? s->step[i].full : s->step[i].raw;
        ok = from[pairs++] != NULL;
    }
    tg_node *put = ok ? tg_node_substitute_all(f->rt, x->local, pairs, from, to) : NULL;
    tg_node *made = put ? tg_simplify_around(f->rt, put, nkeep, keep, NULL) : NULL;
    tg_free(from);
    bool there;
    if (!made || !same_text(f->rt, made, x->full, &there)) return false;
    if (!there && x->target >= 0)
        ok = (made = simple_outside(f, put)) && same_text(f->rt, made, x->full, &there);
    if (ok && !there)
        ok = (x->target >= 0 ? simple_outside(f, x->raw)
                             : tg_simplify_around(f->rt, x->raw, nkeep, keep, NULL)) != NULL;
    if (ok) note_laws(f->rt, x);
    return ok;
}

static bool fill_in(finder *f, tg_node *const *result, const uint32_t *used) {
    tg_steps *s = f->s;
    tg_node **at = tg_alloc_array(s->n, sizeof *at), **raw = tg_alloc_array(s->n, sizeof *raw);
    tg_node **keep = tg_alloc_array(s->n + 1, sizeof *keep);
    bool ok = at && raw && keep ? true : tg_fail_memory(&f->rt->c);
    int nkeep = 0;
    for (size_t i = 0; ok && i < s->n; i++) {
        at[i] = s->step[i].node;
        if (at[i]->n > 0) keep[nkeep++] = at[i];
    }
    if (ok && nkeep == 0) keep[nkeep++] = s->y;
    tg_grad_options opt = {0};
    ok = ok && (s->n == 0 || tg_grad(f->rt, s->y, (int)s->n, at, &opt, raw, NULL));
    for (size_t i = 0; ok && i < s->n; i++) {
        tg_derive_step *x = &s->step[i];
        x->raw = raw[i];
        if (!x->shown) continue;
        size_t ops = 0;
        ok = tg_nodes_ops(f->rt, 1, &raw[i], &ops);
        if (ok && x->target >= 0) {
            x->full = result[x->target];
            x->used = *used;
            if (ops > FULL_OPS) continue;
        } else if (ok && ops <= FULL_OPS) {
            ok = best_form(f, x, nkeep, keep);
        }
        if (ok && x->full) ok = find_laws(f, x, nkeep, keep);
    }
    tg_free(at);
    tg_free(raw);
    tg_free(keep);
    return ok;
}

/* ---- the whole ---- */

static void free_steps(tg_steps *s) {
    for (size_t i = 0; i < s->n; i++) tg_cell_drop(s->step[i].mark);
    tg_free(s->step);
}

/* Fresh names are labels for as long as the text is made. */
static void set_labels(tg_steps *s, bool on) {
    for (size_t i = 0; i < s->n; i++)
        if (s->step[i].fresh) s->step[i].node->label = on ? s->step[i].name : NULL;
}

static bool derive(finder *f, tg_node *const *x, tg_derivation *out) {
    tg_rt *rt = f->rt;
    tg_steps *s = f->s;
    uint32_t used = 0;
    tg_grad_trace trace = {.user = f, .finished = finished};
    tg_grad_options usual = {.simplify = true, .used = &used}, watched = {.trace = &trace};
    tg_node **ignored = tg_alloc_array((size_t)f->n, sizeof *ignored);
    if (!ignored) return tg_fail_memory(&rt->c);
    bool ok = tg_grad(rt, s->y, f->n, x, &usual, out->result, NULL) && survey(f, s->y) &&
              tg_grad(rt, s->y, f->n, x, &watched, ignored, NULL);
    tg_free(ignored);
    out->used = used;
    if (!ok || !tg_derive_order(s)) return false;
    choose_shown(s);
    if (!name_steps(f) || !fill_in(f, out->result, &used) || !tg_derive_check(s)) return false;
    set_labels(s, true);
    ok = tg_derive_write(s, out);
    set_labels(s, false);
    return ok;
}

bool tg_derive(tg_rt *rt, tg_node *y, int n, tg_node *const *x, const tg_derive_options *opt,
               tg_derivation *out) {
    tg_steps s = {.rt = rt, .y = y, .ntargets = n, .opt = opt};
    finder f = {.rt = rt, .s = &s, .n = n, .x = x};
    *out = (tg_derivation){0};
    out->result = tg_alloc_array((size_t)n, sizeof *out->result);
    bool ok = out->result ? derive(&f, x, out) : tg_fail_memory(&rt->c);
    tg_free(f.node);
    tg_free(f.note);
    tg_free(f.keep);
    free_steps(&s);
    if (!ok) tg_derivation_free(out);
    return ok;
}

void tg_derivation_free(tg_derivation *d) {
    tg_str_free(&d->text);
    tg_free(d->result);
    *d = (tg_derivation){0};
}
