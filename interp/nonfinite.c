/* What a user is told when a value is no longer finite:
 *
 *     note: softmax.tg:7:20: cost becomes nan: log(P) is the first that is not finite
 *       7 | cost = mean(-sum(Y * log(P), axis=1))
 *         |                      ^~~~~~
 *         |   P      : [100, 10] from 0 to 1
 *         |   log(P) : [100, 10] 3 of 1000 are -inf, the first at [3, 5]
 *
 * A formula is traced by the runtime (runtime/plan/trace.c): its nodes know where they were
 * written. Plain values leave no trace, so their expression is evaluated again part by part, as far
 * as that can be done without being noticed: not through functions of the user's, nor draws. A name
 * or a number that is not finite was given so, and is no news. */
#include "interp/nonfinite.h"

#include "base/alloc.h"
#include "base/hash.h"
#include "interp/blame.h"
#include "interp/convert.h"
#include "interp/plain.h"
#include "interp/show.h"
#include "runtime/graph/print.h"
#include "runtime/plan/trace.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- values ---- */

static bool is_finite(tg_value v) {
    if (v.tag == TG_V_NUMBER) return v.as.number - v.as.number == 0;
    if (v.tag == TG_V_TENSOR) return tg_view_is_finite(&v.as.tensor->v);
    for (int i = 0; tg_is_container(v) && i < v.as.items->n; i++)
        if (!is_finite(v.as.items->v[i])) return false;
    return true;
}

/* False: v is neither number nor tensor. */
static bool summary_of(tg_value v, tg_summary *out) {
    tg_view one;
    if (v.tag == TG_V_NUMBER) {
        tg_view_init(&one, &v.as.number, TG_F64, 0, NULL);
        tg_view_summary(&one, out);
        return true;
    }
    if (v.tag == TG_V_TENSOR) tg_view_summary(&v.as.tensor->v, out);
    return v.tag == TG_V_TENSOR;
}

/* ---- the remark ---- */

enum { OPERANDS = 4, TEXT = 64 };

/* What is known of an origin, whether it was a formula or a plain value. */
typedef struct finding {
    const char *what; /* "cost becomes", "this is" */
    tg_span at;
    bool nan;             /* that is what it has become; else infinite */
    bool backward, given; /* given: it was among the data */
    char text[TEXT];      /* of the operation */
    int64_t turn, turns;  /* of a loop, from 1; 0: it is in none */
    tg_summary out;
    int n;
    char operand[OPERANDS][TEXT];
    tg_summary in[OPERANDS];
} finding;

/* At most TEXT - 1 bytes, cut between characters. */
static void fit_text(char *to, const char *text, size_t len) {
    size_t n = 0;
    while (n < len && text[n] != '\n') {
        unsigned code;
        size_t more = (size_t)tg_utf8_next(text + n, len - n, &code);
        if (n + more > TEXT - 4) break;
        n += more;
    }
    memcpy(to, text, n);
    strcpy(to + n, n < len ? "..." : "");
}

static void add_count(tg_str *s, int64_t n, const tg_summary *of, const char *what) {
    if (n == of->count)
        tg_str_addf(s, "%s", what);
    else
        tg_str_addf(s, "%lld of %lld %s %s", (long long)n, (long long)of->count,
                    n == 1 ? "is" : "are", what);
}

