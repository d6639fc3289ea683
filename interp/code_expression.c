/* Expressions as number code.
 *
 * A value is a constant or stands in a register. Operands are evaluated before the register that
 * the result is wanted in is written, as that may be a name which they read. */
#include "interp/code_make.h"
#include "base/alloc.h"
#include "interp/numeric.h"
#include "interp/resolve.h"

#include <string.h>

enum { MOST_REGISTERS = 200, MOST_INSNS = 20000 };

/* ---- what is put together ---- */

int tg_code_emit(tg_compiler *c, int op, int a, int b, int to) {
    void *p = c->code->insn;
    if (c->ninsns == MOST_INSNS) return -1;
    bool ok = tg_grow(&p, &c->insns_cap, (size_t)c->ninsns + 1, sizeof(tg_insn));
    c->code->insn = p;
    if (!ok) return -1;
    c->code->insn[c->ninsns] = (tg_insn){(uint16_t)op, (uint16_t)a, (uint16_t)b, (uint16_t)to};
    return c->ninsns++;
}

bool tg_code_put(tg_compiler *c, int op, int a, int b, int to) {
    return tg_code_emit(c, op, a, b, to) >= 0;
}

void tg_code_land_here(tg_compiler *c, int jump) {
    c->code->insn[jump].c = (uint16_t)c->ninsns;
}

static int constant(tg_compiler *c, double k) {
    for (int i = 0; i < c->nconstants; i++)
        if (c->code->constant[i] == k && signbit(c->code->constant[i]) == signbit(k)) return i;
    void *p = c->code->constant;
    bool ok = c->nconstants < MOST_INSNS &&
              tg_grow(&p, &c->constants_cap, (size_t)c->nconstants + 1, sizeof k);
    c->code->constant = p;
    if (!ok) return -1;
    c->code->constant[c->nconstants] = k;
    return c->nconstants++;
}

int tg_code_add_site(tg_compiler *c, tg_code_site s) {
    void *p = c->code->site;
    bool ok = c->nsites < MOST_INSNS && tg_grow(&p, &c->sites_cap, (size_t)c->nsites + 1, sizeof s);
    c->code->site = p;
    if (!ok) return -1;
    c->code->site[c->nsites] = s;
    return c->nsites++;
}

bool tg_code_claim(tg_compiler *c, int n, int *first) {
    *first = c->top;
    c->top += n;
    if (c->top > c->code->nregs) c->code->nregs = c->top;
    return c->top <= MOST_REGISTERS;
}

/* ---- names ---- */

/* The same name, or field of it. */
static bool same_path(const tg_ast *a, const tg_ast *b) {
    while (a->kind == TG_AST_FIELD && b->kind == TG_AST_FIELD && a->name == b->name) {
        a = a->kids[0];
        b = b->kids[0];
    }
    return a->kind == TG_AST_NAME && b->kind == TG_AST_NAME && a->name == b->name;
}

int tg_code_register_of(tg_compiler *c, const tg_ast *e) {
    if (c->frame) {
        if (e->kind != TG_AST_NAME) return -1;
        for (int i = 0; i < c->frame->n; i++)
            if (c->frame->name[i] == e->name) return i;
        return -1;
    }
    tg_code *code = c->code;
    for (int i = 0; i < code->nvars; i++)
        if (same_path(code->var[i], e)) return i;
    if (code->nvars == TG_CODE_VARS) return -1;
    const tg_value *v = tg_code_value_at(c->in, c->env, e);
    code->truths[code->nvars] = v && v->tag == TG_V_BOOL;
    code->var[code->nvars] = e;
    return code->nvars++;
}

static bool is_truth(const tg_compiler *c, int reg) {
    return c->frame ? c->truths >> reg & 1 : c->code->truths[reg];
}

bool tg_code_set_type(tg_compiler *c, int reg, bool truth) {
    if (!c->frame || c->typed >> reg & 1) return is_truth(c, reg) == truth;
    c->typed |= (uint64_t)1 << reg;
    if (truth) c->truths |= (uint64_t)1 << reg;
    return true;
}

