/* Branches and loops of a program that is read and not run.
 *
 * Where a condition is known one branch is walked, else both, and what they leave behind is joined;
 * a loop's body is walked once with what was there before, and again with what both leave behind. A
 * short loop in a function, over things that are known, is walked turn by turn: so the parts that
 * `split` gathers are known.
 * For that each binding made there is noted with what the name stood for before
 * (check_writes.c). */
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/check.h"
#include "interp/convert.h"
#include "interp/index.h"
#include "interp/progress.h"

#include <string.h>

enum {
    MOST_JOINED = 256, /* things that a loop walks over, looked at one by one */
    MOST_TURNS = 32    /* of a short loop, and of such loops in one another */
};

static const tg_value unknown = {.tag = TG_V_UNKNOWN};

/* ---- branches ---- */

/* *truth: 1, 0, or -1 where it is not known. */
static bool condition(tg_interp *in, tg_env *env, const tg_ast *e, int *truth) {
    tg_value v;
    bool yes;
    *truth = -1;
    if (!tg_check_value_of(in, env, e, &v)) return false;
    bool ok = true;
    if (v.tag != TG_V_UNKNOWN) {
        if (tg_to_truth(in, v, "a condition", &yes)) {
            *truth = yes;
        } else {
            tg_blame(in, e);
            ok = tg_check_settle(in, env, e);
        }
    }
    tg_value_drop(v);
    return ok;
}

static bool ends(tg_flow flow) {
    return flow != TG_FLOW_NEXT;
}

/* Both ways of `if` on a condition that is not known. */
static tg_flow either(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *last) {
    tg_checker *k = in->checking;
    size_t mark = k->nwrites;
    tg_check_list a = {0}, b = {0};
    tg_value one = TG_NONE_VALUE, other = TG_NONE_VALUE, both = TG_NONE_VALUE;
    int unsure = k->unsure++;
    k->regions++;
    tg_flow first = tg_check_exec(in, env, s->kids[1], &one), second = TG_FLOW_ERROR;
    bool ok = first != TG_FLOW_ERROR && (first != TG_FLOW_BREAK || tg_check_note_exit(in)) &&
              tg_check_gather(in, mark, true, &a) && tg_check_take_back(in, mark);
    k->unsure = unsure + 1;
    if (ok) second = s->n > 2 ? tg_check_exec(in, env, s->kids[2], &other) : TG_FLOW_NEXT;
    ok = ok && second != TG_FLOW_ERROR && (second != TG_FLOW_BREAK || tg_check_note_exit(in)) &&
         tg_check_gather(in, mark, false, &b) && tg_check_meet(in, env, &a, first, &b, second) &&
         tg_check_join(in, one, other, &both);
    if (ok && ends(first) != ends(second)) {
        tg_value_drop(both);
        both = tg_value_hold(ends(first) ? other : one);
    }
    tg_value_drop(one);
    tg_value_drop(other);
    tg_value_drop(*last);
    *last = both;
    tg_check_forget(&a);
    tg_check_forget(&b);
    k->unsure = unsure + (ends(first) != ends(second)); /* from here on only if it did not end */
    tg_check_leave_region(in);
    return !ok ? TG_FLOW_ERROR : ends(first) && ends(second) ? first : TG_FLOW_NEXT;
}

tg_flow tg_check_branch(tg_interp *in, tg_env *env, const tg_ast *s, tg_value *last) {
    int truth;
    if (!condition(in, env, s->kids[0], &truth)) return TG_FLOW_ERROR;
    if (in->checking->stopped) return TG_FLOW_NEXT;
    if (truth < 0) return either(in, env, s, last);
    if (truth) return tg_check_exec(in, env, s->kids[1], last);
    return s->n > 2 ? tg_check_exec(in, env, s->kids[2], last) : TG_FLOW_NEXT;
}

/* ---- loops ---- */

