/*
 * _core_array: numbers in shared memory. As _core_value, for one of them at a time and for slices.
 */
#include "_core.h"

#include <stdlib.h>

struct array {
    PyObject_HEAD struct hooks hooks;
    struct ipcc_shared_array *shared;
    bool mapped;
    unsigned depth; /* see struct value */
};

static PyThreadState *begin(const struct array *array)
{
    return array->mapped ? NULL : PyEval_SaveThread();
}

static void end(PyThreadState *thread)
{
    if (thread != NULL) {
        PyEval_RestoreThread(thread);
    }
}

/* ---- one number ------------------------------------------------------------------------------ */

static PyObject *array_get(PyObject *self, PyObject *object)
{
    struct array *array = (struct array *)self;
    struct ipcc_value number;
    long long index = PyLong_AsLongLong(object);
    if (PyErr_Occurred()) {
        return NULL;
    }
    PyThreadState *thread = begin(array);
    int status = ipcc_shared_array_get(array->shared, index, &number);
    end(thread);
    return status < 0 ? raise_last(&array->hooks, status) : number_object(&number);
}

/* The index and the number that a method was given. */
static int take_params(PyObject *const *args, Py_ssize_t count, long long *index,
                       struct ipcc_value *number)
{
    if (count != 2) {
        PyErr_SetString(PyExc_TypeError, "an index and a number are needed");
        return -1;
    }
    *index = PyLong_AsLongLong(args[0]);
    return PyErr_Occurred() ? -1 : number_value(args[1], number);
}

static PyObject *array_set(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    struct array *array = (struct array *)self;
    struct ipcc_value number;
    long long index;
    if (take_params(args, count, &index, &number) < 0) {
        return NULL;
    }
    PyThreadState *thread = begin(array);
    int status = ipcc_shared_array_set(array->shared, index, number);
    end(thread);
    if (status < 0) {
        return raise_last(&array->hooks, status);
    }
    Py_RETURN_NONE;
}

static PyObject *array_add(PyObject *self, PyObject *const *args, Py_ssize_t count)
{
    struct array *array = (struct array *)self;
    struct ipcc_value delta;
    struct ipcc_value sum;
    long long index;
    if (take_params(args, count, &index, &delta) < 0) {
        return NULL;
    }
    PyThreadState *thread = begin(array);
    int status = ipcc_shared_array_add(array->shared, index, delta, &sum);
    end(thread);
    return status < 0 ? raise_last(&array->hooks, status) : number_object(&sum);
}

/* ---- slices ---------------------------------------------------------------------------------- */

static PyObject *array_slice(PyObject *self, PyObject *args)
{
    struct array *array = (struct array *)self;
    struct ipcc_reply reply;
    long long start;
    long long stop;
    if (!PyArg_ParseTuple(args, "LL", &start, &stop)) {
        return NULL;
    }
    PyThreadState *thread = begin(array);
    int status = ipcc_shared_array_slice(array->shared, start, stop, &reply);
    end(thread);
    if (status < 0) {
        return raise_last(&array->hooks, status);
    }
    struct unpack unpack = {.hooks = &array->hooks};
    PyObject *numbers = unpack_result(&unpack, &reply.value, RESULT_VALUE);
    ipcc_reply_free(&reply);
    return numbers;
}

static PyObject *set_slice(struct array *array, long long start, PyObject *numbers)
{
    size_t count = (size_t)PyTuple_Size(numbers);
    struct ipcc_value *values = calloc(count + 1, sizeof(*values));
    int status = 0;
    if (values == NULL) {
        return PyErr_NoMemory();
    }
    for (size_t i = 0; status == 0 && i < count; i++) {
        status = number_value(PyTuple_GetItem(numbers, (Py_ssize_t)i), &values[i]);
    }
    if (status == 0) {
        PyThreadState *thread = begin(array);
        status = ipcc_shared_array_set_slice(array->shared, start, ipcc_array(values, count));
        end(thread);
    }
    free(values);
    if (status < 0) {
        return PyErr_Occurred() ? NULL : raise_last(&array->hooks, status);
    }
    Py_RETURN_NONE;
}

static PyObject *array_set_slice(PyObject *self, PyObject *args)
{
    long long start;
    PyObject *numbers;
    if (!PyArg_ParseTuple(args, "LO!", &start, &PyTuple_Type, &numbers)) {
        return NULL;
    }
    return set_slice((struct array *)self, start, numbers);
}

static PyObject *array_len(PyObject *self, PyObject *unused)
{
    struct array *array = (struct array *)self;
    uint64_t length;
    PyThreadState *thread = begin(array);
    int status = ipcc_shared_array_len(array->shared, &length);
    end(thread);
    return status < 0 ? raise_last(&array->hooks, status) : PyLong_FromUnsignedLongLong(length);
}

