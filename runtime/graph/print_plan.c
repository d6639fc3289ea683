/* Lengths and names for the printer. Arguments have smaller ids than their users: going down the
 * list of nodes tells what is printed and how often, going up how long it is. Neither walks the
 * tree that the text is, which may be longer than anybody could print.
 *
 * A part gets a name when it is printed in several places and long. Parts are taken from below, a
 * name counting as two characters in what uses it; where that gives more names than a reader can
 * keep in mind, only longer parts count, and of these the outermost. The names are letters, large
 * ones for matrices, that nothing in the formula is called, and nothing that the user has. */
#include "runtime/graph/print_plan.h"
#include "base/alloc.h"
#include "runtime/graph/graph.h"
#include "runtime/graph/ruled.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

enum {
    SHORT = 16, /* shorter parts get no name, */
    LONG = 64,  /* and where there are many, up to this long ones do not */
    NAMES = 24, /* the most, */
    LINE = 70   /* or one for so many characters */
};

bool tg_print_is_open(const tg_node *root, const tg_node *n) {
    return n == root || (root->op->opaque && n == root->arg[0]);
}

const tg_node *tg_print_seen(const tg_node *n, int unfold) {
    while (n->op == &tg_op_parameter || (unfold == TG_UNFOLD_ALL && tg_node_is_ruled(n)))
        n = n->arg[0];
    return n;
}

bool tg_print_is_fresh(const tg_node *n) {
    return n->op->class == TG_CLASS_RANDOM && n->at->n > 0 && n->at->v[n->at->n - 1] == 1;
}

tg_print_part *tg_print_plan_find(const tg_print_plan *plan, const tg_node *n) {
    size_t lo = 0, hi = plan->n;
    while (lo < hi) {
        size_t mid = lo + (hi - lo) / 2;
        if (plan->part[mid].node->id < n->id)
            lo = mid + 1;
        else
            hi = mid;
    }
    return lo < plan->n && plan->part[lo].node == n ? &plan->part[lo] : NULL;
}

void tg_print_plan_free(tg_print_plan *plan) {
    tg_free(plan->part);
    *plan = (tg_print_plan){0};
}

/* ---- lengths ---- */

/* Of what a node itself adds to the text. */
static double own_length(const tg_print_part *p) {
    const tg_node *n = p->node;
    const tg_op *op = n->op;
    if (p->outside) return (double)strlen(p->outside);
    if (p->label) return (double)strlen(n->label);
    if (op == &tg_op_cell) return n->leaf.cell->name ? (double)strlen(n->leaf.cell->name) : 12;
    if (op == &tg_op_const) return n->label ? (double)strlen(n->label) : 20;
    if (op->class == TG_CLASS_LEAF) return 4;
    if (tg_node_is_ruled(n)) return (double)strlen(tg_ruled_of(n).text);
    double separators = n->n > 1 ? 2.0 * (n->n - 1) : 0, attributes = n->at->n > 0 ? 8 : 0;
    switch (op->style) {
    case TG_PRINT_INFIX: return op->precedence == 8 ? 1 : (double)strlen(op->symbol) + 3;
    case TG_PRINT_PREFIX: return (double)strlen(op->symbol) + 1;
    case TG_PRINT_PRIME: return 2;
    case TG_PRINT_INDEX: return attributes;
    default: break;
    }
    return (double)strlen(op->shown ? op->shown : op->name) + 2 + separators + attributes;
}

static void measure_part(const tg_print_plan *plan, tg_print_part *p) {
    int shown;
    p->len = own_length(p);
    tg_node *const *args = tg_node_shown_arguments(p->node, &shown);
    for (int k = 0; k < shown && !p->label && !p->outside; k++) {
        const tg_print_part *arg = tg_print_plan_find(plan, tg_print_seen(args[k], plan->unfold));
        p->len += arg->name[0] ? 2 : arg->len;
    }
}

/* What n is called in the formula around. */
static const char *name_around(const tg_print_plan *plan, const tg_node *n) {
    const tg_print_part *p = plan->around ? tg_print_plan_find(plan->around, n) : NULL;
    return !p ? NULL : p->name[0] ? p->name : p->outside;
}

/* What is printed, from the roots down. */
static void reach(tg_print_plan *plan, int unfold, int roots, tg_node *const *all) {
    tg_node *root = plan->body ? NULL : all[0];
    plan->unfold = unfold;
    for (int i = 0; i < roots; i++) {
        tg_print_part *p = tg_print_plan_find(plan, tg_print_seen(all[i], unfold));
        p->reached = true;
        p->users += plan->body;
    }
    for (size_t i = plan->n; i-- > 0;) {
        tg_print_part *p = &plan->part[i];
        tg_node *n = p->node;
        if (!p->reached) continue;
        p->outside = name_around(plan, n);
        if (n->n > 0 && n->label && !(root && tg_print_is_open(root, n))) {
            p->label = unfold != TG_UNFOLD_ALL && p->level >= unfold;
            p->level++;
        }
        int shown;
        tg_node *const *args = tg_node_shown_arguments(n, &shown);
        for (int k = 0; k < shown && !p->label && !p->outside; k++) {
            tg_print_part *arg = tg_print_plan_find(plan, tg_print_seen(args[k], unfold));
            if (!arg->reached || arg->level > p->level) arg->level = p->level;
            arg->reached = true;
            arg->users++;
        }
    }
}

