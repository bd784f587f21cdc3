/* typecode: see typecode.h. */
#include "proto/typecode.h"

#include <math.h>

__extension__ typedef __int128 wide; /* holds every int64 and uint64, and the sum of any two */

static const struct typecode typecodes[] = {
    {'b', sizeof(signed char), TYPECODE_SIGNED},
    {'B', sizeof(unsigned char), TYPECODE_UNSIGNED},
    {'h', sizeof(short), TYPECODE_SIGNED},
    {'H', sizeof(unsigned short), TYPECODE_UNSIGNED},
    {'i', sizeof(int), TYPECODE_SIGNED},
    {'I', sizeof(unsigned), TYPECODE_UNSIGNED},
    {'l', sizeof(long), TYPECODE_SIGNED},
    {'L', sizeof(unsigned long), TYPECODE_UNSIGNED},
    {'q', sizeof(long long), TYPECODE_SIGNED},
    {'Q', sizeof(unsigned long long), TYPECODE_UNSIGNED},
    {'f', sizeof(float), TYPECODE_FLOAT},
    {'d', sizeof(double), TYPECODE_FLOAT},
    {'?', sizeof(bool), TYPECODE_BOOL},
};

const struct typecode *typecode_find(char code)
{
    for (size_t i = 0; i < sizeof(typecodes) / sizeof(typecodes[0]); i++) {
        if (typecodes[i].code == code) {
            return &typecodes[i];
        }
    }
    return NULL;
}

/* The low bits of an item of that size. */
static uint64_t cut(const struct typecode *type, uint64_t bits)
{
    return bits & (UINT64_MAX >> (64 - 8 * type->size));
}

static uint64_t bits_of_float(const struct typecode *type, double number)
{
    uint64_t bits = 0;
    if (type->size == sizeof(float)) {
        float rounded = (float)number;
        uint32_t narrow;
        memcpy(&narrow, &rounded, sizeof(narrow));
        return narrow;
    }
    memcpy(&bits, &number, sizeof(bits));
    return bits;
}

static double float_of_bits(const struct typecode *type, uint64_t bits)
{
    double number;
    if (type->size == sizeof(float)) {
        uint32_t narrow = (uint32_t)bits;
        float rounded;
        memcpy(&rounded, &narrow, sizeof(rounded));
        return (double)rounded;
    }
    memcpy(&number, &bits, sizeof(number));
    return number;
}

static int encode_float(const struct typecode *type, double number, uint64_t *bits)
{
    if (type->size == sizeof(float) && isfinite(number) && !isfinite((float)number)) {
        return ERR_RANGE;
    }
    *bits = bits_of_float(type, number);
    return 0;
}

static int encode_integer(const struct typecode *type, wide number, uint64_t *bits)
{
    int width = 8 * type->size;
    wide least = type->kind == TYPECODE_SIGNED ? -((wide)1 << (width - 1)) : 0;
    wide most = least + (((wide)1 << width) - 1);
    if (number < least || number > most) {
        return ERR_RANGE;
    }
    *bits = cut(type, (uint64_t)number);
    return 0;
}

static double double_of(const struct header *number)
{
    return number->kind == KIND_FLOAT  ? number->f
           : number->kind == KIND_UINT ? (double)number->u
                                       : (double)number->i;
}

static wide wide_of(const struct header *number)
{
    return number->kind == KIND_UINT ? (wide)number->u : (wide)number->i;
}

/* Python counts with booleans as with 0 and 1. */
static struct header plain_number(const struct header *number)
{
    if (number->kind == KIND_BOOL) {
        return (struct header){.kind = KIND_INT, .i = number->b};
    }
    return *number;
}

/* The item of a boolean is whether the number is true, as Python has it: not 0. */
static int encode_truth(const struct header *number, uint64_t *bits)
{
    if (number->kind == KIND_FLOAT) {
        *bits = number->f < 0 || number->f > 0 || isnan(number->f);
    } else {
        *bits = number->u != 0; /* of an integer with a sign, too */
    }
    return 0;
}

int typecode_encode(const struct typecode *type, const struct header *number, uint64_t *bits)
{
    struct header plain = plain_number(number);
    if (plain.kind != KIND_INT && plain.kind != KIND_UINT && plain.kind != KIND_FLOAT) {
        return ERR_TYPE;
    }
    switch (type->kind) {
    case TYPECODE_BOOL:
        return encode_truth(&plain, bits);
    case TYPECODE_FLOAT:
        return encode_float(type, double_of(&plain), bits);
    default:
        break;
    }
    if (plain.kind == KIND_FLOAT) {
        return ERR_TYPE;
    }
    return encode_integer(type, wide_of(&plain), bits);
}

