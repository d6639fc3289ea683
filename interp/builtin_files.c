/* Builtins that read and write files: texts, and values (saved.h).
 *
 * A path is relative to the folder that tg was started in, as in the shell. What is read is checked
 * before anyone sees it, and an error names the file and the place in it. What is written replaces
 * the file at once: whoever looks, also after a crash, finds the old one or the new one, never half
 * of it. */
#include "base/alloc.h"
#include "base/file.h"
#include "interp/convert.h"
#include "interp/saved.h"
#include "runtime/io/paths.h"

#include <limits.h>
#include <string.h>
#include <sys/stat.h>

/* The path that the argument is; NULL with an error. */
static const char *path_of(tg_interp *in, tg_value v) {
    if (v.tag != TG_V_STRING)
        tg_fail(&in->rt.c, TG_ERR_TYPE, "the path must be a string, not %s", tg_value_kind(v));
    else if (v.as.text->len == 0)
        tg_fail(&in->rt.c, TG_ERR_VALUE, "the path is empty");
    else
        return v.as.text->bytes;
    return NULL;
}

/* ---- texts ---- */

static const unsigned char mark[3] = {0xEF, 0xBB, 0xBF}; /* of byte order: some editors begin so */

/* Texts of tg are UTF-8 without NUL (the unit of the table 3-7 in the Unicode Standard); lines end
 * in \n, whatever they end in in the file. What remains of buf[0..len) is moved to its beginning;
 * *len: its length. */
static bool check_text(tg_interp *in, const char *path, char *buf, size_t *len) {
    enum { LOOK = 1 << 16 }; /* characters from one look for an interrupt to the next */
    size_t from = *len >= sizeof mark && memcmp(buf, mark, sizeof mark) == 0 ? sizeof mark : 0;
    size_t to = 0, line = 1;
    for (size_t i = from, looks = 0; i < *len; looks++) {
        unsigned char b = (unsigned char)buf[i];
        size_t n = b < 0x80 ? 1 : (size_t)tg_utf8_next(buf + i, *len - i, NULL);
        if (b == 0 || (b >= 0x80 && n == 1)) {
            tg_fail(&in->rt.c, TG_ERR_FILE,
                    "%s: byte 0x%02X at offset %zu, line %zu: this is not "
                    "UTF-8 text",
                    path, b, i, line);
            return tg_help(&in->rt.c, "save it in the encoding UTF-8; load(path) reads tensors "
                                      "(.npy, .npz), idx(path) IDX files");
        }
        line += b == '\n';
        if (looks % LOOK == 0 && !tg_check_interrupt(&in->rt.c))
            return tg_came_to(&in->rt.c, "%s, at byte %zu of %zu", path, i, *len);
        if (b == '\r' && i + 1 < *len && buf[i + 1] == '\n') i++;
        for (; n > 0; n--) buf[to++] = buf[i++];
    }
    *len = to;
    return true;
}

static bool run_read(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    size_t len;
    const char *path = path_of(in, args[0].value);
    char *buf = path ? tg_file_read(&in->rt.c, path, &len) : NULL;
    bool ok = buf && check_text(in, path, buf, &len) && tg_value_string(&in->rt.c, buf, len, out);
    tg_free(buf);
    return ok;
}

static bool run_write(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    const char *path = path_of(in, args[0].value);
    tg_value v = args[1].value;
    bool append = false;
    if (!path) return false;
    if (v.tag != TG_V_STRING) {
        tg_fail(&in->rt.c, TG_ERR_TYPE, "what is written must be a string, not %s",
                tg_value_kind(v));
        return tg_help(&in->rt.c,
                       "write(path, \"{x}\") writes it as print does; save(\"x.npy\", x) "
                       "keeps a tensor as it is");
    }
    if (args[2].ast && !tg_to_truth(in, args[2].value, "append", &append)) return false;
    *out = TG_NONE_VALUE;
    return (append ? tg_file_append : tg_file_save_atomic)(&in->rt.c, path, v.as.text->bytes,
                                                           v.as.text->len);
}