/* A name of the user's or the library's, as the text of the function or loop means it. */
static bool outer_site(tg_compiler *c, const tg_ast *e, tg_code_site *s, const tg_value **v) {
    tg_env *order[3] = {c->frame && c->env ? c->env : NULL, c->in->globals, c->in->library};
    for (int i = 0; i < 3; i++) {
        struct tg_binding *b = order[i] ? tg_env_binding(order[i], e->name) : NULL;
        if (!b) continue;
        *s = (tg_code_site){.ast = e, .env = order[i], .place = (uint32_t)(b - order[i]->items)};
        *v = &b->value;
        return true;
    }
    return false;
}

static bool name(tg_compiler *c, const tg_ast *e, int want, tg_operand *out) {
    int reg = tg_code_register_of(c, e);
    if (reg < 0 && !c->frame) return false;
    if (reg < 0) {
        tg_code_site s;
        const tg_value *v;
        if (!outer_site(c, e, &s, &v) || v->tag != TG_V_NUMBER) return false;
        if (want < 0 && !tg_code_claim(c, 1, &want)) return false;
        int at = tg_code_add_site(c, s);
        *out = (tg_operand){.reg = want};
        return at >= 0 && tg_code_put(c, TG_CODE_OUTER, want, at, 0);
    }
    if (c->frame && !(c->defined >> reg & 1)) return false;
    *out = (tg_operand){.reg = want < 0 ? reg : want, .truth = is_truth(c, reg)};
    return want < 0 || tg_code_put(c, TG_CODE_MOVE, want, reg, 0);
}

/* ---- expressions ---- */

/* Into a register. */
bool tg_code_in_register(tg_compiler *c, tg_operand *v, int want) {
    if (!v->constant) {
        if (want < 0 || v->reg == want) return true;
        if (!tg_code_put(c, TG_CODE_MOVE, want, v->reg, 0)) return false;
    } else {
        int k = constant(c, v->k);
        if (want < 0 && !tg_code_claim(c, 1, &want)) return false;
        if (k < 0 || !tg_code_put(c, TG_CODE_CONST, want, k, 0)) return false;
    }
    v->constant = false;
    v->reg = want;
    return true;
}

static bool number_operand(tg_compiler *c, const tg_ast *e, tg_operand *out) {
    return tg_code_expression(c, e, -1, out) && !out->truth;
}

/* The form of `way` for a constant on one side; 0: there is none. */
static int with_constant(int way, bool left, bool right) {
    if (right) {
        switch (way) {
        case TG_WAY_ADD: return TG_CODE_ADD_K;
        case TG_WAY_SUB: return TG_CODE_SUB_K;
        case TG_WAY_MUL: return TG_CODE_MUL_K;
        case TG_WAY_DIV: return TG_CODE_DIV_K;
        default: return 0;
        }
    }
    return left && way == TG_WAY_SUB   ? TG_CODE_K_SUB
           : left && way == TG_WAY_DIV ? TG_CODE_K_DIV
                                       : 0;
}

bool tg_code_combine(tg_compiler *c, int way, tg_operand a, tg_operand b, int mark, int want,
                     tg_operand *out) {
    if (a.constant && b.constant && !tg_code_in_register(c, &a, -1)) return false;
    if (a.constant && (way == TG_WAY_ADD || way == TG_WAY_MUL)) {
        tg_operand t = a;
        a = b;
        b = t;
    }
    int op = with_constant(way, a.constant, b.constant), left = a.reg, right = b.reg;
    if (op) {
        int k = constant(c, a.constant ? a.k : b.k);
        if (k < 0) return false;
        *(a.constant ? &left : &right) = k;
    } else {
        if (!tg_code_in_register(c, &a, -1) || !tg_code_in_register(c, &b, -1)) return false;
        op = TG_CODE_ADD + (way - TG_WAY_ADD);
        left = a.reg;
        right = b.reg;
    }
    c->top = mark;
    if (want < 0 && !tg_code_claim(c, 1, &want)) return false;
    *out = (tg_operand){.reg = want, .truth = way >= TG_WAY_LT};
    return tg_code_put(c, op, want, left, right);
}

static bool arithmetic(tg_compiler *c, const tg_ast *e, int way, int want, tg_operand *out) {
    tg_operand a, b;
    int mark = c->top;
    return number_operand(c, e->kids[0], &a) && number_operand(c, e->kids[1], &b) &&
           tg_code_combine(c, way, a, b, mark, want, out);
}

