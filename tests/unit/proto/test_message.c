/* Tests of proto/message. */
#include "proto/message.h"

#include "tests/support/bytes.h"
#include "tests/support/unit.h"
#include "tests/support/random_value.h"

#include <stdlib.h>

static int decode(const uint8_t *data, size_t len, struct message *out)
{
    return message_decode(data, len, MESSAGE_DEPTH, MESSAGE_SIZE, out);
}

static int decode_hex(const char *hex, size_t max_size)
{
    struct buffer bytes = bytes_of_hex(hex);
    struct message message;
    int status = message_decode(bytes.data, bytes.len, MESSAGE_DEPTH, max_size, &message);
    if (status == 0) {
        assert_int_equal(message.size, bytes.len);
    }
    buffer_deinit(&bytes);
    return status;
}

static void assert_text(struct slice got, const char *expected)
{
    assert_bytes(got, slice_of_string(expected));
}

static void message_decodes_a_request(void **state)
{
    struct buffer bytes = bytes_of_hex("94 00 cd0102 a9 71756575652e707574 92 a171 c403010203");
    struct message message;
    assert_int_equal(decode(bytes.data, bytes.len, &message), 0);
    assert_int_equal(message.type, MESSAGE_REQUEST);
    assert_int_equal(message.msgid, 0x102);
    assert_text(message.method, "queue.put");
    assert_int_equal(message.nparams, 2);
    assert_int_equal(message.exts, 0);
    assert_int_equal(message.params[0].header.kind, KIND_STR);
    assert_hex(message.params[0].raw, "a171");
    assert_int_equal(message.params[1].header.kind, KIND_BIN);
    assert_int_equal(message.params[1].header.length, 3);
    assert_hex(message.params[1].raw, "c403010203");
    assert_int_equal(message.size, bytes.len);
    buffer_deinit(&bytes);
}

static void message_decodes_a_response(void **state)
{
    struct buffer bytes = bytes_of_hex("94 01 07 c0 93 a178 05 81 01 02");
    struct message message;
    memset(&message, 0x55, sizeof(message));
    assert_int_equal(decode(bytes.data, bytes.len, &message), 0);
    assert_int_equal(message.type, MESSAGE_RESPONSE);
    assert_int_equal(message.msgid, 7);
    assert_text(message.method, "");
    assert_true(message.method.data >= bytes.data && message.method.data < bytes.data + bytes.len);
    assert_int_equal(message.nparams, 2);
    assert_int_equal(message.params[0].header.kind, KIND_NIL);
    assert_int_equal(message.params[1].header.kind, KIND_ARRAY);
    assert_int_equal(message.params[1].header.count, 3);
    assert_hex(message.params[1].raw, "93 a178 05 81 01 02");
    buffer_deinit(&bytes);
}

static void message_decodes_a_notification(void **state)
{
    struct buffer bytes = bytes_of_hex("93 02 a6 63616e63656c 91 ceffffffff");
    struct message message;
    memset(&message, 0x55, sizeof(message));
    assert_int_equal(decode(bytes.data, bytes.len, &message), 0);
    assert_int_equal(message.type, MESSAGE_NOTIFICATION);
    assert_int_equal(message.msgid, 0);
    assert_text(message.method, "cancel");
    assert_int_equal(message.nparams, 1);
    assert_true(message.params[0].header.i == UINT32_MAX);
    buffer_deinit(&bytes);
}

static void message_headers_may_have_any_form(void **state)
{
    assert_int_equal(decode_hex("dd00000004 d300 00000000000000 cf00000000ffffffff c40161 "
                                "dc0001 d9026869",
                                MESSAGE_SIZE),
                     0);
    assert_int_equal(decode_hex("dc0003 cc02 db0000000161 dd00000000", MESSAGE_SIZE), 0);
    assert_int_equal(decode_hex("94 d101 00", MESSAGE_SIZE), ERR_BAD_REQUEST);
}