typedef struct loop {
    const tg_ast *s, *body;
    const tg_ast
        *what; /* is walked over, asked, or counts, in progress(...) or bare; NULL: nobody knows */
    const tg_ast *call; /* of progress; NULL: there is none */
    bool twice;         /* there is a second turn for sure, unless it breaks out */
    tg_value turn;      /* of `for`: what a turn is given, or the unknown */
} loop;

/* What the targets of a `for` get at the beginning of a turn. */
static bool begin_turn(tg_interp *in, tg_env *env, const loop *l) {
    const tg_ast *s = l->s;
    int n = s->ntargets;
    if (s->kind != TG_AST_FOR) return true;
    tg_value *v = tg_alloc_array((size_t)n, sizeof *v);
    if (!v) return tg_fail_memory(&in->rt.c);
    if (n == 1) v[0] = tg_value_hold(l->turn);
    bool ok = n == 1 || tg_check_parts(in, env, s->kids[n], tg_value_hold(l->turn), n, v);
    if (ok && s->flags & TG_AST_STORES) {
        ok = tg_check_store_values(in, env, s->kids[n], n, s->kids, v);
    } else {
        for (int i = 0; i < n; i++) {
            if (ok)
                ok = tg_check_bind(in, env, s->kids[i], v[i]);
            else
                tg_value_drop(v[i]);
        }
    }
    tg_free(v);
    return ok;
}

/* The body once. False: the walk ends. */
static bool one_turn(tg_interp *in, tg_env *env, const loop *l) {
    tg_value last = TG_NONE_VALUE;
    int truth;
    if (l->s->kind == TG_AST_WHILE && l->what && !condition(in, env, l->what, &truth)) return false;
    tg_flow flow = begin_turn(in, env, l) ? tg_check_exec(in, env, l->body, &last) : TG_FLOW_ERROR;
    tg_value_drop(last);
    for (int i = 1; l->call && flow != TG_FLOW_ERROR && i < l->call->n; i++) { /* is shown */
        const tg_ast *shown = l->call->kids[i];
        if (shown->kind != TG_AST_ARG) continue;
        if (!tg_check_value_of(in, env, shown->kids[0], &last)) return false;
        tg_value_drop(last);
    }
    return flow != TG_FLOW_ERROR && (flow != TG_FLOW_BREAK || tg_check_note_exit(in));
}

static tg_flow turns(tg_interp *in, tg_env *env, const loop *l) {
    tg_checker *k = in->checking;
    size_t mark = k->nwrites, outer = k->loop_mark, nexits = k->nexits;
    int unsure = k->unsure++;
    k->loop_mark = mark;
    k->regions++;
    k->loops++;
    bool ok = one_turn(in, env, l);
    if (l->twice && k->nexits == nexits && ok && tg_check_shapes_changed(in, mark))
        ok = one_turn(in, env, l); /* of such names only this turn still knows something */
    ok = ok && tg_check_widen(in, mark, false);
    if (ok && k->nwrites > mark) {
        k->unsure = unsure + 1;
        size_t again = k->nwrites;
        ok = one_turn(in, env, l) && tg_check_widen(in, again, true) &&
             tg_check_meet_exits(in, nexits);
    }
    tg_check_drop_exits(in, nexits);
    k->loops--;
    k->loop_mark = outer;
    k->unsure = unsure;
    tg_check_leave_region(in);
    return ok ? TG_FLOW_NEXT : TG_FLOW_ERROR;
}

/* What a turn gets of a record: the name of the field, and the field. */
static bool field_pair(tg_interp *in, tg_value record, int i, tg_value *out) {
    const char *name = record.as.items->field[i];
    tg_value pair;
    if (!tg_value_items(&in->rt.c, TG_V_TUPLE, 2, &pair)) return false;
    pair.as.items->v[1] = tg_value_hold(record.as.items->v[i]);
    if (tg_value_string(&in->rt.c, name, strlen(name), &pair.as.items->v[0]))
        return tg_value_seal(&in->rt.c, pair, out);
    tg_value_drop(pair);
    return false;
}

