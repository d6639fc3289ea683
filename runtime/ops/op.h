/* What an operation is. One tg_op record holds everything about one: its parameters, shape rule,
 * kernel, gradient, domain, how it prints, its documentation and an example. The same record serves
 * eager evaluation on tensors, formulas, differentiation, the plan, help, docs/ops.md and the
 * generated tests. There is no op enum and no op switch.
 *
 * Gradients are tg expressions as text, one for each tensor argument, over the parameters' names,
 * `out` (the result) and `g` (the incoming cotangent, shaped like the result). Broadcasting is
 * undone, contributions are added and dead paths are pruned by the driver (runtime/graph/grad.c),
 * never in a rule. */
#ifndef TG_RUNTIME_OP_H
#define TG_RUNTIME_OP_H

#include "runtime/graph/size.h"

enum { TG_MAX_ATTRS = 48, TG_MAX_PARAMS = 8, TG_MAX_TENSORS = 4 };

/* What is known of a value before it is computed. */
typedef struct tg_type {
    tg_dtype dtype;
    bool weak; /* a plain number: takes the float type of what it meets */
    int rank;
    tg_size dim[TG_MAX_RANK];
} tg_type;

static inline bool tg_type_same_shape(const tg_type *a, const tg_type *b) {
    return tg_shape_equal(a->rank, a->dim, b->rank, b->dim);
}

/* The non-tensor parameters, normalised by tg_op_bind in the order of the parameter list. Encoding
 * by kind:
 *   - AXES: one value, the bit mask of the axes
 *   - AXIS: one value, the axis, 0-based, not negative
 *   - FLAG: one value, 0 or 1
 *   - INT: one value
 *   - SIZE: one value, a size (may be symbolic)
 *   - REAL: one value, the bits of a double, or a size (its bit in `sizes` is set)
 *   - SHAPE: a count, then that many sizes
 *   - PERM: a count, then that many axes
 *   - SPEC: a count, then that many whole numbers, negative ones too, which are no sizes (the
 *     steps of a slice)
 *
 * Bit i of `sizes` says that v[i] is a size and must be made a number before a kernel sees it. The
 * bit stays set. tg_op_values finds a parameter's values, tg_op_print_attrs prints them. */
typedef struct tg_attrs {
    int n;
    uint64_t sizes;
    int64_t v[TG_MAX_ATTRS];
} tg_attrs;
/* Values of SIZE and SHAPE that are no sizes (their bit in `sizes` is clear): the -1 of reshape(x,
 * -1, 784), and none. */
#define TG_SIZE_INFER (INT64_MIN + 1)
#define TG_SIZE_NONE INT64_MAX

typedef enum tg_param_kind {
    TG_P_TENSOR,  /* a tensor argument (these come first) */
    TG_P_LIST,    /* one argument that is a list of tensors: the op is variadic (concat, stack); the
                     only tensor param */
    TG_P_AXES,    /* axis=1, axis=(0, 1), none = all; negative counts from the end; relative to the
                     FIRST tensor arg, but after a SHAPE parameter relative to that shape (expand).
                     Default "()": no axis */
    TG_P_AXIS,    /* exactly one axis, relative to the first tensor arg */
    TG_P_NEWAXIS, /* exactly one axis of the RESULT of a rank + 1 op (stack, onehot); encoded as
                     AXIS */
    TG_P_FLAG,
    TG_P_INT,
    TG_P_SIZE,
    TG_P_REAL,
    TG_P_SHAPE,
    TG_P_PERM,
    TG_P_SPEC
} tg_param_kind;

typedef struct tg_param {
    const char *name;
    tg_param_kind kind;
    const char *dflt; /* "none", "0", "-1", "false", ...; NULL: required */
} tg_param;

typedef struct tg_op tg_op;

/* The shape rule: from argument types and attributes to the result's type; sizes may be symbolic.
 * want[i] is preset to in[i].dtype; set it to the type the kernel wants argument i converted to. On
 * failure an error of kind TG_ERR_SHAPE / TYPE / VALUE whose text names operands as {0}, {1}.
 * Called again with known sizes when a plan is compiled. */
typedef bool tg_infer_fn(tg_rt *rt, const tg_op *op, int n, const tg_type *in, const tg_attrs *at,
                         tg_type *out, tg_dtype *want);

