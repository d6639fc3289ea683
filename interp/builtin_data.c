/* Builtins about shapes, containers and data. */
#include "base/alloc.h"
#include "interp/blame.h"
#include "interp/call.h"
#include "interp/convert.h"
#include "interp/index.h"
#include "interp/vmap.h"
#include "runtime/io/idx.h"
#include "runtime/io/mnist.h"
#include "runtime/io/paths.h"

#include <limits.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- shapes and types ---- */

/* The type of an argument as a tensor or formula; false with an error for other things. */
static bool type_of(tg_interp *in, tg_value v, const char *what, tg_type *t) {
    *t = (tg_type){.dtype = v.tag == TG_V_BOOL ? TG_BOOL : TG_F64};
    if (v.tag == TG_V_NUMBER || v.tag == TG_V_BOOL) return true;
    tg_value array;
    bool is =
        v.tag == TG_V_TENSOR || v.tag == TG_V_FORMULA || v.tag == TG_V_LIST || v.tag == TG_V_RANGE;
    if (!is)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s must be a tensor or a formula, not %s", what,
                       tg_value_kind(v));
    if (!tg_to_array(in, v, what, &array)) return false;
    *t = tg_type_of(array);
    tg_value_drop(array);
    return true;
}

static bool run_shape(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    tg_type t;
    tg_value made;
    if (!type_of(in, args[0].value, "the argument of shape", &t) ||
        !tg_value_items(&in->rt.c, TG_V_TUPLE, t.rank, &made))
        return false;
    for (int i = 0; i < t.rank; i++)
        if (!tg_value_size(in, t.dim[i], &made.as.items->v[i])) {
            tg_value_drop(made);
            return false;
        }
    *out = made;
    return true;
}

static bool run_rank(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    tg_type t;
    if (!type_of(in, args[0].value, "the argument of rank", &t)) return false;
    *out = tg_value_number(t.rank);
    return true;
}

/* Are there strings, records and the like in the list, so that it can be no tensor? */
static bool holds_others(tg_value list) {
    for (int i = 0; i < list.as.items->n; i++) {
        tg_tag tag = list.as.items->v[i].tag;
        if (tag != TG_V_NUMBER && tag != TG_V_BOOL && tag != TG_V_TENSOR && tag != TG_V_FORMULA &&
            tag != TG_V_LIST && tag != TG_V_RANGE)
            return true;
    }
    return false;
}

static bool run_size(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    tg_value x = args[0].value;
    if (tg_is_container(x) && (x.tag != TG_V_LIST || holds_others(x))) {
        *out = tg_value_number(x.as.items->n);
        return true;
    }
    if (x.tag == TG_V_STREAM || x.tag == TG_V_STRING) {
        int64_t count = x.tag == TG_V_STREAM ? x.as.stream->count : tg_text_length(x.as.text);
        *out = tg_value_number((double)count);
        return true;
    }
    tg_type t;
    if (!type_of(in, x, "the argument of size", &t)) return false;
    if (args[1].value.tag == TG_V_NONE) {
        tg_size all = 1;
        for (int i = 0; i < t.rank; i++)
            if ((all = tg_size_times(&in->rt, all, t.dim[i])) == TG_SIZE_FAIL) return false;
        return tg_value_size(in, all, out);
    }
    int64_t axis;
    if (!tg_to_int(in, args[1].value, "axis", &axis)) return false;
    int64_t k = axis < 0 ? axis + t.rank : axis;
    if (k < 0 || k >= t.rank)
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "axis %lld is out of range for shape %s",
                       (long long)axis, tg_shape_text(&in->rt, t.rank, t.dim));
    return tg_value_size(in, t.dim[k], out);
}

static bool run_dtype(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    tg_type t;
    if (!type_of(in, args[0].value, "the argument of dtype", &t)) return false;
    const char *name = tg_dtype_name(t.dtype);
    return tg_value_string(&in->rt.c, name, strlen(name), out);
}

/* ---- containers ---- */

/* A vector with x behind it, of the vector's type if x is of that type. */
static bool append_number(tg_interp *in, const tg_view *v, tg_value x, tg_value *out) {
    double number = x.tag == TG_V_NUMBER ? x.as.number : x.as.truth;
    bool fits = tg_dtype_is_float(v->dtype) || x.tag == TG_V_BOOL ||
                (v->dtype == TG_I64 && number == floor(number) && fabs(number) < 1e15);
    int64_t len = v->dim[0] + 1;
    tg_tensor *t = tg_tensor_new(&in->rt.c, fits ? v->dtype : in->rt.precision, 1, &len);
    if (!t) return false;
    tg_view head = t->v;
    head.dim[0]--;
    for (int64_t i = 0; i < head.dim[0]; i++) tg_view_set(&head, i, tg_view_get(v, i));
    tg_view_set(&t->v, len - 1, number);
    *out = (tg_value){.tag = TG_V_TENSOR, .as.tensor = t};
    return true;
}

