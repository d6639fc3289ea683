/* Symbolic sizes. A size is an int64: at or above 0 it is the number itself; below 0 it names an
 * interned polynomial with integer coefficients over size symbols (N, N + M, 784*N). Polynomials
 * are kept in a normal form, so two sizes that are provably equal are the same int64, and shape
 * rules compare sizes with `==` whether or not they are known. An anonymous size (`?`) is a symbol
 * without a name. -1 is never a size: shape rules may use it as a mark. */
#ifndef TG_RUNTIME_SIZE_H
#define TG_RUNTIME_SIZE_H

#include "runtime/rt.h"

typedef int64_t tg_size;
#define TG_SIZE_FAIL INT64_MIN /* an operation failed: no memory or overflow, recorded in rt */

bool tg_sizes_init(tg_rt *rt);
void tg_sizes_free(tg_rt *rt);

static inline bool tg_size_known(tg_size s) {
    return s >= 0;
}
/* The symbol of that (interned) name, made on first use; NULL makes a new anonymous one, printed
 * `?`. */
tg_size tg_size_symbol(tg_rt *rt, const char *name);
tg_size tg_size_add(tg_rt *rt, tg_size a, tg_size b);
tg_size tg_size_sub(tg_rt *rt, tg_size a, tg_size b);
tg_size tg_size_times(tg_rt *rt, tg_size a, tg_size b);
/* a / b when that is exact for all values of the symbols (784*N / N = 784); else TG_SIZE_FAIL
 * without an error. */
tg_size tg_size_divide(tg_rt *rt, tg_size a, tg_size b);
/* Is a <= b, term by term, whatever the symbols are? False also when that cannot be told. */
bool tg_size_at_most(tg_rt *rt, tg_size a, tg_size b);
/* ceil(a / k), k > 0 known; opaque unless it simplifies. Needed for slices with a step. */
tg_size tg_size_ceil_div(tg_rt *rt, tg_size a, int64_t k);

/* A binding of symbols to numbers, made when data are known. */
struct tg_size_bound {
    tg_size symbol;
    int64_t value;
    const char *from; /* name of the input */
};
typedef struct tg_size_binding {
    size_t n, cap;
    struct tg_size_bound *items;
} tg_size_binding;
void tg_size_binding_free(tg_size_binding *b);
/* Binds the symbols of a declared shape to an actual one. Errors (TG_ERR_SHAPE): rank or a known
 * size differs; a symbol would get two values ("N is 100 in X but 50 in Y"). `from` names the
 * input. A dim that is a compound polynomial is solved for its one unbound symbol if it is linear
 * in it, checked if all are bound, else left open. */
bool tg_size_bind(tg_rt *rt, tg_size_binding *b, const char *from, int rank,
                  const tg_size *declared, int actual_rank, const int64_t *actual);
/* The number a size has under the binding; TG_SIZE_FAIL with TG_ERR_DATA when a symbol is unbound,
 * TG_ERR_SHAPE when it comes out negative or too large. b may be NULL. */
int64_t tg_size_eval(tg_rt *rt, const tg_size_binding *b, tg_size s);
/* Appends every symbol of s to the set (as items with value -1, no duplicates); used to list what
 * is needed. */
bool tg_size_symbols(tg_rt *rt, tg_size_binding *set, tg_size s);
const char *tg_size_symbol_name(tg_rt *rt, tg_size symbol); /* NULL: anonymous */

void tg_size_print(tg_rt *rt, tg_str *s, tg_size size); /* N, 784, N + 1, 2*N */
void tg_shape_print(tg_rt *rt, tg_str *s, int rank,
                    const tg_size *dim); /* [N, 784]; [] for a scalar */
/* The same into a static ring of buffers, for messages: valid for the next 7 calls. */
const char *tg_shape_text(tg_rt *rt, int rank, const tg_size *dim);

#endif
