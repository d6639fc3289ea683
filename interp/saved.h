/* Values as files: .npz for any nesting of records, lists and tuples, .npy for one tensor.
 *
 * The leaves of a nesting are the entries of the archive, and an entry's name is the path to it:
 * "hidden.W", "layers.0.b". Numbers are double arrays without axes, truth values and texts as NumPy
 * has them, and a list of texts is one array. From the names alone a nesting of records and lists
 * comes back; what they do not tell (tuples, none, what is empty, names with a dot) stands in an
 * entry more, ".structure", a text such as {net: {W: _}, sizes: (_, _), note: none}, which is there
 * only where it is needed. */
#ifndef TG_INTERP_SAVED_H
#define TG_INTERP_SAVED_H

#include "interp/interp.h"

/* v, which has no formulas, as the bytes of a .npz file; *bytes is the caller's (tg_free). */
bool tg_saved_npz(tg_interp *in, tg_value v, bool compress, unsigned char **bytes, size_t *len);
/* A number, truth value, text, list of texts or tensor as the bytes of a .npy file. */
bool tg_saved_npy(tg_interp *in, tg_value v, unsigned char **bytes, size_t *len);
/* The value in a file of either kind, which the bytes tell; `name` is for errors. *out owned. */
bool tg_saved_load(tg_interp *in, const char *name, const void *buf, size_t len, tg_value *out);

#endif