static bool make(tg_rt *rt, int roots, tg_node *const *root, int unfold, tg_print_plan *plan) {
    tg_node **node;
    size_t n;
    if (!tg_node_collect(rt, roots, root, &node, &n)) return false;
    plan->part = tg_alloc_array(n, sizeof *plan->part);
    if (plan->part) {
        plan->n = n;
        for (size_t i = 0; i < n; i++) plan->part[i].node = node[i];
        reach(plan, unfold, roots, root);
        for (size_t i = 0; i < n; i++)
            if (plan->part[i].reached) measure_part(plan, &plan->part[i]);
    }
    tg_free(node);
    return plan->part || tg_fail_memory(&rt->c);
}

bool tg_print_plan_make(tg_rt *rt, tg_node *root, int unfold, tg_print_plan *plan) {
    *plan = (tg_print_plan){0};
    return make(rt, 1, &root, unfold, plan);
}

bool tg_print_plan_body(tg_rt *rt, int n, tg_node *const *roots, const tg_print_plan *around,
                        tg_print_plan *plan) {
    *plan = (tg_print_plan){.body = true, .around = around};
    return make(rt, n, roots, around->unfold, plan);
}

/* ---- names ---- */

static bool is_candidate(const tg_print_part *p, double least) {
    const tg_node *n = p->node;
    if (!p->reached || p->label || p->outside || n->op->class == TG_CLASS_LEAF || p->users < 2)
        return false;
    return p->len >= least || tg_print_is_fresh(n);
}

/* Marks the parts to be named with '?', but not the innermost `skip` of them, and measures the rest
 * without them. */
static void mark(tg_print_plan *plan, double least, int skip) {
    plan->names = 0;
    for (size_t i = 0; i < plan->n; i++) {
        tg_print_part *p = &plan->part[i];
        p->name[0] = 0;
        if (!p->reached) continue;
        measure_part(plan, p);
        if ((!plan->body && i + 1 == plan->n) || !is_candidate(p, least) || skip-- > 0) continue;
        p->name[0] = '?';
        p->name[1] = 0;
        plan->names++;
    }
}

/* Does the text contain the name as a word of its own? */
static bool has_word(const char *text, const char *name) {
    size_t len = strlen(name);
    for (const char *at = text; (at = strstr(at, name)); at += len) {
        bool before = at > text && (isalnum((unsigned char)at[-1]) || at[-1] == '_');
        if (!before && !isalnum((unsigned char)at[len]) && at[len] != '_') return true;
    }
    return false;
}

/* The names of sizes in the formula, with blanks between them. */
static void add_sizes(tg_rt *rt, const tg_print_plan *plan, tg_str *s) {
    for (size_t i = 0; i < plan->n; i++) {
        const tg_node *n = plan->part[i].node;
        if (n->op == &tg_op_size) {
            tg_str_addc(s, ' ');
            tg_size_print(rt, s, n->leaf.size);
        }
        for (int k = 0; n->n > 0 && k < n->at->n; k++) {
            if (!(n->at->sizes >> k & 1) || n->at->v[k] >= 0) continue;
            tg_str_addc(s, ' ');
            tg_size_print(rt, s, n->at->v[k]);
        }
    }
}

static bool is_taken(const tg_print_plan *plan, const tg_print_options *o, const char *sizes,
                     const char *name) {
    if (o->taken && o->taken(o->user, name)) return true;
    for (size_t i = 0; i < plan->n; i++) {
        const tg_node *n = plan->part[i].node;
        const char *own = tg_node_name(n);
        if (own && has_word(own, name)) return true;
        if (strcmp(plan->part[i].name, name) == 0) return true;
    }
    for (const tg_print_plan *around = plan->around; around; around = around->around)
        for (size_t i = 0; i < around->n; i++)
            if (strcmp(around->part[i].name, name) == 0) return true;
    return has_word(sizes, name);
}

static void choose_name(tg_print_plan *plan, const tg_print_options *o, const char *sizes,
                        tg_print_part *p) {
    static const char large[] = "RSTUVWPQDEFGHKLMZ", little[] = "rstuvwpqdfghkmz";
    const char *letters = p->node->type.rank > 1 ? large : little;
    char name[sizeof p->name];
    for (int round = 0; round < 1000; round++)
        for (const char *at = letters; *at; at++) {
            if (round)
                snprintf(name, sizeof name, "%c%d", *at, round);
            else
                snprintf(name, sizeof name, "%c", *at);
            if (is_taken(plan, o, sizes, name)) continue;
            memcpy(p->name, name, sizeof name);
            return;
        }
}

bool tg_print_plan_name(tg_rt *rt, tg_print_plan *plan, const tg_print_options *o) {
    double least = SHORT;
    int most = o->limit > 0 && o->limit < NAMES * LINE ? (int)o->limit / LINE : NAMES;
    mark(plan, least, 0);
    while (plan->names > most && least < LONG) mark(plan, least *= 2, 0);
    for (int skip = 0; plan->names > most;) {
        skip += plan->names - most;
        mark(plan, least, skip);
    }
    tg_str sizes = {0};
    if (plan->names > 0) add_sizes(rt, plan, &sizes);
    for (size_t i = 0; i < plan->n; i++)
        if (plan->part[i].name[0]) choose_name(plan, o, tg_str_text(&sizes), &plan->part[i]);
    bool ok = !sizes.failed || tg_fail_memory(&rt->c);
    tg_str_free(&sizes);
    return ok;
}
