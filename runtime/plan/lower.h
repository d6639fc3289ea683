/* Lowering, for those who lower a kind of node of its own (loop_lower.c). */
#ifndef TG_RUNTIME_PLAN_LOWER_H
#define TG_RUNTIME_PLAN_LOWER_H

#include "runtime/plan/program.h"

/* What is known of a node while its plan is made. */
typedef struct tg_lowered {
    int slot;      /* of the node's value; -1: none yet */
    int uses;      /* as an argument, and as a root */
    int root;      /* the first root that is this node, or -1 */
    int fusion;    /* the product it is computed by, or -1 */
    bool absorbed; /* part of another node's product */
} tg_lowered;

typedef struct tg_lowering {
    tg_rt *rt;
    tg_plan *p;
    const tg_overrides *o;
    const tg_size_binding *sizes;
    tg_node *const *nodes;
    size_t n;
    tg_lowered *info; /* one a node, by its place */
    size_t nfusions, cap_fusions;
    tg_fusion *fusions;
    size_t nreruns, cap_reruns;
    struct tg_rerun *reruns;           /* loop.h */
    size_t cap_in, cap_want, cap_args; /* scratch for the arguments of one node */
    tg_type *in;
    tg_dtype *want;
    int *args;
} tg_lowering;

/* The slot of x, which is a leaf or lowered already; -1: an error. */
int tg_lower_slot_of(tg_lowering *l, const tg_node *x);
/* The slot's value as type t; -1: an error. */
int tg_lower_slot_as(tg_lowering *l, const tg_node *node, int slot, tg_dtype t);
/* A new slot for the value: in the result when the node is a root, else in memory of the plan. */
int tg_lower_out(tg_lowering *l, const tg_lowered *i, bool constant, const tg_type *t);

/* loop_lower.c: a bundle, and all its items. */
bool tg_lower_loop(tg_lowering *l, const tg_node *bundle);
/* loop_again.c */
void tg_reruns_free(tg_lowering *l);

#endif