static void message_that_is_none_of_the_three_forms_is_refused(void **state)
{
    static const char *const rows[] = {
        "c1",                       /* not MessagePack */
        "94 c1",                    /* the same within it */
        "94 00 01 a161 91 c1",      /* and within the params */
        "94 00 01 a161 91 91 c1",   /* and deeper */
        "00",                       /* an integer */
        "a3616263",                 /* a str */
        "84 00 01 a161 90",         /* a map */
        "90",                       /* too few */
        "92 00 01",                 /* too few */
        "95 00 01 a161 90 c0",      /* too many */
        "93 00 01 a161",            /* a request without params */
        "93 01 01 c0",              /* a response without result */
        "94 02 a161 90 c0",         /* a notification with too much */
        "94 03 01 a161 90",         /* no such type */
        "94 ff 01 a161 90",         /* nor this */
        "94 a130 01 a161 90",       /* nor this */
        "94 c2 01 a161 90",         /* false is not 0 */
        "94 cb0000000000000000 01", /* nor is 0.0 */
        "94 00 ff a161 90",         /* msgid is negative */
        "94 00 cf0000000100000000", /* msgid has more than 32 bits */
        "94 00 cfffffffffffffffff", /* and far more */
        "94 00 a131 a161 90",       /* msgid is a str */
        "94 01 c0 c0 c0",           /* msgid is nil */
        "94 00 01 05 90",           /* method is an integer */
        "94 00 01 91a161 90",       /* method is an array */
        "94 00 01 a161 80",         /* params is a map */
        "94 00 01 a161 c0",         /* params is nil */
        "93 02 a161 a0",            /* the same of a notification */
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        if (decode_hex(rows[i], MESSAGE_SIZE) != ERR_BAD_REQUEST) {
            print_error("not refused: %s\n", rows[i]);
            fail();
        }
    }
}

/* Bytes of one of the three forms with random params. */
static void random_message(struct random *random, struct buffer *out)
{
    static const struct random_shape shape = {
        .max_depth = 4, .max_count = 4, .max_run = 40, .any_form = true};
    uint32_t type = random_below(random, 3);
    uint32_t count = type == MESSAGE_RESPONSE ? 2 : random_below(random, 12);
    uint32_t msgid = (uint32_t)(random_next(random) >> (32 + random_below(random, 32)));
    if (type == MESSAGE_REQUEST) {
        message_request(out, msgid, slice_of_string("queue.put"), count);
    } else if (type == MESSAGE_RESPONSE) {
        append_hex(out, "94 01 05");
    } else {
        message_notification(out, "object.event", count);
    }
    for (uint32_t i = 0; i < count; i++) {
        random_value(random, &shape, out);
    }
    assert_false(out->failed);
}

/* What is said of the first params, and of all of them together, is what scan says. */
static void check_params(const struct message *message)
{
    unsigned exts = 0;
    unsigned shown = message->nparams < MESSAGE_PARAMS_MAX ? message->nparams : MESSAGE_PARAMS_MAX;
    for (unsigned i = 0; i < shown; i++) {
        const struct param *param = &message->params[i];
        struct header header;
        assert_int_equal(header_read(param->raw.data, param->raw.len, &header), 0);
        assert_int_equal(param->header.kind, header.kind);
        assert_int_equal(param->header.size, header.size);
        assert_int_equal(param->header.length, header.length);
        assert_int_equal(param->header.count, header.count);
        assert_int_equal(scan_length(param->raw.data, param->raw.len), param->raw.len);
        struct scan scan;
        scan_init(&scan, MESSAGE_DEPTH, MESSAGE_SIZE);
        assert_int_equal(scan_run(&scan, param->raw.data, param->raw.len), 0);
        exts |= scan.exts;
        if (i > 0) {
            assert_ptr_equal(param->raw.data, param[-1].raw.data + param[-1].raw.len);
        }
    }
    assert_int_equal(message->exts & exts, exts);
}