/* a < b < c: all operands are evaluated, then compared; 1 and 0 multiply as true and false do. */
static bool comparisons(tg_compiler *c, const tg_ast *e, int want, tg_operand *out) {
    tg_operand v;
    int mark = c->top, first, all, one;
    if (!tg_code_claim(c, e->n, &first) || !tg_code_claim(c, 1, &all) || !tg_code_claim(c, 1, &one))
        return false;
    for (int i = 0; i < e->n; i++)
        if (!tg_code_expression(c, e->kids[i], first + i, &v) || v.truth ||
            !tg_code_in_register(c, &v, first + i))
            return false;
    for (int i = 0; i + 1 < e->n; i++) {
        int way = (int)tg_way_of(e->ops[i]), to = i == 0 ? all : one;
        if (way < TG_WAY_LT || way > TG_WAY_NE ||
            !tg_code_put(c, TG_CODE_ADD + (way - TG_WAY_ADD), to, first + i, first + i + 1))
            return false;
        if (i > 0 && !tg_code_put(c, TG_CODE_MUL, all, all, one)) return false;
    }
    c->top = mark;
    if (want < 0) {
        if (!tg_code_claim(c, all - mark + 1, &want)) return false;
        *out = (tg_operand){.reg = all, .truth = true};
        return true;
    }
    *out = (tg_operand){.reg = want, .truth = true};
    return tg_code_put(c, TG_CODE_MOVE, want, all, 0);
}

/* ---- elements ---- */

bool tg_code_element_site(tg_compiler *c, const tg_ast *e, bool stored, tg_code_site *s) {
    const tg_ast *of = e;
    int places = 0;
    for (; of->kind == TG_AST_INDEX; of = of->kids[0]) places += of->n - 1; /* x[i][j] is x[i, j] */
    if (places < 1 || places > TG_MAX_RANK || (stored && of != e->kids[0])) return false;
    *s = (tg_code_site){.ast = e, .places = places};
    const tg_value *v;
    if (c->frame) {
        tg_code_site outer;
        if (stored || of->kind != TG_AST_NAME || tg_code_register_of(c, of) >= 0 ||
            !outer_site(c, of, &outer, &v))
            return false;
        s->env = outer.env;
        s->place = outer.place;
        s->truth = tg_code_has_elements(v, places, true);
        return s->truth || tg_code_has_elements(v, places, false);
    }
    tg_code *code = c->code;
    if (!(v = tg_code_value_at(c->in, c->env, of)) || (stored && of->kind != TG_AST_NAME))
        return false;
    int i = 0;
    while (i < code->nthings && !same_path(code->thing[i].ast, of)) i++;
    if (i == TG_CODE_THINGS) return false;
    tg_code_thing *t = &code->thing[i];
    if (i == code->nthings) {
        *t = (tg_code_thing){
            .ast = of, .rank = places, .truth = tg_code_has_elements(v, places, true)};
        code->nthings++;
    }
    t->stored = t->stored || stored;
    s->thing = i;
    s->truth = t->truth;
    return t->rank == places && tg_code_has_elements(v, places, t->truth);
}

bool tg_code_places(tg_compiler *c, const tg_ast *e, int first) {
    tg_operand v;
    if (c->depth == TG_CODE_DEPTH) return false;
    if (e->kids[0]->kind == TG_AST_INDEX) {
        c->depth++;
        if (!tg_code_places(c, e->kids[0], first)) return false;
        c->depth--;
        for (const tg_ast *of = e->kids[0]; of->kind == TG_AST_INDEX; of = of->kids[0])
            first += of->n - 1;
    }
    for (int i = 1; i < e->n; i++)
        if (!e->kids[i] || !tg_code_expression(c, e->kids[i], first + i - 1, &v) || v.truth ||
            !tg_code_in_register(c, &v, first + i - 1))
            return false;
    return true;
}

static bool element(tg_compiler *c, const tg_ast *e, int want, tg_operand *out) {
    tg_code_site s;
    int mark = c->top, first;
    if (!tg_code_element_site(c, e, false, &s) || !tg_code_claim(c, s.places, &first) ||
        !tg_code_places(c, e, first))
        return false;
    int at = tg_code_add_site(c, s);
    c->top = mark;
    if (want < 0 && !tg_code_claim(c, 1, &want)) return false;
    *out = (tg_operand){.reg = want, .truth = s.truth};
    return at >= 0 && tg_code_put(c, TG_CODE_ELEMENT, want, first, at);
}

