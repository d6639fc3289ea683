/* Colours for text on a terminal: what a stretch of text is, not how it looks.
 *
 * Whoever writes asks for an ink by its meaning, and says whether there are colours at all; without
 * them all of this is the empty text, so that one code path writes terminals, pipes and
 * transcripts. The codes are those of ECMA-48 for the sixteen colours that a user's own scheme
 * defines, so they are readable on light and on dark. tg_utf8_width counts them as no columns. */
#ifndef TG_BASE_PAINT_H
#define TG_BASE_PAINT_H

#include "base/str.h"

typedef enum tg_ink {
    TG_INK_ERROR,   /* the word `error:`, and carets */
    TG_INK_WARNING, /* what is worth a second look: a remark, a NaN */
    TG_INK_GOOD,    /* a tick */
    TG_INK_BAD,     /* a cross */
    TG_INK_HELP,    /* the word `help:` */
    TG_INK_MARK,    /* what belongs to a caret: operands */
    TG_INK_NOTE,    /* said in passing: shapes, what is needed */
    TG_INK_NAME,    /* of what is shown, and of files */
    TG_INK_KEYWORD,
    TG_INK_TEXT,
    TG_INK_NUMBER,
    TG_INK_COMMENT,
} tg_ink;

/* The code that begins the ink, and the one that ends any; "" without colours. */
const char *tg_ink_on(bool colours, tg_ink ink);
const char *tg_ink_off(bool colours);
/* Appends `text` in the ink. */
void tg_ink_add(bool colours, tg_ink ink, const char *text, tg_str *out);

#endif
