/*
 * _core_shared: what values and arrays in shared memory have in common: numbers, and the wait for a
 * lock; and the hooks.
 */
#include "_core.h"

#include <time.h>

/* How long a wait for a lock in memory goes without looking for signals. */
enum { LOCK_TURN_MS = 50 };

/* ---- numbers --------------------------------------------------------------------------------- */

PyObject *number_object(const struct ipcc_value *number)
{
    switch (number->kind) {
    case IPCC_INT:
        return PyLong_FromLongLong(number->as.integer);
    case IPCC_UINT:
        return PyLong_FromUnsignedLongLong(number->as.unsigned_integer);
    case IPCC_FLOAT:
        return PyFloat_FromDouble(number->as.number);
    case IPCC_BOOL:
        return PyBool_FromLong(number->as.boolean);
    default:
        PyErr_SetString(PyExc_TypeError, "the memory holds no number");
        return NULL;
    }
}

int number_value(PyObject *object, struct ipcc_value *out)
{
    int overflow;
    if (PyBool_Check(object)) {
        *out = ipcc_bool(object == Py_True);
        return 0;
    }
    if (PyFloat_Check(object)) {
        *out = ipcc_float(PyFloat_AsDouble(object));
        return 0;
    }
    if (!PyIndex_Check(object)) {
        *out = ipcc_float(PyFloat_AsDouble(object)); /* whatever has a __float__ */
        return PyErr_Occurred() ? -1 : 0;
    }
    PyObject *integer = PyNumber_Index(object);
    if (integer == NULL) {
        return -1;
    }
    *out = ipcc_int(PyLong_AsLongLongAndOverflow(integer, &overflow));
    if (overflow > 0) {
        *out = ipcc_uint(PyLong_AsUnsignedLongLong(integer));
    } else if (overflow < 0) {
        PyErr_SetString(PyExc_OverflowError, "the number does not fit");
    }
    Py_DECREF(integer);
    return PyErr_Occurred() ? -1 : 0;
}

/* ---- locks ----------------------------------------------------------------------------------- */

int64_t milliseconds(PyObject *object)
{
    if (object == Py_None) {
        return IPCC_FOREVER;
    }
    long long ms = PyLong_AsLongLong(object);
    if (ms < 0 && !PyErr_Occurred()) {
        PyErr_SetString(PyExc_ValueError, "a timeout must not be negative");
    }
    return PyErr_Occurred() ? -2 : ms;
}

static int64_t now_ms(void)
{
    struct timespec now;
    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* One wait, not longer than a turn. */
static int wait_turn(int (*lock)(void *shared, int64_t timeout_ms, bool *abandoned), void *shared,
                     int64_t left, bool *abandoned)
{
    PyThreadState *thread = PyEval_SaveThread();
    int status = lock(shared, left < LOCK_TURN_MS ? left : LOCK_TURN_MS, abandoned);
    PyEval_RestoreThread(thread);
    return status;
}

int shared_lock(int (*lock)(void *shared, int64_t timeout_ms, bool *abandoned), void *shared,
                int64_t timeout_ms)
{
    bool abandoned = false;
    int64_t left = timeout_ms == IPCC_FOREVER ? INT64_MAX : timeout_ms;
    int64_t begun = left > 0 ? now_ms() : 0;
    int status = lock(shared, 0, &abandoned);
    while (status == IPCC_ERR_TIMEOUT && left > 0) {
        status = wait_turn(lock, shared, left, &abandoned);
        if (status == IPCC_ERR_TIMEOUT && PyErr_CheckSignals() < 0) {
            return -1;
        }
        /* One more, for the part of a millisecond that is not over. */
        left = timeout_ms == IPCC_FOREVER ? INT64_MAX : timeout_ms - (now_ms() - begun) + 1;
        left = now_ms() - begun > timeout_ms && timeout_ms != IPCC_FOREVER ? 0 : left;
    }
    if (status == IPCC_ERR_TIMEOUT) {
        return 0;
    }
    return status < 0 ? status : 1 + abandoned;
}

/* ---- hooks ----------------------------------------------------------------------------------- */

void hooks_copy(struct hooks *to, const struct hooks *from)
{
    *to = *from;
    Py_INCREF(to->encode);
    Py_INCREF(to->decode);
    Py_INCREF(to->fail);
    Py_INCREF(to->values);
    Py_INCREF(to->map);
    Py_INCREF(to->refused);
}

int hooks_take(struct hooks *hooks, PyObject *tuple)
{
    struct hooks borrowed;
    if (!PyArg_ParseTuple(tuple, "OOOOOO;hooks are encode, decode, fail, values, map and refused",
                          &borrowed.encode, &borrowed.decode, &borrowed.fail, &borrowed.values,
                          &borrowed.map, &borrowed.refused)) {
        return -1;
    }
    hooks_copy(hooks, &borrowed);
    return 0;
}

void hooks_clear(struct hooks *hooks)
{
    Py_CLEAR(hooks->encode);
    Py_CLEAR(hooks->decode);
    Py_CLEAR(hooks->fail);
    Py_CLEAR(hooks->values);
    Py_CLEAR(hooks->map);
    Py_CLEAR(hooks->refused);
}
