/* Numbers and tensors as a formula shows them: as short as they can be and still be read back as
 * they are, and tensors of more than a few elements as their shapes. */
#include "runtime/graph/print_plan.h"
#include "runtime/graph/number.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LITERAL = 8 }; /* elements of a tensor that prints in full */

/* The shortest of the usual lengths that reads back the same, as a double or as a single. */
static void print_real(tg_str *s, double x, bool single) {
    if (isnan(x)) {
        tg_str_add(s, "nan");
        return;
    }
    if (isinf(x)) {
        tg_str_add(s, x < 0 ? "-inf" : "inf");
        return;
    }
    char text[40];
    int last = single ? 9 : 17;
    for (int digits = single ? 6 : 15; digits <= last; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, x);
        if (single ? strtof(text, NULL) == (float)x : strtod(text, NULL) == x) break;
    }
    char *e = strchr(text, 'e'); /* 1e+20 is 1e20, 1e-05 is 1e-5 */
    if (!e) {
        tg_str_add(s, text);
        return;
    }
    tg_str_addn(s, text, (size_t)(e - text));
    tg_str_addf(s, "e%ld", strtol(e + 1, NULL, 10));
}

void tg_number_print(tg_str *s, double x) {
    print_real(s, x, false);
}

static void print_element(tg_str *s, const tg_view *v, int64_t flat) {
    double x = tg_view_get(v, flat);
    if (v->dtype == TG_BOOL)
        tg_str_add(s, x != 0 ? "true" : "false");
    else
        print_real(s, x, v->dtype == TG_F32);
}

/* [[1, 2], [3, 4]]: the elements from *flat on, of axis `axis` and those behind it. */
static void print_elements(tg_str *s, const tg_view *v, int axis, int64_t *flat) {
    if (axis == v->rank) {
        print_element(s, v, (*flat)++);
        return;
    }
    tg_str_addc(s, '[');
    for (int64_t i = 0; i < v->dim[axis]; i++) {
        if (i > 0) tg_str_add(s, ", ");
        print_elements(s, v, axis + 1, flat);
    }
    tg_str_addc(s, ']');
}

/* A small tensor in full, a large one as <[784, 10] double>. */
void tg_print_tensor(tg_rt *rt, tg_str *s, const tg_view *v) {
    int64_t count = tg_view_count(v), flat = 0;
    if (count > 0 && count <= LITERAL) {
        print_elements(s, v, 0, &flat);
        return;
    }
    tg_str_addc(s, '<');
    tg_shape_print(rt, s, v->rank, v->dim);
    tg_str_addf(s, " %s>", tg_dtype_name(v->dtype));
}
