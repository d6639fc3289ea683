/* Writing a derivation. First the parts in the order in which they are computed, then the lines
 * from y down to the variables: the derivative over those of the lines above, and under it, behind
 * an
 * `=` in the same column, what that is. Behind each line stand its shape, the tick of its check,
 * and the rules or laws that gave it. What is too wide goes on in its column in the next line. */
#include "base/alloc.h"
#include "runtime/graph/assume.h"
#include "runtime/graph/derive_steps.h"
#include "runtime/graph/print.h"
#include "runtime/graph/print_plan.h"
#include "runtime/graph/simplify.h"

#include <stdio.h>
#include <string.h>

enum { WIDE = 64, NARROW = 24, TICK = 3, LONGEST = 120, GAP = 3 };

typedef struct row {
    tg_str left; /* "dy/du = v" */
    size_t from; /* where the formula begins in it */
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
    x->from = x->left.len;
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
    return s->y->n == 0 || define(s, r, s->opt->y_shown, s->y);
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

/* A part that a line above defines is its name. */
static bool print_named(tg_steps *s, const tg_node *n, tg_str *out) {
    for (size_t i = 0; n->n > 0 && n->label && i < s->n; i++) {
        if (s->step[i].node != n || !s->step[i].shown) continue;
        tg_str_add(out, n->label);
        return true;
    }
    return tg_node_print(s->rt, out, n, false);
}

/* What the line comes to; of a target as grad prints it, without the fresh names. */
static bool print_full(tg_steps *s, const tg_derive_step *x, tg_str *out) {
    if (x->target >= 0) set_labels(s, false);
    bool ok =
        x->target >= 0 ? tg_node_print(s->rt, out, x->full, false) : print_named(s, x->full, out);
    if (x->target >= 0) set_labels(s, true);
    return ok && (!out->failed || tg_fail_memory(&s->rt->c));
}

static bool write_step(tg_steps *s, rows *r, const tg_derive_step *x) {
    tg_str local = {0}, full = {0};
    bool ok = print_named(s, x->local, &local) && (!x->full || print_full(s, x, &full));
    bool second = ok && x->full && strcmp(tg_str_text(&local), tg_str_text(&full)) != 0;
    if (second && x->target < 0 && full.len > LONGEST) second = false;
    if (x->opened && x->level == 0 && x->target < 0) second = false;
    row *first = ok ? add_row(s->rt, r) : NULL;
    ok = first != NULL;
    if (ok) {
        tg_str_addf(&first->left, "%s = ", x->mark->name);
        first->from = first->left.len;
        tg_str_add(&first->left, tg_str_text(&local));
        set_shape(s->rt, first, x->node);
        add_tick(x, first);
        add_rules(x, &first->right);
    }
    row *then = ok && second ? add_row(s->rt, r) : NULL;
    if (then) {
        tg_str_repeat(&then->left, ' ', tg_utf8_width(x->mark->name, strlen(x->mark->name)));
        tg_str_add(&then->left, " = ");
        then->from = then->left.len;
        tg_str_add(&then->left, tg_str_text(&full));
        set_shape(s->rt, then, x->node);
        add_tick(x, then);
        add_laws(s->rt, x, &then->right);
    }
    if (local.failed || full.failed) ok = tg_fail_memory(&s->rt->c);
    tg_str_free(&local);
    tg_str_free(&full);
    return ok && (!second || then);
}

/* ---- layout ---- */

/* The width of the line of n bytes at `at`. */
static int width_of(const char *at, size_t n) {
    return tg_utf8_width(at, n);
}

/* The widest line of a text. */
static int widest(const char *text) {
    int most = 0;
    for (;;) {
        size_t n = strcspn(text, "\n");
        int w = width_of(text, n);
        if (w > most) most = w;
        if (!text[n]) return most;
        text += n + 1;
    }
}

/* Pads to column `to`, with at least one gap. */
static int pad(tg_str *out, int at, int to) {
    int blanks = to - at > GAP ? to - at : GAP;
    tg_str_repeat(out, ' ', blanks);
    return at + blanks;
}

/* How much of a list of rules fits into `room` columns: rather whole ones. */
static size_t take_rules(const char *text, int room) {
    size_t n = strlen(text), best[3] = {0};
    if (width_of(text, n) <= room) return n;
    int open = 0;
    for (size_t i = 1; i < n; i++) {
        open += (text[i] == '(') - (text[i] == ')');
        if (text[i] != ' ' || open) continue;
        if (width_of(text, i) > room) break;
        best[text[i - 1] == ';' ? 0 : text[i - 1] == ',' ? 1 : 2] = i;
    }
    size_t whole = best[0] > best[1] ? best[0] : best[1];
    if (whole == 0) whole = best[2];
    return whole ? whole : n;
}

static void break_formula(row *x, int width) {
    if (x->from) tg_print_wrap(&x->left, x->from, width, width_of(tg_str_text(&x->left), x->from));
}

/* One row: its formula, and from the column `right` on its rules, each in as many lines as needed.
 */
static void lay_row(const row *x, int shape_at, int right, int room, tg_str *out) {
    const char *left = tg_str_text(&x->left), *rules = tg_str_text(&x->right);
    bool more = true;
    for (int line = 0; more; line++) {
        size_t n = strcspn(left, "\n");
        int at = width_of(left, n);
        if (line > 0) tg_str_addc(out, '\n');
        tg_str_addn(out, left, n);
        left += n + (left[n] == '\n');
        if (line == 0 && x->shape[0]) {
            at = pad(out, at, shape_at);
            tg_str_add(out, x->shape);
            at += (int)strlen(x->shape);
        }
        if (x->tick && (line == 0 || *rules)) {
            pad(out, at, right);
            if (line == 0 && x->tick[0]) tg_str_addf(out, "%s  ", x->tick);
            if (line > 0) tg_str_repeat(out, ' ', TICK);
            size_t fits = take_rules(rules, room);
            tg_str_addn(out, rules, fits);
            rules += fits + (rules[fits] == ' ');
        }
        more = *left || (x->tick && *rules);
    }
}

static void lay_out(rows *r, int width, tg_str *out) {
    int left = 0, shape = 0;
    for (size_t i = 0; i < r->n; i++) {
        row *x = &r->item[i];
        int v = (int)strlen(x->shape);
        if (v > shape) shape = v;
        if (x->reason) tg_str_addf(&x->right, "  (not checked: %s)", x->reason);
    }
    int columns = shape ? GAP + shape : 0, most = width - columns - GAP - TICK - NARROW;
    if (most > WIDE) most = WIDE;
    if (most < NARROW) most = NARROW;
    for (size_t i = 0; i < r->n; i++) {
        row *x = &r->item[i];
        break_formula(x, x->tick ? most : width - columns);
        int w = widest(tg_str_text(&x->left));
        if (w > left && w <= most) left = w;
    }
    int right = left + columns + GAP, room = width - right - TICK;
    for (size_t i = 0; i < r->n; i++) {
        const row *x = &r->item[i];
        if (i > 0) tg_str_addc(out, '\n');
        lay_row(x, left + GAP, right, room > NARROW ? room : NARROW, out);
        if (x->left.failed || x->right.failed) out->failed = true;
    }
}

/* "dy/dw = 0": of a target that y does not depend on. */
static bool write_zero(tg_steps *s, rows *r, const char *name, const tg_node *result) {
    row *x = add_row(s->rt, r);
    if (!x) return false;
    tg_str_addf(&x->left, "d%s/d%s = ", s->opt->y_name, name);
    x->from = x->left.len;
    x->tick = "";
    set_shape(s->rt, x, result);
    tg_str_addf(&x->right, "%s does not depend on %s", s->opt->y_name, name);
    return tg_node_print(s->rt, &x->left, result, false);
}

static bool write_zeros(tg_steps *s, rows *r, tg_derivation *out) {
    for (int t = 0; t < s->ntargets; t++) {
        bool any = false;
        for (size_t i = 0; i < s->n; i++) any = any || s->step[i].target == t;
        if (any) continue;
        out->lines++;
        if (!write_zero(s, r, s->opt->x_name[t], out->result[t])) return false;
    }
    return true;
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
    ok = ok && write_zeros(s, &r, out);
    if (ok) lay_out(&r, s->opt->width, &out->text);
    free_rows(&r);
    return ok && (!out->text.failed || tg_fail_memory(&s->rt->c));
}
