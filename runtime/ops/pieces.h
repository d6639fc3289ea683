/* Reductions made piece by piece: for whoever has the elements of one only a block at a time, as a
 * plan that runs several operations over one block after another. What is known of the elements so
 * far is an accumulator of two doubles (tg_acc), so that nothing of single precision is lost
 * between pieces, nor of double: a sum carries along what rounding took from it. */
#ifndef TG_RUNTIME_PIECES_H
#define TG_RUNTIME_PIECES_H

#include "runtime/vec/vec.h"

typedef struct tg_pieces {
    tg_piece_kind kind;
    double empty; /* the reduction of nothing */
    bool mean;    /* the result is divided by the number of elements */
} tg_pieces;

static inline const tg_piece_loops *tg_pieces_loops(const tg_pieces *p) {
    return &tg_vec_now()->pieces[p->kind];
}

#endif
