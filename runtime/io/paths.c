/* A search is a list of folders tried in order; the first that holds the wanted file wins, and the
 * error lists them all.
 *
 * An installed tree may be moved, so it is found from where the running code lies: the program (the
 * tg command holds the library) or the shared library (another program uses it). The build tree
 * counts only for what runs in it: an installed tg must not quietly live on the files of the folder
 * it was built in. */
#include "runtime/io/paths.h"
#include "base/file.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Every data set of ours has this file, plain or with .gz. */
#define DATA_MARK "train-images-idx3-ubyte"
/* And the folder of the lessons this. */
#define LESSON_MARK "slope.tgt"

typedef struct search {
    const char *file; /* wanted in the folder; with gz set, also with .gz at its end */
    bool gz, found;
    char *out; /* the folder that holds it */
    size_t size;
    tg_str tried; /* "  /usr/share/tg/stdlib\n", for the error */
} search;

/* Tries one folder, given in printf's way; nothing more is tried once one is found. */
__attribute__((format(printf, 2, 3))) static void look(search *s, const char *fmt, ...) {
    char folder[PATH_MAX], path[PATH_MAX];
    if (s->found) return;
    va_list ap;
    va_start(ap, fmt);
    int n = vsnprintf(folder, sizeof folder, fmt, ap);
    va_end(ap);
    if (n < 0 || (size_t)n >= sizeof folder || (size_t)n >= s->size) return;
    for (int gz = 0; gz < (s->gz ? 2 : 1) && !s->found; gz++) {
        n = snprintf(path, sizeof path, "%s/%s%s", folder, s->file, gz ? ".gz" : "");
        s->found = n >= 0 && (size_t)n < sizeof path && tg_file_exists(path);
    }
    if (s->found)
        strcpy(s->out, folder);
    else
        tg_str_addf(&s->tried, "  %s\n", folder);
}

/* Cuts the last component off; false when there is none. */
static bool cut_name(char *path) {
    char *slash = strrchr(path, '/');
    if (slash) *slash = 0;
    return slash != NULL;
}

/* The folders in which the running code lies: of the program, and of the shared library when that
 * is another. */
static int origins(char at[2][PATH_MAX]) {
    int n = 0;
    ssize_t len = readlink("/proc/self/exe", at[0], PATH_MAX - 1);
    if (len > 0) {
        at[0][len] = 0;
        n += cut_name(at[0]);
    }
    Dl_info here;
    static const char anchor = 0; /* an address in this object */
    if (dladdr(&anchor, &here) && here.dli_fname && strchr(here.dli_fname, '/') &&
        realpath(here.dli_fname, at[n]) && cut_name(at[n]) && (n == 0 || strcmp(at[0], at[1]) != 0))
        n++;
    return n;
}

static bool lies_in(const char *path, const char *folder) {
    size_t n = strlen(folder);
    return n > 0 && strncmp(path, folder, n) == 0 && (path[n] == 0 || path[n] == '/');
}

/* share/tg/<part> of an installed tree: beside bin, lib, or lib/<architecture>; then the build
 * tree; then the prefix given when tg was configured. */
static void look_in_trees(search *s, const char *part, const char *build_part) {
    char at[2][PATH_MAX];
    int n = origins(at);
    bool building = false;
    for (int i = 0; i < n; i++) {
        building = building || lies_in(at[i], TG_BUILD_DIR);
        for (int up = 0; up < 2 && cut_name(at[i]); up++) look(s, "%s/share/tg/%s", at[i], part);
    }
    if (building) look(s, "%s", build_part);
    look(s, "%s/%s", TG_INSTALL_SHARE, part);
}

static bool finish(search *s, tg_rt *rt, const char *what, const char *name, const char *help) {
    bool found = s->found;
    if (!found && s->tried.failed) {
        tg_fail_memory(&rt->c);
    } else if (!found) {
        tg_fail(&rt->c, TG_ERR_FILE, "cannot find %s %s; looked in", what, name);
        for (char *line = s->tried.text, *end; line && *line; line = end + 1) {
            end = strchr(line, '\n');
            tg_note(&rt->c, "%.*s", (int)(end - line), line);
        }
        tg_help(&rt->c, "%s", help);
    }
    tg_str_free(&s->tried);
    return found;
}

bool tg_data_find(tg_rt *rt, const char *name, char *out, size_t size) {
    search s = {.file = DATA_MARK, .gz = true, .out = out, .size = size};
    bool fashion = strcmp(name, "fashion") == 0;
    const char *env = getenv("TG_DATA");
    if (env && *env) {
        const char *slash = strrchr(env, '/'), *base = slash ? slash + 1 : env;
        look(&s, "%s/%s", env, name);
        /* The sets have the same file names: a folder of digits must not pass for fashion. */
        if (fashion == (strncmp(base, "fashion", 7) == 0)) look(&s, "%s", env);
    }
    char part[64], build_part[PATH_MAX];
    snprintf(part, sizeof part, "data/%s", name);
    snprintf(build_part, sizeof build_part, "%s/%s", TG_BUILD_DATA, name);
    look_in_trees(&s, part, build_part);
    if (fashion) look(&s, "/usr/share/datasets/fashion-mnist");
    return finish(&s, rt, "the data set", name,
                  fashion
                      ? "install Debian's dataset-fashion-mnist, set TG_DATA, or give the folder"
                      : "set TG_DATA to the folder of the four files, or give the folder");
}

/* The path of `name` in the folder that was found. */
static bool put_together(tg_rt *rt, const char *folder, const char *name, char *out, size_t size) {
    int n = snprintf(out, size, "%s/%s", folder, name);
    if (n >= 0 && (size_t)n < size) return true;
    return tg_fail(&rt->c, TG_ERR_FILE, "the path of %s is too long", name);
}

bool tg_data_file(tg_rt *rt, const char *name, char *out, size_t size) {
    char folder[PATH_MAX] = "";
    search s = {.file = name, .out = folder, .size = sizeof folder};
    const char *env = getenv("TG_DATA");
    if (env && *env) look(&s, "%s", env);
    look_in_trees(&s, "data", TG_BUILD_DATA);
    return finish(&s, rt, "the file of data", name,
                  "set TG_DATA to the folder in which it is, or give read(...) its path") &&
           put_together(rt, folder, name, out, size);
}

bool tg_stdlib_find(tg_rt *rt, const char *name, char *out, size_t size) {
    char folder[PATH_MAX] = "";
    search s = {.file = name, .out = folder, .size = sizeof folder};
    const char *env = getenv("TG_STDLIB");
    if (env && *env) look(&s, "%s", env);
    look_in_trees(&s, "stdlib", TG_BUILD_STDLIB);
    return finish(&s, rt, "the library file", name,
                  "set TG_STDLIB to the folder of the standard library") &&
           put_together(rt, folder, name, out, size);
}

bool tg_lessons_find(tg_rt *rt, char *out, size_t size) {
    search s = {.file = LESSON_MARK, .out = out, .size = size};
    const char *env = getenv("TG_LESSONS");
    if (env && *env) look(&s, "%s", env);
    look_in_trees(&s, "lessons", TG_BUILD_LESSONS);
    return finish(&s, rt, "the lessons, a folder with", LESSON_MARK,
                  "set TG_LESSONS to the folder of the lessons");
}