static void message_agrees_with_scan_on_random_messages(void **state)
{
    struct random random = random_from_seed(1);
    for (unsigned i = 0; i < 20000; i++) {
        struct buffer bytes = {0};
        random_message(&random, &bytes);
        size_t len = bytes.len;
        random_message(&random, &bytes);
        struct message message;
        assert_int_equal(decode(bytes.data, bytes.len, &message), 0);
        assert_int_equal(message.size, len);
        struct scan scan;
        scan_init(&scan, MESSAGE_DEPTH, MESSAGE_SIZE);
        assert_int_equal(scan_run(&scan, bytes.data, bytes.len), 0);
        assert_int_equal(scan.at, len);
        assert_int_equal(message.exts, scan.exts);
        check_params(&message);
        buffer_deinit(&bytes);
    }
}

static void message_of_every_prefix_answers_more(void **state)
{
    struct random random = random_from_seed(2);
    for (unsigned i = 0; i < 500; i++) {
        struct buffer bytes = {0};
        random_message(&random, &bytes);
        for (size_t len = 0; len <= bytes.len; len++) {
            uint8_t *exact = exact_copy(bytes.data, len);
            struct message message;
            assert_int_equal(decode(exact, len, &message), len < bytes.len ? MESSAGE_MORE : 0);
            free(exact);
        }
        buffer_deinit(&bytes);
    }
}

static void message_without_bytes_answers_more(void **state)
{
    struct message message;
    assert_int_equal(decode(NULL, 0, &message), MESSAGE_MORE);
}

/* The same params, at the same places in their messages. */
static void check_same(const struct message *a, const uint8_t *a_begin, const struct message *b,
                       const uint8_t *b_begin)
{
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->size, b->size);
    assert_int_equal(a->exts, b->exts);
    assert_int_equal(a->nparams, b->nparams);
    for (unsigned i = 0; i < a->nparams && i < MESSAGE_PARAMS_MAX; i++) {
        assert_int_equal(a->params[i].raw.data - a_begin, b->params[i].raw.data - b_begin);
        assert_int_equal(a->params[i].raw.len, b->params[i].raw.len);
        assert_int_equal(a->params[i].header.kind, b->params[i].header.kind);
        assert_int_equal(a->params[i].header.size, b->params[i].header.size);
    }
}

static void message_in_pieces_decodes_as_the_whole_wherever_its_bytes_lie(void **state)
{
    struct random random = random_from_seed(8);
    for (unsigned i = 0; i < 500; i++) {
        struct buffer bytes = {0};
        struct message whole;
        struct message message;
        struct message_progress progress;
        int status = MESSAGE_MORE;
        random_message(&random, &bytes);
        assert_int_equal(decode(bytes.data, bytes.len, &whole), 0);
        bool begun = false;
        for (size_t len = 1; status == MESSAGE_MORE; len += 1 + random_below(&random, 30)) {
            len = len < bytes.len ? len : bytes.len;
            uint8_t *exact = malloc(len);
            assert_non_null(exact);
            memcpy(exact, bytes.data, len);
            status = begun ? message_decode_on(exact, len, MESSAGE_DEPTH, MESSAGE_SIZE, &progress,
                                               &message)
                           : decode(exact, len, &message);
            begun =
                begun || (status == MESSAGE_MORE && message_progress_begin(&progress, exact, len));
            assert_int_equal(status, len < bytes.len ? MESSAGE_MORE : 0);
            if (status == 0) {
                check_same(&message, exact, &whole, bytes.data);
            }
            free(exact);
        }
        buffer_deinit(&bytes);
    }
}

/* However many params there are: those that are whole are not looked at again. */
static void message_in_pieces_goes_on_where_it_stopped(void **state)
{
    enum { MANY = 1000 };
    struct buffer bytes = {0};
    struct message message;
    struct message_progress progress;
    message_request(&bytes, 7, slice_of_string("m"), MANY);
    size_t before = bytes.len;
    for (int i = 0; i < MANY; i++) {
        pack_int(&bytes, 1);
    }
    assert_int_equal(decode(bytes.data, before + 500, &message), MESSAGE_MORE);
    assert_false(message_progress_begin(&progress, bytes.data, before - 1));
    assert_true(message_progress_begin(&progress, bytes.data, before + 500));
    assert_int_equal(message_decode_on(bytes.data, before + 500, MESSAGE_DEPTH, MESSAGE_SIZE,
                                       &progress, &message),
                     MESSAGE_MORE);
    assert_int_equal(progress.nparams, 500);
    assert_int_equal(progress.at, before + 500);
    memset(bytes.data + before + MESSAGE_PARAMS_MAX, 0xc1, 500 - MESSAGE_PARAMS_MAX);
    assert_int_equal(
        message_decode_on(bytes.data, bytes.len, MESSAGE_DEPTH, MESSAGE_SIZE, &progress, &message),
        0);
    assert_int_equal(message.nparams, MANY);
    buffer_deinit(&bytes);
}

