/* The structure of a saved nesting as text, {net: {W: _}, sizes: (_, _), note: none}, and back. A
 * name that is none of the language's stands in quotes. */
#ifndef TG_INTERP_SAVED_STRUCTURE_H
#define TG_INTERP_SAVED_STRUCTURE_H

#include "interp/interp.h"

#define TG_STRUCTURE ".structure"
enum { TG_SAVED_NAME = 60000 }; /* bytes of a path; a zip archive takes 65535 */

/* Is it told from the name of an entry that this is a field of a record? No dots, no digits only,
 * not empty. */
bool tg_structure_plain_name(const char *name);
/* Appends "name: ". */
void tg_structure_add_name(tg_str *out, const char *name);

/* A leaf by its path; *out owned. `first` is none for the whole when that is a leaf. */
typedef bool tg_structure_leaf(tg_interp *in, void *user, const char *path, tg_value *out);
/* The nesting that the text describes. `name` is for errors. */
bool tg_structure_build(tg_interp *in, const char *name, const tg_text *text,
                        tg_structure_leaf *leaf, void *user, tg_value *out);

#endif
