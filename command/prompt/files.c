/* Names of files as choices. Only Tab looks into a folder, and only into the one that is named.
 * Within a string what the language gives a meaning is written as the language wants it: \" \\ {{
 * and }}. A folder ends in a slash, so that the next Tab goes on in it. */
#include "command/prompt/prompt.h"

#include "base/alloc.h"

#include <dirent.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

enum { FILES_MOST = 2000 };

/* The n bytes as they stand in the line, as the file system has them. */
static void unquote(tg_str *out, const char *text, size_t n, bool quoted) {
    for (size_t i = 0; i < n; i++) {
        const bool pair =
            quoted && i + 1 < n &&
            (text[i] == '\\' || ((text[i] == '{' || text[i] == '}') && text[i + 1] == text[i]));
        i += pair;
        tg_str_addc(out, text[i]);
    }
}

static void quote(tg_str *out, const char *text, bool quoted) {
    for (; *text; text++) {
        if (quoted && strchr("\"\\", *text)) tg_str_addc(out, '\\');
        if (quoted && strchr("{}", *text)) tg_str_addc(out, *text);
        tg_str_addc(out, *text);
    }
}

/* Could the name stand in a line that is edited? */
static bool is_plain(const char *name) {
    for (; *name; name++)
        if ((unsigned char)*name < ' ' || *name == 0x7F) return false;
    return true;
}

static int by_text(const void *a, const void *b) {
    const tg_choice *x = a, *y = b;
    return x->text && y->text ? strcmp(x->text, y->text) : 0;
}

void tg_files_find(const char *path, size_t n, bool quoted, const char *rest, tg_choices *out) {
    tg_str folder = {0}, begin = {0}, name = {0};
    size_t slash = n;
    while (slash > 0 && path[slash - 1] != '/') slash--;
    unquote(&folder, path, slash, quoted);
    unquote(&begin, path + slash, n - slash, quoted);
    const char *home = getenv("HOME");
    if (slash > 1 && path[0] == '~' && path[1] == '/' && home) {
        tg_str_add(&name, home);
        tg_str_add(&name, folder.text ? folder.text + 1 : "");
    } else {
        tg_str_add(&name, slash ? tg_str_text(&folder) : "./");
    }
    const bool failed = folder.failed || begin.failed || name.failed;
    DIR *dir = failed ? NULL : opendir(tg_str_text(&name));
    const size_t stem = name.len;
    const char *prefix = tg_str_text(&begin);
    const struct dirent *entry;
    out->from += slash;
    while (dir && out->n < FILES_MOST && (entry = readdir(dir))) {
        const char *file = entry->d_name;
        if (strncmp(file, prefix, begin.len) != 0 || !is_plain(file)) continue;
        if (file[0] == '.' && prefix[0] != '.') continue;
        if (strcmp(file, ".") == 0 || strcmp(file, "..") == 0) continue;
        tg_str shown = {0};
        struct stat st;
        name.len = stem;
        tg_str_add(&name, file);
        quote(&shown, file, quoted);
        const bool inner =
            !name.failed && stat(tg_str_text(&name), &st) == 0 && S_ISDIR(st.st_mode);
        tg_choices_add(out, tg_str_text(&shown),
                       inner    ? "/"
                       : quoted ? "\""
                                : "",
                       rest, inner ? "folder" : "file");
        if (shown.failed || name.failed) out->failed = true;
        tg_str_free(&shown);
    }
    if (dir) closedir(dir);
    if (out->n > 1) qsort(out->items, out->n, sizeof *out->items, by_text);
    tg_str_free(&folder);
    tg_str_free(&begin);
    tg_str_free(&name);
}
