/* The printer of values, shared by print (show.c) and the prompt's echo (echo.c). */
#ifndef TG_INTERP_SHOW_H
#define TG_INTERP_SHOW_H

#include "interp/format.h"
#include "interp/interp.h"

typedef struct tg_shower {
    tg_interp *in;
    tg_style style;
    const tg_spec *
        spec; /* for numbers and their tensors, and for text outside a container; NULL: the style */
    int indent;   /* columns to the left of the first line */
    int depth;    /* of containers around */
    bool inlined; /* within a container */
    bool quoted;  /* text in quotation marks */
    bool colours; /* for a terminal */
} tg_shower;

/* Appends v; formulas in it are not evaluated but written as formulas. */
bool tg_show_with(const tg_shower *s, tg_value v, tg_str *out);
/* Appends the formula v; more than a line of it with `where`, `indent` columns to the left of the
 * lines after the first. limit: characters, 0: the usual. */
bool tg_show_node(tg_interp *in, tg_value v, int indent, size_t limit, tg_str *out);
/* For tg_map_leaves: appends the formula v with its shapes to the tg_str `user` (shapes.c). */
bool tg_shapes_leaf(tg_interp *in, tg_value v, void *user, tg_value *out);
/* Numbers of print in full: as floats where single is the default precision. */
tg_style tg_show_style(const tg_interp *in, double x);

/* The columns of the terminal that is written to; `usual` where it is none. */
int tg_terminal_width(int usual);

#endif