/* What is true of all the things in the container v. */
static bool any_of(tg_interp *in, tg_value v, tg_value *out) {
    int n = v.as.items->n;
    *out = unknown;
    if (n > MOST_JOINED) return true;
    for (int i = 0; i < n; i++) {
        tg_value item, both;
        if (v.tag != TG_V_RECORD)
            item = tg_value_hold(v.as.items->v[i]);
        else if (!field_pair(in, v, i, &item))
            return false;
        bool ok = i == 0 || tg_check_join(in, *out, item, &both);
        if (i > 0) {
            tg_value_drop(*out);
            tg_value_drop(item);
            item = ok ? both : unknown;
        }
        *out = item;
        if (!ok) return false;
    }
    return true;
}

/* A value of the type of v's rows. */
static bool row_of(tg_interp *in, tg_type type, int64_t rows, tg_value *out) {
    bool single = rows < 0; /* x[i] has an axis less */
    if (single) {
        type.rank--;
        memmove(type.dim, type.dim + 1, sizeof type.dim - sizeof *type.dim);
    } else {
        type.dim[0] = rows;
    }
    return tg_check_stand_in(in, &type, out);
}

/* What a stream of batches gives: the shapes of all turns but perhaps the last. */
static bool batch_of(tg_interp *in, const tg_stream *s, tg_value *out) {
    tg_value made;
    if (!tg_value_items(&in->rt.c, TG_V_TUPLE, s->nparts, &made)) return false;
    bool ok = true;
    for (int i = 0; ok && i < s->nparts; i++) {
        tg_type type = tg_type_of((tg_value){.tag = TG_V_TENSOR, .as.tensor = s->part[i]});
        int64_t n = s->batch < type.dim[0] ? s->batch : type.dim[0];
        ok = row_of(in, type, n, &made.as.items->v[i]);
    }
    if (!ok || s->nparts > 1) {
        if (ok) return tg_value_seal(&in->rt.c, made, out);
        tg_value_drop(made);
        return false;
    }
    *out = tg_value_hold(made.as.items->v[0]);
    tg_value_drop(made);
    return true;
}

/* What a turn gets that walks over v; *count: how many turns; -1: not known. False with an error.
 */
static bool turn_of(tg_interp *in, tg_value v, tg_value *out, int64_t *count) {
    tg_type type = {.dtype = TG_F64, .weak = true};
    int64_t n = -1;
    bool ok = true;
    *out = unknown;
    *count = -1;
    switch (v.tag) {
    case TG_V_UNKNOWN: break;
    case TG_V_RANGE:
        ok = tg_range_count(&in->rt.c, v.as.range, &n) && tg_check_stand_in(in, &type, out);
        break;
    case TG_V_LIST:
    case TG_V_TUPLE:
    case TG_V_RECORD:
        n = v.as.items->n;
        ok = any_of(in, v, out);
        break;
    case TG_V_STRING: n = tg_text_length(v.as.text); break; /* any character */
    case TG_V_STREAM:
        n = v.as.stream->count;
        ok = batch_of(in, v.as.stream, out);
        break;
    case TG_V_FORMULA:
    case TG_V_TENSOR:
        type = tg_type_of(v);
        if (type.rank == 0) return tg_walk_refuse(in, v);
        n = type.dim[0] < 0 ? -1 : type.dim[0];
        ok = row_of(in, type, -1, out);
        break;
    default: return tg_walk_refuse(in, v);
    }
    *count = n;
    if (ok || in->rt.c.diag.kind != TG_ERR_UNKNOWN) return ok;
    tg_clear(&in->rt.c);
    *out = unknown;
    return true;
}

/* *l for the loop s, in whose head `head` stands. False: the walk ends. */
static bool begin_loop(tg_interp *in, tg_env *env, const tg_ast *s, const tg_ast *head,
                       const tg_ast *body, loop *l) {
    *l = (loop){s, body, head, tg_progress_call(in, env, head), false, unknown};
    if (!l->call) return true;
    l->what = tg_progress_subject(in, l->call);
    if (l->what) return true;
    tg_blame(in, l->call);
    l->call = NULL;
    return tg_check_settle(in, env, head);
}