/* and, or of truth values. */
static bool logical(tg_compiler *c, const tg_ast *e, int want, tg_operand *out) {
    tg_operand a, b;
    if (want < 0 && !tg_code_claim(c, 1, &want)) return false;
    int mark = c->top, reg;
    if (!tg_code_claim(c, 1, &reg))
        return false; /* `want` may be a name that the rest still reads */
    if (!tg_code_expression(c, e->kids[0], reg, &a) || !a.truth) return false;
    int jump = tg_code_emit(c, e->op[0] == 'o' ? TG_CODE_IF : TG_CODE_UNLESS, reg, 0, 0);
    if (jump < 0 || !tg_code_expression(c, e->kids[1], reg, &b) || !b.truth) return false;
    tg_code_land_here(c, jump);
    c->top = mark;
    *out = (tg_operand){.reg = want, .truth = true};
    return tg_code_put(c, TG_CODE_MOVE, want, reg, 0);
}

static bool unary(tg_compiler *c, const tg_ast *e, int want, tg_operand *out) {
    tg_operand v;
    int mark = c->top;
    if (!tg_code_expression(c, e->kids[0], -1, &v)) return false;
    bool minus = e->op[0] == '-', negates = e->op[0] == 'n';
    if ((!minus && !negates) || v.truth != negates) return false;
    if (minus && v.constant) {
        *out = (tg_operand){.constant = true, .k = -v.k};
        return want < 0 || tg_code_in_register(c, out, want);
    }
    if (!tg_code_in_register(c, &v, -1)) return false;
    c->top = mark;
    if (want < 0 && !tg_code_claim(c, 1, &want)) return false;
    *out = (tg_operand){.reg = want, .truth = negates};
    return tg_code_put(c, minus ? TG_CODE_NEG : TG_CODE_NOT, want, v.reg, 0);
}

/* A jump that is taken unless e is true; -1: failed. */
int tg_code_unless(tg_compiler *c, const tg_ast *e) {
    tg_operand a, b;
    int mark = c->top;
    bool compares = e->kind == TG_AST_BINARY && strchr("<>=!", e->op[0]);
    if (!compares) {
        if (!tg_code_expression(c, e, -1, &a) || !tg_code_in_register(c, &a, -1)) return -1;
        c->top = mark;
        return tg_code_emit(c, TG_CODE_UNLESS, a.reg, 0, 0);
    }
    int way = (int)tg_way_of(e->op) - TG_WAY_LT;
    if (!number_operand(c, e->kids[0], &a) || !number_operand(c, e->kids[1], &b)) return -1;
    if (!tg_code_in_register(c, &a, -1)) return -1;
    c->top = mark;
    if (!b.constant) return tg_code_emit(c, TG_CODE_UNLESS_LT + way, a.reg, b.reg, 0);
    int k = constant(c, b.k);
    return k < 0 ? -1 : tg_code_emit(c, TG_CODE_UNLESS_LT_K + way, a.reg, k, 0);
}

/* A block of one expression, as the branches of an `if` within an expression must be. */
static const tg_ast *only_expression(const tg_ast *e) {
    while (e && e->kind == TG_AST_BLOCK) e = e->n == 1 ? e->kids[0] : NULL;
    return e;
}

static bool choice(tg_compiler *c, const tg_ast *e, int want, tg_operand *out) {
    const tg_ast *yes = only_expression(e->kids[1]),
                 *no = e->n > 2 ? only_expression(e->kids[2]) : NULL;
    tg_operand a, b;
    int reg;
    if (!yes || !no) return false;
    if (want < 0 && !tg_code_claim(c, 1, &want)) return false;
    int mark = c->top;
    if (!tg_code_claim(c, 1, &reg)) return false;
    int other = tg_code_unless(c, e->kids[0]);
    if (other < 0 || !tg_code_expression(c, yes, reg, &a) || !tg_code_in_register(c, &a, reg))
        return false;
    int end = tg_code_emit(c, TG_CODE_JUMP, 0, 0, 0);
    if (end < 0) return false;
    tg_code_land_here(c, other);
    if (!tg_code_expression(c, no, reg, &b) || !tg_code_in_register(c, &b, reg) ||
        a.truth != b.truth)
        return false;
    tg_code_land_here(c, end);
    c->top = mark;
    *out = (tg_operand){.reg = want, .truth = a.truth};
    return tg_code_put(c, TG_CODE_MOVE, want, reg, 0);
}

