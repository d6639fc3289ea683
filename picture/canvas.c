/* Where a picture goes, and its ways there.
 *
 * Whether a terminal shows images is read from its environment alone: asking it would mix its
 * answer with what is being typed. Names are those that the terminals set themselves. */
#include "base/alloc.h"
#include "base/terminal.h"
#include "picture/parts.h"

#include <langinfo.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is(const char *variable, const char *value) {
    const char *is = getenv(variable);
    return is && (value ? strcmp(is, value) == 0 : is[0] != 0);
}

static bool term_has(const char *part) {
    const char *term = getenv("TERM");
    return term && strstr(term, part);
}

static tg_display display_of(bool terminal) {
    const char *asked = getenv("TG_PICTURES");
    if (asked && strcmp(asked, "text") == 0) return TG_DISPLAY_TEXT;
    if (asked && strcmp(asked, "sixel") == 0) return TG_DISPLAY_SIXEL;
    if (asked && strcmp(asked, "kitty") == 0) return TG_DISPLAY_KITTY;
    if (!terminal || is("TMUX", NULL) || term_has("screen")) return TG_DISPLAY_TEXT;
    if (is("KITTY_WINDOW_ID", NULL) || term_has("kitty") || term_has("ghostty") ||
        is("TERM_PROGRAM", "ghostty") || is("TERM_PROGRAM", "WezTerm"))
        return TG_DISPLAY_KITTY;
    if (term_has("sixel") || term_has("mlterm") || term_has("foot") || term_has("yaft") ||
        is("TERM_PROGRAM", "mlterm") || is("TERM_PROGRAM", "contour"))
        return TG_DISPLAY_SIXEL;
    return TG_DISPLAY_TEXT;
}

static int between(int x, int least, int most) {
    return x < least ? least : x > most ? most : x;
}

tg_canvas tg_canvas_of(bool terminal, bool colours) {
    tg_canvas on = {.display = display_of(terminal),
                    .columns = 80,
                    .rows = 20,
                    .width = 640,
                    .height = 400,
                    .colours = colours,
                    .rich = is("COLORTERM", "truecolor") || is("COLORTERM", "24bit"),
                    .unicode = true};
    tg_terminal size;
    if (!terminal) return on;
    on.unicode = !is("TERM", "dumb") && strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
    if (!tg_terminal_measure(STDOUT_FILENO, &size)) return on;
    on.columns = between(size.columns, 10, 240);
    /* The entry and the next prompt stay in sight. */
    on.rows = between(size.rows - 4, 6, on.columns / 4 > 20 ? on.columns / 4 : 20);
    if (size.width) on.width = between(size.width * 4 / 5, 200, 1000);
    if (size.height) on.height = between(size.height * 3 / 5, 150, on.width * 5 / 8);
    return on;
}

/* ---- images for terminals ---- */

static void add_base64(const unsigned char *data, size_t n, tg_str *out) {
    static const char digit[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    for (size_t i = 0; i < n; i += 3) {
        unsigned x = (unsigned)data[i] << 16;
        if (i + 1 < n) x |= (unsigned)data[i + 1] << 8;
        if (i + 2 < n) x |= data[i + 2];
        tg_str_addc(out, digit[x >> 18]);
        tg_str_addc(out, digit[x >> 12 & 63]);
        tg_str_addc(out, i + 1 < n ? digit[x >> 6 & 63] : '=');
        tg_str_addc(out, i + 2 < n ? digit[x & 63] : '=');
    }
}

/* A PNG in kitty's graphics protocol: pieces of at most 4096 characters, m=1 on all but the last;
 * q=2: no answer is wanted. */
static void add_kitty(const tg_str *png, tg_str *out) {
    enum { PIECE = 3072 };
    for (size_t at = 0; at < png->len; at += PIECE) {
        bool last = png->len - at <= PIECE;
        tg_str_addf(out, at ? "\033_Gm=%d;" : "\033_Ga=T,f=100,q=2,m=%d;", !last);
        add_base64((const unsigned char *)png->text + at, last ? png->len - at : PIECE, out);
        tg_str_add(out, "\033\\");
    }
    tg_str_addc(out, '\n');
}

static bool show_kitty(tg_ctx *c, const tg_figure *f, const tg_canvas *on, tg_str *out) {
    tg_str png = {0};
    bool ok = tg_picture_draw(c, f, TG_PICTURE_PNG, on->width, on->height, &png);
    if (ok) add_kitty(&png, out);
    tg_str_free(&png);
    return ok && (!out->failed || tg_fail_memory(c));
}

static bool draw(tg_ctx *c, const tg_figure *f, const char *terminal, int width, int height,
                 tg_str *out) {
    tg_plate plate = {.terminal = terminal, .width = width, .height = height};
    tg_str script = {0};
    bool ok = tg_plate_write(c, f, &plate, &script) && tg_gnuplot_run(c, &script, out);
    tg_str_free(&script);
    return ok;
}

bool tg_picture_draw(tg_ctx *c, const tg_figure *f, tg_picture_format format, int width, int height,
                     tg_str *out) {
    return draw(c, f, format == TG_PICTURE_SVG ? "svg" : "pngcairo", width, height, out);
}

bool tg_picture_show(tg_ctx *c, const tg_figure *f, const tg_canvas *on, tg_str *out) {
    switch (on->display) {
    case TG_DISPLAY_KITTY: return show_kitty(c, f, on, out);
    case TG_DISPLAY_SIXEL:
        if (!draw(c, f, "sixelgd", on->width, on->height, out)) return false;
        tg_str_addc(out, '\n');
        return !out->failed || tg_fail_memory(c);
    default: return f->images.pixel ? tg_text_images(c, f, on, out) : tg_text_figure(c, f, on, out);
    }
}
