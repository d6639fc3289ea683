/* Long lines of a formula, broken so that they still are that formula: a statement goes on behind
 * an operator or a comma. Of the places that fit, the last one within the fewest brackets is taken,
 * rather behind a statement than behind a term, and behind that than behind a factor, but none so
 * early that half of the line is empty. */
#include "runtime/graph/print_plan.h"

#include <string.h>

enum { INDENT = 4 }; /* of what goes on, against the line that it continues */

static bool ends_word(const char *line, size_t at, const char *word) {
    size_t len = strlen(word);
    return at > len && memcmp(line + at - len, word, len) == 0 && line[at - len - 1] == ' ';
}

/* May the blank at `at` become a line break? */
static bool breaks(const char *line, size_t at) {
    if (line[at] != ' ' || at == 0 || ends_word(line, at, "=")) return false;
    return strchr("+-*/@%<>=,;", line[at - 1]) || ends_word(line, at, "and") ||
           ends_word(line, at, "or");
}

/* Where to break a line of n bytes that has room for `room` columns; n: not at all. *depth:
 * brackets open at its beginning, then at the break. */
static size_t place(const char *line, size_t n, int room, int *depth) {
    size_t best = n;
    int column = 0, open = *depth, least = 0, inside = 0;
    for (size_t i = 0; i < n;) {
        if (column > room && best < n) break;
        open += strchr("([{", line[i]) != NULL;
        open -= strchr(")]}", line[i]) != NULL;
        char before = i > 0 ? line[i - 1] : '(';
        int weight = 2 * open + (strchr("*/@%", before) != NULL) - (before == ';');
        if (breaks(line, i) && (best == n || column < room / 2 || weight <= least)) {
            best = i;
            least = weight;
            inside = open;
        }
        size_t step = (size_t)tg_utf8_next(line + i, n - i, NULL);
        column += tg_utf8_width(line + i, step);
        i += step;
    }
    *depth = inside;
    return column > room ? best : n;
}

static void wrap_line(const char *line, size_t n, int from, int width, tg_str *out) {
    size_t blanks = 0;
    while (blanks < n && line[blanks] == ' ') blanks++;
    int indent = from + (int)blanks + INDENT, depth = 0, room = width - from;
    for (;;) {
        size_t take = place(line, n, room, &depth);
        tg_str_addn(out, line, take);
        if (take >= n) return;
        tg_str_addc(out, '\n');
        tg_str_repeat(out, ' ', indent);
        line += take + 1;
        n -= take + 1;
        room = width - indent < width / 3 ? width / 3 : width - indent;
    }
}

void tg_print_wrap(tg_str *s, size_t from, int width, int indent) {
    tg_str out = {0};
    const char *line = tg_str_text(s) + from;
    if (s->failed || tg_utf8_width(line, s->len - from) + indent <= width) return;
    for (bool first = true;; first = false) {
        size_t n = strcspn(line, "\n");
        wrap_line(line, n, first ? indent : 0, width, &out);
        if (!line[n]) break;
        tg_str_addc(&out, '\n');
        line += n + 1;
    }
    s->text[s->len = from] = 0;
    tg_str_add(s, tg_str_text(&out));
    s->failed = s->failed || out.failed;
    tg_str_free(&out);
}
