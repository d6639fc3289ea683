/* Running number code.
 *
 * A call's registers follow its caller's; between them stand the instruction to go on behind and
 * the code that it belongs to. So a call costs no memory but what is there, and does not use the
 * stack of the program. */
#include "interp/code.h"
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/element.h"
#include "interp/numeric.h"
#include "interp/resolve.h"
#include "interp/store.h"
#include "interp/turns.h"

#include <string.h>

enum { FEW_REGISTERS = 1 << 13, MOST_REGISTERS = 1 << 21, MOST_FAILURES = 3 };

/* A loop that is running. */
typedef struct loop {
    tg_env *env;
    tg_value *place[TG_CODE_VARS]; /* what its names stand for */
    const tg_value *thing[TG_CODE_THINGS];
    double turns; /* in all, of its own counter */
    bool failed;  /* an error is recorded */
} loop;

/* ---- the names of a loop ---- */

tg_value *tg_code_value_at(tg_interp *in, tg_env *env, const tg_ast *e) {
    if (e->kind == TG_AST_NAME) return tg_resolve(in, env, e);
    tg_value *base = e->kind == TG_AST_FIELD && tg_guard(&in->rt.c)
                         ? tg_code_value_at(in, env, e->kids[0])
                         : NULL;
    tg_clear(&in->rt.c);
    return base && base->tag == TG_V_RECORD ? tg_value_field(*base, e->name) : NULL;
}

bool tg_code_has_elements(const tg_value *v, int places, bool truth) {
    if (v->tag == TG_V_TENSOR)
        return v->as.tensor->v.rank == places && (v->as.tensor->v.dtype == TG_BOOL) == truth;
    return (v->tag == TG_V_TUPLE || v->tag == TG_V_LIST) && v->as.items->numbers && places == 1 &&
           !truth;
}

/* Finds where the names of a loop stand. False: some are no numbers, or not its own to change. */
static bool find_names(tg_interp *in, const tg_code *code, loop *l) {
    for (int i = 0; i < code->nvars; i++) {
        const tg_ast *e = code->var[i];
        struct tg_binding *b = NULL;
        if (code->defined[i])
            b = l->env == in->globals ? tg_resolve_global(l->env, e) : tg_resolve_place(l->env, e);
        else if (code->stored[i])
            b = tg_resolve_stored(in, l->env, e);
        bool changed = code->defined[i] || code->stored[i];
        l->place[i] = changed ? (b && b->name ? &b->value : NULL) : tg_code_value_at(in, l->env, e);
        if (!l->place[i] || l->place[i]->tag != (code->truths[i] ? TG_V_BOOL : TG_V_NUMBER))
            return false;
    }
    return true;
}

/* Likewise what it takes elements of. */
static bool find_things(tg_interp *in, const tg_code *code, loop *l) {
    for (int i = 0; i < code->nthings; i++) {
        const tg_code_thing *t = &code->thing[i];
        const tg_value *v = tg_code_value_at(in, l->env, t->ast);
        if (!v || !tg_code_has_elements(v, t->rank, t->truth)) return false;
        if (t->stored) {
            tg_env *home = tg_store_home(in, l->env, t->ast->name);
            if (v->tag != TG_V_TENSOR || tg_env_find(home, t->ast->name) != v) return false;
        }
        l->thing[i] = v;
    }
    return true;
}

static void read_names(const tg_code *code, const loop *l, double *r) {
    for (int i = 0; i < code->nvars; i++)
        r[i] = code->truths[i] ? l->place[i]->as.truth : l->place[i]->as.number;
}

static void write_names(const tg_code *code, const loop *l, const double *r) {
    for (int i = 0; i < code->nvars; i++)
        if (code->defined[i] || code->stored[i])
            *l->place[i] = code->truths[i] ? tg_value_bool(r[i] != 0) : tg_value_number(r[i]);
}

static struct tg_binding *binding_of(const tg_code_site *s) {
    return &s->env->items[s->place];
}

static bool is_same_function(const tg_code_site *s) {
    const tg_value *v = &binding_of(s)->value;
    return v->tag == TG_V_FUNCTION && v->as.function->id == s->id && s->code->ready;
}

