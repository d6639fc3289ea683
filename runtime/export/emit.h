/* Formulas as source in other languages. A request becomes one function whose parameters are the
 * vars and inputs that the formulas read, in order of declaration; what is shared or has a name is
 * assigned once, all else is written in place. What is written is the stable form, the one that tg
 * itself computes.
 *
 * The spellings are in the operations' records (op.h); emit.c decides what is assigned and how it
 * is called, emit_template.c puts arguments and attributes into a spelling, and a file a language
 * does the rest. */
#ifndef TG_RUNTIME_EMIT_H
#define TG_RUNTIME_EMIT_H

#include "runtime/graph/node.h"

typedef struct tg_emit_request {
    const char *target; /* "numpy", "torch" or "c" */
    const char *name;   /* of the function; NULL: the formula's own name, else f */
    int n;              /* formulas */
    tg_node *const *root;
    const char *const *called; /* what each is called among the results; NULL entries: nothing */
    const char *form; /* the results as Python writes them, "(%, {'a': %})": a % for each formula */
} tg_emit_request;

/* Appends the source. Errors: an unknown target, an operation without a spelling there. */
bool tg_emit(tg_rt *rt, tg_str *out, const tg_emit_request *ask);

/* ---- inside ---- */

/* What is known of one node. */
typedef struct tg_emit_info {
    const char *label; /* the user's name for it, or NULL */
    const char *name;  /* what it is called in the source; NULL: it is written in place */
    int users;
    const tg_node *user; /* one of them; NULL: none but the request */
    int ops;             /* operations written in place with it */
    int arg;             /* its parameter, for a cell or a large constant; else -1 */
} tg_emit_info;

typedef struct tg_emitter tg_emitter;
typedef struct tg_emit_target {
    const char *name;
    const char *(*spelling)(const tg_op *op);
    bool (*write)(tg_emitter *e);
    const char *const *reserved; /* words that are no names; ends with NULL */
    bool sizes_given;            /* sizes are parameters, not read off the shapes */
    /* Words that are no names for the function; NULL: none. */
    const char *const *library;
    bool loops; /* it can write them */
    /* Is the node, which has no name of its own, written in place? NULL: all are. */
    bool (*inlines)(const tg_emitter *e, const tg_node *n);
} tg_emit_target;
extern const tg_emit_target tg_emit_numpy, tg_emit_torch, tg_emit_c;

typedef struct tg_emit_param {
    const tg_node *node;
    const char *name;
} tg_emit_param;

typedef struct tg_emit_size {
    tg_size symbol;
    const char *name;
    int param, axis; /* where it can be read off; -1: nowhere, it is a parameter */
} tg_emit_size;

struct tg_emitter {
    tg_rt *rt;
    const tg_emit_request *ask;
    const tg_emit_target *target;
    tg_str *out;
    size_t count; /* nodes, ascending id */
    tg_node **node;
    tg_emit_info *info;
    tg_node **root; /* the stable forms of the request's */
    int nparams, nsizes;
    tg_emit_param *param;
    tg_emit_size *size;
    size_t nused, used_cap; /* names taken: interned pointers, a hash table */
    const char **used;
    const char *function;
    tg_dtype precision; /* the widest float type among the nodes */
    int indent;         /* of the body of a loop: how many are around it */
};

/* Counts users and carries names over, of e->node; then gives names to what is assigned. */
bool tg_emit_look(tg_emitter *e);
bool tg_emit_choose(tg_emitter *e);
/* All nodes under the roots, and in the bodies of loops there (emit_loop.c). *node: tg_free. */
bool tg_emit_all_nodes(tg_rt *rt, int n, tg_node *const *root, tg_node ***node, size_t *count);
/* An emitter for formulas over the slots of a loop in e's, looked at; what leaves are called and
 * choosing is left. ask outlives it. To be closed in any case; e is not to be used until then but
 * for what it knows. */
bool tg_emit_open_body(tg_emitter *e, const tg_emit_request *ask, tg_emitter *body);
void tg_emit_close_body(tg_emitter *e, tg_emitter *body);

tg_emit_info *tg_emit_info_of(const tg_emitter *e, const tg_node *n);
/* A name like `base` that is free, taken now; NULL: an error. */
const char *tg_emit_name(tg_emitter *e, const char *base);
/* Appends a size as an expression of the language: products bind like products, 2*N - 1 like a
 * sum, and so it stands in brackets unless `bare`. */
void tg_emit_size_text(const tg_emitter *e, tg_str *s, tg_size size, bool bare);
bool tg_emit_is_leaf(const tg_node *n);
/* The tensor that a leaf stands for where its value is part of the source; NULL: none. */
const tg_view *tg_emit_literal(const tg_emitter *e, const tg_node *n);

/* How a language writes what templates ask for. Each appends, and returns false on an error. */
typedef struct tg_emit_writer {
    tg_emitter *e;
    bool (*argument)(struct tg_emit_writer *w, tg_str *s, const tg_node *n, int i, int min);
    bool (*attribute)(struct tg_emit_writer *w, tg_str *s, const tg_node *n, int param);
    /* result, dtype, index and what else the language has; *fits false: not here */
    bool (*word)(struct tg_emit_writer *w, tg_str *s, const tg_node *n, const char *word,
                 size_t len, bool *fits);
} tg_emit_writer;

/* The arguments' least precedences, as in op.h. */
enum {
    TG_EMIT_SUM = 5,
    TG_EMIT_PRODUCT = 6,
    TG_EMIT_MINUS = 7,
    TG_EMIT_POWER = 8,
    TG_EMIT_TIGHT = 9
};

bool tg_emit_template(tg_emit_writer *w, tg_str *s, const tg_node *n, const char *text);
/* How closely the text of a template binds. */
int tg_emit_level(const tg_op *op, const char *text);
/* Is `word` in the text, as a word of its own? */
bool tg_emit_mentions(const char *text, const char *word);

#endif
