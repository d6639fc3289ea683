/* Translating functions and loops into number code.
 *
 * One pass over the tree. Each name that a function can define has the register of its place in the
 * function's frame, a loop's names have theirs in the order of meeting; what an expression needs
 * besides stands above. A name is read from its register only where it certainly has been defined
 * before; whatever else there is to a name, a type or a statement makes the translation fail, which
 * is no error: the tree does what code does not. */
#include "interp/code_make.h"
#include "base/alloc.h"
#include "interp/resolve.h"

#include <string.h>

enum { MOST_NAMES = 60, MOST_TRIES = 8 };

/* ---- statements ---- */

static bool statement(tg_compiler *c, const tg_ast *s);

/* From a register into a name: what fails to be finite is told by the tree, unless it was given so.
 */
static bool set(tg_compiler *c, const tg_ast *s, const tg_ast *target, tg_operand from) {
    int reg = tg_code_register_of(c, target);
    bool store = s->kind == TG_AST_STORE;
    if (reg < 0 || !tg_code_set_type(c, reg, from.truth)) return false;
    if (c->frame) {
        if (store && !(c->defined >> reg & 1)) return false;
        c->defined |= (uint64_t)1 << reg;
    } else if (store) {
        c->code->stored[reg] = true;
    } else {
        c->code->defined[reg] = true;
    }
    if (!store && (from.truth || s->kids[1]->kind == TG_AST_NAME))
        return tg_code_put(c, TG_CODE_MOVE, reg, from.reg, 0);
    int at = tg_code_add_site(c, (tg_code_site){.ast = s});
    return at >= 0 && tg_code_put(c, store ? TG_CODE_STORE : TG_CODE_SET, reg, from.reg, at);
}

/* x[i] := e; with an operator the right side is evaluated first. */
static bool put_element(tg_compiler *c, const tg_ast *s) {
    tg_code_site site;
    tg_operand v, right;
    int mark = c->top, first;
    if (c->frame || !tg_code_element_site(c, s->kids[0], true, &site) ||
        !tg_code_claim(c, 1 + site.places, &first))
        return false;
    if (s->op) {
        int way = (int)tg_way_of(s->op), above;
        if (!tg_code_expression(c, s->kids[1], first, &right) || right.truth ||
            !tg_code_in_register(c, &right, first) || !tg_code_expression(c, s->kids[0], -1, &v) ||
            v.truth || way > TG_WAY_POW)
            return false;
        above = c->top;
        if (!tg_code_combine(c, way, v, right, above, first, &v)) return false;
    } else if (!tg_code_expression(c, s->kids[1], first, &v) ||
               !tg_code_in_register(c, &v, first)) {
        return false;
    }
    site.ast = s;
    int at = tg_code_add_site(c, site);
    bool ok = at >= 0 && v.truth == site.truth && tg_code_places(c, s->kids[0], first + 1) &&
              tg_code_put(c, TG_CODE_PUT, 0, first, at);
    c->top = mark;
    return ok;
}

static bool assign(tg_compiler *c, const tg_ast *s) {
    int mark = c->top;
    tg_operand v;
    if (s->ntargets != 1 || s->n != 2) return false;
    if (s->kind == TG_AST_STORE && s->kids[0]->kind == TG_AST_INDEX) return put_element(c, s);
    if (s->kids[0]->kind != TG_AST_NAME) return false;
    if (s->kind == TG_AST_STORE && s->op) {
        tg_ast both = {.kind = TG_AST_BINARY, .op = s->op, .n = 2, .kids = s->kids};
        if (!tg_code_expression(c, &both, -1, &v)) return false;
    } else if (!tg_code_expression(c, s->kids[1], -1, &v)) {
        return false;
    }
    bool ok = tg_code_in_register(c, &v, -1) && set(c, s, s->kids[0], v);
    c->top = mark;
    return ok;
}

static bool block(tg_compiler *c, const tg_ast *s) {
    bool ok = true;
    for (int i = 0; ok && i < s->n; i++) ok = statement(c, s->kids[i]);
    return ok;
}

static bool branch(tg_compiler *c, const tg_ast *s) {
    int other = tg_code_unless(c, s->kids[0]), end = -1;
    uint64_t before = c->defined;
    if (other < 0 || !statement(c, s->kids[1])) return false;
    uint64_t yes = c->defined;
    c->defined = before;
    if (s->n > 2 && (end = tg_code_emit(c, TG_CODE_JUMP, 0, 0, 0)) < 0) return false;
    tg_code_land_here(c, other);
    if (s->n > 2 && !statement(c, s->kids[2])) return false;
    if (end >= 0) tg_code_land_here(c, end);
    c->defined &= yes;
    return true;
}

