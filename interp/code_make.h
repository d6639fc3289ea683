/* What the two files that translate into number code share: code_expression.c puts expressions
 * together, code_compile.c statements, functions and loops. All functions give up by returning
 * false, or -1, without an error. */
#ifndef TG_INTERP_CODE_MAKE_H
#define TG_INTERP_CODE_MAKE_H

#include "interp/code.h"

enum { TG_CODE_DEPTH = 100 }; /* levels of a text that is translated */

typedef struct tg_compiler {
    tg_interp *in;
    tg_code *code;
    const tg_frame *frame;  /* of a function; NULL: a loop */
    tg_env *env;            /* of a loop: where it runs; of a function: the library, or NULL */
    uint64_t defined;       /* of a function: its names that have a value here */
    uint64_t typed, truths; /* of a function: its names that are numbers or truth values, and those
                               that are the latter */
    int top;                /* the first free register */
    int depth;
    int ninsns, nconstants, nsites;
    size_t insns_cap, constants_cap, sites_cap;
    int loop_head; /* where `continue` goes, -1: no loop */
    int breaks;    /* the last jump of a `break`, chained by c; -1: none */
    bool returns_any, returns_truth;
} tg_compiler;

/* A value: a constant or a register. */
typedef struct tg_operand {
    bool constant, truth;
    int reg;
    double k;
} tg_operand;

/* Appends an instruction and gives its number. */
int tg_code_emit(tg_compiler *c, int op, int a, int b, int to);
bool tg_code_put(tg_compiler *c, int op, int a, int b, int to);
/* The jump leads to what comes next. */
void tg_code_land_here(tg_compiler *c, int jump);
int tg_code_add_site(tg_compiler *c, tg_code_site s);
/* n free registers side by side, until c->top is set back. */
bool tg_code_claim(tg_compiler *c, int n, int *first);
/* The register of a name of the function's or loop's own; -1: it has none. */
int tg_code_register_of(tg_compiler *c, const tg_ast *e);
/* Says that the name in this register stands for a truth value, or for a number. False: it cannot.
 */
bool tg_code_set_type(tg_compiler *c, int reg, bool truth);
/* The site of an element e = x[i, j, ...]; `stored`: to be written. */
bool tg_code_element_site(tg_compiler *c, const tg_ast *e, bool stored, tg_code_site *s);
/* The places of e in registers from `first` on. */
bool tg_code_places(tg_compiler *c, const tg_ast *e, int first);
/* a way b, put together. Registers from `mark` on are free again. */
bool tg_code_combine(tg_compiler *c, int way, tg_operand a, tg_operand b, int mark, int want,
                     tg_operand *out);
/* The value of e, in register `want` unless that is -1. */
bool tg_code_expression(tg_compiler *c, const tg_ast *e, int want, tg_operand *out);
/* Puts v into register `want`, or into any if that is -1. */
bool tg_code_in_register(tg_compiler *c, tg_operand *v, int want);
/* A jump that is taken unless e is true. */
int tg_code_unless(tg_compiler *c, const tg_ast *e);

#endif
