/*
 * Random operations on arrays of every typecode, each done on a plain model as well: integers of
 * 128 bits that are checked against the limits of the type, or doubles. What is refused must have
 * changed nothing. Then the memory itself: what it costs, and what becomes of it when something is
 * missing.
 */
#include "daemon/objects/shared.h"
#include "tests/support/random_value.h"
#include "tests/support/scarce.h"
#include "tests/unit/objects/world.h"

#include <fcntl.h>
#include <math.h>
#include <pthread.h>
#include <sys/mman.h>
#include <unistd.h>

enum { COUNT = 37, STEPS = 4000, PAGE = 4096 };

__extension__ typedef __int128 wide;

struct run {
    struct world world;
    struct random random;
    struct shared *shared;
    bool is_float;
    wide least; /* of an integer type */
    wide most;
    wide integers[COUNT];
    double floats[COUNT];
};

static struct shared *new_array(struct world *world, char code, uint64_t count)
{
    struct shared_options options = {&shared_array_type, typecode_find(code), count};
    struct shared *shared;
    assert_int_equal(shared_new(&world->options, &options, &shared), 0);
    return shared;
}

static void run_init(struct run *run, char code, uint64_t seed)
{
    *run = (struct run){.random = random_from_seed(seed)};
    world_init(&run->world);
    run->shared = new_array(&run->world, code, COUNT);
    const struct typecode *item = run->shared->item;
    int width = item->kind == TYPECODE_BOOL ? 1 : 8 * item->size;
    run->is_float = item->kind == TYPECODE_FLOAT;
    run->least = item->kind == TYPECODE_SIGNED ? -((wide)1 << (width - 1)) : 0;
    run->most = run->least + ((wide)1 << width) - 1;
}

/* The numbers that are worth trying: small ones, those at the limits, anything. */
static struct header any_number(struct run *run)
{
    struct header number = {.kind = KIND_INT};
    uint64_t any = random_next(&run->random);
    switch (random_below(&run->random, 6)) {
    case 0:
        number.i = (int64_t)(any % 5) - 2;
        break;
    case 1: {
        wide border = any % 2 == 0 ? run->least : run->most;
        wide near = border + (wide)(any / 2 % 5) - 2;
        number.kind = near > INT64_MAX ? KIND_UINT : KIND_INT;
        number.i = (int64_t)near;
        break;
    }
    case 2:
        number.i = (int64_t)(any >> (any % 64));
        break;
    case 3:
        number.u = any;
        number.kind = any > INT64_MAX ? KIND_UINT : KIND_INT;
        break;
    case 4:
        number.kind = KIND_FLOAT;
        number.f = (double)(int64_t)any / 1024;
        break;
    default:
        number.kind = KIND_BOOL;
        number.b = any % 2 == 1;
        break;
    }
    return number;
}

static wide integer_of(const struct header *number)
{
    return number->kind == KIND_UINT   ? (wide)number->u
           : number->kind == KIND_BOOL ? (wide)number->b
                                       : (wide)number->i;
}

static double float_of(const struct header *number)
{
    return number->kind == KIND_FLOAT  ? number->f
           : number->kind == KIND_UINT ? (double)number->u
           : number->kind == KIND_BOOL ? (double)number->b
                                       : (double)number->i;
}

/* What becomes of the model's item if that is to be its new number. */
static int model_put(struct run *run, uint64_t at, wide integer, double number)
{
    if (run->is_float) {
        run->floats[at] = run->shared->item->size == 4 ? (double)(float)number : number;
        return 0;
    }
    if (integer < run->least || integer > run->most) {
        return ERR_RANGE;
    }
    run->integers[at] = integer;
    return 0;
}

static bool model_takes(const struct run *run, const struct header *number, bool add)
{
    if (run->shared->item->kind == TYPECODE_BOOL) {
        return !add;
    }
    return number->kind != KIND_FLOAT || run->is_float;
}