/* Is all that the code needs of the program still so, and apart from the names of the loop? */
static bool is_sound(tg_interp *in, tg_code *code, int visit, const tg_code *root, const loop *l) {
    if (code->visit == visit) return true;
    code->visit = visit;
    if (!tg_guard(&in->rt.c)) {
        tg_clear(&in->rt.c);
        return false;
    }
    bool ok = code->ready && code->names == in->globals->changes;
    for (int i = 0; ok && i < code->nsites; i++) {
        const tg_code_site *s = &code->site[i];
        if (!s->env) continue;
        const tg_value *v = &binding_of(s)->value;
        if (s->code) ok = is_same_function(s) && is_sound(in, s->code, visit, root, l);
        if (s->code && code == root) ok = ok && tg_resolve(in, l->env, s->ast->kids[0]) == v;
        if (s->kernel) ok = v->tag == TG_V_OP && v->as.op == s->op;
        if (s->places) ok = tg_code_has_elements(v, s->places, s->truth);
        if (s->code || s->kernel || s->places) continue;
        ok = v->tag == TG_V_NUMBER;
        for (int k = 0; ok && k < root->nvars; k++) ok = l->place[k] != v;
    }
    return ok;
}

/* ---- the tree's part ---- */

/* Does with the tree what code cannot: the statement, or the call whose value is wanted. The names
 * of the loop are numbers before and after. */
static TG_APART bool leave_to_tree(tg_interp *in, const tg_code *code, loop *l, double *r,
                                   const tg_ast *e, double *value) {
    tg_value v = TG_NONE_VALUE;
    write_names(code, l, r);
    in->no_code++;
    bool ok = value ? tg_eval(in, l->env, e, &v) : tg_exec(in, l->env, e, &v) == TG_FLOW_NEXT;
    in->no_code--;
    if (ok && value) {
        ok = v.tag == TG_V_NUMBER || v.tag == TG_V_BOOL;
        *value = v.tag == TG_V_NUMBER ? v.as.number : v.as.truth;
    }
    tg_value_drop(v);
    if (ok) ok = find_names(in, code, l) && find_things(in, code, l);
    if (ok)
        read_names(code, l, r);
    else if (in->rt.c.diag.kind == TG_ERR_NONE)
        tg_fail(&in->rt.c, TG_ERR_TYPE, "a name of this loop is no number any more");
    l->failed = !ok;
    return ok;
}

static bool tree_has_statement(tg_interp *in, const tg_code *code, loop *l, double *r,
                               const tg_ast *s) {
    return l && leave_to_tree(in, code, l, r, s, NULL);
}

/* ---- running ---- */

/* Room for so many registers. The old ones move. */
static TG_APART bool more_registers(tg_interp *in, size_t need) {
    void *p = in->registers;
    if (need > MOST_REGISTERS) return false;
    if (need < FEW_REGISTERS) need = FEW_REGISTERS;
    bool ok = tg_grow(&p, &in->nregisters, need, sizeof(double));
    in->registers = p;
    return ok;
}

/* The link before a callee's registers. */
static inline void put_link(double *at, const tg_insn *back, const tg_code *code) {
    memcpy(at, &back, sizeof back);
    memcpy(at + 1, &code, sizeof code);
}

static inline void take_link(const double *at, const tg_insn **back, const tg_code **code) {
    memcpy(back, at, sizeof *back);
    memcpy(code, at + 1, sizeof *code);
}

static bool count_range(double *r) {
    double n = floor(r[1] - r[0] + 1e-9) + 1; /* as tg_range_count */
    r[1] = 0;
    r[2] = n > 0 ? n : 0;
    return n < 9e15;
}

static bool count_turns(double *r) {
    double n = r[0];
    r[0] = r[1] = 0;
    r[2] = n;
    return n == floor(n) && fabs(n) <= 9007199254740992.0; /* as tg_to_int */
}

