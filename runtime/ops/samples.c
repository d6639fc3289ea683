/* The grammar of `samples` in a record: calls separated by `|`, each
 *
 *     [ leaf { "," leaf } ":" ] call          leaf = letters [ "[" sizes "]" ] [ kind ]
 *
 * A call without leaves is of an operation that creates. */
#include "runtime/ops/samples.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

tg_op_leaf tg_op_sample_leaf(const char *name, const char *dims) {
    tg_op_leaf l = {.rank = 0};
    snprintf(l.name, sizeof l.name, "%s", name);
    for (const char *p = dims; *p && l.rank < TG_MAX_RANK; p++)
        if (isdigit((unsigned char)*p)) l.dim[l.rank++] = strtol(p, (char **)&p, 10), p--;
    return l;
}

static bool is_kind(const char *word) {
    return strcmp(word, "regular") == 0 || strcmp(word, "spd") == 0 || strcmp(word, "small") == 0;
}

bool tg_op_sample_read(const char *p, const char *end, tg_op_sample *c) {
    const char *colon = p;
    int depth = 0;
    for (; colon < end && (depth > 0 || *colon != ':'); colon++)
        depth += (*colon == '[') - (*colon == ']');
    if (colon == end) colon = p - 1; /* no leaves: an operation that creates */
    while (p < colon) {
        char name[8] = "", dims[64] = "", kind[12] = "";
        int used = 0;
        if (c->n == TG_SAMPLE_LEAVES || sscanf(p, " %7[a-z] %n", name, &used) != 1) return false;
        p += used;
        if (*p == '[') {
            size_t len = strcspn(p, "]");
            snprintf(dims, sizeof dims, "%.*s", (int)len, p);
            p += len + 1;
        }
        if (sscanf(p, " %11[a-z]%n", kind, &used) == 1) p += used;
        if (*kind && !is_kind(kind)) return false;
        c->leaf[c->n] = tg_op_sample_leaf(name, dims);
        snprintf(c->leaf[c->n++].kind, sizeof kind, "%s", kind);
        while (p < colon && (*p == ',' || *p == ' ')) p++;
    }
    for (p = colon + 1; *p == ' ';) p++;
    while (end > p && end[-1] == ' ') end--;
    return snprintf(c->text, sizeof c->text, "%.*s", (int)(end - p), p) < (int)sizeof c->text;
}

bool tg_op_sample_next(const char **at, tg_op_sample *out) {
    if (!*at || !**at) return false;
    const char *end = *at + strcspn(*at, "|");
    if (!tg_op_sample_read(*at, end, out)) return false;
    *at = *end ? end + 1 : end;
    return true;
}