static void message_allows_exactly_max_size_bytes(void **state)
{
    struct random random = random_from_seed(3);
    for (unsigned i = 0; i < 2000; i++) {
        struct buffer bytes = {0};
        random_message(&random, &bytes);
        struct message message;
        assert_int_equal(message_decode(bytes.data, bytes.len, MESSAGE_DEPTH, bytes.len, &message),
                         0);
        for (size_t size = bytes.len > 40 ? bytes.len - 40 : 0; size < bytes.len; size++) {
            assert_int_equal(message_decode(bytes.data, bytes.len, MESSAGE_DEPTH, size, &message),
                             ERR_TOO_LARGE);
            assert_int_equal(message_decode(bytes.data, size, MESSAGE_DEPTH, size, &message),
                             size == 0 ? MESSAGE_MORE : ERR_TOO_LARGE);
        }
        buffer_deinit(&bytes);
    }
}

static void message_with_a_length_that_cannot_fit_is_refused_at_once(void **state)
{
    static const char *const rows[] = {
        "94 00 01 dbffffffff",         /* method */
        "94 00 01 c600000100",         /* method, 256 bytes */
        "94 00 01 a161 ddffffffff",    /* params */
        "94 00 01 a161 dc0100",        /* 256 params */
        "94 00 01 a161 91 c600000100", /* a param */
        "94 00 01 a161 91 c9ffffffff05", "94 00 01 a161 91 ddffffffff",
        "94 00 01 a161 91 df80000000",   "94 00 01 a161 91 92 dbffffffff",
        "94 01 01 c0 dfffffffff",
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        assert_int_equal(decode_hex(rows[i], 256), ERR_TOO_LARGE);
    }
    assert_int_equal(decode_hex("94 00 01 a161 91 c5 00f7", 256), MESSAGE_MORE); /* ends at 256 */
    assert_int_equal(decode_hex("94 00 01 a161 91 c5 00f8", 256), ERR_TOO_LARGE);
}

/* A message of `form` whose last value is in `depth` arrays. */
static int decode_nested(const char *form, unsigned depth, const char *innermost)
{
    struct buffer bytes = bytes_of_hex(form);
    for (unsigned i = 0; i < depth; i++) {
        append_hex(&bytes, "91");
    }
    append_hex(&bytes, innermost);
    struct message message;
    int status = decode(bytes.data, bytes.len, &message);
    struct scan scan;
    scan_init(&scan, MESSAGE_DEPTH, MESSAGE_SIZE);
    assert_int_equal(scan_run(&scan, bytes.data, bytes.len), status);
    buffer_deinit(&bytes);
    return status;
}

static void message_counts_its_own_arrays_as_depth(void **state)
{
    assert_int_equal(decode_nested("94 00 01 a161 91", 30, "c0"), 0);
    assert_int_equal(decode_nested("94 00 01 a161 91", 31, "c0"), ERR_BAD_REQUEST);
    assert_int_equal(decode_nested("94 00 01 a161 91", 29, "90"), 0);
    assert_int_equal(decode_nested("94 00 01 a161 91", 30, "80"), ERR_BAD_REQUEST);
    assert_int_equal(decode_nested("93 02 a161 91", 30, "c0"), 0);
    assert_int_equal(decode_nested("93 02 a161 91", 31, "c0"), ERR_BAD_REQUEST);
    assert_int_equal(decode_nested("94 01 01 c0", 31, "c0"), 0);
    assert_int_equal(decode_nested("94 01 01 c0", 32, "c0"), ERR_BAD_REQUEST);
}

