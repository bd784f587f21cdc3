/*
 * _core_value: a number in shared memory. Its methods work on the memory and keep the GIL, as they
 * take nanoseconds; where the memory could not be mapped, the library calls the daemon and they do
 * not.
 */
#include "_core.h"

struct value {
    PyObject_HEAD struct hooks hooks;
    struct ipcc_shared_value *shared;
    bool mapped;
    unsigned depth; /* how often its holder has taken the lock, beyond the first time */
};

/* Lets go of the GIL if the daemon is asked. */
static PyThreadState *begin(const struct value *value)
{
    return value->mapped ? NULL : PyEval_SaveThread();
}

static void end(PyThreadState *thread)
{
    if (thread != NULL) {
        PyEval_RestoreThread(thread);
    }
}

static PyObject *value_get(PyObject *self, PyObject *unused)
{
    struct value *value = (struct value *)self;
    struct ipcc_value number;
    PyThreadState *thread = begin(value);
    int status = ipcc_shared_value_get(value->shared, &number);
    end(thread);
    return status < 0 ? raise_last(&value->hooks, status) : number_object(&number);
}

static PyObject *value_set(PyObject *self, PyObject *object)
{
    struct value *value = (struct value *)self;
    struct ipcc_value number;
    if (number_value(object, &number) < 0) {
        return NULL;
    }
    PyThreadState *thread = begin(value);
    int status = ipcc_shared_value_set(value->shared, number);
    end(thread);
    if (status < 0) {
        return raise_last(&value->hooks, status);
    }
    Py_RETURN_NONE;
}

static PyObject *value_add(PyObject *self, PyObject *object)
{
    struct value *value = (struct value *)self;
    struct ipcc_value delta;
    struct ipcc_value sum;
    if (number_value(object, &delta) < 0) {
        return NULL;
    }
    PyThreadState *thread = begin(value);
    int status = ipcc_shared_value_add(value->shared, delta, &sum);
    end(thread);
    return status < 0 ? raise_last(&value->hooks, status) : number_object(&sum);
}

/* ---- the lock -------------------------------------------------------------------------------- */

static int lock_turn(void *shared, int64_t timeout_ms, bool *abandoned)
{
    return ipcc_shared_value_lock(shared, timeout_ms, abandoned);
}

static PyObject *value_lock(PyObject *self, PyObject *timeout)
{
    struct value *value = (struct value *)self;
    int64_t timeout_ms = milliseconds(timeout);
    if (timeout_ms < IPCC_FOREVER) {
        return NULL;
    }
    int status = shared_lock(lock_turn, value->shared, timeout_ms);
    if (status == IPCC_ERR_BUSY) {
        value->depth++;
        return PyLong_FromLong(1);
    }
    if (status < 0) {
        return PyErr_Occurred() ? NULL : raise_last(&value->hooks, status);
    }
    return PyLong_FromLong(status);
}

static PyObject *value_unlock(PyObject *self, PyObject *unused)
{
    struct value *value = (struct value *)self;
    /* Only its holder gets here with a depth, unless the program is wrong. */
    if (value->depth > 0) {
        value->depth--;
        Py_RETURN_NONE;
    }
    int status = ipcc_shared_value_unlock(value->shared);
    if (status < 0) {
        return raise_last(&value->hooks, status);
    }
    Py_RETURN_NONE;
}

/* ---- the type -------------------------------------------------------------------------------- */

static PyObject *value_new(PyTypeObject *type, PyObject *args, PyObject *kwargs)
{
    PyObject *object;
    const char *name;
    if (!PyArg_ParseTuple(args, "Oy", &object, &name)) {
        return NULL;
    }
    if (!connection_is(object)) {
        PyErr_SetString(PyExc_TypeError, "a value needs a Connection");
        return NULL;
    }
    struct connection *conn = (struct connection *)object;
    struct ipcc_shared_value_options options = {.open = {.existing = true}};
    struct ipcc *ipcc = connection_enter(conn);
    if (ipcc == NULL) {
        return NULL;
    }
    struct ipcc_shared_value *shared = NULL;
    PyThreadState *thread = PyEval_SaveThread();
    int status = ipcc_shared_value_open(ipcc, name, &options, &shared);
    PyEval_RestoreThread(thread);
    connection_leave(conn);
    if (status < 0) {
        return raise_last(&conn->hooks, status);
    }
    struct value *value = (struct value *)instance_new(type);
    if (value == NULL) {
        (void)ipcc_shared_value_close(shared);
        return NULL;
    }
    hooks_copy(&value->hooks, &conn->hooks);
    value->shared = shared;
    value->mapped = ipcc_shared_value_data(shared, NULL) != NULL;
    return (PyObject *)value;
}

static void value_dealloc(PyObject *self)
{
    struct value *value = (struct value *)self;
    (void)ipcc_shared_value_close(value->shared);
    hooks_clear(&value->hooks);
    instance_free(self);
}

static PyMethodDef methods[] = {
    {"get", value_get, METH_NOARGS, "The number."},
    {"set", value_set, METH_O, "set(number)\n--\n\nSets it."},
    {"add", value_add, METH_O, "add(delta)\n--\n\nAdds, atomically; what it then is."},
    {"lock", value_lock, METH_O,
     "lock(timeout_ms)\n--\n\n"
     "Takes the lock in the memory, again if this thread holds it. 0: the time ran out; 1: held; "
     "2:\n"
     "held, and its last holder died while it held it."},
    {"unlock", value_unlock, METH_NOARGS, "Lets go of it, once."},
    {NULL, NULL, 0, NULL}};

int value_ready(PyObject *module)
{
    PyType_Slot slots[] = {{Py_tp_new, (void *)(uintptr_t)value_new},
                           {Py_tp_dealloc, (void *)(uintptr_t)value_dealloc},
                           {Py_tp_methods, methods},
                           {Py_tp_doc, (void *)(uintptr_t) "SharedValue(connection, name)\n--\n\n"
                                                           "A number in shared memory."},
                           {0, NULL}};
    PyType_Spec spec = {.name = "ipcd._core.SharedValue",
                        .basicsize = sizeof(struct value),
                        .flags = Py_TPFLAGS_DEFAULT,
                        .slots = slots};
    return add_type(module, "SharedValue", &spec);
}