/* The element of v at these places. False: there is none. */
static inline bool element(const tg_value *v, const tg_code_site *s, const double *place,
                           double *out) {
    int64_t at;
    if (v->tag == TG_V_TENSOR) {
        const tg_view *view = &v->as.tensor->v;
        if (view->rank != s->places || (view->dtype == TG_BOOL) != s->truth ||
            !tg_element_at(view, s->places, place, &at))
            return false;
        *out = tg_view_load(view, at);
        return true;
    }
    if (!tg_code_has_elements(v, s->places, s->truth)) return false;
    const tg_view items = {.dim = {v->as.items->n}, .stride = {1}};
    if (!tg_element_at(&items, 1, place, &at)) return false;
    *out = v->as.items->v[at].as.number;
    return true;
}

/* x[places] := r[0], in place. False: it is for the tree. */
static inline bool put(const tg_value *v, const tg_code_site *s, const double *r) {
    int64_t at;
    if (v->tag != TG_V_TENSOR || r[0] - r[0] != 0) return false;
    const tg_tensor *t = v->as.tensor;
    if (t->v.rank != s->places || !tg_element_is_own(t) ||
        !tg_element_at(&t->v, s->places, r + 1, &at))
        return false;
    tg_view_store(&t->v, at, r[0]);
    return true;
}

#define BINARY_CASE(OP, EXPR)                                                                      \
    case OP: {                                                                                     \
        const double x = r[i.b], y = r[i.c];                                                       \
        r[i.a] = (EXPR);                                                                           \
        break;                                                                                     \
    }
#define UNLESS_CASE(NAME, C)                                                                       \
    case NAME:                                                                                     \
        if (!(r[i.a] C r[i.b])) pc = start + i.c;                                                  \
        break;                                                                                     \
    case NAME##_K:                                                                                 \
        if (!(r[i.a] C k[i.b])) pc = start + i.c;                                                  \
        break;

/* Says in which turns the loops of `root` are, for an interrupt at `pc` of `code`, which root may
 * have called. A `while` does not count. */
static TG_APART void tell_turns(tg_interp *in, const tg_code *root, const loop *l, const double *r,
                                const tg_insn *pc, const tg_code *code) {
    if (in->rt.c.diag.kind != TG_ERR_INTERRUPT) return;
    while (r > in->registers) {
        take_link(r - TG_CODE_LINK, &pc, &code);
        r -= pc->b + TG_CODE_LINK;
    }
    const ptrdiff_t at = pc - root->insn;
    for (ptrdiff_t head = at; head-- > 0;) {
        const tg_insn *i = &root->insn[head];
        if (i->op != TG_CODE_NEXT || i->c < at) continue;
        const double *w = r + i->b;
        const tg_ast *s = root->text;
        for (ptrdiff_t k = head; i->b != root->counter && k-- > 0;)
            if ((root->insn[k].op == TG_CODE_COUNT || root->insn[k].op == TG_CODE_TURNS) &&
                root->insn[k].a == i->b) {
                s = root->site[root->insn[k].c].ast;
                break;
            }
        tg_turns_tell(in, l->env, s, (int64_t)w[1],
                      (int64_t)(i->b == root->counter ? l->turns : w[2]));
    }
    if (root->text->kind == TG_AST_WHILE) tg_turns_tell(in, l->env, root->text, 0, -1);
}

/* Runs `code`, whose registers begin with in->registers. `l`: it is that loop. False: it gave up,
 * or l->failed. */