static bool run_append(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    tg_value list = args[0].value, x = args[1].value, made;
    bool vector = list.tag == TG_V_TENSOR && list.as.tensor->v.rank == 1;
    if (vector && (x.tag == TG_V_NUMBER || x.tag == TG_V_BOOL))
        return append_number(in, &list.as.tensor->v, x, out);
    bool empty = list.tag == TG_V_TENSOR && tg_view_count(&list.as.tensor->v) == 0;
    /* a list of tensors of one shape is a tensor, too: its rows are the items */
    bool rows = list.tag == TG_V_TENSOR && !empty && list.as.tensor->v.rank > 1 &&
                list.as.tensor->v.dim[0] < TG_MAX_ITEMS;
    if (list.tag != TG_V_LIST && list.tag != TG_V_TUPLE && !empty && !rows)
        return tg_fail(&in->rt.c, TG_ERR_TYPE,
                       vector ? "what is added to a vector must be a number, not %s"
                              : "append wants a list, a tuple or a vector, not %s",
                       tg_value_kind(vector ? x : list));
    int len = empty ? 0 : rows ? (int)list.as.tensor->v.dim[0] : list.as.items->n;
    tg_tag kind = empty || rows ? TG_V_LIST : list.tag;
    if (!tg_value_items(&in->rt.c, kind, len + 1, &made)) return false;
    for (int i = 0; i < len; i++) {
        if (!rows) {
            made.as.items->v[i] = tg_value_hold(list.as.items->v[i]);
            continue;
        }
        tg_tensor *row = tg_tensor_row(&in->rt.c, list.as.tensor, i);
        if (!row) {
            tg_value_drop(made);
            return false;
        }
        made.as.items->v[i] = tg_value_tensor(row);
    }
    made.as.items->v[len] = tg_value_hold(x);
    return tg_value_seal(&in->rt.c, made, out);
}

static bool count_of(tg_interp *in, tg_value v, int *n) {
    int64_t count;
    if (tg_is_container(v))
        count = v.as.items->n;
    else if (v.tag == TG_V_TENSOR)
        count = v.as.tensor->v.dim[0];
    else if (v.tag != TG_V_RANGE)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "%s cannot be walked over", tg_value_kind(v));
    else if (!tg_range_count(&in->rt.c, v.as.range, &count))
        return false;
    if (count > TG_MAX_ITEMS)
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "a list holds at most %d things", TG_MAX_ITEMS);
    *n = (int)count;
    return true;
}

/* v to be walked over: of a string its characters. *out owned. */
static bool things_in(tg_interp *in, tg_value v, tg_value *out) {
    if (v.tag == TG_V_STRING) return tg_text_characters(in, v.as.text, out);
    *out = tg_value_hold(v);
    return true;
}

/* Tuples of the i-th things of each of n values, as many as the shortest has; with `numbered`, i
 * comes first. */
static bool zip_things(tg_interp *in, int n, const tg_value *of, bool numbered, tg_value *out) {
    int count = INT_MAX, have;
    for (int i = 0; i < n; i++) {
        if (!count_of(in, of[i], &have)) return false;
        if (have < count) count = have;
    }
    if (n == 0) count = 0;
    tg_value made;
    if (!tg_value_items(&in->rt.c, TG_V_LIST, count, &made)) return false;
    bool ok = true;
    for (int i = 0; ok && i < count; i++) {
        tg_value pair;
        if (!tg_check_interrupt(&in->rt.c) ||
            !tg_value_items(&in->rt.c, TG_V_TUPLE, n + numbered, &pair)) {
            ok = false;
            break;
        }
        if (numbered) pair.as.items->v[0] = tg_value_number(i);
        for (int k = 0; ok && k < n; k++)
            ok = tg_item_at(in, of[k], i, &pair.as.items->v[k + numbered]);
        if (ok)
            ok = tg_value_seal(&in->rt.c, pair, &made.as.items->v[i]);
        else
            tg_value_drop(pair);
    }
    if (ok) return tg_value_seal(&in->rt.c, made, out);
    tg_value_drop(made);
    return false;
}

