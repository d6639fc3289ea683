/* The table of inks. Bold, dim and the eight basic colours are all that is used: what a terminal of
 * any age knows, and what its owner has chosen to be readable. */
#include "base/paint.h"

const char *tg_ink_on(bool colours, tg_ink ink) {
    static const char *const code[] = {
        [TG_INK_ERROR] = "\033[1;31m", [TG_INK_WARNING] = "\033[33m", [TG_INK_GOOD] = "\033[32m",
        [TG_INK_BAD] = "\033[31m",     [TG_INK_HELP] = "\033[36m",    [TG_INK_MARK] = "\033[34m",
        [TG_INK_NOTE] = "\033[2m",     [TG_INK_NAME] = "\033[1m",     [TG_INK_KEYWORD] = "\033[35m",
        [TG_INK_TEXT] = "\033[32m",    [TG_INK_NUMBER] = "\033[36m",  [TG_INK_COMMENT] = "\033[2m",
    };
    return colours ? code[ink] : "";
}

const char *tg_ink_off(bool colours) {
    return colours ? "\033[0m" : "";
}

void tg_ink_add(bool colours, tg_ink ink, const char *text, tg_str *out) {
    tg_str_add(out, tg_ink_on(colours, ink));
    tg_str_add(out, text);
    tg_str_add(out, tg_ink_off(colours));
}