static bool run(tg_interp *in, const tg_code *code, loop *l, double *result) {
    const tg_code *root = code;
    double *r = in->registers, *end = r + in->nregisters;
    const tg_insn *start = code->insn, *pc = start;
    const double *k = code->constant;
    for (;;) {
        const tg_insn i = *pc++;
        switch (i.op) {
            BINARY_CASE(TG_CODE_ADD, x + y)
            BINARY_CASE(TG_CODE_SUB, x - y)
            BINARY_CASE(TG_CODE_MUL, x * y)
            BINARY_CASE(TG_CODE_DIV, x / y)
            BINARY_CASE(TG_CODE_MOD, tg_scalar_mod(x, y))
            BINARY_CASE(TG_CODE_POW, tg_scalar_pow(x, y))
            BINARY_CASE(TG_CODE_LT, x < y)
            BINARY_CASE(TG_CODE_LE, x <= y)
            BINARY_CASE(TG_CODE_GT, x > y)
            BINARY_CASE(TG_CODE_GE, x >= y)
            BINARY_CASE(TG_CODE_EQ, x == y)
            BINARY_CASE(TG_CODE_NE, x != y)
        case TG_CODE_ADD_K: r[i.a] = r[i.b] + k[i.c]; break;
        case TG_CODE_SUB_K: r[i.a] = r[i.b] - k[i.c]; break;
        case TG_CODE_MUL_K: r[i.a] = r[i.b] * k[i.c]; break;
        case TG_CODE_DIV_K: r[i.a] = r[i.b] / k[i.c]; break;
        case TG_CODE_K_SUB: r[i.a] = k[i.b] - r[i.c]; break;
        case TG_CODE_K_DIV:
            r[i.a] = k[i.b] / r[i.c];
            break;
            UNLESS_CASE(TG_CODE_UNLESS_LT, <)
            UNLESS_CASE(TG_CODE_UNLESS_LE, <=)
            UNLESS_CASE(TG_CODE_UNLESS_GT, >)
            UNLESS_CASE(TG_CODE_UNLESS_GE, >=)
            UNLESS_CASE(TG_CODE_UNLESS_EQ, ==)
            UNLESS_CASE(TG_CODE_UNLESS_NE, !=)
        case TG_CODE_MOVE: r[i.a] = r[i.b]; break;
        case TG_CODE_CONST: r[i.a] = k[i.b]; break;
        case TG_CODE_NEG: r[i.a] = -r[i.b]; break;
        case TG_CODE_NOT: r[i.a] = r[i.b] == 0; break;
        case TG_CODE_OUTER: {
            const tg_value *v = &binding_of(&code->site[i.b])->value;
            if (v->tag != TG_V_NUMBER) goto give_up;
            r[i.a] = v->as.number;
            break;
        }
        case TG_CODE_KERNEL: {
            const tg_code_site *s = &code->site[i.c];
            const tg_value *v = &binding_of(s)->value;
            if (v->tag != TG_V_OP || v->as.op != s->op) goto give_up;
            r[i.a] = tg_numeric_run(s->kernel, s->truth, r + i.b);
            break;
        }
        case TG_CODE_ELEMENT: {
            const tg_code_site *s = &code->site[i.c];
            const tg_value *v = s->env ? &binding_of(s)->value : l->thing[s->thing];
            if (!element(v, s, r + i.b, &r[i.a])) goto give_up;
            break;
        }
        case TG_CODE_PUT: {
            const tg_code_site *s = &code->site[i.c];
            if (put(l->thing[s->thing], s, r + i.b))
                in->rt.tick++;
            else if (!tree_has_statement(in, code, l, r, s->ast))
                goto failed;
            break;
        }
        case TG_CODE_STORE: in->rt.tick++; /* fall through */
        case TG_CODE_SET: {
            const double x = r[i.b];
            if (x - x == 0) {
                r[i.a] = x;
                break;
            }
            if (i.op == TG_CODE_STORE) in->rt.tick--;
            if (r > in->registers) goto give_up; /* a function's own names are not the loop's */
            if (!tree_has_statement(in, code, l, r, code->site[i.c].ast)) goto failed;
            break;
        }
        case TG_CODE_JUMP: pc = start + i.c; break;
        case TG_CODE_AGAIN:
            if (in->rt.c.interrupted) goto interrupted;
            pc = start + i.c;
            break;
        case TG_CODE_UNLESS:
            if (r[i.a] == 0) pc = start + i.c;
            break;
        case TG_CODE_IF:
            if (r[i.a] != 0) pc = start + i.c;
            break;
        case TG_CODE_NEXT: {
            double *w = r + i.b;
            if (w[1] < w[2]) {
                r[i.a] = w[0] + w[1]++;
                break;
            }
            w[1] = w[2] + 1; /* else a break was taken */
            pc = start + i.c;
            break;
        }
        case TG_CODE_COUNT:
        case TG_CODE_TURNS:
            if (i.op == TG_CODE_COUNT ? count_range(r + i.a) : count_turns(r + i.a)) break;
            if (r > in->registers) goto give_up;
            tree_has_statement(in, code, l, r, code->site[i.c].ast); /* it tells why */
            return false;
        case TG_CODE_CALL: {
            const tg_code_site *s = &code->site[i.c];
            double *next = r + i.b + TG_CODE_LINK;
            if (!is_same_function(s)) goto give_up;
            if (next + s->code->nregs > end) {
                size_t at = (size_t)(r - in->registers);
                size_t need = (size_t)(next - in->registers) + (size_t)s->code->nregs;
                if (!more_registers(in, need)) goto give_up;
                r = in->registers + at;
                end = in->registers + in->nregisters;
                next = r + i.b + TG_CODE_LINK;
            }
            if (in->rt.c.interrupted) goto interrupted;
            put_link(next - TG_CODE_LINK, pc - 1, code);
            r = next;
            code = s->code;
            pc = start = code->insn;
            k = code->constant;
            break;
        }
        case TG_CODE_RETURN: {
            const double x = r[i.a];
            if (code == root && r == in->registers) {
                *result = x;
                return true;
            }
            take_link(r - TG_CODE_LINK, &pc, &code);
            r -= pc->b + TG_CODE_LINK;
            r[pc->a] = x;
            pc++;
            start = code->insn;
            k = code->constant;
            break;
        }
        case TG_CODE_STOP: return true;
        default: goto give_up;
        }
        continue;
    interrupted:
        if (l) {
            tg_check_interrupt(&in->rt.c);
            write_names(root, l, in->registers);
        }
    failed:
        if (l) tell_turns(in, root, l, r, pc, code);
        return false;
    give_up: /* a loop goes on behind the call, when the tree has made it */
        if (!l) return false;
        pc--;
        while (r > in->registers) {
            take_link(r - TG_CODE_LINK, &pc, &code);
            r -= pc->b + TG_CODE_LINK;
        }
        double value;
        if (!leave_to_tree(in, code, l, r, code->site[pc->c].ast, &value)) goto failed;
        r[pc->a] = value;
        pc++;
        start = code->insn;
        k = code->constant;
    }
}

