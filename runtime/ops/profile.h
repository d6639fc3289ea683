/* Where time goes: while a profile is set in rt->profile, each operation that computes, by itself
 * or as a step of a plan, is timed and counted. Without one this costs a look at a pointer. */
#ifndef TG_RUNTIME_PROFILE_H
#define TG_RUNTIME_PROFILE_H

#include "runtime/ops/machine.h"
#include "runtime/ops/op.h"

/* One operation at one place of a formula, or on plain values. */
typedef struct tg_profile_entry {
    const char *kind; /* "softmax", "product", "copy" */
    const void *id;   /* tells it from others of its kind; only compared */
    uint64_t number;  /* the same */
    tg_str formula;   /* what it computes, or the shapes of its arguments */
    int64_t calls;
    double seconds, flops, bytes;
    double least; /* seconds that the machine would have needed at best */
} tg_profile_entry;

typedef struct tg_profile {
    tg_machine machine;
    tg_profile_entry *entries;
    size_t n, cap;
    size_t next;  /* where to look first */
    double aside; /* seconds that profiling itself took */
} tg_profile;

void tg_profile_free(tg_profile *p);

/* What one call did. */
typedef struct tg_work {
    tg_dtype dtype;
    double flops, bytes;
} tg_work;
/* By the operation's record and the sizes: elements that are repeated are moved once. */
tg_work tg_work_of(const tg_op *op, int n, const tg_view *in, const tg_view *out);
/* alpha * a @ b, with or without an addend. */
tg_work tg_work_of_product(const tg_view *a, const tg_view *b, const tg_view *out, bool adds);
/* The bytes of a view: elements that are repeated count once. */
double tg_work_of_view(const tg_view *v);
tg_work tg_work_of_copy(const tg_view *out, const tg_view *in);

/* The entry of that id and number, new where there is none (*is_new: its formula is to be filled
 * in). NULL: no memory, with the error. */
tg_profile_entry *tg_profile_find(tg_rt *rt, const char *kind, const void *id, uint64_t number,
                                  bool *is_new);
void tg_profile_count(tg_rt *rt, tg_profile_entry *e, const tg_work *w, double seconds);

/* op->run(call), timed. For rt->profile set. */
bool tg_profile_call(const tg_call *call);

#endif
