/* random_value: see random_value.h. */
#include "tests/support/random_value.h"

#include "proto/pack.h"

struct random random_from_seed(uint64_t seed)
{
    return (struct random){seed};
}

/* The splitmix64 sequence: a counter, well mixed. */
uint64_t random_next(struct random *random)
{
    random->state += UINT64_C(0x9e3779b97f4a7c15);
    uint64_t z = random->state;
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

uint32_t random_below(struct random *random, uint32_t bound)
{
    return (uint32_t)((random_next(random) >> 32) * bound >> 32);
}

static bool one_in(struct random *random, uint32_t n)
{
    return random_below(random, n) == 0;
}

static void append_byte(struct buffer *out, unsigned byte)
{
    uint8_t one = (uint8_t)byte;
    (void)buffer_append(out, &one, 1);
}

/* The lowest `width` bytes of a number, the highest first. */
static void append_big_endian(struct buffer *out, uint64_t value, unsigned width)
{
    while (width-- > 0) {
        append_byte(out, (unsigned)(value >> (8 * width)) & 0xff);
    }
}

/* An integer with a random number of bits, so that all sizes come up; often one at a border. */
static uint64_t random_bits(struct random *random)
{
    uint64_t bits = random_next(random) >> random_below(random, 64);
    if (one_in(random, 4)) {
        bits = (UINT64_C(1) << random_below(random, 64)) + random_below(random, 3) - 1;
    }
    return bits;
}

static void random_int(struct random *random, bool any_form, struct buffer *out)
{
    uint64_t bits = random_bits(random);
    unsigned width = random_below(random, 4);
    if (any_form && one_in(random, 3)) { /* 0xcc to 0xd3, whatever the number */
        append_byte(out, (one_in(random, 2) ? 0xcc : 0xd0) + width);
        append_big_endian(out, bits, 1U << width);
    } else if (one_in(random, 2)) {
        pack_int(out, (int64_t)(0 - bits));
    } else {
        pack_uint(out, bits);
    }
}

static double random_double(struct random *random)
{
    double value;
    uint64_t bits = random_next(random);
    switch (random_below(random, 4)) {
    case 0:
        return (double)(int64_t)random_bits(random);
    case 1:
        return (double)(int32_t)bits / 8;
    case 2:
        return random_below(random, 2) == 0 ? 0.0 : -0.0;
    default:
        memcpy(&value, &bits, sizeof(value));
        return value;
    }
}

static void random_float(struct random *random, bool any_form, struct buffer *out)
{
    if (any_form && one_in(random, 2)) {
        append_byte(out, 0xca);
        append_big_endian(out, random_next(random), 4);
    } else {
        pack_double(out, random_double(random));
    }
}

/* A header whose length or count takes 1, 2 or 4 bytes, in a random one of the forms that are wide
 * enough: `first` is the first byte for `least` bytes, the next bytes are those for more. */
static void append_wide_header(struct random *random, unsigned first, unsigned least,
                               uint32_t length, struct buffer *out)
{
    unsigned forms = least == 1 ? 3 : 2;
    unsigned needed = length > UINT16_MAX ? forms - 1 : length > UINT8_MAX ? forms - 2 : 0;
    unsigned form = needed + random_below(random, forms - needed);
    append_byte(out, first + form);
    append_big_endian(out, length, least << form);
}

/* Letters for a str, any bytes for a bin or an ext; latched in the buffer as everywhere. */
static void random_bytes(struct random *random, bool letters, uint32_t len, struct buffer *out)
{
    for (uint32_t i = 0; i < len; i++) {
        append_byte(out, letters ? 'a' + random_below(random, 26) : random_below(random, 256));
    }
}

static void random_run(struct random *random, const struct random_shape *shape, bool is_str,
                       struct buffer *out)
{
    uint32_t len = random_below(random, shape->max_run + 1);
    struct buffer bytes = {0};
    random_bytes(random, is_str, len, &bytes);
    if (shape->any_form && one_in(random, 3)) {
        append_wide_header(random, is_str ? 0xd9 : 0xc4, 1, len, out);
        pack_raw(out, buffer_slice(&bytes));
    } else if (is_str) {
        pack_str(out, buffer_slice(&bytes));
    } else {
        pack_bin(out, buffer_slice(&bytes));
    }
    buffer_deinit(&bytes);
}

static void random_ext(struct random *random, const struct random_shape *shape, struct buffer *out)
{
    uint32_t len = random_below(random, shape->max_run + 1);
    int8_t type = (int8_t)(random_below(random, 8) - 2);
    if (one_in(random, 2) && shape->max_run >= 16) {
        len = 1U << random_below(random, 5);
    }
    struct buffer bytes = {0};
    random_bytes(random, false, len, &bytes);
    if (shape->any_form && one_in(random, 3)) {
        append_wide_header(random, 0xc7, 1, len, out);
        append_byte(out, (uint8_t)type);
        pack_raw(out, buffer_slice(&bytes));
    } else {
        pack_ext(out, type, buffer_slice(&bytes));
    }
    buffer_deinit(&bytes);
}

static void random_container(struct random *random, const struct random_shape *shape, bool is_map,
                             struct buffer *out)
{
    struct random_shape inner = *shape;
    inner.max_depth--;
    uint32_t count = random_below(random, shape->max_count + 1);
    if (shape->any_form && one_in(random, 3)) {
        append_wide_header(random, is_map ? 0xde : 0xdc, 2, count, out);
    } else if (is_map) {
        pack_map(out, count);
    } else {
        pack_array(out, count);
    }
    for (uint32_t i = 0; i < (is_map ? 2 * count : count); i++) {
        random_value(random, &inner, out);
    }
}

void random_value(struct random *random, const struct random_shape *shape, struct buffer *out)
{
    switch (random_below(random, shape->max_depth > 0 ? 9 : 7)) {
    case 0:
        pack_nil(out);
        break;
    case 1:
        pack_bool(out, one_in(random, 2));
        break;
    case 2:
        random_int(random, shape->any_form, out);
        break;
    case 3:
        random_float(random, shape->any_form, out);
        break;
    case 4:
        random_run(random, shape, true, out);
        break;
    case 5:
        random_run(random, shape, false, out);
        break;
    case 6:
        random_ext(random, shape, out);
        break;
    default:
        random_container(random, shape, one_in(random, 2), out);
        break;
    }
}

void random_orderable(struct random *random, struct buffer *out)
{
    static const struct random_shape shape = {.max_run = 6};
    switch (random_below(random, 4)) {
    case 0:
        random_int(random, false, out);
        break;
    case 1: {
        double value = random_double(random);
        pack_double(out, value == value ? value : 0.5);
        break;
    }
    default:
        random_run(random, &shape, one_in(random, 2), out);
        break;
    }
}
