/* Answers: records that show as a text and can stand in a condition. What same, check and derive
 * give. */
#ifndef TG_INTERP_ANSWER_H
#define TG_INTERP_ANSWER_H

#include "interp/interp.h"
#include "runtime/graph/sample.h"

enum { TG_ANSWER_FIELDS = 12 };

/* Built up field by field, the truth value first. */
typedef struct tg_answer {
    int n;
    struct {
        const char *name;
        tg_value value; /* owned */
    } field[TG_ANSWER_FIELDS];
    tg_str said;
} tg_answer;

/* Takes v. */
void tg_answer_add(tg_answer *a, const char *name, tg_value v);
/* The record into *out (owned), if ok; frees a in any case. */
bool tg_answer_give(tg_interp *in, tg_answer *a, bool ok, tg_value *out);
/* "N = 3, x = 0.31": the sizes and cells of the sampler's present point, or (split) of the one
 * where only some of the formulas are finite. */
bool tg_answer_point(tg_interp *in, const tg_sample *s, bool split, tg_str *out);

#endif
