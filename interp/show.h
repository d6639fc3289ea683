/* The printer of values, shared by print (show.c) and the prompt's echo (echo.c). */
#ifndef TG_INTERP_SHOW_H
#define TG_INTERP_SHOW_H

#include "interp/format.h"
#include "interp/interp.h"

/* While it is tried whether something fits on a line. */
typedef struct tg_trial {
    size_t most; /* bytes of text: what is longer is too long */
    bool over;   /* it is too long: the text is of no use, and no more need be appended */
} tg_trial;

typedef struct tg_shower {
    tg_interp *in;
    tg_style style;
    const tg_spec *
        spec; /* for numbers and their tensors, and for text outside a container; NULL: the style */
    int indent;      /* columns to the left of the first line, */
    int margin;      /* and of the lines that follow in a container */
    int width;       /* columns of a line; 0: the usual */
    int depth;       /* of containers around */
    bool inlined;    /* on one line, whatever it takes */
    bool quoted;     /* text in quotation marks, */
    bool cut;        /* and only the beginning of a long one */
    bool colours;    /* for a terminal */
    bool noted;      /* shape and type stand behind a tensor, where they are worth it */
    tg_trial *trial; /* or NULL */
} tg_shower;

/* What the prompt shows is shown by this; `indent` as above. */
tg_shower tg_show_at_prompt(tg_interp *in, int indent);
/* Appends v; formulas in it are not evaluated but written as formulas. */
bool tg_show_with(const tg_shower *s, tg_value v, tg_str *out);
/* Appends the formula v; more than a line of it with `where`, `indent` columns to the left of the
 * lines after the first. limit: characters, 0: the usual. */
bool tg_show_node(tg_interp *in, tg_value v, int indent, size_t limit, tg_str *out);
/* For tg_map_leaves: appends the formula v with its shapes to the tg_str `user` (shapes.c). */
bool tg_shapes_leaf(tg_interp *in, tg_value v, void *user, tg_value *out);
/* A list, tuple or record (show_items.c). */
bool tg_show_items(const tg_shower *s, tg_value v, tg_str *out);

/* The columns of the terminal that is written to; `usual` where it is none. */
int tg_terminal_width(const tg_interp *in, int usual);

#endif