static void add_summary(tg_interp *in, tg_str *s, const char *name, int width,
                        const tg_summary *of) {
    int64_t bad[3] = {of->nan, of->pos, of->neg};
    static const char *const word[3] = {"nan", "inf", "-inf"};
    bool any = false;
    tg_str_add(s, name);
    tg_str_repeat(s, ' ', width - tg_utf8_width(name, strlen(name)));
    tg_str_add(s, " : ");
    if (of->rank) {
        tg_shape_print(&in->rt, s, of->rank, of->dim);
        tg_str_addc(s, ' ');
    }
    if (of->count == 0) tg_str_add(s, "empty");
    for (int i = 0; i < 3; i++) {
        if (!bad[i]) continue;
        if (any) tg_str_add(s, ", ");
        add_count(s, bad[i], of, word[i]);
        any = true;
    }
    if (any && of->count > 1) {
        tg_str_add(s, ", the first at [");
        for (int d = 0; d < of->rank; d++)
            tg_str_addf(s, "%s%lld", d ? ", " : "", (long long)of->first[d]);
        tg_str_addc(s, ']');
    }
    if (of->lo > of->hi) return;
    if (any) tg_str_add(s, ", the others ");
    if (of->lo == of->hi)
        tg_str_addf(s, "%s%.6g", of->count > 1 && !any ? "all " : "", of->lo);
    else
        tg_str_addf(s, "from %.6g to %.6g", of->lo, of->hi);
}

/* The finding as an error would be reported, but as a note. */
static bool write_finding(tg_interp *in, const finding *f, tg_str *out) {
    tg_ctx *c = &in->rt.c;
    const char *word = f->nan ? "nan" : "infinite";
    if (f->given)
        tg_fail(c, TG_ERR_VALUE, "%s %s: %s has nan among its data", f->what, word, f->text);
    else
        tg_fail(c, TG_ERR_VALUE, "%s %s: %s%s is the first that is not finite", f->what, word,
                f->backward ? "in the derivative taken here, " : "", f->text);
    if (f->turn > 0)
        tg_fail(c, TG_ERR_VALUE, "%s %s: %s is the first that is not finite, in turn %lld of %lld",
                f->what, word, f->text, (long long)f->turn, (long long)f->turns);
    c->diag.at = f->at;
    int width = tg_utf8_width(f->text, strlen(f->text));
    for (int i = 0; i < f->n; i++) {
        int w = tg_utf8_width(f->operand[i], strlen(f->operand[i]));
        if (w > width) width = w;
    }
    for (int i = 0; i <= f->n; i++) {
        tg_str line = {0};
        add_summary(in, &line, i < f->n ? f->operand[i] : f->text, width,
                    i < f->n ? &f->in[i] : &f->out);
        tg_note(c, "%s", tg_str_text(&line));
        tg_str_free(&line);
    }
    bool ok = tg_report_as(in, "", TG_INK_WARNING, tg_remark_colours(in), out);
    tg_clear(c);
    return ok || tg_fail_memory(c);
}

static bool tell(tg_interp *in, const finding *f, tg_str *out) {
    uint64_t key = tg_hash_text(f->text) ^ ((uint64_t)f->at.lo << 32 | f->at.hi);
    if (!tg_remark_is_new(in, key)) return true;
    tg_str text = {0};
    bool ok = write_finding(in, f, &text);
    if (ok && out)
        tg_str_addf(out, "\n%snote:%s %s", tg_ink_on(tg_echo_colours(in), TG_INK_WARNING),
                    tg_ink_off(tg_echo_colours(in)), tg_str_text(&text));
    else if (ok)
        tg_remark_text(in, tg_str_text(&text));
    tg_str_free(&text);
    return ok;
}

/* ---- formulas ---- */

static bool node_text(tg_interp *in, const tg_node *n, char *to) {
    tg_str s = {0};
    bool ok = tg_node_print(&in->rt, &s, n, false);
    fit_text(to, tg_str_text(&s), s.len);
    tg_str_free(&s);
    return ok;
}

/* One number, shown behind the one operation on names and numbers that made it. */
static bool is_plain_to_see(const tg_node *shown, const tg_node *culprit) {
    if (shown->op->class == TG_CLASS_VIEW && shown->n == 1) shown = shown->arg[0];
    bool plain = shown == culprit && shown->type.rank == 0;
    for (int i = 0; plain && i < shown->n; i++) plain = shown->arg[i]->n == 0;
    return plain;
}