static bool zip(tg_interp *in, int n, const tg_argument *args, bool numbered, tg_value *out) {
    tg_value *of = tg_alloc_array((size_t)n + 1, sizeof *of);
    if (!of) return tg_fail_memory(&in->rt.c);
    int held = 0;
    bool ok = true;
    while (ok && held < n && (ok = things_in(in, args[held].value, &of[held]))) held++;
    ok = ok && zip_things(in, n, of, numbered, out);
    for (int i = 0; i < held; i++) tg_value_drop(of[i]);
    tg_free(of);
    return ok;
}

static bool run_zip(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    return zip(in, n, args, false, out);
}
static bool run_enumerate(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    return zip(in, n, args, true, out);
}

/* f of each along an axis of a tensor, by one formula where that gives the same. *rows: the tensor
 * with that axis in front. */
static bool map_tensor(tg_interp *in, const tg_argument *args, tg_value *rows, tg_value *out,
                       bool *done) {
    tg_value x = args[1].value;
    int rank = tg_value_rank(x);
    int64_t axis = 0;
    if (args[2].value.tag != TG_V_NONE && !tg_to_int(in, args[2].value, "axis", &axis))
        return false;
    if (axis < -rank || axis >= rank) {
        tg_type type = tg_type_of(x);
        return tg_fail(&in->rt.c, TG_ERR_VALUE, "axis %lld is out of range for shape %s",
                       (long long)axis, tg_shape_text(&in->rt, type.rank, type.dim));
    }
    if (x.tag == TG_V_FORMULA) {
        tg_value given;
        if (!tg_value_items(&in->rt.c, TG_V_TUPLE, 2, &given)) return false;
        given.as.items->v[0] = tg_value_number((double)axis);
        given.as.items->v[1] = tg_value_number(0);
        *done = tg_vmap_call(in, args[0].value, given, 1, &args[1], out);
        tg_value_drop(given);
        return *done;
    }
    const tg_view *v = &x.as.tensor->v;
    tg_view moved = *v;
    int from = (int)(axis < 0 ? axis + rank : axis);
    for (int i = from; i > 0; i--) {
        moved.dim[i] = v->dim[i - 1];
        moved.stride[i] = v->stride[i - 1];
    }
    moved.dim[0] = v->dim[from];
    moved.stride[0] = v->stride[from];
    tg_tensor *t = tg_tensor_share(&in->rt.c, x.as.tensor, &moved);
    if (!t) return false;
    *rows = (tg_value){.tag = TG_V_TENSOR, .as.tensor = t};
    return tg_vmap_try(in, args[0].value, *rows, out, done);
}

static bool map_things(tg_interp *in, tg_value f, tg_value of, tg_value *out) {
    int count;
    tg_value made;
    if (!count_of(in, of, &count) || !tg_value_items(&in->rt.c, TG_V_LIST, count, &made))
        return false;
    for (int i = 0; i < count; i++) {
        tg_argument arg = {0};
        bool ok = tg_item_at(in, of, i, &arg.value) &&
                  tg_call_value(in, f, 1, &arg, &made.as.items->v[i]);
        tg_value_drop(arg.value);
        if (ok && tg_check_interrupt(&in->rt.c)) continue;
        tg_value_drop(made);
        return false;
    }
    return tg_value_seal(&in->rt.c, made, &made) && tg_list_settle(in, made, out);
}

static bool run_map(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    tg_value of = TG_NONE_VALUE, x = args[1].value;
    bool tensor = x.tag == TG_V_TENSOR || x.tag == TG_V_FORMULA, done = false;
    bool ok = tensor ? map_tensor(in, args, &of, out, &done) : things_in(in, x, &of);
    ok = ok && (done || map_things(in, args[0].value, of, out));
    tg_value_drop(of);
    return ok;
}

/* ---- data sets ---- */

static bool record(tg_interp *in, int n, const char *const *name, const tg_value *v,
                   tg_value *out) {
    tg_value made;
    bool ok = tg_value_items(&in->rt.c, TG_V_RECORD, n, &made);
    for (int i = 0; ok && i < n; i++) {
        made.as.items->field[i] = tg_intern(&in->rt.c, name[i], strlen(name[i]));
        made.as.items->v[i] = v[i];
        if (!made.as.items->field[i]) {
            while (++i < n) tg_value_drop(v[i]);
            tg_value_drop(made);
            return false;
        }
    }
    if (!ok) {
        for (int i = 0; i < n; i++) tg_value_drop(v[i]);
        return false;
    }
    return tg_value_seal(&in->rt.c, made, out);
}

static bool part(tg_interp *in, tg_tensor *images, tg_tensor *labels, tg_value *out) {
    tg_value v[2] = {{.tag = TG_V_TENSOR, .as.tensor = tg_tensor_hold(images)},
                     {.tag = TG_V_TENSOR, .as.tensor = tg_tensor_hold(labels)}};
    return record(in, 2, (const char *const[]){"images", "labels"}, v, out);
}

