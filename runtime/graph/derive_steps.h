/* Inside of derivations: the steps that derive.c finds, derive_check.c checks and derive_text.c
 * writes. */
#ifndef TG_RUNTIME_DERIVE_STEPS_H
#define TG_RUNTIME_DERIVE_STEPS_H

#include "runtime/graph/derive.h"

enum { TG_RULES_TEXT = 160, TG_LAWS_TEXT = 160 };

typedef enum tg_tick { TG_TICK_NONE, TG_TICK_RIGHT, TG_TICK_WRONG } tg_tick;

/* One adjoint: dy / d node. */
typedef struct tg_derive_step {
    tg_node *node;
    const char *name; /* of the node: the user's, or a fresh one */
    bool fresh;       /* then the node has it as a label only while the text is made */
    int target;       /* its number, or -1 */
    int level;        /* how many steps it is from y */
    bool shown;
    tg_cell *mark;             /* stands for the adjoint in the steps below (owned) */
    tg_node *local;            /* the adjoint over the marks of the steps above */
    tg_node *raw;              /* the same without marks, as tg_grad has it before simplifying */
    tg_node *full;             /* raw simplified; of a target: what grad gives. NULL: too large */
    bool opened;               /* local is by the parts of a quotient, not by its value */
    int parts;                 /* contributions that were added */
    char rules[TG_RULES_TEXT]; /* "power rule, chain rule through sin" */
    char laws[TG_LAWS_TEXT];   /* the simplifier's, from raw to full */
    uint32_t used;             /* assumptions in full */
    tg_tick tick;
    const char *reason; /* why there is no tick */
} tg_derive_step;

typedef struct tg_steps {
    tg_rt *rt;
    tg_node *y;
    int ntargets;
    const tg_derive_options *opt;
    size_t n, cap;
    tg_derive_step *step; /* from y down */
} tg_steps;

/* Puts the steps in the order in which they are told, with their levels. False: an error. */
bool tg_derive_order(tg_steps *s);
/* Fills in tick and reason of the steps that are shown. */
bool tg_derive_check(tg_steps *s);
/* The whole derivation as text. Sets lines, omitted, wrong and unchecked too. */
bool tg_derive_write(tg_steps *s, tg_derivation *out);

#endif
