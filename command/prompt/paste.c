/* What a clipboard holds, as text to run. Ends of lines become \n, and what no program text has
 * (control characters, NUL) goes. Text with a line that begins with the prompt was copied from a
 * session or a document: of such a text the lines with `tg> ` and `...> ` stay, without these;
 * answers, and what stands around, go. */
#include "command/prompt/prompt.h"

#include "base/alloc.h"

#include <string.h>

static const char first[] = "tg>", next[] = "...>";

/* The bytes of `mark`, and of one blank behind it, at the line's beginning; 0: not there. */
static size_t prompted(const char *line, const char *mark) {
    const size_t blank = strspn(line, " "), n = strlen(mark);
    if (strncmp(line + blank, mark, n) != 0) return 0;
    const char c = line[blank + n];
    if (c == ' ') return blank + n + 1;
    return c == '\n' || c == 0 ? blank + n : 0;
}

static bool is_transcript(const char *text) {
    for (const char *line = text; line; line = strchr(line, '\n')) {
        line += *line == '\n';
        if (prompted(line, first)) return true;
    }
    return false;
}

/* The lines that were typed. */
static void keep_typed(const char *text, tg_str *out) {
    bool within = false;
    for (const char *line = text; *line;) {
        const size_t n = strcspn(line, "\n"), head = prompted(line, first);
        const size_t more = within && !head ? prompted(line, next) : 0;
        within = head || more;
        if (within) {
            if (out->len) tg_str_addc(out, '\n');
            tg_str_addn(out, line + head + more, n - head - more);
        }
        line += n + (line[n] == '\n');
    }
}

char *tg_paste_clean(const char *text, size_t len) {
    tg_str clean = {0}, typed = {0};
    tg_str_add(&clean, "");
    for (size_t i = 0; i < len; i++) {
        const unsigned char c = (unsigned char)text[i];
        if (c == '\r') {
            if (i + 1 == len || text[i + 1] != '\n') tg_str_addc(&clean, '\n');
        } else if ((c >= ' ' && c != 0x7F) || c == '\n' || c == '\t') {
            tg_str_addc(&clean, (char)c);
        }
    }
    if (!clean.failed && is_transcript(tg_str_text(&clean))) {
        tg_str_add(&typed, "");
        keep_typed(tg_str_text(&clean), &typed);
        tg_str_free(&clean);
        clean = typed;
    }
    if (clean.failed) tg_str_free(&clean);
    return clean.text;
}
