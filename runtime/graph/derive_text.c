/* Writing a derivation. First the parts in the order in which they are computed, then the lines
 * from y down to the variables: the derivative over those of the lines above, and under it, behind
 * an
 * `=` in the same column, what that is. Behind each line stand its shape, the tick of its check,
 * and the rules or laws that gave it. */
#include "base/alloc.h"
#include "runtime/graph/assume.h"
#include "runtime/graph/derive_steps.h"
#include "runtime/graph/print.h"
#include "runtime/graph/simplify.h"

#include <stdio.h>
#include <string.h>

enum { WIDE = 64, LONGEST = 120, GAP = 3 };

typedef struct row {
    tg_str left; /* "dy/du = v" */
    char shape[80];
    const char *tick;   /* "✓", "✗", or NULL: a definition */
    const char *reason; /* why there is no tick */
    tg_str right;       /* rules */
} row;

typedef struct rows {
    row *item;
    size_t n, cap;
} rows;

static row *add_row(tg_rt *rt, rows *r) {
    if (!tg_grow((void **)&r->item, &r->cap, r->n + 1, sizeof *r->item)) {
        tg_fail_memory(&rt->c);
        return NULL;
    }
    r->item[r->n] = (row){0};
    return &r->item[r->n++];
}

static void free_rows(rows *r) {
    for (size_t i = 0; i < r->n; i++) {
        tg_str_free(&r->item[i].left);
        tg_str_free(&r->item[i].right);
    }
    tg_free(r->item);
}

static void set_shape(tg_rt *rt, row *r, const tg_node *n) {
    if (n->type.rank > 0)
        snprintf(r->shape, sizeof r->shape, "%s", tg_shape_text(rt, n->type.rank, n->type.dim));
}

/* "u = A @ x - b" */
static bool define(tg_steps *s, rows *r, const char *name, const tg_node *n) {
    row *x = add_row(s->rt, r);
    if (!x) return false;
    tg_str_addf(&x->left, "%s = ", name);
    set_shape(s->rt, x, n);
    return tg_node_print(s->rt, &x->left, n, false);
}

/* The parts, ascending; those that are cells need no definition. */
static bool define_all(tg_steps *s, rows *r) {
    uint64_t last = 0;
    for (;;) {
        const tg_derive_step *next = NULL;
        for (size_t i = 0; i < s->n; i++) {
            const tg_derive_step *x = &s->step[i];
            bool wanted = x->shown && x->node->n > 0 && x->node != s->y && x->node->id > last;
            if (wanted && (!next || x->node->id < next->node->id)) next = x;
        }
        if (!next) break;
        last = next->node->id;
        if (!define(s, r, next->name, next->node)) return false;
    }
    return define(s, r, s->opt->y_shown, s->y);
}

static void add_tick(const tg_derive_step *x, row *r) {
    r->tick = x->tick == TG_TICK_RIGHT ? "✓" : x->tick == TG_TICK_WRONG ? "✗" : "";
    if (x->tick == TG_TICK_NONE) r->reason = x->reason ? x->reason : "no point was found";
}

static void add_rules(const tg_derive_step *x, tg_str *out) {
    if (x->parts > 1) {
        if (x->parts == 2)
            tg_str_addf(out, "%s enters twice: ", x->name);
        else
            tg_str_addf(out, "%s enters %d times: ", x->name, x->parts);
    }
    tg_str_add(out, x->rules);
}

static void add_laws(tg_rt *rt, const tg_derive_step *x, tg_str *out) {
    tg_str_add(out, x->laws[0] ? x->laws : "put together");
    const char *before = "; assuming ";
    for (int i = 0; i < 32; i++) {
        const char *text = x->used >> i & 1 ? tg_assume_text(rt, i) : NULL;
        if (!text) continue;
        tg_str_addf(out, "%s%s", before, text);
        before = ", ";
    }
}

static void set_labels(tg_steps *s, bool on) {
    for (size_t i = 0; i < s->n; i++)
        if (s->step[i].fresh) s->step[i].node->label = on ? s->step[i].name : NULL;
}