/* ---- the lock -------------------------------------------------------------------------------- */

static int lock_turn(void *shared, int64_t timeout_ms, bool *abandoned)
{
    return ipcc_shared_array_lock(shared, timeout_ms, abandoned);
}

static PyObject *array_lock(PyObject *self, PyObject *timeout)
{
    struct array *array = (struct array *)self;
    int64_t timeout_ms = milliseconds(timeout);
    if (timeout_ms < IPCC_FOREVER) {
        return NULL;
    }
    int status = shared_lock(lock_turn, array->shared, timeout_ms);
    if (status == IPCC_ERR_BUSY) {
        array->depth++;
        return PyLong_FromLong(1);
    }
    if (status < 0) {
        return PyErr_Occurred() ? NULL : raise_last(&array->hooks, status);
    }
    return PyLong_FromLong(status);
}

static PyObject *array_unlock(PyObject *self, PyObject *unused)
{
    struct array *array = (struct array *)self;
    if (array->depth > 0) {
        array->depth--;
        Py_RETURN_NONE;
    }
    int status = ipcc_shared_array_unlock(array->shared);
    if (status < 0) {
        return raise_last(&array->hooks, status);
    }
    Py_RETURN_NONE;
}

/* ---- the type -------------------------------------------------------------------------------- */

static PyObject *array_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *object;
    const char *name;
    if (!PyArg_ParseTuple(args, "Oy", &object, &name)) {
        return NULL;
    }
    if (!connection_is(object)) {
        PyErr_SetString(PyExc_TypeError, "an array needs a Connection");
        return NULL;
    }
    struct connection *conn = (struct connection *)object;
    struct ipcc_shared_array_options options = {.open = {.existing = true}};
    struct ipcc *ipcc = connection_enter(conn);
    if (ipcc == NULL) {
        return NULL;
    }
    struct ipcc_shared_array *shared = NULL;
    PyThreadState *thread = PyEval_SaveThread();
    int status = ipcc_shared_array_open(ipcc, name, &options, &shared);
    PyEval_RestoreThread(thread);
    connection_leave(conn);
    if (status < 0) {
        return raise_last(&conn->hooks, status);
    }
    struct array *array = (struct array *)instance_new(type);
    if (array == NULL) {
        (void)ipcc_shared_array_close(shared);
        return NULL;
    }
    hooks_copy(&array->hooks, &conn->hooks);
    array->shared = shared;
    array->mapped = ipcc_shared_array_data(shared, NULL) != NULL;
    return (PyObject *)array;
}

static void array_dealloc(PyObject *self)
{
    struct array *array = (struct array *)self;
    (void)ipcc_shared_array_close(array->shared);
    hooks_clear(&array->hooks);
    instance_free(self);
}

#define FAST(function) ((PyCFunction)(void (*)(void))(function))

static PyMethodDef methods[] = {
    {"get", array_get, METH_O, "get(index)\n--\n\nOne number."},
    {"set", FAST(array_set), METH_FASTCALL, "set(index, number)\n--\n\nSets it."},
    {"add", FAST(array_add), METH_FASTCALL,
     "add(index, delta)\n--\n\nAdds, atomically; what it then is."},
    {"slice", array_slice, METH_VARARGS, "slice(start, stop)\n--\n\nA list of numbers."},
    {"set_slice", array_set_slice, METH_VARARGS,
     "set_slice(start, numbers)\n--\n\nSets as many as the tuple has."},
    {"len", array_len, METH_NOARGS, "How many there are."},
    {"lock", array_lock, METH_O, "lock(timeout_ms)\n--\n\nAs that of SharedValue."},
    {"unlock", array_unlock, METH_NOARGS, "Lets go of it, once."},
    {NULL, NULL, 0, NULL}};

int array_ready(PyObject *module)
{
    PyType_Slot slots[] = {{Py_tp_new, (void *)(uintptr_t)array_new},
                           {Py_tp_dealloc, (void *)(uintptr_t)array_dealloc},
                           {Py_tp_methods, methods},
                           {Py_tp_doc, (void *)(uintptr_t) "SharedArray(connection, name)\n--\n\n"
                                                           "Numbers in shared memory."},
                           {0, NULL}};
    PyType_Spec spec = {.name = "ipcd._core.SharedArray",
                        .basicsize = sizeof(struct array),
                        .flags = Py_TPFLAGS_DEFAULT,
                        .slots = slots};
    return add_type(module, "SharedArray", &spec);
}
