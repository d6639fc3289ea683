/* Pictures: round numbers on axes, ranges, and how text is cut. */
#include "base/alloc.h"
#include "picture/parts.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_ticks(double lo, double hi, bool log, int most, const char *want) {
    tg_scale s = {.lo = lo, .hi = hi, .log = log};
    tg_ticks t;
    char got[400] = "";
    tg_ticks_find(&s, most, &t);
    for (int k = 0; k < t.n; k++) {
        strcat(strcat(got, k ? " " : ""), t.text[k]);
        assert_true(t.at[k] >= lo - 1e-9 * (hi - lo) && t.at[k] <= hi + 1e-9 * (hi - lo));
    }
    assert_true(t.n <= most);
    assert_string_equal(got, want);
}

static void ticks_are_round(void **state) {
    (void)state;
    assert_ticks(-3, 3, false, 7, "-3 -2 -1 0 1 2 3");
    assert_ticks(-3, 3, false, 4, "-2 0 2");
    assert_ticks(0, 1, false, 6, "0.0 0.2 0.4 0.6 0.8 1.0");
    assert_ticks(0.301, 0.304, false, 5, "0.301 0.302 0.303 0.304");
    assert_ticks(1e9, 3e9, false, 4, "1e+09 2e+09 3e+09");
    assert_ticks(-1e-9, 1e-9, false, 4, "-1e-09 0 1e-09");
    assert_ticks(1000000, 1000003, false, 4, "1000000 1000001 1000002 1000003");
    assert_ticks(0.001, 1000, true, 8, "0.001 0.01 0.1 1 10 100 1000");
    assert_ticks(1e-9, 1e9, true, 5, "1e-08 0.0001 1 10000 1e+08");
    assert_ticks(2, 8, true, 4, "2 4 6 8");
    assert_ticks(1, 1, false, 4, "");
}

static void ranges_show_the_data(void **state) {
    (void)state;
    tg_ctx c;
    tg_figure f = {0};
    assert_true(tg_ctx_init(&c));
    const double y[] = {NAN, 2, -INFINITY, 4, 1e308};
    tg_series *s = tg_figure_add(&c, &f, TG_MARK_LINE, "y", 5);
    assert_non_null(s);
    for (int i = 0; i < 5; i++) {
        s->x[i] = i;
        s->y[i] = y[i];
    }
    assert_true(tg_figure_fit(&f));
    assert_true(f.x.lo == 1 && f.x.hi == 3);
    assert_true(f.y.lo < 2 && f.y.lo > 1.5 && f.y.hi > 4 && f.y.hi < 4.5);
    f.x = f.y = (tg_scale){0};
    s->y[3] = 2; /* all the same */
    assert_true(tg_figure_fit(&f));
    assert_true(f.y.lo < 2 && f.y.hi > 2);
    f.x = f.y = (tg_scale){0};
    f.y.log = true;
    for (int i = 0; i < 5; i++) s->y[i] = -1;
    assert_false(tg_figure_fit(&f));
    tg_figure_free(&f);
    tg_ctx_free(&c);
}

static void texts_are_cut_between_characters(void **state) {
    (void)state;
    const char *const want[] = {"…", "g…", "gr…", "grö…", "größe", "größe"};
    for (int columns = 1; columns <= 6; columns++) {
        tg_str s = {0};
        tg_text_cut("größe", columns, true, &s);
        assert_string_equal(tg_str_text(&s), want[columns - 1]);
        tg_str_free(&s);
    }
}

/* Two images of 2 x 1 side by side, one pixel apart. */
static void images_are_joined(void **state) {
    (void)state;
    tg_ctx c;
    assert_true(tg_ctx_init(&c));
    double pixel[] = {1, 2, 3, 4};
    tg_images m = {.pixel = pixel, .n = 2, .h = 2, .w = 1, .across = 2};
    int w, h;
    double *all = tg_images_join(&c, &m, 1, &w, &h);
    assert_non_null(all);
    assert_true(w == 3 && h == 2);
    assert_true(all[0] == 1 && isnan(all[1]) && all[2] == 3);
    assert_true(all[3] == 2 && isnan(all[4]) && all[5] == 4);
    double *half = tg_image_resize(&c, all, w, h, 3, 1);
    assert_non_null(half);
    assert_true(half[0] == 1.5 && isnan(half[1]) && half[2] == 3.5);
    tg_free(half);
    tg_free(all);
    tg_ctx_free(&c);
}

static void every_allocation_may_fail(void **state) {
    (void)state;
    tg_ctx c;
    assert_true(tg_ctx_init(&c));
    size_t before = tg_alloc_get_stats().live_blocks;
    double pixel[] = {0, 1, 2, 3};
    for (uint64_t n = 1; n < 200; n++) {
        tg_figure f = {.images = {.n = 1, .h = 2, .w = 2, .across = 1, .hi = 3}};
        tg_canvas on = {.columns = 20, .rows = 6, .unicode = true};
        tg_str out = {0};
        f.images.pixel = tg_alloc_array(4, sizeof *pixel);
        assert_non_null(f.images.pixel);
        memcpy(f.images.pixel, pixel, sizeof pixel);
        tg_alloc_fail_at(n);
        bool ok = tg_figure_text(&c, &f.title, "title") && tg_picture_show(&c, &f, &on, &out);
        tg_alloc_fail_at(0);
        assert_int_equal(c.diag.kind, ok ? TG_ERR_NONE : TG_ERR_MEMORY);
        tg_clear(&c);
        tg_str_free(&out);
        tg_figure_free(&f);
    }
    assert_int_equal(tg_alloc_get_stats().live_blocks, before);
    tg_ctx_free(&c);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ticks_are_round),
        cmocka_unit_test(ranges_show_the_data),
        cmocka_unit_test(texts_are_cut_between_characters),
        cmocka_unit_test(images_are_joined),
        cmocka_unit_test(every_allocation_may_fail),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