/* What the line comes to; of a target as grad prints it, without the fresh names. */
static bool print_full(tg_steps *s, const tg_derive_step *x, tg_str *out) {
    if (x->target >= 0) set_labels(s, false);
    bool ok = tg_node_print(s->rt, out, x->full, false);
    if (x->target >= 0) set_labels(s, true);
    return ok && (!out->failed || tg_fail_memory(&s->rt->c));
}

static bool write_step(tg_steps *s, rows *r, const tg_derive_step *x) {
    tg_str local = {0}, full = {0};
    bool ok =
        tg_node_print(s->rt, &local, x->local, false) && (!x->full || print_full(s, x, &full));
    bool second = ok && x->full && strcmp(tg_str_text(&local), tg_str_text(&full)) != 0;
    if (second && x->target < 0 && full.len > LONGEST) second = false;
    row *first = ok ? add_row(s->rt, r) : NULL;
    ok = first != NULL;
    if (ok) {
        tg_str_addf(&first->left, "%s = %s", x->mark->name, tg_str_text(&local));
        set_shape(s->rt, first, x->node);
        add_tick(x, first);
        add_rules(x, &first->right);
    }
    row *then = ok && second ? add_row(s->rt, r) : NULL;
    if (then) {
        tg_str_repeat(&then->left, ' ', tg_utf8_width(x->mark->name, strlen(x->mark->name)));
        tg_str_addf(&then->left, " = %s", tg_str_text(&full));
        set_shape(s->rt, then, x->node);
        add_tick(x, then);
        add_laws(s->rt, x, &then->right);
    }
    if (local.failed || full.failed) ok = tg_fail_memory(&s->rt->c);
    tg_str_free(&local);
    tg_str_free(&full);
    return ok && (!second || then);
}

static int width_of(const tg_str *t) {
    return tg_utf8_width(tg_str_text(t), t->len);
}

/* Pads to column `to`, with at least one gap. */
static int pad(tg_str *out, int at, int to) {
    int blanks = to - at > GAP ? to - at : GAP;
    tg_str_repeat(out, ' ', blanks);
    return at + blanks;
}

static void lay_out(const rows *r, tg_str *out) {
    int left = 0, shape = 0;
    for (size_t i = 0; i < r->n; i++) {
        int w = width_of(&r->item[i].left), v = (int)strlen(r->item[i].shape);
        if (w > left && w <= WIDE) left = w;
        if (v > shape) shape = v;
    }
    for (size_t i = 0; i < r->n; i++) {
        const row *x = &r->item[i];
        int at = width_of(&x->left);
        if (i > 0) tg_str_addc(out, '\n');
        tg_str_add(out, tg_str_text(&x->left));
        if (x->shape[0]) {
            at = pad(out, at, left + GAP);
            tg_str_add(out, x->shape);
            at += (int)strlen(x->shape);
        }
        if (!x->tick) continue;
        pad(out, at, left + (shape ? GAP + shape : 0) + GAP);
        if (x->tick[0]) tg_str_addf(out, "%s  ", x->tick);
        tg_str_add(out, tg_str_text(&x->right));
        if (x->reason) tg_str_addf(out, "  (not checked: %s)", x->reason);
        if (x->left.failed || x->right.failed) out->failed = true;
    }
}

bool tg_derive_write(tg_steps *s, tg_derivation *out) {
    rows r = {0};
    bool ok = define_all(s, &r), gap = false;
    for (size_t i = 0; ok && i < s->n; i++) {
        const tg_derive_step *x = &s->step[i];
        if (!x->shown) {
            out->omitted++;
            if (gap) continue;
            int count = 0;
            for (size_t k = i; k < s->n; k++) count += !s->step[k].shown;
            row *dots = add_row(s->rt, &r);
            if (dots) tg_str_addf(&dots->left, "... %d more line%s", count, count == 1 ? "" : "s");
            ok = dots != NULL;
            gap = true;
            continue;
        }
        out->lines++;
        out->wrong += x->tick == TG_TICK_WRONG;
        out->unchecked += x->tick == TG_TICK_NONE;
        ok = write_step(s, &r, x);
    }
    if (ok) lay_out(&r, &out->text);
    free_rows(&r);
    return ok && (!out->text.failed || tg_fail_memory(&s->rt->c));
}
