/* The registry: the list of all tables, and finding an operation by name. A file of operations is
 * made known by its word in TABLES and nowhere else. */
#include "runtime/ops/document.h"
#include "runtime/ops/op.h"
#include "base/hash.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#define TABLES(X)                                                                                  \
    X(elementwise)                                                                                 \
    X(reduce)                                                                                      \
    X(order)                                                                                       \
    X(softmax)                                                                                     \
    X(scan)                                                                                        \
    X(linear)                                                                                      \
    X(conv)                                                                                        \
    X(pooling)                                                                                     \
    X(diagonal)                                                                                    \
    X(solve)                                                                                       \
    X(spectrum)                                                                                    \
    X(matrix_function) X(view) X(slice) X(index) X(join) X(create) X(random) X(cast) X(raw)

#define DECLARE(word) extern const tg_op_table tg_ops_##word;
TABLES(DECLARE)

#define ADDRESS(word) &tg_ops_##word,
const tg_op_table *const tg_op_tables[] = {TABLES(ADDRESS) NULL};

const tg_op *tg_op_at(int i) {
    for (const tg_op_table *const *t = tg_op_tables; *t; t++) {
        if (i < (*t)->n) return &(*t)->ops[i];
        i -= (*t)->n;
    }
    return NULL;
}

const char *tg_op_file(const tg_op *op) {
#define FILE_OF(word) "runtime/ops/" #word ".c",
    static const char *const files[] = {TABLES(FILE_OF)};
    for (int i = 0; tg_op_tables[i]; i++)
        if (op >= tg_op_tables[i]->ops && op < tg_op_tables[i]->ops + tg_op_tables[i]->n)
            return i == 0 ? "runtime/ops/elementwise.def" : files[i];
    return NULL;
}

/* ---- by name: open addressing, at most half full ---- */

enum { SLOTS = 1024 };

static const tg_op *slot[SLOTS];
static pthread_once_t filled = PTHREAD_ONCE_INIT;

/* Where the name is, or where it would go. */
static const tg_op **place(const char *name) {
    unsigned at = (unsigned)(tg_hash_text(name) % SLOTS);
    while (slot[at] && strcmp(slot[at]->name, name) != 0) at = (at + 1) % SLOTS;
    return &slot[at];
}

static void fill(void) {
    const tg_op *op;
    for (int i = 0; (op = tg_op_at(i)); i++) {
        const tg_op **s = place(op->name);
        assert(i < SLOTS / 2 && !*s); /* names are unique */
        *s = op;
    }
}

const tg_op *tg_op_find(const char *name) {
    pthread_once(&filled, fill);
    return *place(name);
}