static bool trace_formula(tg_interp *in, const char *what, tg_node *n, tg_str *out) {
    tg_culprit o;
    if (!tg_trace_culprit(&in->rt, n, 0, NULL, NULL, &o)) {
        if (in->rt.c.diag.kind == TG_ERR_INTERRUPT) return false;
        tg_clear(&in->rt.c); /* no memory to look closer: then nothing is said */
        return true;
    }
    if (!o.node || (out && is_plain_to_see(n, o.node))) return true;
    finding f = {.what = what,
                 .at = o.written->written,
                 .backward = o.written->backward,
                 .given = o.node->n == 0,
                 .nan = o.whole.nan > 0,
                 .out = o.out};
    const tg_node *part = o.inside ? o.inside : o.node;
    f.turn = o.turn, f.turns = o.turns;
    if (!node_text(in, o.inside ? o.inside : o.written, f.text)) return false;
    for (int i = 0; i < part->n && i < TG_MAX_TENSORS && f.n < OPERANDS; i++) {
        const tg_node *a = part->arg[i];
        if (!o.has[i] || tg_node_is_number(a)) continue;
        f.in[f.n] = o.in[i];
        if (!node_text(in, a, f.operand[f.n++])) return false;
    }
    return tell(in, &f, out);
}

/* ---- plain values ---- */

static bool is_given(const tg_ast *e) {
    return e->kind == TG_AST_NAME || e->kind == TG_AST_NUMBER || e->kind == TG_AST_FIELD ||
           e->kind == TG_AST_BRACKET;
}

static bool is_operand(const tg_ast *e) {
    return e && e->kind != TG_AST_SLICE && e->kind != TG_AST_REST && e->kind != TG_AST_ARG;
}

/* Evaluates the operands of e into f. *next: one to look at more closely, which has NaN if `nan`,
 * or else an infinity, and was not given so. *excused: there is such a one, but it was given. */
static bool look_at_operands(tg_interp *in, tg_env *env, const tg_ast *e, bool nan, finding *f,
                             const tg_ast **next, bool *excused) {
    *next = NULL;
    *excused = false;
    f->n = 0;
    for (int i = e->kind == TG_AST_CALL; i < e->n; i++) {
        const tg_ast *kid = e->kids[i];
        tg_value v;
        tg_summary part;
        if (!is_operand(kid)) continue;
        if (!tg_eval(in, env, kid, &v)) return false;
        bool known = summary_of(v, &part);
        tg_value_drop(v);
        if (!known) continue;
        if (nan ? part.nan > 0 : part.pos + part.neg > 0) {
            *excused = *excused || is_given(kid);
            if (!*next && !is_given(kid)) *next = kid;
        }
        if (f->n == OPERANDS || kid->kind == TG_AST_NUMBER) continue;
        f->in[f->n] = part;
        fit_text(f->operand[f->n++], kid->span.src->text + kid->span.lo,
                 kid->span.hi - kid->span.lo);
    }
    return true;
}

/* From *e down to where no operand is that way any more. */
static bool descend(tg_interp *in, tg_env *env, const tg_ast **e, bool nan, finding *f,
                    bool *excused) {
    const tg_ast *next = *e;
    do {
        tg_value v;
        *e = next;
        if (!tg_eval(in, env, *e, &v)) return false;
        summary_of(v, &f->out);
        tg_value_drop(v);
        if (!look_at_operands(in, env, *e, nan, f, &next, excused)) return false;
    } while (next);
    return true;
}

/* As the runtime follows a formula: a NaN begins where it was made, or at the infinity that it was
 * made of. */
static bool follow(tg_interp *in, tg_env *env, const tg_ast **e, finding *f, bool *told) {
    bool nan = f->out.nan > 0, excused = false;
    if (nan && !descend(in, env, e, true, f, &excused)) return false;
    const tg_ast *infinity = *e;
    finding of_infinity = *f;
    if (nan && excused) return true; /* *told stays false: NaN was given */
    if (!descend(in, env, &infinity, false, &of_infinity, &excused)) return false;
    *told = nan || !excused;
    if (excused) return true;
    *e = infinity;
    *f = of_infinity;
    return true;
}