/* The body of a loop, whose head is `head` and whose end `exit` jumps to. */
static bool body(tg_compiler *c, const tg_ast *s, int head, int exit) {
    int outer_head = c->loop_head, outer_breaks = c->breaks;
    uint64_t before = c->defined;
    c->loop_head = head;
    c->breaks = -1;
    bool ok = statement(c, s) && tg_code_put(c, TG_CODE_AGAIN, 0, 0, head);
    if (ok && exit >= 0) tg_code_land_here(c, exit);
    for (int at = c->breaks; ok && at >= 0;) {
        int next = c->code->insn[at].b == UINT16_MAX ? -1 : c->code->insn[at].b;
        tg_code_land_here(c, at);
        at = next;
    }
    c->defined = before;
    c->loop_head = outer_head;
    c->breaks = outer_breaks;
    return ok;
}

static bool while_loop(tg_compiler *c, const tg_ast *s) {
    int head = c->ninsns, exit = tg_code_unless(c, s->kids[0]);
    return exit >= 0 && body(c, s->kids[1], head, exit);
}

/* Of a loop that counts: NEXT and the body. `reg`: the registers that NEXT wants. */
static bool counted(tg_compiler *c, const tg_ast *s, int reg) {
    bool named = s->kind == TG_AST_FOR;
    int mark = c->top, to, var = -1;
    if (named &&
        ((var = tg_code_register_of(c, s->kids[0])) < 0 || !tg_code_set_type(c, var, false)))
        return false;
    if (!tg_code_claim(c, 1, &to)) return false;
    if (!named) var = to;
    if (named && c->frame) c->defined |= (uint64_t)1 << var;
    if (named && !c->frame) c->code->defined[var] = true;
    int head = tg_code_emit(c, TG_CODE_NEXT, var, reg, 0);
    bool ok = head >= 0 && body(c, s->kids[named ? 2 : 1], head, head);
    c->top = mark;
    return ok;
}

/* A loop over a range, as far as its targets tell. */
static bool is_countable(const tg_ast *s) {
    return s->kind == TG_AST_REPEAT ||
           (s->ntargets == 1 && s->n == 3 && !(s->flags & TG_AST_STORES) &&
            s->kids[0]->kind == TG_AST_NAME);
}

static bool inner_count(tg_compiler *c, const tg_ast *s) {
    int reg, mark = c->top;
    tg_operand v;
    uint64_t before = c->defined;
    bool range = s->kind == TG_AST_FOR;
    if (!is_countable(s) || (range && s->kids[1]->kind != TG_AST_RANGE) ||
        !tg_code_claim(c, 3, &reg))
        return false;
    for (int i = 0; i < 1 + range; i++) {
        const tg_ast *e = range ? s->kids[1]->kids[i] : s->kids[0];
        if (!tg_code_expression(c, e, reg + i, &v) || v.truth ||
            !tg_code_in_register(c, &v, reg + i))
            return false;
    }
    int at = tg_code_add_site(c, (tg_code_site){.ast = s});
    bool ok = at >= 0 && tg_code_put(c, range ? TG_CODE_COUNT : TG_CODE_TURNS, reg, 0, at) &&
              counted(c, s, reg);
    c->defined = before;
    c->top = mark;
    return ok;
}

/* The function's value. */
static bool give_back(tg_compiler *c, const tg_ast *e) {
    tg_operand v;
    int mark = c->top;
    if (!c->frame || !tg_code_expression(c, e, -1, &v) || !tg_code_in_register(c, &v, -1))
        return false;
    if (c->returns_any && c->returns_truth != v.truth) return false;
    c->returns_any = true;
    c->returns_truth = v.truth;
    c->top = mark;
    c->defined = UINT64_MAX; /* what follows is not reached */
    return tg_code_put(c, TG_CODE_RETURN, v.reg, 0, 0);
}

static bool leave_loop(tg_compiler *c, const tg_ast *s) {
    if (c->loop_head < 0) return false;
    c->defined = UINT64_MAX;
    if (s->kind == TG_AST_CONTINUE) return tg_code_put(c, TG_CODE_AGAIN, 0, 0, c->loop_head);
    int at = tg_code_emit(c, TG_CODE_JUMP, 0, c->breaks < 0 ? UINT16_MAX : c->breaks, 0);
    c->breaks = at;
    return at >= 0;
}

static bool statement(tg_compiler *c, const tg_ast *s) {
    if (c->depth == TG_CODE_DEPTH) return false;
    c->depth++;
    bool ok = false;
    switch (s->kind) {
    case TG_AST_BLOCK: ok = block(c, s); break;
    case TG_AST_IF: ok = branch(c, s); break;
    case TG_AST_DEFINE:
    case TG_AST_STORE: ok = assign(c, s); break;
    case TG_AST_WHILE: ok = while_loop(c, s); break;
    case TG_AST_FOR:
    case TG_AST_REPEAT: ok = inner_count(c, s); break;
    case TG_AST_RETURN: ok = s->n == 1 && give_back(c, s->kids[0]); break;
    case TG_AST_BREAK:
    case TG_AST_CONTINUE: ok = leave_loop(c, s); break;
    default: break;
    }
    c->depth--;
    return ok;
}