static void compare(const struct run *run)
{
    for (uint64_t i = 0; i < COUNT; i++) {
        struct header number;
        typecode_decode(run->shared->item, shared_get(run->shared, i), &number);
        if (run->is_float) {
            assert_true(number.f == run->floats[i]);
        } else {
            assert_true(integer_of(&number) == run->integers[i]);
        }
    }
}

static void step(struct run *run)
{
    struct shared *shared = run->shared;
    struct header number = any_number(run);
    uint64_t at = random_below(&run->random, COUNT);
    bool add = random_below(&run->random, 2) == 1;
    uint64_t bits = 0;
    int expected = ERR_TYPE;
    if (model_takes(run, &number, add)) {
        wide integer = number.kind == KIND_FLOAT ? 0 : integer_of(&number);
        if (shared->item->kind == TYPECODE_BOOL) {
            integer = float_of(&number) != 0;
        }
        expected = model_put(run, at, integer + (add ? run->integers[at] : 0),
                             float_of(&number) + (add ? run->floats[at] : 0));
    }
    if (add) {
        assert_int_equal(shared_add(shared, at, &number, &bits), expected);
    } else {
        assert_int_equal(typecode_encode(shared->item, &number, &bits), expected);
        if (expected == 0) {
            shared_set(shared, at, bits);
        }
    }
    if (expected == 0) {
        assert_int_equal(shared_get(shared, at), bits);
    }
}

static void arrays_of_every_type_are_as_the_model(void **state)
{
    uint64_t seed = world_seed();
    for (const char *code = "bBhHiIlLqQfd?"; *code != '\0'; code++) {
        struct run run;
        run_init(&run, *code, seed);
        compare(&run); /* all zero */
        for (unsigned i = 0; i < STEPS; i++) {
            step(&run);
            if (i % 40 == 0) {
                compare(&run);
            }
        }
        compare(&run);
        object_unref(&run.shared->object);
        world_deinit(&run.world);
    }
}

static void every_bit_pattern_is_an_item(void **state)
{
    struct world world;
    struct random random = random_from_seed(world_seed());
    world_init(&world);
    for (const char *code = "bBhHiIlLqQfd?"; *code != '\0'; code++) {
        struct shared *shared = new_array(&world, *code, COUNT);
        for (size_t i = 0; i < shared->mapping.size; i++) { /* its lock too */
            shared->mapping.memory[i] = (uint8_t)random_next(&random);
        }
        for (uint64_t i = 0; i < COUNT; i++) {
            struct header number = {.kind = KIND_INT, .i = 1};
            uint64_t bits;
            typecode_decode(shared->item, shared_get(shared, i), &number);
            number = (struct header){.kind = KIND_INT, .i = 1};
            int status = shared_add(shared, i, &number, &bits);
            assert_true(status == 0 || status == ERR_RANGE || *code == '?');
            shared_set(shared, i, 0);
            assert_int_equal(shared_get(shared, i), 0);
        }
        object_unref(&shared->object);
    }
    world_deinit(&world);
}

static void memory_is_charged_in_whole_pages(void **state)
{
    static const struct {
        uint64_t count;
        uint64_t pages;
    } rows[] = {{0, 1}, {1, 1}, {504, 1}, {505, 2}, {1016, 2}, {1017, 3}};
    struct world world;
    world_init(&world);
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        struct shared *shared = new_array(&world, 'd', rows[i].count);
        assert_int_equal(shared->object.bytes, rows[i].pages * PAGE + descriptor_cost());
        assert_int_equal(world.accounts.descriptors, 1);
        object_unref(&shared->object);
        assert_int_equal(world.accounts.descriptors, 0);
    }
    world_deinit(&world);
}