/* Can the walk leave the loop from within e? */
static bool has_exit(const tg_ast *e) {
    if (!e) return false;
    if (e->kind == TG_AST_BREAK || e->kind == TG_AST_CONTINUE || e->kind == TG_AST_RETURN)
        return true;
    for (int i = 0; i < e->n; i++)
        if (has_exit(e->kids[i])) return true;
    return false;
}

/* Is it a loop whose n turns over `over` are walked one by one? */
static bool is_short(const tg_interp *in, const loop *l, tg_value over, int64_t n) {
    const tg_checker *k = in->checking;
    return k->calls > 0 && n > 0 && n * k->turns <= MOST_TURNS && !l->call &&
           (over.tag == TG_V_RANGE || tg_is_container(over)) && !has_exit(l->body);
}

/* The turns of such a loop. */
static tg_flow each_turn(tg_interp *in, tg_env *env, loop *l, tg_value over, int64_t n) {
    tg_checker *k = in->checking;
    const int outer = k->turns;
    tg_flow flow = TG_FLOW_NEXT;
    k->turns *= (int)n;
    for (int i = 0; flow == TG_FLOW_NEXT && i < n && !k->stopped; i++) {
        tg_value last = TG_NONE_VALUE;
        tg_value_drop(l->turn);
        l->turn = unknown;
        const bool ok = over.tag == TG_V_RECORD ? field_pair(in, over, i, &l->turn)
                                                : tg_item_at(in, over, i, &l->turn);
        flow =
            ok && begin_turn(in, env, l) ? tg_check_exec(in, env, l->body, &last) : TG_FLOW_ERROR;
        tg_value_drop(last);
    }
    k->turns = outer;
    return flow;
}

tg_flow tg_check_for(tg_interp *in, tg_env *env, const tg_ast *s) {
    loop l;
    tg_value over = unknown;
    int64_t n = -1;
    if (!begin_loop(in, env, s, s->kids[s->ntargets], s->kids[s->ntargets + 1], &l) ||
        (l.what && !tg_check_value_of(in, env, l.what, &over)))
        return TG_FLOW_ERROR;
    bool ok = turn_of(in, over, &l.turn, &n);
    if (ok && is_short(in, &l, over, n) && !in->checking->stopped) {
        tg_flow flow = each_turn(in, env, &l, over, n);
        tg_value_drop(over);
        tg_value_drop(l.turn);
        return flow;
    }
    tg_value_drop(over);
    if (!ok) {
        tg_blame(in, l.what);
        if (!tg_check_settle(in, env, l.what)) return TG_FLOW_ERROR;
    }
    l.twice = n > 1;
    tg_flow flow = n == 0 || in->checking->stopped ? TG_FLOW_NEXT : turns(in, env, &l);
    tg_value_drop(l.turn);
    return flow;
}

tg_flow tg_check_while(tg_interp *in, tg_env *env, const tg_ast *s) {
    loop l;
    int truth = -1;
    if (!begin_loop(in, env, s, s->kids[0], s->kids[1], &l) ||
        (l.what && !condition(in, env, l.what, &truth)))
        return TG_FLOW_ERROR;
    return truth == 0 || in->checking->stopped ? TG_FLOW_NEXT : turns(in, env, &l);
}

tg_flow tg_check_repeat(tg_interp *in, tg_env *env, const tg_ast *s) {
    loop l;
    tg_value v = unknown;
    int64_t n = 1; /* or more */
    if (!begin_loop(in, env, s, s->kids[0], s->kids[1], &l) ||
        (l.what && !tg_check_value_of(in, env, l.what, &v)))
        return TG_FLOW_ERROR;
    bool ok = v.tag == TG_V_UNKNOWN || tg_to_int(in, v, "the number of turns", &n) ||
              (tg_blame(in, l.what), tg_check_settle(in, env, l.what));
    tg_value_drop(v);
    if (!ok) return TG_FLOW_ERROR;
    l.twice = n > 1;
    return n <= 0 || in->checking->stopped ? TG_FLOW_NEXT : turns(in, env, &l);
}