static void message_counts_params_beyond_those_it_keeps(void **state)
{
    struct buffer bytes = bytes_of_hex("94 00 01 a161 dc000a");
    for (unsigned i = 0; i < 9; i++) {
        append_hex(&bytes, "92 00 01");
    }
    append_hex(&bytes, "d40200");
    struct message message;
    assert_int_equal(decode(bytes.data, bytes.len, &message), 0);
    assert_int_equal(message.nparams, 10);
    assert_int_equal(message.exts, SCAN_DESCRIPTOR);
    assert_int_equal(message.size, bytes.len);
    bytes.data[bytes.len - 3] = 0xc1;
    assert_int_equal(decode(bytes.data, bytes.len, &message), ERR_BAD_REQUEST);
    buffer_deinit(&bytes);
}

static void value_next_takes_values_off_one_by_one(void **state)
{
    static const char *const values[] = {"01", "a161", "93 01 90 81 01 02", "c40201ff",
                                         "dc0001 c0"};
    struct buffer bytes = {0};
    for (size_t i = 0; i < 5; i++) {
        append_hex(&bytes, values[i]);
    }
    struct slice rest = buffer_slice(&bytes);
    for (size_t i = 0; i < 5; i++) {
        struct param param = value_next(&rest);
        struct header header;
        assert_hex(param.raw, values[i]);
        assert_int_equal(header_read(param.raw.data, param.raw.len, &header), 0);
        assert_int_equal(param.header.kind, header.kind);
    }
    assert_int_equal(rest.len, 0);
    buffer_deinit(&bytes);
}

static void message_encodes_its_forms(void **state)
{
    struct buffer out = {0};
    message_request(&out, 70000, slice_of_string("queue.put"), 2);
    message_result(&out, 5);
    message_result(&out, UINT32_MAX);
    message_notification(&out, "goodbye", 2);
    assert_hex(buffer_slice(&out), "94 00 ce00011170 a9 71756575652e707574 92"
                                   "94 01 05 c0 94 01 ceffffffff c0"
                                   "93 02 a7 676f6f64627965 92");
    buffer_deinit(&out);
}

static void message_encodes_errors_with_and_without_detail(void **state)
{
    struct buffer out = {0};
    message_error(&out, 3, ERR_FULL, "it is full", (struct slice){NULL, 0});
    assert_hex(buffer_slice(&out), "94 01 03 92 a446554c4c aa69742069732066756c6c c0");
    out.len = 0;
    message_error(&out, 3, ERR_KEY, "no", slice_of_string("\x81\x01\x02"));
    assert_hex(buffer_slice(&out), "94 01 03 93 a34b4559 a26e6f 810102 c0");
    struct message message;
    assert_int_equal(decode(out.data, out.len, &message), 0);
    assert_int_equal(message.params[0].header.kind, KIND_ARRAY);
    assert_int_equal(message.params[1].header.kind, KIND_NIL);
    buffer_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(message_decodes_a_request),
        cmocka_unit_test(message_decodes_a_response),
        cmocka_unit_test(message_decodes_a_notification),
        cmocka_unit_test(message_headers_may_have_any_form),
        cmocka_unit_test(message_that_is_none_of_the_three_forms_is_refused),
        cmocka_unit_test(message_agrees_with_scan_on_random_messages),
        cmocka_unit_test(message_of_every_prefix_answers_more),
        cmocka_unit_test(message_without_bytes_answers_more),
        cmocka_unit_test(message_in_pieces_decodes_as_the_whole_wherever_its_bytes_lie),
        cmocka_unit_test(message_in_pieces_goes_on_where_it_stopped),
        cmocka_unit_test(message_allows_exactly_max_size_bytes),
        cmocka_unit_test(message_with_a_length_that_cannot_fit_is_refused_at_once),
        cmocka_unit_test(message_counts_its_own_arrays_as_depth),
        cmocka_unit_test(message_counts_params_beyond_those_it_keeps),
        cmocka_unit_test(value_next_takes_values_off_one_by_one),
        cmocka_unit_test(message_encodes_its_forms),
        cmocka_unit_test(message_encodes_errors_with_and_without_detail),
    };
    return cmocka_run_group_tests_name("message", tests, NULL, NULL);
}