typedef struct tg_call {
    tg_rt *rt;
    const tg_op *op;
    int n;
    const tg_view *in;  /* converted to want[i]; any strides (0 and negative too) */
    tg_view *out;       /* contiguous, shape and type as inferred; never overlaps an input unless
                           op->in_place allows */
    const tg_attrs *at; /* all sizes known */
    size_t
        *room; /* asked of op->takes_room, else NULL: nothing is computed, elements are not looked
                  at, only the bytes that the kernel would allocate for itself are put here */
} tg_call;

/* Computes. May fail only for what the values decide (an index out of range) or for want of scratch
 * memory. */
typedef bool tg_kernel_fn(const tg_call *call);
/* Instead of a kernel: the result is a look at argument 0's elements. Returns false without an
 * error when the strides do not permit (reshape of a transposed view); then `run` is called. */
typedef bool tg_view_fn(const tg_call *call); /* fills *call->out wholly, data pointer included */

typedef enum tg_op_class {
    TG_CLASS_ELEMENTWISE, /* broadcasts its arguments */
    TG_CLASS_REDUCE,
    TG_CLASS_VIEW,   /* rearranges elements: linear, no arithmetic */
    TG_CLASS_LINEAR, /* products */
    TG_CLASS_INDEX,
    TG_CLASS_CREATE, /* no tensor arguments */
    TG_CLASS_RANDOM, /* draws; at->v[at->n - 2] is the stream, at->v[at->n - 1] is 1 if live
                        (`fresh`) */
    TG_CLASS_LEAF,   /* numbers, constants, cells and sizes in a graph; not callable */
} tg_op_class;

typedef enum tg_print_style {
    TG_PRINT_CALL,   /* name(a, b, axis=1); attributes at their default are left out */
    TG_PRINT_INFIX,  /* a symbol b */
    TG_PRINT_PREFIX, /* symbol a */
    TG_PRINT_PRIME,  /* a' when the last two axes are swapped, else as a call */
    TG_PRINT_INDEX,  /* a[...]: by the op's own `print` */
} tg_print_style;

/* Whether an argument has a derivative. In grad[i]: */
#define TG_GRAD_ZERO "0" /* piecewise constant: the derivative is zero wherever it exists */
/* NULL: no rule; differentiating through it is an error that names the operation. */

/* What a SHAPE parameter has for the leading axes of a batch (runtime/graph/batch.h). */
enum { TG_LEAD_SIZES, TG_LEAD_ZEROS, TG_LEAD_ONES };

#define TG_NO_SPELLING "-" /* in numpy, torch and c below */
#define TG_NO_SPELLINGS .numpy = TG_NO_SPELLING, .torch = TG_NO_SPELLING, .c = TG_NO_SPELLING

struct tg_op {
    const char *name;  /* unique; how it is called */
    const char *shown; /* how it prints when that differs (maximum prints as max); NULL: name */
    tg_op_class class;
    tg_param param[TG_MAX_PARAMS + 1]; /* ends with name == NULL; tensors first */
    tg_infer_fn *infer;
    tg_kernel_fn *run;
    tg_kernel_fn *reference; /* a naive second implementation for the tests, or NULL */
    tg_view_fn *view;        /* or NULL */
    bool in_place;           /* out may be the memory of argument 0 (elementwise) */
    bool takes_room;         /* the kernel allocates, and tells how much: see tg_call.room */
    bool lines; /* what it makes of a line along its axes (its first attribute) depends on that
                   line alone, and cannot fail unless lines are empty */
    const struct tg_pieces *pieces; /* of a reduction that can be made piece by piece, or NULL */
    bool opaque;                    /* what stands inside is not rewritten (raw) */
    bool stops;    /* its derivative is zero because it says so: differences would tell another */
    bool wild;     /* it or its slope may be infinite or undefined where its arguments are finite */
    bool commutes; /* f(a, b) == f(b, a) ... */
    bool zero_sided;                  /* ... but for the sign of a zero */
    const char *grad[TG_MAX_TENSORS]; /* rule texts; of a variadic op grad[0] serves each argument,
                                         which is `x`, with `start` and `count` its place along
                                         attribute `axis` (stack: start is its number) */
    const char *binary; /* reductions max and min: the elementwise op meant by max(a, b) */
    /* where the generated tests sample each argument, and points of no derivative to keep away from
     */
    double lo, hi;
    double kinks[4];
    int nkinks;
    tg_print_style style;
    const char *symbol;
    int precedence; /* of INFIX and PREFIX: or 1, and 2, not 3, compare 4, + - 5, * / % @ 6, neg 7,
                       ^ 8 */
    bool (*print)(tg_rt *rt, tg_str *s, const tg_attrs *at,
                  int rank); /* TG_PRINT_INDEX: appends "[0:3, 1]" */
    /* How a call prints where another record says the same shorter: that record, and its
     * attributes; what is printed binds to this operation again (by `canonical`). NULL: as it is.
     */
    const tg_op *(*spell)(tg_rt *rt, const tg_attrs *at, tg_attrs *spelt);
    /* How latex(e) writes it: {0}, {1} for the arguments (in brackets where the operator next to
     * them needs it), {0!} for one that stands behind a word and needs brackets unless it is one
     * thing, {axis} and the other parameters' names for the attributes, {axis} as a subscript.
     * NULL: \operatorname{name}(...). latex_turned: how its transpose reads where that is more than
     * a \top behind it. */
    const char *latex, *latex_turned;
    /* What a teacher calls its rule of differentiation, for derive: "product rule", or, where that
     * depends on which argument alone is not constant, "product rule|constant factor|constant
     * factor". ~ before a name: textbooks do not stop for it. NULL: the chain rule through it. */
    const char *taught;

