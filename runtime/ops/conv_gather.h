/* Products with a gathered operand: what a convolution is when its columns are not written down.
 * The table of offsets says where, from the place of each row of the result, the elements stand
 * that the rows of `panel` are multiplied with:
 *
 *     out[m, v] (+)= sum of image[base[m] + offset[r]] * panel[r, v]    over r
 *
 * Lanes run along v, so nothing of a vector is lost at the ends of lines. */
#ifndef TG_RUNTIME_CONV_GATHER_H
#define TG_RUNTIME_CONV_GATHER_H

#include "runtime/tensor/tensor.h"

typedef struct tg_gather {
    const void *image;
    const int64_t *base, *offset; /* [rows], [depth], in elements */
    int64_t rows, depth;
    const void *panel; /* [depth, vectors * lanes] */
    void *out;         /* [rows, vectors * lanes] */
    bool add;          /* to what is in out */
} tg_gather;

enum { TG_GATHER_VECTORS = 4 };
/* Of the level in use: the lanes of a vector of that type, and how many vectors are best taken
 * together. */
int tg_gather_lanes(tg_dtype t);
int tg_gather_together(void);
/* `vectors` is 1 to TG_GATHER_VECTORS. */
void tg_gather_run(tg_dtype t, int vectors, const tg_gather *g);
/* to[j * to_step + i] = from[i * from_step + j], of that many i and j. */
void tg_gather_turn(tg_dtype t, int64_t n, int64_t m, const void *from, int64_t from_step, void *to,
                    int64_t to_step);

#endif
