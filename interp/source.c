/* Definitions as texts. A function holds the text that it was written in, so its comment and its
 * place need no record of their own. */
#include "interp/source.h"
#include "base/nearest.h"
#include "interp/blame.h"

#include <string.h>

void tg_source_add(const tg_span *at, tg_str *out) {
    if (at->src) tg_str_addn(out, at->src->text + at->lo, at->hi - at->lo);
}

void tg_source_where(const tg_span *at, tg_str *out) {
    int line, col;
    size_t lo, hi;
    if (!at->src) return;
    tg_source_place(at->src, at->lo, &line, &col, &lo, &hi);
    const char *name = at->src->name;
    if (tg_is_library_text(at->src)) /* <stdlib core.tg> */
        tg_str_addf(out, "stdlib/%.*s:%d", (int)strcspn(name + 8, ">"), name + 8, line);
    else if (name[0] == '<')
        tg_str_add(out, "at the prompt");
    else
        tg_str_addf(out, "%s:%d", name, line);
}

void tg_source_line(const tg_span *at, tg_str *out) {
    int line, col;
    size_t lo, hi;
    if (!at->src || tg_is_library_text(at->src)) return;
    tg_source_place(at->src, at->lo, &line, &col, &lo, &hi);
    tg_str_addn(out, at->src->text + lo, hi - lo);
}

/* ---- the comment above ---- */

static const char *line_before(const char *text, const char *line) {
    if (line == text) return NULL;
    for (line--; line > text && line[-1] != '\n';) line--;
    return line;
}

/* The first line of the comment above the definition, NULL: there is none. *end: behind the last.
 */
static const char *comment(const tg_span *def, const char **end) {
    const char *text = def->src->text, *top = text + def->lo;
    while (top > text && top[-1] != '\n') top--;
    const char *line = line_before(text, top);
    while (line && *line != '#' && *line != '\n' && tg_is_library_text(def->src))
        line = line_before(text, line); /* other definitions under the same comment */
    if (!line || *line != '#') return NULL;
    *end = strchr(line, '\n') + 1;
    for (const char *up; (up = line_before(text, line)) && *up == '#';) line = up;
    return line;
}

static bool is_example(const char *line) {
    return strncmp(line, "# tg> ", 6) == 0;
}

/* Behind the "# " of a line, up to its end. */
static void add_line(const char *line, tg_str *out) {
    line += strspn(line, "#");
    if (*line == ' ') line++;
    tg_str_addn(out, line, strcspn(line, "\n"));
}

void tg_source_comment(const tg_function *f, tg_str *out) {
    const char *end, *line = f->def ? comment(&f->def->span, &end) : NULL;
    for (const char *first = line; line && line < end && !is_example(line);
         line = strchr(line, '\n') + 1) {
        if (line != first) tg_str_addc(out, ' ');
        add_line(line, out);
    }
}

/* Does the line use the name as a word? */
static bool uses(const char *line, const char *name) {
    size_t n = strlen(name), len = strcspn(line, "\n");
    for (size_t i = 0; i + n <= len; i++)
        if (strncmp(line + i, name, n) == 0 && (i == 0 || !tg_is_word_byte(line[i - 1])) &&
            !tg_is_word_byte(line[i + n]))
            return true;
    return false;
}

void tg_source_examples(const tg_function *f, tg_str *out) {
    const char *end, *line = f->def && f->name ? comment(&f->def->span, &end) : NULL;
    bool wanted = false;
    for (; line && line < end; line = strchr(line, '\n') + 1) {
        const bool example = is_example(line);
        if (example) wanted = uses(line + 6, f->name);
        if (!wanted) continue;
        if (example)
            tg_str_addn(out, line + 6, strcspn(line + 6, "\n"));
        else
            add_line(line, out);
        tg_str_addc(out, '\n');
    }
}

void tg_source_whole(const tg_function *f, tg_str *out) {
    const char *end, *line = f->def ? comment(&f->def->span, &end) : NULL;
    if (line) tg_str_addn(out, line, (size_t)(end - line));
    if (f->def) tg_source_add(&f->def->span, out);
    tg_str_addc(out, '\n');
    if (!f->rule || !f->rule->def) return;
    tg_source_add(&f->rule->def->span, out);
    tg_str_addc(out, '\n');
}