/* The last statement of a function, whose value is the function's. */
static bool tail(tg_compiler *c, const tg_ast *s) {
    if (c->depth == TG_CODE_DEPTH) return false;
    c->depth++;
    bool ok = true;
    switch (s->kind) {
    case TG_AST_BLOCK:
        for (int i = 0; ok && i + 1 < s->n; i++) ok = statement(c, s->kids[i]);
        ok = ok && s->n > 0 && tail(c, s->kids[s->n - 1]);
        break;
    case TG_AST_IF: {
        int other = tg_code_unless(c, s->kids[0]);
        uint64_t before = c->defined;
        ok = other >= 0 && s->n > 2 && tail(c, s->kids[1]);
        if (ok) {
            tg_code_land_here(c, other);
            c->defined = before;
            ok = tail(c, s->kids[2]);
        }
        break;
    }
    case TG_AST_DEFINE: ok = assign(c, s) && give_back(c, s->kids[0]); break;
    case TG_AST_RETURN: ok = statement(c, s); break;
    default: ok = give_back(c, s);
    }
    c->depth--;
    return ok;
}

/* ---- functions and loops ---- */

/* What was put together goes where the text is kept. */
static bool keep(tg_compiler *c, tg_unit *unit) {
    tg_code *code = c->code;
    size_t insns = (size_t)c->ninsns * sizeof(tg_insn),
           constants = (size_t)c->nconstants * sizeof(double),
           sites = (size_t)c->nsites * sizeof(tg_code_site);
    char *p = tg_arena_alloc(&unit->arena, constants + sites + insns + 1);
    if (!p) return false;
    if (constants) memcpy(p, code->constant, constants);
    if (sites) memcpy(p + constants, code->site, sites);
    if (insns) memcpy(p + constants + sites, code->insn, insns);
    tg_free(code->constant);
    tg_free(code->site);
    tg_free(code->insn);
    code->constant = (double *)(void *)p;
    code->site = (tg_code_site *)(void *)(p + constants);
    code->insn = (tg_insn *)(void *)(p + constants + sites);
    code->nsites = c->nsites;
    return true;
}

static void give_up(tg_code *code) {
    tg_free(code->constant);
    tg_free(code->site);
    tg_free(code->insn);
    code->constant = NULL;
    code->site = NULL;
    code->insn = NULL;
    code->nsites = 0;
}

/* The code that the text has already, if it is still right; else new, to be made. *made: the
 * former. */
static tg_code *begin(tg_interp *in, tg_unit *unit, const tg_ast *text, bool *made) {
    tg_code *old = text->note;
    *made = true;
    if (old && (old->names == in->globals->changes || old->tries == MOST_TRIES)) return old;
    *made = false;
    tg_code *code = tg_arena_alloc(&unit->arena, sizeof *code);
    if (!code) return NULL;
    code->tries = old ? old->tries + 1 : 1;
    code->names = in->globals->changes;
    code->text = text;
    ((tg_ast *)text)->note = code;
    return code;
}

tg_code *tg_code_of_function(tg_interp *in, tg_function *f) {
    bool made;
    if (!f->def || f->by || f->rule || (f->env && f->env != in->library)) return NULL;
    if (!tg_guard(&in->rt.c)) {
        tg_clear(&in->rt.c);
        return NULL;
    }
    tg_code *code = begin(in, f->unit, f->def, &made);
    if (!code || made) return code;
    const tg_frame *frame = tg_frame_of(in, f->unit, f->def);
    if (!frame) tg_clear(&in->rt.c);
    if (!frame || frame->n > MOST_NAMES) return code;
    int nparams = f->def->n - 1;
    tg_compiler c = {.in = in,
                     .code = code,
                     .frame = frame,
                     .env = f->env,
                     .defined = ((uint64_t)1 << nparams) - 1,
                     .typed = ((uint64_t)1 << nparams) - 1,
                     .top = frame->n,
                     .loop_head = -1,
                     .breaks = -1};
    code->nregs = frame->n;
    code->nparams = nparams;
    code->making = true;
    bool ok = tail(&c, f->def->kids[nparams]) && tg_code_put(&c, TG_CODE_STOP, 0, 0, 0);
    code->making = false;
    code->truth = c.returns_truth;
    ok = ok && !(code->truth && code->asked); /* who called it meanwhile took it for a number */
    if (ok && keep(&c, f->unit))
        code->ready = true;
    else
        give_up(code);
    return code;
}

tg_code *tg_code_of_loop(tg_interp *in, tg_env *env, const tg_ast *loop) {
    bool made;
    tg_code *code = begin(in, in->unit, loop, &made);
    if (!code || made) return code;
    tg_compiler c = {
        .in = in, .code = code, .env = env, .top = TG_CODE_VARS, .loop_head = -1, .breaks = -1};
    code->nregs = TG_CODE_VARS;
    bool ok = loop->kind == TG_AST_WHILE
                  ? while_loop(&c, loop)
                  : is_countable(loop) && tg_code_claim(&c, 3, &code->counter) &&
                        counted(&c, loop, code->counter);
    ok = ok && tg_code_put(&c, TG_CODE_STOP, 0, 0, 0);
    if (ok && keep(&c, in->unit))
        code->ready = true;
    else
        give_up(code);
    return code;
}