static bool prepare(tg_interp *in, tg_code *code) {
    if (in->no_code || !code || !code->ready || code->names != in->globals->changes) return false;
    return (size_t)code->nregs <= in->nregisters || more_registers(in, (size_t)code->nregs);
}

/* What a deep recursion took is not kept. */
static void finish(tg_interp *in) {
    if (in->nregisters <= 2 * FEW_REGISTERS) return;
    tg_free(in->registers);
    in->registers = NULL;
    in->nregisters = 0;
}

bool tg_code_call(tg_interp *in, tg_code *code, const tg_env *scope, tg_value *out) {
    double x;
    uint64_t tick = in->rt.tick;
    if (!prepare(in, code)) return false;
    for (int i = 0; i < code->nparams; i++) {
        if (scope->items[i].value.tag != TG_V_NUMBER) return false;
        in->registers[i] = scope->items[i].value.as.number;
    }
    in->no_code++;
    bool ok = run(in, code, NULL, &x);
    in->no_code--;
    finish(in);
    if (ok) {
        *out = code->truth ? tg_value_bool(x != 0) : tg_value_number(x);
        return true;
    }
    in->rt.tick = tick;
    if (!in->rt.c.interrupted && ++code->failures == MOST_FAILURES) code->ready = false;
    return false;
}

bool tg_code_loop(tg_interp *in, tg_env *env, tg_code *code, tg_code_turns *turns, bool *ok) {
    loop l = {.env = env, .turns = turns->n};
    double none;
    if (!prepare(in, code) || !find_names(in, code, &l) || !find_things(in, code, &l)) return false;
    if (!is_sound(in, code, ++in->code_visit, code, &l)) return false;
    read_names(code, &l, in->registers);
    double *w = in->registers + code->counter;
    if (code->counter) w[0] = turns->lo, w[1] = turns->at, w[2] = turns->to;
    in->no_code++;
    *ok = run(in, code, &l, &none);
    in->no_code--;
    if (*ok) write_names(code, &l, in->registers);
    w = in->registers + code->counter; /* they may have moved */
    turns->left = w[1] <= w[2];
    turns->at = turns->left ? w[1] : w[2];
    finish(in);
    return true;
}