static bool load_digits(tg_interp *in, const char *name, const tg_argument *args, tg_value *out) {
    char dir[PATH_MAX];
    if (args[0].value.tag == TG_V_STRING)
        snprintf(dir, sizeof dir, "%s", args[0].value.as.text->bytes);
    else if (args[0].value.tag != TG_V_NONE)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "the folder must be a string, not %s",
                       tg_value_kind(args[0].value));
    else if (!tg_data_find(&in->rt, name, dir, sizeof dir))
        return false;
    tg_mnist m;
    if (!tg_mnist_load(&in->rt, dir, &m)) return false;
    tg_value v[3] = {TG_NONE_VALUE, TG_NONE_VALUE, TG_NONE_VALUE};
    bool ok = part(in, m.train_images, m.train_labels, &v[0]) &&
              part(in, m.validation_images, m.validation_labels, &v[1]) &&
              part(in, m.test_images, m.test_labels, &v[2]);
    tg_mnist_free(&m);
    if (ok) return record(in, 3, (const char *const[]){"train", "validation", "test"}, v, out);
    for (int i = 0; i < 3; i++) tg_value_drop(v[i]);
    return false;
}

static bool run_mnist(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    return load_digits(in, "mnist", args, out);
}

static bool run_fashion(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    return load_digits(in, "fashion", args, out);
}

static bool run_idx(tg_interp *in, int n, const tg_argument *args, tg_value *out) {
    (void)n;
    if (args[0].value.tag != TG_V_STRING)
        return tg_fail(&in->rt.c, TG_ERR_TYPE, "the path must be a string, not %s",
                       tg_value_kind(args[0].value));
    tg_tensor *t = tg_idx_read(&in->rt.c, args[0].value.as.text->bytes);
    if (!t) return false;
    *out = tg_value_tensor(t);
    return true;
}

const tg_builtin tg_builtins_data[] = {
    {"shape", "shape(x)", "The sizes of x as a tuple; symbolic where they are not known yet.",
     "shape(zeros(2, 3))", "(2, 3)", run_shape, false, false},
    {"rank", "rank(x)", "The number of axes: 0 for a number, 1 for a vector, 2 for a matrix.",
     "rank(zeros(2, 3))", "2", run_rank, false, false},
    {"size", "size(x, axis=none)",
     "The number of elements of x, or its size along one axis; of a tuple, a string or a list of "
     "strings its length.",
     "size(zeros(2, 3))", "6", run_size, false, false},
    {"dtype", "dtype(x)",
     "The type of x's elements: \"double\", \"single\", \"int64\", \"int32\", \"byte\" or "
     "\"bool\".",
     "dtype(zeros(2))", "\"double\"", run_dtype, false, false},
    {"append", "append(list, x)", "The list, tuple or vector with x added at its end.",
     "append([1, 2], 3)", "[1, 2, 3]", run_append, false, false},
    {"zip", "zip(...)",
     "The list of tuples of the first things of each argument, the second things, and so on.",
     "for a, b in zip([1, 2], [3, 4]) { print(a * b) }", "3\n8", run_zip, true, false},
    {"enumerate", "enumerate(x)", "The list of tuples (0, first thing), (1, second thing), ...",
     "for i, a in enumerate([5, 6]) { print(i * a) }", "0\n6", run_enumerate, true, false},
    {"map", "map(f, x, axis=0)",
     "The list of f of each thing in x; a tensor where all results have one shape. Of a tensor the "
     "things are those along an axis; of a formula it is vmap(f, axis)(x).",
     "map(t -> t^2, [1, 2, 3])", "[1, 4, 9]", run_map, false, false},
    {"mnist", "mnist(dir=none)",
     "The MNIST digits: a record of train (55000), validation (5000) and test (10000), each a "
     "record of images [n, 784], single, in "
     "0..1, and labels [n, 10], one-hot. Without a folder the data that tg ships are used, or "
     "those in $TG_DATA.",
     "shape(mnist().test.images)", "(10000, 784)", run_mnist, false, false},
    {"fashion", "fashion(dir=none)",
     "Fashion-MNIST (Debian's package dataset-fashion-mnist), in the same form as mnist().",
     "shape(fashion(\"examples/data/mnist\").test.images)", "(10000, 784)", run_fashion, false,
     false},
    {"idx", "idx(path)", "The tensor in an IDX file, plain or gzip, in its own type.",
     "shape(idx(\"examples/data/mnist/t10k-labels-idx1-ubyte.gz\"))", "(10000,)", run_idx, false,
     false},
    {0},
};
