/* The columns of a convolution, for one element type T, in functions FN(name). Row (c, i, j) of the
 * matrix has what each window sees at place (i, j) of its window in channel c, and zero in the
 * padding; the columns are the windows of the rows `from` to `from + rows` of out. */

/* The columns [first, end) of a row of windows that see a place of the image: x = o * s + shift. */
static void FN(columns)(const tg_window_axis *a, int64_t shift, int64_t *first, int64_t *end) {
    *first = shift < 0 ? (-shift + a->stride - 1) / a->stride : 0;
    *end = a->image > shift ? (a->image - shift + a->stride - 1) / a->stride : 0;
    if (*end > a->out) *end = a->out;
    if (*first > *end) *first = *end;
}

/* image [channels, rows, columns], contiguous, to column [channels * window, rows * out columns] */
static void FN(unfold)(const tg_window *w, int64_t channels, const T *image, int64_t from,
                       int64_t rows, T *column) {
    const tg_window_axis *r = &w->row, *k = &w->column;
    int64_t width = k->out, step = k->stride;
    for (int64_t c = 0; c < channels; c++, image += r->image * k->image)
        for (int64_t i = 0; i < r->kernel; i++)
            for (int64_t j = 0; j < k->kernel; j++) {
                int64_t shift = j * k->dilation - k->padding, first, end;
                FN(columns)(k, shift, &first, &end);
                for (int64_t o = from; o < from + rows; o++, column += width) {
                    int64_t y = o * r->stride - r->padding + i * r->dilation;
                    bool outside = y < 0 || y >= r->image;
                    int64_t begin = outside ? width : first, stop = outside ? width : end;
                    const T *line = outside ? image : image + y * k->image;
                    for (int64_t x = 0; x < begin; x++) column[x] = 0;
                    if (step == 1)
                        for (int64_t x = begin; x < stop; x++) column[x] = line[x + shift];
                    else
                        for (int64_t x = begin; x < stop; x++) column[x] = line[x * step + shift];
                    for (int64_t x = stop; x < width; x++) column[x] = 0;
                }
            }
}

/* The adjoint: adds each element of column to the place of the image that it came from. */
static void FN(fold)(const tg_window *w, int64_t channels, T *image, int64_t from, int64_t rows,
                     const T *column) {
    const tg_window_axis *r = &w->row, *k = &w->column;
    int64_t width = k->out, step = k->stride;
    for (int64_t c = 0; c < channels; c++, image += r->image * k->image)
        for (int64_t i = 0; i < r->kernel; i++)
            for (int64_t j = 0; j < k->kernel; j++) {
                int64_t shift = j * k->dilation - k->padding, first, end;
                FN(columns)(k, shift, &first, &end);
                for (int64_t o = from; o < from + rows; o++, column += width) {
                    int64_t y = o * r->stride - r->padding + i * r->dilation;
                    if (y < 0 || y >= r->image) continue;
                    T *line = image + y * k->image;
                    if (step == 1)
                        for (int64_t x = first; x < end; x++) line[x + shift] += column[x];
                    else
                        for (int64_t x = first; x < end; x++) line[x * step + shift] += column[x];
                }
            }
}
