/* Values of the language: what a name can stand for.
 *
 * A tg_value is 16 bytes, copied freely; whoever keeps a copy holds it (tg_value_hold) and drops it
 * once. Plain numbers and booleans own nothing. A formula is a node of the graph, held. Containers
 * are immutable once built: storing into r.f or x[i] makes a changed copy. */
#ifndef TG_INTERP_VALUE_H
#define TG_INTERP_VALUE_H

#include "grammar/ast.h"
#include "runtime/graph/node.h"

typedef enum tg_tag {
    TG_V_NONE,
    TG_V_NUMBER,
    TG_V_BOOL,
    TG_V_STRING,
    TG_V_TENSOR,  /* known elements */
    TG_V_FORMULA, /* a live formula; a var or input is the formula that is its cell's leaf */
    TG_V_LIST,    /* [a, b] of formulas or of unlike things */
    TG_V_TUPLE,
    TG_V_RECORD,
    TG_V_FUNCTION, /* written in tg, or the derivative of one */
    TG_V_OP,       /* an operation of the registry */
    TG_V_BUILTIN,  /* a function of the interpreter written in C */
    TG_V_RANGE,    /* 1..10 */
    TG_V_STREAM,   /* what batches(...) gives: things made one by one */
    TG_V_UNKNOWN,  /* under a name of a program that is only read (check.h): it may be anything */
} tg_tag;

struct tg_interp;
typedef struct tg_text tg_text;
typedef struct tg_items tg_items;
typedef struct tg_function tg_function;
typedef struct tg_stream tg_stream;
typedef struct tg_env tg_env;

typedef struct tg_value {
    tg_tag tag : 8;
    unsigned unfold : 8; /* of a formula, for expand: how many levels of names are written out;
                            TG_UNFOLD_MOST: all */
    bool derived : 1;    /* a formula that grad gave: raw shows where it came from */
    uint32_t assumed;    /* of a formula: bit mask of the assumptions it rests on */
    union {
        double number;
        bool truth;
        tg_text *text;
        tg_tensor *tensor;
        tg_node *node;
        tg_items *items; /* LIST, TUPLE, RECORD */
        tg_function *function;
        const tg_op *op;
        const struct tg_builtin *builtin;
        struct tg_range *range;
        tg_stream *stream;
    } as;
} tg_value;

enum { TG_MAX_NESTING = 1000, TG_MAX_ITEMS = 1 << 24 };
struct tg_text {
    int refs;
    bool bare; /* to be copied from the screen: the prompt shows it without quotes */
    size_t len;
    char bytes[];
}; /* UTF-8, 0-terminated */
struct tg_range {
    int refs;
    double lo, hi;
};
struct tg_items {
    int refs;
    tg_items *dying; /* next in the list of containers being freed: nesting costs no stack */
    int n;
    bool numbers;  /* all items are numbers, and it is sealed */
    int depth;     /* of nesting, at most TG_MAX_NESTING */
    int64_t total; /* items in all, those that stand in several places counted so often; at most
                      TG_MAX_ITEMS */
    tg_value *v;
    const char **field; /* of a record: interned names, in order of writing; else NULL */
    tg_text *said;      /* of an answer: what it shows as (held); else NULL */
};
struct tg_function {
    int refs;
    tg_function *dying;
    const char *name;    /* interned; NULL: a lambda */
    tg_unit *unit;       /* holds the tree */
    const tg_ast *def;   /* TG_AST_FUNCTION or TG_AST_LAMBDA */
    tg_env *env;         /* where it was written; NULL: global */
    tg_function *primal; /* not NULL: this is the derivative of that function */
    tg_function *rule;   /* the derivative that the user wrote for it (rule.h), or NULL */
    uint64_t id;         /* of one written in tg: which of all, from 1 */
    uint64_t serial;     /* of a rule: which of all rules */
    tg_value native;     /* ... or of this operation or builtin (primal NULL and def NULL) */
    const struct tg_builtin *by; /* not NULL: x -> by(native, x), as jacobian(f) is; */
    tg_value given;              /* of vmap(f, axis, out) the tuple (axis, out); else none */
};

enum { TG_UNFOLD_MOST = 255 };

#define TG_NONE_VALUE ((tg_value){.tag = TG_V_NONE})
static inline tg_value tg_value_number(double x) {
    return (tg_value){.tag = TG_V_NUMBER, .as.number = x};
}
static inline tg_value tg_value_bool(bool x) {
    return (tg_value){.tag = TG_V_BOOL, .as.truth = x};
}

static inline bool tg_value_is_function(tg_value v) {
    return v.tag == TG_V_FUNCTION || v.tag == TG_V_OP || v.tag == TG_V_BUILTIN;
}

tg_value tg_value_hold(tg_value v); /* returns v */
void tg_value_drop(tg_value v);
/* "a number", "a tensor", "a formula", ... for messages */
const char *tg_value_kind(tg_value v);

/* These return false with an error recorded; on success *out is owned. */
bool tg_value_string(tg_ctx *c, const char *s, size_t n, tg_value *out);
bool tg_value_range(tg_ctx *c, double lo, double hi, tg_value *out);
/* How many numbers the range has: lo, lo + 1, ... up to hi, which 0.1 + 0.2 may miss by a rounding
 * error. False, with an error: an end is infinite or nan. */
