/* The syntax tree: what the parser makes and the evaluator walks. Nodes live in the arena of their
 * unit and are freed with it. A name is interned (compare pointers). The span of a node covers its
 * whole text; a binary node also knows where its operator stands, so that an error can put the
 * caret there. */
#ifndef TG_GRAMMAR_AST_H
#define TG_GRAMMAR_AST_H

#include "base/arena.h"
#include "base/ctx.h"

typedef struct tg_ast tg_ast;

typedef enum tg_ast_kind {
    /* expressions */
    TG_AST_NUMBER,  /* number */
    TG_AST_BOOL,    /* number 0 or 1 */
    TG_AST_NONE,    /* none */
    TG_AST_STRING,  /* kids: TG_AST_TEXT and TG_AST_HOLE parts in turn; no kids: "" */
    TG_AST_TEXT,    /* name/len: literal bytes of a string, escapes resolved (may contain 0) */
    TG_AST_HOLE,    /* kids[0] the expression; name the format after ':' or NULL */
    TG_AST_NAME,    /* name */
    TG_AST_BRACKET, /* [a, b]: kids */
    TG_AST_TUPLE,   /* (a, b), (a,), (): kids */
    TG_AST_RECORD,  /* {a: 1, b: 2}: kids are TG_AST_ARG with a name */
    TG_AST_UNARY,   /* op ("-", "not"), kids[0] */
    TG_AST_BINARY,  /* op, kids[0], kids[1]; the op is the canonical spelling: + - * / % @ ^ == != <
                       <= > >= and or */
    TG_AST_COMPARE, /* a < b < c: a chain of more than one comparison; kids a, b, c; ops in
                       ops[0..n-2] */
    TG_AST_RANGE,   /* kids[0] .. kids[1], both ends included */
    TG_AST_PRIME,   /* kids[0]': transpose, or derivative of a function */
    TG_AST_CALL,    /* kids[0] the callee, then TG_AST_ARG or plain expressions */
    TG_AST_ARG,    /* name = kids[0], in a call or a parameter list; kids[0] NULL: parameter without
                      default */
    TG_AST_INDEX,  /* kids[0] the base, then one kid an axis: an expression, TG_AST_SLICE or
                      TG_AST_REST */
    TG_AST_SLICE,  /* kids[0..2]: start, stop, step, each NULL if absent */
    TG_AST_REST,   /* ... in an index */
    TG_AST_FIELD,  /* kids[0].name */
    TG_AST_LAMBDA, /* x -> e, (x, y=1) -> e: kids are parameters (TG_AST_ARG), the last kid is the
                      body */
    TG_AST_WHERE,  /* e where R = e1, S = e2: kids[0] is e, then TG_AST_ARG with names */
    TG_AST_BLOCK,  /* { a; b }: kids are statements; its value is the last one's */
    /* statements (also allowed where a statement stands in a block) */
    TG_AST_DEFINE, /* targets = exprs: kids[0..ntargets-1] targets (NAME; no others), then the
                      expressions */
    TG_AST_STORE,  /* targets := exprs, or one target with op += -= *= /= in op ("+" etc.; NULL for
                      :=). A target is NAME, or INDEX or FIELD of one. Same number of expressions, or
                      one (a tuple to unpack). */
    TG_AST_FUNCTION, /* name(params) = body: kids are parameters (TG_AST_ARG), the last kid the body
                      */
    TG_AST_INPUT,    /* kids: TG_AST_INDEX-like declarations: NAME, or INDEX of NAME with sizes
                        (NUMBER, NAME, or    TG_AST_REST for `?`) */
    TG_AST_ASSUME,   /* kids: conditions */
    TG_AST_RULE,     /* rule name(params) = body: as FUNCTION; flag TG_AST_UNCHECKED */
    TG_AST_HELP,     /* ?name: name, of ? alone NULL; ??name has the flag TG_AST_SEARCH */
    TG_AST_PRECISION, /* name: "single" or "double" */
    TG_AST_FORMAT,    /* name: "short", "long" or "sci" */
    TG_AST_USE,       /* name/len: file or module; flag TG_AST_QUOTED when it was a string */
    TG_AST_FOR, /* kids[0..ntargets-1] targets, kids[ntargets] the iterated, then the body (BLOCK);
                   flag TG_AST_STORES for `for X, Y := ...` */
    TG_AST_WHILE,  /* kids: condition, body */
    TG_AST_REPEAT, /* kids: count, body */
    TG_AST_IF, /* kids: condition, body, and perhaps the else part (BLOCK or IF); also an expression
                */
    TG_AST_BREAK,
    TG_AST_CONTINUE,
    TG_AST_RETURN, /* kids[0] or none */
} tg_ast_kind;

enum {
    TG_AST_SILENT = 1, /* a statement that ended in `;` */
    TG_AST_QUOTED = 2,
    TG_AST_STORES = 4,
    TG_AST_SEARCH = 32,
    TG_AST_UNCHECKED = 16, /* of RULE: not compared with differences */
    TG_AST_PARENS = 8,     /* the expression stood in brackets of its own, (a - b), which its span
                              covers; or behind a unary plus, which makes no node */
};

/* What the evaluator learnt of a node when it first came by (interp/resolve.h). */
typedef struct tg_ast_seen {
    const struct tg_frame *frame; /* of a name: of the scope it was last looked up from; of what
                                      opens a scope: of that scope */
    int slot;                     /* of a name: its place in that scope; -1: none */
    uint32_t place;               /* of a name: its place among the user's names or the library's */
    size_t among; /* of a name of the library: what `changes` of the user's names was then */
    int way;      /* of an operator: how it is computed; 0: not looked at yet */
} tg_ast_seen;

struct tg_ast {
    tg_ast_kind kind;
    int flags;
    tg_span span;
    tg_span op_span; /* where the operator stands; of a call: its bracketed arguments */
    double number;
    const char *name; /* interned, or arena text for TEXT, HOLE and USE */
    size_t len;       /* of TEXT and USE */
    const char *op;   /* interned by value: compare with strcmp or the first characters */
    const char **ops; /* of COMPARE */
    int ntargets;
    int n; /* number of kids */
    tg_ast **kids;
    void *note; /* for the evaluator: what it learnt of this node; not owned */
    tg_ast_seen seen;
};

/* Is it a statement, and no expression? An `if` is counted among these, a block is not; both may
 * stand where a value is wanted. */
static inline bool tg_ast_is_statement(const tg_ast *e) {
    return e->kind > TG_AST_BLOCK;
}

/* A parsed text: owned by whoever holds it; functions hold the unit they were written in. */
typedef struct tg_unit {
    int refs;
    tg_source *src;
    tg_arena arena;
    int n;
    tg_ast **statements;
} tg_unit;

tg_unit *tg_unit_hold(tg_unit *u);
void tg_unit_drop(tg_unit *u);

/* Calls `visit` for e and all below it, from left to right; it stops where that returns false.
 * False: it did, or there is no memory, which is recorded in c. */
bool tg_ast_walk(tg_ctx *c, const tg_ast *e, bool (*visit)(void *user, const tg_ast *e),
                 void *user);

/* *same: whether the trees are equal, wherever in their texts they stand. Both were parsed with c.
 * False: no memory. */
bool tg_unit_same(tg_ctx *c, const tg_unit *a, const tg_unit *b, bool *same);

#endif
