/* Numbers as text: the displays, and the formats of "{x:.3f}".
 *
 * The prompt's echo is short, five significant digits as in Octave, or what `format` says; print
 * and {x} keep twelve, enough to read back but without the noise of binary fractions (0.1 + 0.2 is
 * 0.3). Whole numbers are written whole in all of them. Formats are Python's:
 *
 *     [[fill]align][sign][0][width][,][.precision][type]     align < > ^ =     sign + - space type
 * d e f g s %
 */
#ifndef TG_INTERP_FORMAT_H
#define TG_INTERP_FORMAT_H

#include "base/ctx.h"
#include "base/str.h"

typedef enum tg_style {
    TG_STYLE_SHORT,  /* the echo */
    TG_STYLE_LONG,   /* the echo after `format long`: the shortest text of 15 digits or more that
                        reads back as the same number */
    TG_STYLE_SCI,    /* the echo after `format sci`: five digits and an exponent */
    TG_STYLE_FULL,   /* print */
    TG_STYLE_SINGLE, /* print, of a number that came from single precision: the shortest text that
                        reads back as that float */
} tg_style;

typedef struct tg_spec {
    const char *text;     /* as written, for messages */
    char fill[5];         /* one character, UTF-8 */
    char align;           /* < > ^ = or 0: numbers right, text left */
    char sign;            /* + - or space */
    bool group;           /* thousands are separated by commas */
    int width, precision; /* precision -1: not given */
    char type;            /* d e f g s % or 0 */
} tg_spec;

bool tg_spec_parse(tg_ctx *c, const char *text, tg_spec *out);
bool tg_spec_number(tg_ctx *c, const tg_spec *spec, double x, tg_style style, tg_str *out);
bool tg_spec_text(tg_ctx *c, const tg_spec *spec, const char *text, size_t n, tg_str *out);
enum { TG_NUMBER_ROOM = 64 };
/* Fills buf, of TG_NUMBER_ROOM bytes. */
void tg_number_text(char *buf, double x, tg_style style);
void tg_format_number(tg_str *out, double x, tg_style style);
/* The same, nan and infinities in an ink of their own. */
void tg_format_painted(tg_str *out, double x, tg_style style, bool colours);

/* ---- tensors as text (show_tensor.c) ---- */

enum { TG_NOTES_GAP = 6 }; /* blanks before what is noted behind a value or formula */

typedef struct tg_layout {
    tg_style style;
    const tg_spec *spec; /* of each element; NULL: the style */
    int indent;   /* columns to the left of the first line; later lines begin with as many blanks */
    bool inlined; /* on one line */
    bool brief;   /* within a container: large ones are only described */
    bool colours; /* nan and infinities stand out */
    bool shaped, typed; /* shape and type stand behind, where they cannot be seen at a glance */
    int width;          /* columns of a line, those of the indent included; 0: the usual */
} tg_layout;

struct tg_rt;
struct tg_tensor;
bool tg_format_tensor(struct tg_rt *rt, const struct tg_tensor *t, const tg_layout *layout,
                      tg_str *out);

#endif