    /* How emit(e) spells it: Python over NumPy or PyTorch, with {0}, {1} for the arguments, {0!}
     * where one needs brackets unless it is one thing, {args} for a list of them, {axis} and so on
     * for the attributes, {, dim=axis} for one that is left out at its default, {result} for the
     * shape of the result and {dtype} for its type; what begins with _ is a function of
     * runtime/export/python_helpers.c. {T} is .T and {index} is [0:3, 1], and where these cannot
     * be written the part behind " | " is taken. TG_NO_SPELLING: emit refuses. */
    const char *numpy, *torch;
    /* The same in C: of an elementwise operation the kernel over the parameters' names, in which T
     * is the element type (its row gives it); of others a call of a function in
     * runtime/export/c_helpers*.c that fills {out}, behind ! where it may fail, or behind = an
     * expression that is a view of its arguments, or behind =! a call that makes &{out} one. {list}
     * is an array of all arguments, {number} of them, and {rank} the rank of the result. */
    const char *c;
    /* What a call costs, in floating-point operations, about, for :profile (runtime/ops/profile.h):
     * `effort` for each element of the result, or of argument 0 where that has more (0: one, where
     * elements are computed or reduced, and none elsewhere); and for each element of argument 0 and
     * of the result `cubic` times the last size of argument 0: {0, 2} of a product, {2.0 / 3, 2} of
     * a system of equations. */
    double effort, cubic[2];
    /* Instead of these where they cannot say it: all of them, from the views' shapes. */
    double (*flops)(const tg_view *in, const tg_view *out);
    const char *doc;     /* one sentence */
    const char *example; /* tg text of an expression ... */
    const char *value;   /* ... and what the prompt shows for it */
    const char *samples; /* for structural ops: example calls as tg text over x, y, z of given
                            shapes, separated by `|`, for the generated tests: "x[3,4]: sum(x,
                            axis=1) | x[2,3,4]: sum(x, axis=(0,2), keep=true)". A word after the
                            sizes says what kind of matrix: "x[3,3] regular: inv(x)"; the kinds are
                            regular, spd and small (samples.h). An elementwise op needs
                            none: the tests broadcast it. */
    /* The last step of binding, where an operation has several spellings: completes the attributes
     * (eye(n) is eye(n, n)) and may name a simpler operation (untranspose becomes transpose). rank
     * is that of argument 0. NULL: an error. */
    const tg_op *(*canonical)(tg_rt *rt, const tg_op *op, int rank, tg_attrs *at);
    /* Of param[i], a SHAPE: its entries for the axes of a batch in front, TG_LEAD_. The start of a
     * slice has zeros there. */
    unsigned char lead[TG_MAX_PARAMS];
};

