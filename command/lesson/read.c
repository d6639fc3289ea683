/* A lesson's file to its steps, and a folder's files to a list. The first line of a lesson is its
 * title with its number, `# 3. Least squares`. The lines of a paragraph are joined, since the
 * terminal decides where they are broken; an indented line stands by itself. */
#include "command/lesson/lesson.h"

#include "base/alloc.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* ---- text ---- */

/* What stands behind `#` and one blank; false: the line is no comment. */
static bool comment(tg_line l, tg_line *out) {
    if (l.n == 0 || l.text[0] != '#') return false;
    size_t at = l.n > 1 && l.text[1] == ' ' ? 2 : 1;
    *out = (tg_line){l.text + at, l.n - at};
    while (out->n > 0 && strchr(" \t\r", out->text[out->n - 1])) out->n--;
    return true;
}

static bool takes(tg_line *l, const char *mark) {
    size_t n = strlen(mark);
    if (l->n < n || memcmp(l->text, mark, n) != 0) return false;
    *l = (tg_line){l->text + n, l->n - n};
    return true;
}

/* The comments among lines [i, end): into the text, or behind their marks into question and hint.
 */
static void read_text(const tg_transcript *t, int i, int end, tg_str *text, tg_str *hint,
                      bool *question) {
    tg_str *to = text;
    bool open = false; /* a paragraph that may go on */
    for (; i < end; i++) {
        tg_line l;
        if (!comment(t->lines[i], &l) || l.n == 0) {
            if (open) tg_str_addc(to, '\n');
            open = false;
            to = text;
            continue;
        }
        bool begins = takes(&l, "? "), helps = hint && takes(&l, "hint: ");
        bool alone = l.n > 0 && l.text[0] == ' ';
        if (open && (begins || helps || alone)) {
            tg_str_addc(to, '\n');
            open = false;
        }
        if (begins) *question = true;
        if (begins || helps) to = helps ? hint : text;
        if (open) tg_str_addc(to, ' ');
        tg_str_addn(to, l.text, l.n);
        open = !alone;
        if (alone) tg_str_addc(to, '\n');
    }
    if (open) tg_str_addc(to, '\n');
}

/* ---- a lesson ---- */

/* "3. Least squares" */
static bool read_title(tg_lesson *l) {
    tg_line title = {"", 0};
    if (l->transcript.nlines) comment(l->transcript.lines[0], &title);
    size_t digits = 0;
    long number = 0;
    while (digits < title.n && digits < 4 && title.text[digits] >= '0' && title.text[digits] <= '9')
        number = number * 10 + (title.text[digits++] - '0');
    tg_line rest = {title.text + digits, title.n - digits};
    bool numbered = digits > 0 && takes(&rest, ". ");
    l->number = numbered ? (int)number : TG_LESSON_NO_NUMBER;
    if (!numbered) rest = title;
    l->title = rest.n ? tg_alloc_text(rest.text, rest.n) : tg_alloc_text(l->name, strlen(l->name));
    return l->title != NULL;
}

static bool read_steps(tg_lesson *l) {
    const tg_transcript *t = &l->transcript;
    int from = 1;
    for (size_t i = 0; i < t->n; i++) {
        const tg_exchange *x = &t->items[i];
        tg_lesson_step *step = &l->steps[l->nsteps++];
        *step = (tg_lesson_step){.code = tg_str_text(&x->code)};
        read_text(t, from, x->at, &step->text, &step->hint, &step->question);
        if (step->question) l->nquestions++;
        if (step->text.failed || step->hint.failed) return false;
        from = x->last;
    }
    bool question = false;
    read_text(t, from, (int)t->nlines, &l->end, NULL, &question);
    return !l->end.failed;
}

bool tg_lesson_read(tg_ctx *c, const char *path, tg_lesson *out) {
    *out = (tg_lesson){0};
    if (!tg_transcript_read(c, path, &out->transcript)) return false;
    const char *slash = strrchr(path, '/'), *name = slash ? slash + 1 : path;
    size_t n = strlen(name);
    if (tg_has_suffix(name, ".tgt")) n -= 4;
    out->name = tg_alloc_text(name, n);
    out->steps = tg_alloc_array(out->transcript.n + 1, sizeof *out->steps);
    bool ok = out->name && out->steps && read_title(out) && read_steps(out);
    if (!ok) {
        tg_fail_memory(c);
    } else if (out->nsteps == 0) {
        tg_fail(c, TG_ERR_FILE, "%s is no lesson: there is no line `tg> ...` in it", path);
        ok = false;
    }
    if (!ok) tg_lesson_free(out);
    return ok;
}

void tg_lesson_free(tg_lesson *l) {
    for (int i = 0; i < l->nsteps; i++) {
        tg_str_free(&l->steps[i].text);
        tg_str_free(&l->steps[i].hint);
    }
    tg_free(l->steps);
    tg_free(l->name);
    tg_free(l->title);
    tg_str_free(&l->end);
    tg_transcript_free(&l->transcript);
    *l = (tg_lesson){0};
}

/* ---- a folder ---- */

static int by_number(const void *a, const void *b) {
    const tg_lesson *x = a, *y = b;
    if (x->number != y->number) return x->number < y->number ? -1 : 1;
    return strcmp(x->name, y->name);
}

static bool add_file(tg_ctx *c, const char *folder, const char *file, tg_lesson **list, int *n,
                     size_t *cap) {
    void *items = *list;
    if (!tg_grow(&items, cap, (size_t)*n + 1, sizeof **list)) return tg_fail_memory(c);
    *list = items;
    tg_str path = {0};
    tg_str_addf(&path, "%s/%s", folder, file);
    bool ok = path.failed ? tg_fail_memory(c) : tg_lesson_read(c, path.text, &(*list)[*n]);
    tg_str_free(&path);
    if (ok) ++*n;
    return ok;
}

bool tg_lessons_list(tg_ctx *c, const char *folder, tg_lesson **list, int *n) {
    size_t cap = 0;
    *list = NULL;
    *n = 0;
    DIR *dir = opendir(folder);
    if (!dir) return tg_fail(c, TG_ERR_FILE, "%s: %s", folder, strerror(errno));
    bool ok = true;
    for (struct dirent *d; ok && (d = readdir(dir));)
        if (tg_has_suffix(d->d_name, ".tgt")) ok = add_file(c, folder, d->d_name, list, n, &cap);
    closedir(dir);
    if (ok && *n > 1) qsort(*list, (size_t)*n, sizeof **list, by_number);
    for (int i = 0; !ok && i < *n; i++) tg_lesson_free(&(*list)[i]);
    if (!ok) {
        tg_free(*list);
        *list = NULL;
        *n = 0;
    }
    return ok;
}