static bool run_exists(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    const char *path = path_of(in, args[0].value);
    if (!path) return false;
    *out = tg_value_bool(tg_file_exists(path));
    return true;
}

static bool run_data_file(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    char path[PATH_MAX];
    const char *name = path_of(in, args[0].value);
    return name && tg_data_file(&in->rt, name, path, sizeof path) &&
           tg_value_string(&in->rt.c, path, strlen(path), out);
}

/* ---- values ---- */

static bool ends_in(const char *path, const char *ending) {
    size_t n = strlen(path), m = strlen(ending);
    return n > m && strcmp(path + n - m, ending) == 0;
}

static bool run_save(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    tg_ctx *c = &in->rt.c;
    const char *path = path_of(in, args[0].value);
    bool compress = false, npz = path && ends_in(path, ".npz");
    unsigned char *bytes = NULL;
    size_t len;
    tg_value now;
    *out = TG_NONE_VALUE;
    if (!path) return false;
    if (!npz && !ends_in(path, ".npy")) {
        tg_fail(c, TG_ERR_VALUE, "\"%s\" does not say what kind of file to write", path);
        return tg_help(c, args[1].value.tag == TG_V_STRING
                              ? "write(path, text) writes a text"
                              : "a name that ends in .npz holds any value, one in .npy one tensor");
    }
    if (args[2].ast && !tg_to_truth(in, args[2].value, "compress", &compress)) return false;
    if (compress && !npz) return tg_fail(c, TG_ERR_VALUE, "only .npz files are compressed");
    if (!tg_value_now(in, args[1].value, &now)) return false;
    if (!npz && !tg_list_settle(in, now, &now)) return false;
    bool ok = (npz ? tg_saved_npz(in, now, compress, &bytes, &len)
                   : tg_saved_npy(in, now, &bytes, &len)) &&
              tg_file_save_atomic(c, path, bytes, len);
    tg_free(bytes);
    tg_value_drop(now);
    return ok;
}

static bool run_load(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    size_t len;
    const char *path = path_of(in, args[0].value);
    char *buf = path ? tg_file_read(&in->rt.c, path, &len) : NULL;
    bool ok = buf && tg_saved_load(in, path, buf, len, out);
    tg_free(buf);
    return ok;
}

const tg_builtin tg_builtins_files[] = {
    {"save", "save(path, value, compress=false)",
     "Writes a value into a file that load and NumPy read: any nesting of records, lists and "
     "tuples of tensors, numbers and texts into a .npz file, one tensor into a .npy file. "
     "Variables "
     "and formulas are saved as what they are worth now. The file is replaced at once or not at "
     "all.",
     "save(\"/tmp/saved.npz\", {W: ones(2), rate: 0.1})", "", run_save, false, false},
    {"load", "load(path)",
     "The value in a .npz or .npy file, written by save or by NumPy: params := load(\"m.npz\") "
     "gives variables their saved values.",
     "save(\"/tmp/model.npz\", {W: ones(2)}); load(\"/tmp/model.npz\")", "{W: [1, 1]}", run_load,
     false, false},
    {"read", "read(path)",
     "The text in a file, as a string. It must be UTF-8; lines end in \\n, whether the file ends "
     "them so or in \\r\\n.",
     "size(read(\"examples/mnist/softmax_grad.tg\")) > 100", "true", run_read, false, false},
    {"write", "write(path, text, append=false)",
     "Writes a string into a file, in place of what it held, or with append=true behind it.",
     "write(\"/dev/null\", \"cost 0.39\\n\", append=true)", "", run_write, false, false},
    {"exists", "exists(path)", "Is there such a file or folder?", "exists(\"examples\")", "true",
     run_exists, false, false},
    {"data_file", "data_file(name)",
     "The path of a file of data that comes with tg, wherever it is installed; examples/data in "
     "its sources.",
     "size(read(data_file(\"poems/tang300.txt\")))", "29561", run_data_file, false, false},
    {0},
};
