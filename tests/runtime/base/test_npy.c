/* SPDX-License-Identifier: Apache-2.0 */
/* Files of NumPy are in tests/golden/datasets (tests/datasets/test_formats.c reads them); here are the header
 * that is written, the way back, and headers that lie. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "runtime/base/npy.h"
#include "tests/support/fixture.h"

static const struct sft_npy_wanted matrix = {1 << SFT_NPY_F32 | 1 << SFT_NPY_F64, "floats are read", 2,
                                             "a matrix is read"};

static void header_is_numpys(void **state)
{
    static const float values[6] = {1, 2, 3, 4, 5, 6};
    static const struct {
        struct sft_shape shape;
        const char *text;
    } shapes[] = {{{1, {6}}, "'shape': (6,), }"},
                  {{2, {2, 3}}, "'shape': (2, 3), }"},
                  {{5, {1, 1, 1, 1, 6}}, "'shape': (1, 1, 1, 1, 6), }"}};
    struct sft_bytes file;
    (void)state;
    for (size_t i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        assert_int_equal(sft_npy_write(test_path("x.npy"), &shapes[i].shape, values), SFT_OK);
        assert_int_equal(sft_file_open(test_path("x.npy"), &file), SFT_OK);
        assert_int_equal(file.size, 128 + sizeof(values));
        assert_memory_equal(file.data, "\x93NUMPY\x01\x00\x76\x00{'descr': '<f4'", 25);
        assert_non_null(memmem(file.data, 128, shapes[i].text, strlen(shapes[i].text)));
        assert_int_equal(file.data[127], '\n');
        assert_memory_equal(file.data + 128, values, sizeof(values));
        sft_file_close(&file);
    }
}

static void matrix_and_back(void **state)
{
    static const float values[6] = {1, -2, 3.5f, 4, 5, 6e30f};
    struct sft_npy npy;
    float *read;
    int64_t n;
    (void)state;
    assert_int_equal(sft_npy_write(test_path("m.npy"), &SFT_SHAPE(2, 3), values), SFT_OK);
    assert_int_equal(sft_npy_open(test_path("m.npy"), &matrix, &npy), SFT_OK);
    assert_int_equal(npy.type, SFT_NPY_F32);
    assert_true(sft_shape_equal(&npy.shape, &SFT_SHAPE(2, 3)));
    for (int64_t i = 0; i < 6; i++) assert_true(sft_npy_value(&npy, i) == (double)values[i]);
    sft_npy_close(&npy);
    assert_int_equal(sft_npy_read(test_path("m.npy"), &n, &read), SFT_DATA);
    assert_int_equal(sft_npy_write(test_path("v.npy"), &SFT_SHAPE(6), values), SFT_OK);
    assert_int_equal(sft_npy_read(test_path("v.npy"), &n, &read), SFT_OK);
    assert_int_equal(n, 6);
    assert_memory_equal(read, values, sizeof(values));
    free(read);
}

/* A file of `version` with that header and 24 bytes of values. */
static void put_file(int version, const char *header)
{
    char bytes[512] = "\x93NUMPY";
    size_t length = strlen(header), begin = version == 1 ? 10 : 12;
    bytes[6] = (char)version;
    bytes[8] = (char)(length & 255);
    bytes[9] = (char)(length >> 8);
    memcpy(bytes + begin, header, length);
    test_put("file.npy", bytes, begin + length + 24);
}

static void every_version(void **state)
{
    struct sft_npy npy;
    (void)state;
    for (int version = 1; version <= 3; version++) {
        put_file(version, "{'descr': '<f8', 'fortran_order': False, 'shape': (1, 3), }\n");
        assert_int_equal(sft_npy_open(test_path("file.npy"), &matrix, &npy), SFT_OK);
        assert_int_equal(npy.type, SFT_NPY_F64);
        assert_true(sft_npy_value(&npy, 2) == 0);
        sft_npy_close(&npy);
    }
}

static void headers_that_lie(void **state)
{
    static const struct {
        const char *header, *message;
    } bad[] = {
        {"{'descr': '|u1', 'fortran_order': False, 'shape': (4, 6), }", "type '|u1'; floats are read"},
        {"{'descr': '>f4', 'fortran_order': False, 'shape': (2, 3), }", "type '>f4'; floats are read"},
        {"{'fortran_order': False, 'shape': (2, 3), }", "values of type ?"},
        {"{'descr': '<f4', 'fortran_order': True, 'shape': (2, 3), }", "not in C order"},
        {"{'descr': '<f4', 'shape': (2, 3), }", "not in C order"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (6,), }", "shape (6,); a matrix is read"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (1, 2, 3), }", "a matrix is read"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, -3), }", "a matrix is read"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 3", "a matrix is read"},
        {"{'descr': '<f4', 'fortran_order': False, }", "shape ?; a matrix is read"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (2, 4), }", "tells of (2, 4) values of 4 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (4611686018427387904, 4), }", "but 24 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999, 3), }", "but 24 bytes"},
        {"{'descr': '<f4', 'fortran_order': False, 'shape': (0, 3), }", "but 24 bytes"},
    };
    struct sft_npy npy;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        put_file(1, bad[i].header);
        test_catch_log();
        if (sft_npy_open(test_path("file.npy"), &matrix, &npy) != SFT_DATA)
            fail_msg("accepted: %s", bad[i].header);
        test_expect_last(bad[i].message);
        assert_null(npy.values);
    }
}

static void damaged_files(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *message;
    } bad[] = {
        {"", 0, "no .npy file"},
        {"\x93NUMPY\x01", 7, "no .npy file"},
        {"\x93NUMPY\x04\x00\x02\x00{}", 12, "no .npy file"},
        {"NUMPY it is not", 15, "no .npy file"},
        {"\x93NUMPY\x01\x00\xff\xff{'descr': '<f4'", 25, "longer than the file"},
        {"\x93NUMPY\x02\x00\xff\xff\xff\xff{'descr': '<f4'", 27, "longer than the file"},
    };
    struct sft_npy npy;
    (void)state;
    for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        test_put("bad.npy", bad[i].bytes, bad[i].size);
        test_catch_log();
        assert_int_equal(sft_npy_open(test_path("bad.npy"), &matrix, &npy), SFT_DATA);
        test_expect_last(bad[i].message);
    }
    assert_int_equal(sft_npy_open(test_path("missing.npy"), &matrix, &npy), SFT_DATA);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_is_numpys), cmocka_unit_test(matrix_and_back),
        cmocka_unit_test(every_version),    cmocka_unit_test(headers_that_lie),
        cmocka_unit_test(damaged_files),
    };
    return cmocka_run_group_tests_name("npy", tests, test_setup_folder, test_remove_folder);
}