/* The registry: every file of operations has a table; tg_op_tables lists them. */
typedef struct tg_op_table {
    const tg_op *ops;
    int n;
} tg_op_table;
extern const tg_op_table *const tg_op_tables[]; /* ends with NULL */
const tg_op *tg_op_find(const char *name);      /* NULL: unknown. Hashed on first use. */
const tg_op *tg_op_at(int i);                   /* the i-th in registry order; NULL past the end */

/* ---- binding call arguments to an op's parameters (runtime/ops/bind.c) ---- */

typedef enum tg_arg_kind {
    TG_ARG_TENSOR,
    TG_ARG_NUMBER,
    TG_ARG_BOOL,
    TG_ARG_SIZE,
    TG_ARG_TUPLE,
    TG_ARG_LIST,
    TG_ARG_NONE
} tg_arg_kind;

/* One argument as the caller has it, free of interpreter types. */
typedef struct tg_arg {
    const char *name; /* NULL: positional */
    tg_arg_kind kind;
    int operand;   /* TENSOR, and NUMBER, BOOL, SIZE too: the caller's number for it, returned in
                      tg_bound.operand */
    double number; /* NUMBER, BOOL */
    tg_size size;  /* SIZE: a symbolic or known size; a NUMBER that is a whole number >= 0 is
                      accepted as one */
    int n;         /* TUPLE, LIST: number of items ... */
    const struct tg_arg *items; /* ... */
} tg_arg;

typedef struct tg_bound {
    const tg_op *op; /* may differ from the one asked for: max(a, b) becomes maximum */
    int n;           /* tensor arguments */
    int *operand;    /* the caller's numbers, in the op's order; points at `few` or is allocated */
    int few[TG_MAX_TENSORS];
    tg_attrs at;
} tg_bound;

/* Matches positional and named arguments to parameters, fills defaults, normalises axes. rank_of
 * tells the rank of an operand. Errors: too many or too few, an unknown name (with the signature as
 * help), a value of the wrong kind, an axis out of range. */
bool tg_op_bind(tg_rt *rt, const tg_op *op, int nargs, const tg_arg *args,
                int (*rank_of)(void *user, int operand), void *user, tg_bound *out);
void tg_bound_free(tg_bound *b);
/* What tg calls the parameter that NumPy or PyTorch call so (dim: axis); the name itself where it
 * knows no other. */
const char *tg_param_elsewhere(const char *name);
/* "sum(x, axis=none, keep=false)" */
void tg_op_signature(tg_str *s, const tg_op *op);
/* Where in `at` the values of param[i] stand, and how many there are (with SHAPE, PERM and SPEC the
 * count comes before them and is not counted). -1: param[i] is a tensor. */
int tg_op_values(const tg_op *op, const tg_attrs *at, int i, int *n);
/* Appends ", axis=1, keep=true": the attributes that are not at their default, in a form that binds
 * to the same ones. `first`: no comma before the first of them. rank is that of argument 0. */
void tg_op_print_attrs(tg_rt *rt, tg_str *s, const tg_op *op, int rank, const tg_attrs *at,
                       bool first);
/* By effort and cubic of the record. */
double tg_op_flops(const tg_op *op, int n, const tg_view *in, const tg_view *out);
/* A REAL parameter's number, once the sizes are known. */
double tg_attr_real(const tg_attrs *at, int i);

/* ---- eager evaluation (runtime/ops/apply.c) ---- */

/* Applies op to tensors: infers, converts, runs (or looks). weak[i] marks plain numbers (NULL:
 * none). The result is owned. */
tg_tensor *tg_op_apply(tg_rt *rt, const tg_op *op, int n, tg_tensor *const *in, const bool *weak,
                       const tg_attrs *at);

/* ---- shared shape rules ---- */

/* The float type arithmetic on these gives: a weak argument yields to the others; a scalar never
 * widens a tensor; integers only: the default precision. All weak: double, as plain numbers are. */
tg_dtype tg_promote(tg_rt *rt, int n, const tg_type *in);
/* Broadcasting in one sentence: a scalar combines with anything; otherwise one of the operands must
 * already have the shape of the result. Sizes of 1 stretch. Fills rank and dim of out. The error
 * names both shapes and outer / expand. */
bool tg_broadcast(tg_rt *rt, int n, const tg_type *in, tg_type *out);

#endif