static void what_is_over_a_limit_is_not_made(void **state)
{
    static const uint64_t counts[] = {512, UINT64_MAX / 8, UINT64_MAX / 8 + 1, INT64_MAX,
                                      UINT64_MAX};
    struct world world;
    struct shared *shared;
    world_init(&world);
    world_limit(&world, PAGE + 1000);
    for (size_t i = 0; i < sizeof(counts) / sizeof(counts[0]); i++) {
        struct shared_options options = {&shared_array_type, typecode_find('d'), counts[i]};
        assert_int_equal(shared_new(&world.options, &options, &shared), ERR_LIMIT);
        assert_string_equal(world.accounts.refusal.limit->name, "max_user_bytes");
        assert_int_equal(world.accounts.bytes, 0);
    }
    world.accounts.limits.max_descriptors = 0;
    struct shared_options options = {&shared_value_type, typecode_find('d'), 1};
    assert_int_equal(shared_new(&world.options, &options, &shared), ERR_LIMIT);
    assert_string_equal(world.accounts.refusal.limit->name, "max_descriptors");
    world_deinit(&world);
}

/* The lowest free descriptor, which tells whether one was left open. */
static int free_descriptor(void)
{
    int fd = dup(0);
    assert_true(fd >= 0);
    (void)close(fd);
    return fd;
}

static void want_of_memory_leaves_nothing_open(void **state)
{
    struct world world;
    struct shared *shared = NULL;
    struct shared_options options = {&shared_value_type, typecode_find('q'), 1};
    world_init(&world);
    int first = free_descriptor();
    for (unsigned n = 0;; n++) {
        scarce_begin(n);
        int status = shared_new(&world.options, &options, &shared);
        if (!scarce_end()) {
            break;
        }
        assert_int_equal(status, ERR_MEMORY);
        assert_int_equal(world.accounts.bytes, 0);
        assert_int_equal(world.accounts.descriptors, 0);
        assert_int_equal(free_descriptor(), first);
    }
    object_unref(&shared->object);
    assert_int_equal(free_descriptor(), first);
    world_deinit(&world);
}

static void lock_can_be_taken_at_once(void **state)
{
    struct world world;
    world_init(&world);
    struct shared *shared = new_array(&world, 'i', 1);
    void *lock = shared->mapping.memory + SHARED_LOCK;
    assert_true(shared_lock_size() <= SHARED_ITEMS - SHARED_LOCK);
    assert_int_equal(pthread_mutex_trylock(lock), 0);
    assert_int_equal(pthread_mutex_unlock(lock), 0);
    object_unref(&shared->object);
    world_deinit(&world);
}

static void descriptor_for_reading_cannot_write(void **state)
{
    struct world world;
    struct descriptor *descriptor;
    world_init(&world);
    struct shared *shared = new_array(&world, 'i', 1);
    assert_int_equal(shared_descriptor(shared, false, world.user, &descriptor), 0);
    int fd = descriptor->fd;
    assert_int_equal(fcntl(fd, F_GETFL) & O_ACCMODE, O_RDONLY);
    assert_int_equal(write(fd, "x", 1), -1);
    assert_ptr_equal(mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0), MAP_FAILED);
    void *memory = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    assert_ptr_not_equal(memory, MAP_FAILED);
    assert_int_equal(mprotect(memory, PAGE, PROT_READ | PROT_WRITE), -1);
    shared_set(shared, 0, 42);
    assert_int_equal(((uint8_t *)memory)[SHARED_ITEMS], 42);
    assert_int_equal(munmap(memory, PAGE), 0);
    descriptor_unref(descriptor);
    assert_int_equal(world.accounts.descriptors, 1);
    object_unref(&shared->object);
    world_deinit(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(arrays_of_every_type_are_as_the_model),
        cmocka_unit_test(every_bit_pattern_is_an_item),
        cmocka_unit_test(memory_is_charged_in_whole_pages),
        cmocka_unit_test(what_is_over_a_limit_is_not_made),
        cmocka_unit_test(want_of_memory_leaves_nothing_open),
        cmocka_unit_test(lock_can_be_taken_at_once),
        cmocka_unit_test(descriptor_for_reading_cannot_write),
    };
    return cmocka_run_group_tests_name("shared memory", tests, NULL, NULL);
}
