/* The base: characters, growing strings, interned names, places in a source, and errors that do not
 * fit their buffers. */
#include "base/alloc.h"
#include "base/arena.h"
#include "base/ctx.h"
#include "base/str.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void assert_char(const char *text, int bytes, unsigned want) {
    unsigned code;
    assert_int_equal(tg_utf8_next(text, strlen(text), &code), bytes);
    assert_int_equal(code, want);
}

static void utf8_is_strict(void **state) {
    (void)state;
    assert_char("a", 1, 'a');
    assert_char("é", 2, 0xE9);
    assert_char("中", 3, 0x4E2D);
    assert_char("😀", 4, 0x1F600);
    assert_char("\xF4\x8F\xBF\xBF", 4, 0x10FFFF);
    assert_char("\xC3", 1, 0xC3);             /* cut off */
    assert_char("\x80", 1, 0x80);             /* no first byte */
    assert_char("\xC0\xAF", 1, 0xC0);         /* overlong */
    assert_char("\xE0\x80\xAF", 1, 0xE0);     /* overlong */
    assert_char("\xF0\x80\x80\xAF", 1, 0xF0); /* overlong */
    assert_char("\xED\xA0\x80", 1, 0xED);     /* a surrogate */
    assert_char("\xF4\x90\x80\x80", 1, 0xF4); /* past the last character */
    assert_char("\xE4\xB8z", 1, 0xE4);        /* broken off */
    assert_int_equal(tg_utf8_width("aé中e\u0301", strlen("aé中e\u0301")), 5);
    assert_int_equal(tg_utf8_width("\033[1;31mab\033[0mc", strlen("\033[1;31mab\033[0mc")), 3);
    assert_int_equal(tg_utf8_width("\033[1", 3), 3);               /* broken off: no colour */
    assert_int_equal(tg_utf8_fit("aé中e", strlen("aé中e"), 3), 3); /* half of a wide one: none */
    assert_int_equal(tg_utf8_fit("\033[1mab\033[0mc", 11, 2), 10);
    assert_int_equal(tg_utf8_fit("ab", 2, -1), 0);
    assert_int_equal(tg_utf8_start("a中b", 3), 1);
    assert_int_equal(tg_utf8_start("a中b", 4), 4);
}

static void strings_grow(void **state) {
    (void)state;
    tg_str s = {0};
    assert_string_equal(tg_str_text(&s), "");
    tg_str_addf(&s, "%d-%s", 12, "ab");
    tg_str_addc(&s, '!');
    tg_str_repeat(&s, '.', 3);
    tg_str_repeat(&s, '.', -1);
    assert_string_equal(tg_str_text(&s), "12-ab!...");
    tg_alloc_fail_at(1);
    tg_str_repeat(&s, 'x', 100000);
    assert_true(s.failed);
    tg_str_add(&s, "more");
    assert_string_equal(tg_str_text(&s), "12-ab!..."); /* unchanged, and it stays so */
    tg_str_free(&s);
    tg_alloc_fail_at(0);
}

static void names_are_one(void **state) {
    (void)state;
    tg_ctx c;
    assert_true(tg_ctx_init(&c));
    const char *a = tg_intern(&c, "alpha", 5), *b = tg_intern(&c, "alphabet", 5);
    assert_ptr_equal(a, b);
    assert_ptr_not_equal(a, tg_intern(&c, "alphabet", 8));
    char name[8192];
    for (int i = 0; i < 3000; i++) {
        memset(name, 'x', sizeof name);
        assert_non_null(tg_intern(&c, name, (size_t)i));
    }
    assert_ptr_equal(a, tg_intern(&c, "alpha", 5));
    tg_ctx_free(&c);
    tg_ctx_free(&c); /* twice does no harm */
}

static void starting_without_memory_fails(void **state) {
    (void)state;
    for (uint64_t n = 1; n <= 2; n++) {
        tg_ctx c;
        size_t before = tg_alloc_get_stats().live_blocks;
        tg_alloc_fail_at(n);
        assert_false(tg_ctx_init(&c));
        assert_int_equal(tg_alloc_get_stats().live_blocks, before);
    }
    tg_alloc_fail_at(0);
}

static void places_count_characters(void **state) {
    (void)state;
    const char *text = "one\nzwei é x\n";
    tg_source *s = tg_source_new("name", text, strlen(text));
    assert_non_null(s);
    int line, col;
    size_t lo, hi;
    tg_source_place(s, strlen("one\nzwei é "), &line, &col, &lo, &hi);
    assert_int_equal(line, 2);
    assert_int_equal(col, 8);
    assert_int_equal(lo, 4);
    assert_int_equal(hi, strlen(text) - 1);
    tg_source_place(s, 1000, &line, &col, &lo, &hi); /* past the end is the end */
    assert_int_equal(line, 3);
    assert_int_equal(col, 1);
    tg_source_drop(tg_source_hold(s));
    tg_source_drop(s);
}

static void long_errors_are_cut_between_characters(void **state) {
    (void)state;
    tg_ctx c;
    assert_true(tg_ctx_init(&c));
    tg_str s = {0};
    for (int i = 0; i < 2000; i++) tg_str_add(&s, "é");
    assert_false(tg_fail(&c, TG_ERR_USER, "a%s", s.text));
    size_t n = strlen(c.diag.msg);
    assert_true(n < sizeof c.diag.msg);
    assert_string_equal(c.diag.msg + n - 3, "...");
    assert_int_equal((n - 4) % 2, 0); /* whole characters between the a and the dots */
    for (int i = 0; i < 50; i++) tg_note(&c, "%s", s.text);
    assert_true(strlen(c.diag.notes) < sizeof c.diag.notes);
    tg_clear(&c);
    assert_int_equal(c.diag.kind, TG_ERR_NONE);
    tg_str_free(&s);
    tg_ctx_free(&c);
}

static void sizes_are_checked(void **state) {
    (void)state;
    size_t out;
    assert_true(tg_size_mul(3, 4, &out));
    assert_int_equal(out, 12);
    assert_false(tg_size_mul(SIZE_MAX, 2, &out));
    assert_null(tg_alloc_array(SIZE_MAX / 2, 3));
    assert_null(tg_alloc(SIZE_MAX));
    tg_arena a = {0};
    assert_null(tg_arena_alloc(&a, SIZE_MAX));
    assert_null(tg_arena_copy(&a, "x", SIZE_MAX));
    char *p = tg_arena_copy(&a, "text", 2);
    assert_string_equal(p, "te");
    assert_int_equal((uintptr_t)tg_arena_alloc(&a, 100000) % 16, 0);
    tg_arena_free(&a);
    tg_alloc_limit(tg_alloc_get_stats().live_bytes + 1000);
    assert_null(tg_alloc(2000));
    tg_alloc_limit(0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(utf8_is_strict),
        cmocka_unit_test(strings_grow),
        cmocka_unit_test(names_are_one),
        cmocka_unit_test(starting_without_memory_fails),
        cmocka_unit_test(places_count_characters),
        cmocka_unit_test(long_errors_are_cut_between_characters),
        cmocka_unit_test(sizes_are_checked),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
