/* The layout of a page of help: a head line, text, and rows with a label, wrapped to the terminal
 * but never wider than 80 columns. */
#ifndef TG_INTERP_HELP_PAGE_H
#define TG_INTERP_HELP_PAGE_H

#include "base/paint.h"
#include "interp/interp.h"

typedef struct tg_page {
    tg_str *out;
    bool colours;
    int width;
} tg_page;

tg_page tg_page_begin(const tg_interp *in, tg_str *out);
/* The signature or name that the page is about. */
void tg_page_head(const tg_page *p, const char *text);
/* Lines of text, wrapped at blanks. */
void tg_page_text(const tg_page *p, const char *text);
/* "  label       text": lines after the first stand under it. "" as label: under the row before. */
void tg_page_row(const tg_page *p, const char *label, const char *text);
/* The same for what must not be wrapped: code, values. */
void tg_page_code(const tg_page *p, const char *label, const char *text);

#endif