/* An item of an integer type, with its sign. */
static int64_t signed_of_bits(const struct typecode *type, uint64_t bits)
{
    unsigned unused = 64 - 8 * (unsigned)type->size;
    return (int64_t)(bits << unused) >> unused;
}

void typecode_decode(const struct typecode *type, uint64_t bits, struct header *number)
{
    *number = (struct header){0};
    switch (type->kind) {
    case TYPECODE_SIGNED:
        number->kind = KIND_INT;
        number->i = signed_of_bits(type, bits);
        break;
    case TYPECODE_UNSIGNED:
        number->kind = bits > INT64_MAX ? KIND_UINT : KIND_INT;
        number->u = bits;
        break;
    case TYPECODE_FLOAT:
        number->kind = KIND_FLOAT;
        number->f = float_of_bits(type, bits);
        break;
    case TYPECODE_BOOL:
        number->kind = KIND_BOOL;
        number->b = bits != 0;
        break;
    }
}

void typecode_pack(const struct typecode *type, uint64_t bits, struct buffer *out)
{
    struct header number;
    typecode_decode(type, bits, &number);
    switch (number.kind) {
    case KIND_BOOL:
        pack_bool(out, number.b);
        break;
    case KIND_FLOAT:
        pack_double(out, number.f);
        break;
    case KIND_UINT:
        pack_uint(out, number.u);
        break;
    default:
        pack_int(out, number.i);
    }
}

uint64_t typecode_load(const struct typecode *type, const void *item)
{
    switch (type->size) {
    case 1:
        return __atomic_load_n((const uint8_t *)item, __ATOMIC_SEQ_CST);
    case 2:
        return __atomic_load_n((const uint16_t *)item, __ATOMIC_SEQ_CST);
    case 4:
        return __atomic_load_n((const uint32_t *)item, __ATOMIC_SEQ_CST);
    default:
        return __atomic_load_n((const uint64_t *)item, __ATOMIC_SEQ_CST);
    }
}

void typecode_store(const struct typecode *type, void *item, uint64_t bits)
{
    switch (type->size) {
    case 1:
        __atomic_store_n((uint8_t *)item, (uint8_t)bits, __ATOMIC_SEQ_CST);
        break;
    case 2:
        __atomic_store_n((uint16_t *)item, (uint16_t)bits, __ATOMIC_SEQ_CST);
        break;
    case 4:
        __atomic_store_n((uint32_t *)item, (uint32_t)bits, __ATOMIC_SEQ_CST);
        break;
    default:
        __atomic_store_n((uint64_t *)item, bits, __ATOMIC_SEQ_CST);
        break;
    }
}

/* The exchange for an item of one size. */
#define EXCHANGE(type_)                                                                            \
    {                                                                                              \
        type_ was = (type_)*expected;                                                              \
        bool done = __atomic_compare_exchange_n((type_ *)item, &was, (type_)wanted, false,         \
                                                __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);               \
        *expected = was;                                                                           \
        return done;                                                                               \
    }

bool typecode_exchange(const struct typecode *type, void *item, uint64_t *expected, uint64_t wanted)
{
    switch (type->size) {
    case 1:
        EXCHANGE(uint8_t)
    case 2:
        EXCHANGE(uint16_t)
    case 4:
        EXCHANGE(uint32_t)
    default:
        EXCHANGE(uint64_t)
    }
}

#undef EXCHANGE

/* An item and a delta that typecode_add takes for the kind. */
static int sum_of(const struct typecode *type, uint64_t bits, const struct header *delta,
                  uint64_t *sum)
{
    if (type->kind == TYPECODE_FLOAT) {
        return encode_float(type, float_of_bits(type, bits) + double_of(delta), sum);
    }
    wide have = type->kind == TYPECODE_SIGNED ? (wide)signed_of_bits(type, bits) : (wide)bits;
    return encode_integer(type, have + wide_of(delta), sum);
}

int typecode_add(const struct typecode *type, void *item, const struct header *delta, uint64_t *sum)
{
    struct header plain = plain_number(delta);
    bool is_integer = plain.kind == KIND_INT || plain.kind == KIND_UINT;
    bool is_float = plain.kind == KIND_FLOAT && type->kind == TYPECODE_FLOAT;
    if (type->kind == TYPECODE_BOOL || (!is_integer && !is_float)) {
        return ERR_TYPE;
    }
    uint64_t bits = typecode_load(type, item);
    do {
        int status = sum_of(type, bits, &plain, sum);
        if (status < 0) {
            return status;
        }
    } while (!typecode_exchange(type, item, &bits, *sum));
    return 0;
}