static bool trace_plain(tg_interp *in, tg_env *env, const char *what, const tg_ast *e, tg_value v) {
    finding f = {.what = what};
    if (is_given(e) || !e->span.src || !summary_of(v, &f.out)) return true;
    bool told = true;
    f.nan = f.out.nan > 0;
    if (tg_is_plain(in, env, e)) {
        bool outer = in->computing;
        in->computing = told = false;
        bool ok = follow(in, env, &e, &f, &told);
        in->computing = outer;
        if (!ok && in->rt.c.diag.kind == TG_ERR_INTERRUPT) return false;
        if (!ok) tg_clear(&in->rt.c);
        told = told && ok;
    }
    if (!told) return true;
    f.at = e->span;
    fit_text(f.text, e->span.src->text + e->span.lo, e->span.hi - e->span.lo);
    return tell(in, &f, NULL);
}

/* ---- statements ---- */

static bool was_finite(tg_interp *in, tg_env *env, const tg_ast *target) {
    const tg_value *old = target->kind == TG_AST_NAME ? tg_lookup_own(in, env, target->name) : NULL;
    const tg_cell *cell = old ? tg_value_cell(*old) : NULL;
    if (cell) return !cell->value || tg_view_is_finite(&cell->value->v);
    return !old || is_finite(*old);
}

/* side: what the value was computed as; of the same form, where it is a container. */
static bool trace_side(tg_interp *in, tg_env *env, const char *what, const tg_ast *e, tg_value side,
                       tg_value v) {
    if (is_finite(v)) return true;
    if (side.tag == TG_V_FORMULA) return trace_formula(in, what, side.as.node, NULL);
    if (!tg_is_container(side)) return trace_plain(in, env, what, e, v);
    for (int i = 0; tg_is_container(v) && i < side.as.items->n && i < v.as.items->n; i++)
        if (!trace_side(in, env, what, e, side.as.items->v[i], v.as.items->v[i])) return false;
    return true;
}

static void name_target(const tg_ast *target, char *to) {
    fit_text(to, target->span.src->text + target->span.lo, target->span.hi - target->span.lo);
}

bool tg_nonfinite_stored(tg_interp *in, tg_env *env, const tg_ast *s, tg_value sides,
                         tg_value values) {
    char name[TEXT], what[TEXT + 16];
    int nsides = s->n - s->ntargets;
    for (int i = 0; i < nsides; i++) {
        const tg_ast *target = s->kids[i], *e = s->kids[s->ntargets + i];
        tg_value v = values.as.items->v[i];
        if (!tg_is_live(sides.as.items->v[i]) && is_given(e)) continue; /* large data, perhaps */
        if (is_finite(v) || !was_finite(in, env, target) || !target->span.src) continue;
        name_target(target, name);
        snprintf(what, sizeof what, "%s becomes", name);
        if (!trace_side(in, env, what, e, sides.as.items->v[i], v)) return false;
    }
    return true;
}

bool tg_nonfinite_defined(tg_interp *in, tg_env *env, const char *name, const tg_ast *e,
                          tg_value v) {
    char what[TEXT + 16];
    const bool told = v.tag == TG_V_NUMBER || v.tag == TG_V_TENSOR; /* not of a whole data set */
    if (!told || is_given(e) || is_finite(v)) return true;
    snprintf(what, sizeof what, "%.*s is", TEXT, name);
    return trace_plain(in, env, what, e, v);
}

bool tg_nonfinite_shown(tg_interp *in, tg_value v, tg_value now, tg_str *out) {
    if (v.tag != TG_V_FORMULA || is_finite(now)) return true;
    return trace_formula(in, "this is", v.as.node, out);
}