bool tg_range_count(tg_ctx *c, const struct tg_range *r, int64_t *n);
int64_t tg_text_length(const tg_text *t); /* in characters */
/* A LIST, TUPLE or RECORD of n items, all none. Fill v[] (and of a record field[]), then seal it,
 * before anyone else sees it. */
bool tg_value_items(tg_ctx *c, tg_tag tag, int n, tg_value *out);
/* Takes ownership of t (also on failure). A tensor of rank 0 becomes a number or a bool. */
tg_value tg_value_tensor(tg_tensor *t);
/* Holds n. */
tg_value tg_value_formula(tg_node *n, uint32_t assumed);
/* made has the form of `like`: the depth and number of items are the same. */
void tg_value_nest_like(tg_value made, tg_value like);
/* To be called when v[] of `made` is filled: counts the depth of nesting and the items (t = (t, t)
 * in a loop has soon more than can ever be walked over). Takes `made`, gives *out; past
 * TG_MAX_NESTING or TG_MAX_ITEMS `made` is dropped, *out unchanged, and the result false. */
bool tg_value_seal(tg_ctx *c, tg_value made, tg_value *out);
/* An answer (of same, check, derive) is a record that shows as a text, and whose first field, a
 * truth value, is what a condition asks it for. The text; NULL: v is no answer. */
static inline const tg_text *tg_value_said(tg_value v) {
    return v.tag == TG_V_RECORD ? v.as.items->said : NULL;
}
/* The field of a record; NULL if there is none. */
tg_value *tg_value_field(tg_value record, const char *interned_name);

/* A stream makes its things one by one; how many there will be is known. It never changes: a loop
 * walks over a pass of its own, so that loops over one stream can be nested. */
struct tg_stream {
    int refs;
    int64_t count; /* things in all */
    /* A pass into *out (owned): the stream itself, or one with an order of its own if it shuffles.
     */
    bool (*begin)(struct tg_interp *in, tg_stream *s, tg_value *out);
    /* The at-th thing of the pass into *out (owned). */
    bool (*next)(struct tg_interp *in, const tg_stream *s, int64_t at, tg_value *out);
    int nparts;
    tg_tensor *part[4]; /* what it draws from */
    int64_t batch;      /* rows a turn */
    int64_t rows;       /* of a pass through all of it */
    int64_t first;      /* batches left out at its beginning */
    int64_t *order; /* of a pass that is shuffled or has an order given: row numbers; else NULL */
    tg_value title; /* before the progress bar: a string, or none */
};

/* ---- environments ---- */

/* The names that a scope may ever have, the parameters first: found once for the text that opens it
 * (resolve.c). */
typedef struct tg_frame {
    int n;
    const char *name[];
} tg_frame;

/* A scope: the global one, or one of a call. Reference counted, since a lambda keeps the scope it
 * was written in. */
struct tg_env {
    int refs;
    tg_env *dying;         /* also the next of the idle ones */
    tg_env *next, *prev;   /* in the ring of the scopes that functions keep; NULL: in none */
    tg_env *parent;        /* the scope around, not the caller's; NULL: globals */
    const tg_frame *frame; /* items[i] is for frame->name[i]; NULL: they stand in the order of
                                their definition */
    size_t n, cap;
    size_t changes; /* grows with each name that comes or goes */
    bool kept;      /* by snapshot.c */
    struct tg_binding {
        const char *name; /* NULL: not defined yet, and the value is none */
        tg_value value;
        bool alias; /* y = x, x a var: y := ... gives y a value of its own, and leaves x */
    } * items;
    size_t *slots; /* hash index for large scopes; NULL while small */
    size_t nslots;
};

tg_env *tg_env_new(tg_env *parent); /* NULL: no memory */
/* A scope of that form, all its names undefined, from those that are idle if there are any. */
tg_env *tg_env_new_call(struct tg_interp *in, const tg_frame *frame, tg_env *parent);
/* The same as tg_env_drop, for a scope that another call may use again. */
void tg_env_give_back(struct tg_interp *in, tg_env *e);
/* Puts e and the scopes around it into the ring, as a function keeps them from now on. */
void tg_env_join_ring(struct tg_interp *in, tg_env *e);
/* Empties all scopes in the ring of `anchor`: functions and the scopes that keep them hold each
 * other, and counting alone never frees these. */
void tg_env_clear_ring(tg_env *anchor);
tg_env *tg_env_hold(tg_env *e);
void tg_env_drop(tg_env *e);
tg_value *tg_env_find(tg_env *e, const char *name); /* in this scope only; NULL: not there */
/* The binding of a name in this scope, valid until the next tg_env_set; NULL: not there. */
struct tg_binding *tg_env_binding(tg_env *e, const char *name);
bool tg_env_set(tg_env *e, const char *name,
                tg_value v); /* takes ownership; drops the old; false: no memory (v dropped) */
/* Makes room, so that the next `more` calls of tg_env_set succeed. False: no memory. */
bool tg_env_reserve(tg_env *e, size_t more);
void tg_env_clear(tg_env *e);
/* To be called when items[] or n were changed from outside. Takes no memory. */
void tg_env_find_anew(tg_env *e);

#endif
