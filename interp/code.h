/* Number code: what functions and loops on plain numbers are run as.
 *
 * A function whose text only computes with numbers, and calls only such functions, is translated
 * when it is first called, into instructions over registers that hold doubles. A loop of such
 * statements likewise, once its names stand for numbers. Everything else stays with the tree
 * (eval.c), whose meaning the code must have to the bit.
 *
 * Code never decides what is unusual. A function that meets something else than a number, runs out
 * of stack or is interrupted gives up; as it changes nothing but its own names, its call is then
 * evaluated by the tree from the start, which also words the error. A loop keeps its names in
 * registers, writes them back when a statement needs the tree, and reads them again. */
#ifndef TG_INTERP_CODE_H
#define TG_INTERP_CODE_H

#include "interp/interp.h"
#include "interp/scalar.h"
#include "runtime/ops/elementwise.h"

typedef enum tg_code_op {
    /* those of two registers stand in the order of tg_way, a = b op c */
    TG_CODE_STOP,
    TG_CODE_ADD,
    TG_CODE_SUB,
    TG_CODE_MUL,
    TG_CODE_DIV,
    TG_CODE_MOD,
    TG_CODE_POW,
    TG_CODE_LT,
    TG_CODE_LE,
    TG_CODE_GT,
    TG_CODE_GE,
    TG_CODE_EQ,
    TG_CODE_NE,
    TG_CODE_ADD_K, /* a = b op constant c */
    TG_CODE_SUB_K,
    TG_CODE_MUL_K,
    TG_CODE_DIV_K,
    TG_CODE_K_SUB, /* a = constant b op c */
    TG_CODE_K_DIV,
    TG_CODE_UNLESS_LT, /* to c unless a < b */
    TG_CODE_UNLESS_LE,
    TG_CODE_UNLESS_GT,
    TG_CODE_UNLESS_GE,
    TG_CODE_UNLESS_EQ,
    TG_CODE_UNLESS_NE,
    TG_CODE_UNLESS_LT_K, /* to c unless a < constant b */
    TG_CODE_UNLESS_LE_K,
    TG_CODE_UNLESS_GT_K,
    TG_CODE_UNLESS_GE_K,
    TG_CODE_UNLESS_EQ_K,
    TG_CODE_UNLESS_NE_K,
    TG_CODE_MOVE,    /* a = b */
    TG_CODE_CONST,   /* a = constant b */
    TG_CODE_OUTER,   /* a = the number that site b names */
    TG_CODE_NEG,     /* a = -b */
    TG_CODE_NOT,     /* a = not b */
    TG_CODE_KERNEL,  /* a = operation of site c on registers b, b + 1, ... */
    TG_CODE_ELEMENT, /* a = what site c names, at the places in registers b, b + 1, ... */
    TG_CODE_PUT,     /* what site c names, at the places in registers b + 1, ...: register b */
    TG_CODE_SET,   /* name a = b, if that is finite; else the statement of site c is for the tree */
    TG_CODE_STORE, /* the same for `:=`, which counts */
    TG_CODE_JUMP,  /* to c */
    TG_CODE_AGAIN, /* to c, backwards */
    TG_CODE_UNLESS, /* to c unless a */
    TG_CODE_IF,     /* to c if a */
    TG_CODE_NEXT,   /* registers b, b + 1, b + 2: the first number of a range, how many were given,
                       how many there are. Gives the next to a, or goes to c */
    TG_CODE_COUNT,  /* registers a, a + 1 are the ends of a range: as NEXT wants them; site c: the
                       loop */
    TG_CODE_TURNS,  /* register a is the number of turns: likewise */
    TG_CODE_CALL,   /* a = the function of site c; its registers begin at b + TG_CODE_LINK */
    TG_CODE_RETURN, /* a */
} tg_code_op;

enum {
    TG_CODE_LINK = 2,   /* registers before a callee's, for where to go on */
    TG_CODE_VARS = 32,  /* names that a loop may have, the registers before all others */
    TG_CODE_THINGS = 8, /* tensors and tuples whose elements it uses */
};

typedef struct tg_insn {
    uint16_t op, a, b, c;
} tg_insn;

struct tg_code;

/* Something of the program that an instruction needs. */
typedef struct tg_code_site {
    const tg_ast *ast; /* a name, a call or a statement */
    tg_env *env;       /* of a name: the user's or the library's */
    uint32_t place;    /* and where it stands there */
    uint64_t id;       /* of a function */
    struct tg_code *code;
    const tg_op *op;
    tg_inner_fn *kernel;
    bool truth; /* a kernel or element gives true or false */
    int thing;  /* of an element: which of the loop's things, where it has no env */
    int places; /* ... and how many numbers are its place; else 0 */
} tg_code_site;

/* What an element is taken of. */
typedef struct tg_code_thing {
    const tg_ast *ast; /* a name, or the field of one */
    int rank;          /* of a tensor; 1: or a tuple of numbers */
    bool truth;        /* a tensor of truth values */
    bool stored;       /* into by the loop */
} tg_code_thing;

typedef struct tg_code {
    bool ready;         /* else it is being made, or cannot be */
    bool making, asked; /* and meanwhile a call of it was translated */
    bool truth;         /* gives true or false, not a number */
    int failures;
    int tries;          /* how often it was made */
    size_t names;       /* `changes` of the user's names when it was made */
    const tg_ast *text; /* a function or a loop */
    int nregs, nparams;
    tg_insn *insn;
    double *constant;
    int nsites;
    tg_code_site *site;
    /* of a loop */
    int nvars;
    const tg_ast *var[TG_CODE_VARS]; /* a place where the name stands, or the field of one */
    bool stored[TG_CODE_VARS], defined[TG_CODE_VARS];
    bool truths[TG_CODE_VARS]; /* it stands for true or false */
    int nthings;
    tg_code_thing thing[TG_CODE_THINGS];
    int counter; /* of a `for` or `repeat`: the first of the registers that NEXT wants; else 0 */
    int visit;
} tg_code;

/* What the name or field e stands for; NULL: nothing. */
tg_value *tg_code_value_at(tg_interp *in, tg_env *env, const tg_ast *e);
/* Have the elements of v a place of so many numbers, and are they truth values or not, as said? */
bool tg_code_has_elements(const tg_value *v, int places, bool truth);

/* The code of f; NULL: it has none. Records no error. */
tg_code *tg_code_of_function(tg_interp *in, tg_function *f);
/* The code of a loop that is running in env; NULL: it has none. */
tg_code *tg_code_of_loop(tg_interp *in, tg_env *env, const tg_ast *loop);

/* Calls f, whose code is given, with the numbers in the first places of `scope`. False: it gave up,
 * and nothing has happened. */
bool tg_code_call(tg_interp *in, tg_code *code, const tg_env *scope, tg_value *out);
/* The turns of a `for` or `repeat`: `at` of n were made, and the range begins at lo; those up to
 * `to` are to be made. Afterwards `at` have been, and `left` tells that a break was among them. */
typedef struct tg_code_turns {
    double lo, at, to, n;
    bool left;
} tg_code_turns;
/* Goes on with a loop. False: its names or functions are not what it needs, and nothing has
 * happened. Else *ok is false if an error is recorded. */
bool tg_code_loop(tg_interp *in, tg_env *env, tg_code *code, tg_code_turns *turns, bool *ok);

#endif