/* ---- calls ---- */

/* The arguments in registers side by side. */
static bool arguments(tg_compiler *c, const tg_ast *e, int first) {
    for (int i = 1; i < e->n; i++) {
        tg_operand v;
        if (e->kids[i]->kind == TG_AST_ARG) return false;
        if (!tg_code_expression(c, e->kids[i], first + i - 1, &v) || v.truth) return false;
        if (!tg_code_in_register(c, &v, first + i - 1)) return false;
    }
    return true;
}

static bool call(tg_compiler *c, const tg_ast *e, int want, tg_operand *out) {
    const tg_ast *callee = e->kids[0];
    tg_code_site s;
    const tg_value *v;
    int n = e->n - 1, base;
    if (callee->kind != TG_AST_NAME || !outer_site(c, callee, &s, &v)) return false;
    if (c->frame ? tg_code_register_of(c, callee) >= 0 : tg_resolve(c->in, c->env, callee) != v)
        return false;
    int mark = c->top;
    tg_value f = *v;
    s.ast = e;
    if (f.tag == TG_V_OP) {
        s.op = f.as.op;
        s.kernel = tg_numeric_kernel(c->in, f.as.op, n, &s.truth);
        if (!s.kernel || !tg_code_claim(c, n, &base)) return false;
    } else if (f.tag == TG_V_FUNCTION) {
        s.code = tg_code_of_function(c->in, f.as.function);
        s.id = f.as.function->id;
        if (!s.code || !(s.code->ready || s.code->making) || s.code->nparams != n) return false;
        if (s.code->making) s.code->asked = true;
        if (!tg_code_claim(c, n + TG_CODE_LINK, &base)) return false;
    } else {
        return false;
    }
    bool is_call = f.tag == TG_V_FUNCTION;
    if (!arguments(c, e, is_call ? base + TG_CODE_LINK : base)) return false;
    int at = tg_code_add_site(c, s);
    c->top = mark;
    if (want < 0 && !tg_code_claim(c, 1, &want)) return false;
    *out = (tg_operand){.reg = want, .truth = is_call ? s.code->truth : s.truth};
    return at >= 0 && tg_code_put(c, is_call ? TG_CODE_CALL : TG_CODE_KERNEL, want, base, at);
}

bool tg_code_expression(tg_compiler *c, const tg_ast *e, int want, tg_operand *out) {
    if (c->depth == TG_CODE_DEPTH) return false;
    c->depth++;
    bool ok = false;
    switch (e->kind) {
    case TG_AST_NUMBER:
        *out = (tg_operand){.constant = true, .k = e->number};
        ok = want < 0 || tg_code_in_register(c, out, want);
        break;
    case TG_AST_BOOL:
        *out = (tg_operand){.constant = true, .k = e->number, .truth = true};
        ok = want < 0 || tg_code_in_register(c, out, want);
        break;
    case TG_AST_NAME: ok = name(c, e, want, out); break;
    case TG_AST_UNARY: ok = unary(c, e, want, out); break;
    case TG_AST_BINARY: {
        int way = (int)tg_way_of(e->op);
        ok = e->op[0] == 'a' || e->op[0] == 'o' ? logical(c, e, want, out)
             : way < TG_WAY_OTHER               ? arithmetic(c, e, way, want, out)
                                                : false;
        break;
    }
    case TG_AST_COMPARE: ok = comparisons(c, e, want, out); break;
    case TG_AST_INDEX: ok = element(c, e, want, out); break;
    case TG_AST_FIELD: ok = !c->frame && name(c, e, want, out); break;
    case TG_AST_IF: ok = choice(c, e, want, out); break;
    case TG_AST_CALL: ok = call(c, e, want, out); break;
    default: break;
    }
    c->depth--;
    return ok;
}
