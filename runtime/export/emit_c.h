/* What the parts of the C target share: where each value is (emit_c_plan.c), how expressions over
 * elements read (emit_c_loop.c), and the function around them (emit_c.c). */
#ifndef TG_RUNTIME_EMIT_C_H
#define TG_RUNTIME_EMIT_C_H

#include "runtime/export/emit.h"

typedef enum tg_c_kind {
    TG_C_WRITTEN, /* nowhere: it is written in place */
    TG_C_ARRAY,   /* behind a pointer, in row-major order */
    TG_C_NUMBER,  /* in a variable; of a loop, where it has axes */
    TG_C_VIEW     /* through sizes and strides */
} tg_c_kind;

typedef struct tg_c_spot {
    tg_c_kind kind;
    int group;  /* the statement or loop that makes it; of what is written in place, the last one
                   that it reads; -1: none */
    int next;   /* the node after it in its group, or -1 */
    int buffer; /* its part of the workspace, or -1 */
} tg_c_spot;

/* Statements that stand together: one call, or one loop over the elements of one shape. */
typedef struct tg_c_group {
    int first, last, count; /* nodes */
    bool loop;
} tg_c_group;

typedef struct tg_c_writer {
    tg_emit_writer w; /* the first, so that callbacks find the rest */
    const char **result;
    tg_c_spot *spot; /* of e->node[i] */
    tg_c_group *group;
    int ngroups, nbuffers;
    const tg_node **buffer; /* the first node in each */
    size_t shared;          /* nodes that took over a buffer */
} tg_c_writer;

/* Groups, places and buffers; results' names are known. */
bool tg_c_plan(tg_c_writer *c);
void tg_c_plan_free(tg_c_writer *c);
tg_c_spot *tg_c_spot_of(const tg_c_writer *c, const tg_node *n);
bool tg_c_is_elementwise(const tg_node *n);
bool tg_c_is_look(const tg_node *n); /* is its value a view of its arguments? */

bool tg_c_put_loop(tg_c_writer *c, tg_str *s, const tg_c_group *g);
/* An element of a value without axes. */
bool tg_c_put_value(tg_c_writer *c, tg_str *s, const tg_node *n);
void tg_c_put_number(const tg_emitter *e, tg_str *s, double x);
/* "2, (const long[]){N, 3}" */
void tg_c_put_shape(const tg_emitter *e, tg_str *s, const tg_type *t);
/* "double" or "float" */
const char *tg_c_real(const tg_emitter *e);
/* The kernels that the text calls, as functions. */
void tg_c_put_kernels(const tg_emitter *e, tg_str *s, const char *text);
bool tg_c_is_function(const tg_op *op);

#endif
